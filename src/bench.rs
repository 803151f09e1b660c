//! `hawkmoth bench …`: what Hawkmoth costs on this machine, measured from outside, over HTTP, and
//! printed. Nothing is asserted.

mod cost;
mod crowd;
mod drain;
mod farm;
mod lists;
mod pull;

use crate::settings::BenchCommand;

/// `hawkmoth bench …`.
///
/// # Errors
/// What cannot be made or measured, in one sentence.
pub async fn run(what: BenchCommand) -> anyhow::Result<()> {
    match what {
        BenchCommand::Drain(drain) => drain::run(&drain).await,
        BenchCommand::Crowd(crowd) => crowd::run(&crowd).await,
        BenchCommand::Pull(pull) => pull::run(&pull).await,
        BenchCommand::Lists(lists) => lists::run(&lists).await,
    }
}
