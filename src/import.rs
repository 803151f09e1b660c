//! `hawkmoth import antenna`: brings an installation of Antenna over and tells the rows of each
//! table on both sides, and what stayed behind.

use std::time::Instant;

use anyhow::Context;
use rest::Zone;
use store::antenna::{Lost, Terms};

use crate::settings;
use crate::startup::{open_store, vault};
use crate::table::{Progress, print};

/// `hawkmoth import antenna`.
///
/// # Errors
/// One sentence that says what is wrong and what to do.
pub async fn antenna(import: settings::Antenna) -> anyhow::Result<()> {
    let began = Instant::now();
    let zone: Zone = import.antenna_time_zone.parse()?;
    let store = open_store(&import.place).await?;
    let vault = vault(&import.place)?;
    let terms = Terms {
        local: Box::new(move |time| zone.local(time)),
        instant: Box::new(move |time| zone.instant(time)),
        seal: Box::new(move |key| vault.close(key)),
    };
    let mut progress = Progress::default();
    let report = store
        .import_antenna(&import.url, terms, &mut |table, rows| {
            progress.say(table, u64::try_from(rows).unwrap_or(0));
        })
        .await
        .context("the import has stopped; given again, it goes on where it was")?;
    progress.end();
    let rows = report.tables.iter().map(|table| {
        vec![
            table.table.to_owned(),
            table.there.to_string(),
            table.seen.to_string(),
            table.written.to_string(),
            table.into.to_owned(),
            table.here.to_string(),
        ]
    });
    print(
        &["Antenna", "rows", "read", "brought", "Hawkmoth", "rows"],
        rows,
    );
    tell(&report.lost);
    let brought: i64 = report.tables.iter().map(|table| table.written).sum();
    println!(
        "Brought {brought} rows over in {:.1} s.",
        began.elapsed().as_secs_f64()
    );
    if import.place.secret_key.is_none() {
        let file = import.place.data.join("secret.key");
        println!(
            "The keys of buckets are sealed with the key in {}: all processes need that one.",
            file.display()
        );
    }
    Ok(())
}

/// What did not come, or not whole, or otherwise.
fn tell(lost: &[Lost]) {
    if lost.is_empty() {
        println!("\nNothing was left out.");
        return;
    }
    println!("\nNot brought over as it was:");
    for one in lost {
        let ids: Vec<String> = one.ids.iter().map(i64::to_string).collect();
        let more = if one.count > one.ids.len() as i64 {
            ", …"
        } else {
            ""
        };
        let named = match ids.is_empty() {
            true => String::new(),
            false => format!(" (ids {}{more})", ids.join(", ")),
        };
        println!("  {} {}: {}{named}", one.count, one.table, one.reason);
    }
    println!();
}
