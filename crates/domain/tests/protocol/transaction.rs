//! What each step does: the transactions of the store, with the guards that they read under the
//! lock of the job's row (`protocol.md` §2). A step whose guard does not hold changes nothing.

use domain::job::{FeedMode, too_many_failed};
use domain::state::{Event, JobState};

use super::flaw::Flaw;
use super::state::{DELIVERIES, Image, Outcome, Row, Runner, State, Ticket};
use super::step::Step;

/// The state after a step; `None` where it changes nothing.
pub fn take(before: &State, step: Step, flaw: Option<Flaw>) -> Option<State> {
    let mut s = before.clone();
    if !apply(&mut s, step, flaw)? {
        return None;
    }
    let asked = matches!(step, Step::Again(_));
    s.undone |= before.job.is_final() && before.job != s.job && !asked;
    Some(s.in_order())
}

fn apply(s: &mut State, step: Step, flaw: Option<Flaw>) -> Option<bool> {
    Some(match step {
        Step::Enqueue => s.go(Event::Enqueue),
        Step::Cancel => {
            s.left.cancels -= 1;
            if s.owned || (s.job == JobState::Started && flaw == Some(Flaw::CancelWaitsForNobody)) {
                s.go(Event::Cancel)
            } else {
                revoke(s, Event::Stopped)
            }
        }
        Step::Again(feed) => {
            s.left.retries -= 1;
            renew(s, feed, flaw);
            s.go(match feed {
                FeedMode::All => Event::Enqueue,
                FeedMode::Missing | FeedMode::FailedOnly => Event::Retry,
            })
        }
        Step::Delete(i) => {
            s.left.deletions -= 1;
            s.images[i].deleted = true;
            true
        }
        Step::Claim => {
            s.owned = true;
            s.turn(Runner::Idle, Runner::Holds) && s.go(Event::Start)
        }
        Step::FeedPage(i) => {
            feed_one(s, i, flaw);
            true
        }
        Step::Send(i) => {
            let open = s.is_open(&s.images[i]);
            let image = &mut s.images[i];
            image.sent = true;
            if open && image.ticket.is_none() {
                image.ticket = Some(Ticket::default());
            }
            true
        }
        Step::FeedEnd => {
            s.total = Some(s.kept + s.fed);
            s.owned = false;
            s.turn(Runner::Holds, Runner::Idle)
        }
        Step::SeeCancel => s.turn(Runner::Holds, Runner::Idle) && revoke(s, Event::Stopped),
        Step::LoseFence => s.turn(Runner::Stale, Runner::Idle),
        Step::Crash(runner) => {
            s.left.crashes -= 1;
            s.turn(runner, Runner::Idle)
        }
        Step::Rescue => rescue(s, flaw),
        Step::RescueAlive => {
            s.left.crashes -= 1;
            s.turn(Runner::Holds, Runner::Stale) && rescue(s, flaw)
        }
        Step::Lease(i) => lease(s, i, flaw)?,
        Step::Fetch(i) => {
            let image = &mut s.images[i];
            let message = image.ticket.as_mut()?;
            message.leased = true;
            message.deliveries = DELIVERIES.min(message.deliveries) + 1;
            image.fetched = true;
            true
        }
        Step::HandOut(i) => {
            hand_out(s, i, flaw);
            true
        }
        Step::Acknowledge(i) => s.images[i].ticket.take().is_some(),
        Step::Lose(i) => {
            s.left.losses -= 1;
            s.images[i].ticket.take().is_some()
        }
        Step::Land(i) => {
            s.left.losses -= 1;
            s.images[i].ticket = Some(Ticket::default());
            true
        }
        Step::Sweep => sweep(s, flaw),
        Step::Answer(i, g, good) => {
            s.left.errors -= u8::from(!good);
            s.images[i].held[g] -= 1;
            s.images[i].posts[g][usize::from(good)] += 1;
            true
        }
        Step::Forget(i, g) => {
            s.left.errors -= 1;
            s.images[i].held[g] -= 1;
            true
        }
        Step::Expire(i) => {
            let image = &mut s.images[i];
            match (image.ticket.as_mut(), image.last.as_mut()) {
                (_, Some(over)) if !*over => *over = true,
                (Some(ticket), _) => ticket.leased = false,
                _ => return None,
            }
            true
        }
        Step::Bury(i) => {
            save(s, i, s.generation, false, flaw);
            true
        }
        Step::Deliver(i, g, good) => {
            s.images[i].posts[g][usize::from(good)] -= 1;
            save(s, i, g, good, flaw);
            true
        }
        Step::Repeat(i, g, good) => {
            s.left.duplicates -= 1;
            s.images[i].posts[g][usize::from(good)] += 1;
            true
        }
        Step::Finalise => finalise(s)?,
    })
}

fn drop_tickets(s: &mut State) {
    for image in s.images_mut() {
        (image.ticket, image.last) = (None, None);
    }
}

fn revoke(s: &mut State, event: Event) -> bool {
    s.owned = false;
    drop_tickets(s);
    s.go(event)
}

fn rescue(s: &mut State, flaw: Option<Flaw>) -> bool {
    match s.job {
        JobState::Canceling if flaw == Some(Flaw::RescueForgetsCancels) => false,
        JobState::Canceling => revoke(s, Event::Rescue),
        _ => {
            s.owned = false;
            s.go(Event::Rescue)
        }
    }
}

