//! `hawkmoth copy`: a whole installation from one database to another, and the rows of each table
//! on both sides.

use std::time::Instant;

use anyhow::bail;
use store::{Store, without_password};

use crate::settings;
use crate::table::{Progress, print};

/// Copies, and fails where a table has not as many rows as in the source.
///
/// # Errors
/// One sentence that says what is wrong and what to do.
pub async fn run(copy: settings::Copy) -> anyhow::Result<()> {
    let began = Instant::now();
    let from = Store::open(&copy.from).await?;
    let to = Store::open(&copy.to).await?;
    let mut progress = Progress::default();
    let copied = from
        .copy_to(&to, &without_password(&copy.from), &mut |table, rows| {
            progress.say(table, rows)
        })
        .await?;
    progress.end();
    let equal = |same: bool| if same { "" } else { "DIFFERENT" }.to_owned();
    let rows = copied.iter().map(|table| {
        vec![
            table.table.to_owned(),
            table.source.to_string(),
            table.target.to_string(),
            equal(table.source == table.target),
        ]
    });
    print(&["table", "source", "target", ""], rows);
    let rows: i64 = copied.iter().map(|table| table.target).sum();
    let differing = copied.iter().filter(|t| t.source != t.target).count();
    if differing > 0 {
        bail!(
            "{differing} tables differ: somebody wrote meanwhile. Empty the target and copy again"
        );
    }
    println!(
        "Copied {rows} rows in {:.1} s.",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}
