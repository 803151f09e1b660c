//! `hawkmoth copy`: a whole installation from one database to another, its files from one place to
//! another, or both, and how much there is on both sides.

use std::time::Instant;

use anyhow::{Context, bail, ensure};
use files::{Home, Keys};
use store::{Store, without_password};

use crate::settings;
use crate::table::{Progress, print};

/// Copies, and fails where one side has not as much as the other.
///
/// # Errors
/// One sentence that says what is wrong and what to do.
pub async fn run(copy: settings::Copy) -> anyhow::Result<()> {
    let target = match (&copy.from, &copy.to) {
        (Some(from), Some(to)) => Some(rows(from, to, copy.while_running).await?),
        _ => None,
    };
    match (&copy.files_from, &copy.files_to) {
        (Some(from), Some(to)) => files(from, to, &copy.opened.keys()).await?,
        _ => println!(
            "Files are not copied: where they are to move too, give --files-from and --files-to."
        ),
    }
    // Only now: what is cut off while files are copied is given again as it was.
    if let Some(target) = target {
        target.end_copy().await?;
    }
    Ok(())
}

/// Copies the rows; the target, in which the copy is still to be ended.
async fn rows(from: &str, to: &str, while_running: bool) -> anyhow::Result<Store> {
    let began = Instant::now();
    let source = Store::open_existing(from).await?;
    if !while_running {
        source.check_schema().await?;
        if let Some(who) = source.worked_on().await? {
            bail!(
                "{}: {who}. Stop every process that works on the source; for a trial, \
                 --while-running copies all the same",
                without_password(from)
            );
        }
    }
    let target = Store::open(to).await?;
    let mut progress = Progress::default();
    let copied = source
        .copy_to(&target, &without_password(from), &mut |table, rows| {
            progress.say(table, rows)
        })
        .await?;
    progress.end();
    let rows = copied.iter().map(|table| {
        vec![
            table.table.to_owned(),
            table.source.to_string(),
            table.target.to_string(),
            differs(!table.is_same()),
        ]
    });
    print(&["table", "source", "target", ""], rows);
    let rows: i64 = copied.iter().map(|table| table.target).sum();
    let differing = copied.iter().filter(|table| !table.is_same()).count();
    if differing > 0 {
        bail!(
            "{differing} tables differ: somebody wrote meanwhile. Stop every process that works on \
             the source, empty the target and copy again"
        );
    }
    println!(
        "Copied {rows} rows in {:.1} s.",
        began.elapsed().as_secs_f64()
    );
    Ok(target)
}

async fn files(from: &Home, to: &Home, keys: &Keys) -> anyhow::Result<()> {
    let began = Instant::now();
    ensure!(
        !from.is_within(to) && !to.is_within(from),
        "source and target of the files are the same place, or one lies in the other"
    );
    let source = from.open_to_read(keys).await?;
    let target = to.open(keys).await?;
    let mut progress = Progress::default();
    let moved = source
        .move_to(&target, &from.to_string(), &mut |passed| {
            progress.say("files", passed)
        })
        .await
        .with_context(|| format!("cannot copy files from {from} to {to}"))?;
    progress.end();
    let row = |what: &str, here: u64, there: u64| {
        vec![
            what.to_owned(),
            here.to_string(),
            there.to_string(),
            differs(here != there),
        ]
    };
    let counted = [
        row("files", moved.files, moved.there),
        row("bytes", moved.bytes, moved.there_bytes),
    ];
    print(&["", "source", "target", ""], counted.into_iter());
    if moved.there > moved.files {
        bail!(
            "the target holds files that the source has not: somebody wrote meanwhile. Empty the \
             target and give the same again"
        );
    }
    if (moved.files, moved.bytes) != (moved.there, moved.there_bytes) {
        bail!("the files differ: somebody wrote meanwhile. Give the same again");
    }
    println!(
        "Copied {} files in {:.1} s; {} were there.",
        moved.copied,
        began.elapsed().as_secs_f64(),
        moved.files - moved.copied
    );
    Ok(())
}

fn differs(differs: bool) -> String {
    if differs { "DIFFERENT" } else { "" }.to_owned()
}