/// A new generation: again from the beginning, or what is missing.
fn renew(s: &mut State, feed: FeedMode, flaw: Option<Flaw>) {
    if feed == FeedMode::All {
        for image in s.images_mut() {
            (image.row, image.written) = (None, 0);
        }
        s.done = 0;
    }
    s.generation += 1;
    s.feed = feed;
    s.kept = s.done;
    if flaw != Some(Flaw::RetryKeepsCounts) {
        s.failed = 0;
    }
    (s.fed, s.total, s.owned) = (0, None, false);
    for image in s.images_mut() {
        // What was fetched of the old generation is found to be that.
        (image.fed, image.sent, image.fetched) = (false, false, false);
    }
    s.sweeps = 0;
    drop_tickets(s);
}

/// Feeds one image, whichever comes next: its row is opened where there is none or where an older
/// generation's fits.
fn feed_one(s: &mut State, i: usize, flaw: Option<Flaw>) {
    let image = &mut s.images[i];
    image.fed = true;
    let opens = match (image.row, s.feed) {
        (None, feed) => feed != FeedMode::FailedOnly,
        (Some(row), _) if row.generation >= s.generation => false,
        (Some(row), _) if flaw == Some(Flaw::RetryKeepsOldRows) => row.outcome == Outcome::Open,
        (Some(row), FeedMode::FailedOnly) => row.outcome == Outcome::Failed,
        (Some(row), FeedMode::All | FeedMode::Missing) => row.outcome != Outcome::Done,
    };
    if opens {
        image.row = Some(Row {
            outcome: Outcome::Open,
            generation: s.generation,
        });
        if !s.stream {
            image.ticket = Some(Ticket::default());
        }
        s.fed += 1;
    }
}

/// Hands an image out; one whose capture is gone fails instead.
fn lease(s: &mut State, i: usize, flaw: Option<Flaw>) -> Option<bool> {
    let generation = s.generation;
    let image = &mut s.images[i];
    let ticket = image.ticket.as_mut()?;
    ticket.leased = true;
    ticket.deliveries += 1;
    if image.deleted {
        save(s, i, generation, false, flaw);
    } else {
        image.held[generation] += 1;
    }
    Some(true)
}

/// The last look at the job's row before an image of the stream is handed out.
fn hand_out(s: &mut State, i: usize, flaw: Option<Flaw>) {
    let (generation, runs) = (s.generation, s.job == JobState::Started);
    let open = s.is_open(&s.images[i]);
    let image = &mut s.images[i];
    image.fetched = false;
    let deliveries = image.ticket.map_or(1, |message| message.deliveries);
    if !runs && flaw != Some(Flaw::LeaseReadsOnce) {
        image.ticket = image.ticket.map(|message| Ticket {
            leased: false,
            ..message
        });
    } else if !open || image.last == Some(true) {
        image.ticket = None;
    } else if image.last == Some(false) {
        // Somebody has it for the last time: it stays away until that is over.
    } else if deliveries > DELIVERIES {
        (image.ticket, image.last) = (None, Some(true));
    } else {
        if deliveries == DELIVERIES {
            image.last = Some(false);
        }
        s.late |= !runs;
        if image.deleted {
            save(s, i, generation, false, flaw);
        } else {
            image.held[generation] += 1;
        }
    }
}

/// Images that have neither an outcome nor a message are sent again once; then they fail.
fn sweep(s: &mut State, flaw: Option<Flaw>) -> bool {
    let there = |image: &Image| image.ticket.is_some() || image.last == Some(false);
    if s.images().iter().any(there) || s.count(Outcome::Open) == 0 {
        return false;
    }
    let again = s.sweeps == 0;
    s.sweeps = 1;
    for i in 0..s.count {
        if !s.is_open(&s.images[i]) {
            continue;
        }
        s.images[i].last = None;
        match again {
            true => s.images[i].ticket = Some(Ticket::default()),
            false => save(s, i, s.generation, false, flaw),
        }
    }
    true
}

/// One result, in one transaction.
fn save(s: &mut State, i: usize, generation: usize, good: bool, flaw: Option<Flaw>) {
    let takes = matches!(s.job, JobState::Pending | JobState::Started);
    if !takes || generation != s.generation {
        return; // answered 200, and rightly not saved
    }
    let good = good && !s.images[i].deleted;
    let shut = flaw == Some(Flaw::SavesOnlyWhenStarted) && s.job != JobState::Started;
    let row = s.images[i].row.filter(|row| row.generation == generation);
    if let Some(row) = row.filter(|_| !shut) {
        let outcome = match (row.outcome, good) {
            (Outcome::Failed, true) if flaw == Some(Flaw::FailureIsLast) => Outcome::Failed,
            (Outcome::Open | Outcome::Failed, true) => {
                s.failed -= u8::from(row.outcome == Outcome::Failed);
                s.done += 1;
                s.images[i].written += 1;
                Outcome::Done
            }
            (Outcome::Open, false) => {
                s.failed += 1;
                Outcome::Failed
            }
            (same, _) => same,
        };
        s.images[i].row = Some(Row { outcome, ..row });
        s.images[i].last = None;
        if !s.stream {
            s.images[i].ticket = None;
        }
    }
    s.lost |= good && !is_done(&s.images[i]);
}

fn is_done(image: &Image) -> bool {
    image.row.is_some_and(|row| row.outcome == Outcome::Done)
}

fn finalise(s: &mut State) -> Option<bool> {
    let total = s.total?;
    if s.done + s.failed < total {
        return None;
    }
    drop_tickets(s);
    let event = match too_many_failed(total.into(), s.failed.into()) {
        true => Event::Fail,
        false => Event::Finish,
    };
    Some(s.go(event))
}
