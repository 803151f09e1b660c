//! The promises of `architecture.md` §8 as properties of the model: what must hold in every
//! state, and what must be possible at all, so that the model cannot be true by doing nothing.

use domain::job::FeedMode;
use domain::state::JobState;
use stateright::Property;

use super::Protocol;
use super::state::{Image, Outcome, State};

type Holds = fn(&Protocol, &State) -> bool;

const ALWAYS: &[(&str, Holds)] = &[
    ("a final state changes only by a person", |_, s| !s.undone),
    ("what is accepted is saved", |_, s| !s.lost),
    ("an image is written once in a run", |_, s| {
        s.images().iter().all(|image| image.written <= 1)
    }),
    ("progress is what the rows say", |_, s| {
        (s.done, s.failed) == (s.count(Outcome::Done), s.count(Outcome::Failed))
    }),
    ("no more is counted than there is", |_, s| {
        s.total.is_none_or(|total| s.done + s.failed <= total)
    }),
    ("a job being cancelled has a runner", |_, s| {
        s.job != JobState::Canceling || s.owned
    }),
    ("a waiting job is claimable: nobody owns it", |_, s| {
        s.job != JobState::Pending || !s.owned
    }),
    ("an ended job has no ticket and no owner", |_, s| {
        let has_ticket = |image: &Image| image.ticket.is_some();
        !s.job.is_final() || !(s.owned || s.images().iter().any(has_ticket))
    }),
    ("success leaves nothing open", |_, s| {
        s.job != JobState::Success || s.count(Outcome::Open) == 0
    }),
    (
        "a job that ends by itself leaves no image behind",
        |_, s| {
            let ended = matches!(s.job, JobState::Success | JobState::Failure);
            let left = |image: &Image| match image.row {
                None => s.feed != FeedMode::FailedOnly,
                Some(row) if row.generation == s.generation => row.outcome == Outcome::Open,
                Some(row) if s.feed == FeedMode::FailedOnly => row.outcome == Outcome::Failed,
                Some(row) => row.outcome != Outcome::Done,
            };
            !ended || !s.images().iter().any(left)
        },
    ),
    ("an open image has a ticket while the job runs", |m, s| {
        let mut open = s.images().iter().filter(|image| s.is_open(image));
        let unsent = |image: &Image| s.stream && !image.sent;
        let there = |image: &Image| image.ticket.is_some() || image.last.is_some();
        let whole = s.left.losses == m.budget.losses;
        let runs = s.job == JobState::Started && whole;
        !runs || open.all(|image| there(image) || unsent(image))
    }),
    ("a feed that has ended is sent", |_, s| {
        let unsent = |image: &Image| image.fed && !image.sent;
        !s.stream || s.total.is_none() || !s.images().iter().any(unsent)
    }),
    (
        "nothing is handed out when the job is known not to run",
        |_, s| !s.late,
    ),
];

const SOMETIMES: &[(&str, Holds)] = &[
    ("success", |_, s| s.job == JobState::Success),
    ("failure", |_, s| s.job == JobState::Failure),
    ("revoked, if cancelled", |m, s| {
        m.budget.cancels == 0 || s.job == JobState::Revoked
    }),
    ("success in the last generation", |m, s| {
        s.generation == usize::from(m.budget.retries) && s.job == JobState::Success
    }),
    ("success after every fault", |m, s| {
        let spent = [s.left.crashes, s.left.duplicates, s.left.errors];
        let all = spent.iter().sum::<u8>() + s.left.deletions + s.left.losses == 0;
        all && s.job == JobState::Success && m.images == s.count
    }),
];

/// True for what must hold in every state.
pub fn is_always(name: &str) -> bool {
    ALWAYS.iter().any(|(always, _)| *always == name)
}

/// All of them.
pub fn all() -> Vec<Property<Protocol>> {
    let always = ALWAYS
        .iter()
        .map(|(name, holds)| Property::always(name, *holds));
    let sometimes = SOMETIMES.iter();
    let sometimes = sometimes.map(|(name, holds)| Property::sometimes(name, *holds));
    always.chain(sometimes).collect()
}
