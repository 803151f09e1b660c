//! The steps, and when each of them is possible: what people, runners, workers and the network
//! may do next. The idea: a guard of the program that is read under the lock stands in
//! `transaction.rs`; here stands only who could try.

use domain::job::FeedMode;
use domain::state::JobState;

use super::flaw::Flaw;
use super::state::{DELIVERIES, GENERATIONS, Runner, State, WORKERS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Enqueue,
    Cancel,
    Again(FeedMode),
    /// The capture of an image is deleted.
    Delete(usize),
    Claim,
    FeedPage(usize),
    /// What a page opened is sent into the stream.
    Send(usize),
    FeedEnd,
    SeeCancel,
    LoseFence,
    Crash(Runner),
    Rescue,
    /// The beat of a runner that lives is late.
    RescueAlive,
    Lease(usize),
    /// An image is taken out of the stream; then the job's row is read again.
    Fetch(usize),
    HandOut(usize),
    /// The stream hears that an image has an outcome.
    Acknowledge(usize),
    /// The stream loses a message, or has one again that was done with.
    Lose(usize),
    Land(usize),
    Sweep,
    /// A worker posts its result: image, generation, whether it is a good one.
    Answer(usize, usize, bool),
    /// A worker dies, or drops the image.
    Forget(usize, usize),
    Expire(usize),
    Bury(usize),
    Deliver(usize, usize, bool),
    /// A post arrives once more later.
    Repeat(usize, usize, bool),
    Finalise,
}

impl Step {
    /// Steps that happen by themselves, without a person or a fault.
    pub fn is_the_programs(self) -> bool {
        use Step::{Again, Answer, Cancel, Crash, Delete, Forget, Land, Lose, Repeat, RescueAlive};
        !matches!(
            self,
            Cancel
                | Again(_)
                | Delete(_)
                | Crash(_)
                | RescueAlive
                | Forget(..)
                | Repeat(..)
                | Lose(_)
                | Land(_)
                | Answer(_, _, false)
        )
    }
}

pub fn of_people(s: &State, steps: &mut Vec<Step>) {
    if s.job == JobState::Created {
        steps.push(Step::Enqueue);
    }
    if s.left.cancels > 0 && !s.job.is_final() && s.job != JobState::Canceling {
        steps.push(Step::Cancel);
    }
    if s.left.retries > 0 && s.job.is_final() {
        let modes = [FeedMode::All, FeedMode::Missing, FeedMode::FailedOnly];
        steps.extend(modes.map(Step::Again));
    }
    if s.left.deletions > 0 {
        let here = (0..s.count).filter(|i| !s.images[*i].deleted);
        steps.extend(here.map(Step::Delete));
    }
}

pub fn of_runners(s: &State, flaw: Option<Flaw>, steps: &mut Vec<Step>) {
    if s.job == JobState::Pending && s.has(Runner::Idle) {
        steps.push(Step::Claim);
    }
    for runner in [Runner::Holds, Runner::Stale] {
        if s.left.crashes > 0 && s.has(runner) {
            steps.push(Step::Crash(runner));
        }
    }
    if s.has(Runner::Stale) {
        steps.push(Step::LoseFence);
    }
    let alive = s.has(Runner::Holds);
    if alive && s.job == JobState::Started {
        let ahead = (0..s.count).filter(|i| !s.images[*i].fed);
        let before = steps.len();
        steps.extend(ahead.map(Step::FeedPage));
        let all_fed = steps.len() == before;
        let unsent = |i: &usize| s.stream && s.images[*i].fed && !s.images[*i].sent;
        steps.extend((0..s.count).filter(unsent).map(Step::Send));
        let all_sent = steps.len() == before || flaw == Some(Flaw::FeedEndsUnsent);
        if all_fed && all_sent {
            steps.push(Step::FeedEnd);
        }
    }
    if alive && s.job == JobState::Canceling {
        steps.push(match flaw {
            Some(Flaw::FeedEndUnguarded) => Step::FeedEnd,
            _ => Step::SeeCancel,
        });
    }
    if s.owned && matches!(s.job, JobState::Started | JobState::Canceling) {
        match alive {
            false => steps.push(Step::Rescue),
            true if s.left.crashes > 0 => steps.push(Step::RescueAlive),
            true => {}
        }
    }
    if s.job == JobState::Started && !s.owned && s.total.is_some() {
        steps.push(Step::Finalise);
        if s.stream && flaw != Some(Flaw::NoSweep) {
            steps.push(Step::Sweep);
        }
    }
}

pub fn of_workers(s: &State, steps: &mut Vec<Step>) {
    let runs = s.job == JobState::Started;
    let idle = s.idle_workers() > 0;
    let free = s.posts() < WORKERS;
    for (i, image) in s.images().iter().enumerate() {
        if s.stream {
            of_stream(s, i, steps);
        }
        match image.ticket {
            _ if s.stream => {}
            Some(t) if t.leased => steps.push(Step::Expire(i)),
            Some(t) if t.deliveries >= DELIVERIES && runs => steps.push(Step::Bury(i)),
            Some(t) if t.deliveries < DELIVERIES && runs && idle => steps.push(Step::Lease(i)),
            _ => {}
        }
        for g in 0..GENERATIONS {
            if image.held[g] > 0 && free {
                steps.push(Step::Answer(i, g, true));
            }
            if image.held[g] > 0 && s.left.errors > 0 {
                steps.push(Step::Forget(i, g));
                if free {
                    steps.push(Step::Answer(i, g, false));
                }
            }
            for good in [false, true] {
                if image.posts[g][usize::from(good)] > 0 {
                    steps.push(Step::Deliver(i, g, good));
                    if s.left.duplicates > 0 {
                        steps.push(Step::Repeat(i, g, good));
                    }
                }
            }
        }
    }
}

/// What the stream and those who fetch from it may do with an image.
fn of_stream(s: &State, i: usize, steps: &mut Vec<Step>) {
    let image = &s.images[i];
    let runs = s.job == JobState::Started;
    match image.ticket {
        Some(message) if message.leased && !image.fetched => steps.push(Step::Expire(i)),
        Some(message) if !message.leased && runs && s.idle_workers() > 0 => {
            steps.push(Step::Fetch(i));
        }
        _ => {}
    }
    if image.fetched {
        steps.push(Step::HandOut(i));
    }
    match image.last {
        Some(false) => steps.push(Step::Expire(i)),
        Some(true) if runs => steps.push(Step::Bury(i)),
        _ => {}
    }
    if image.ticket.is_some() && !s.is_open(image) {
        steps.push(Step::Acknowledge(i));
    }
    if s.left.losses > 0 && image.ticket.is_some() {
        steps.push(Step::Lose(i));
    }
    let lives = matches!(s.job, JobState::Pending | JobState::Started);
    if s.left.losses > 0 && image.sent && image.ticket.is_none() && lives {
        steps.push(Step::Land(i));
    }
}
