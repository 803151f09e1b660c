//! `hawkmoth bench …`: what Hawkmoth costs on this machine, measured from outside, over HTTP, and
//! printed. Nothing is asserted.

mod addresses;
mod filling;
mod lists;
mod table;

use crate::settings::BenchCommand;

/// `hawkmoth bench …`.
///
/// # Errors
/// What cannot be made or measured, in one sentence.
pub async fn run(what: BenchCommand) -> anyhow::Result<()> {
    match what {
        BenchCommand::Lists(lists) => lists::run(&lists).await,
    }
}
