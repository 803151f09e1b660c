//! Places of requests: many for those that are still sent, fewer for those that are worked on, and
//! memory for what they send. The idea: a request moves from the one to the other when the last of
//! its body has come, so whoever sends slowly keeps nobody from being answered; and it takes memory
//! as its body comes, not as it is announced, so whoever sends nothing takes none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::HttpBody;
use axum::extract::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::SMALL;

/// So many times as many requests may be on their way in as are worked on.
const SENDING: usize = 4;
/// Bytes in which memory is counted.
const UNIT: usize = 1024;

/// The places that are left. Cheap to clone.
#[derive(Clone)]
pub(super) struct Room {
    sending: Arc<Semaphore>,
    working: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl Room {
    /// Room for so many requests that are worked on, and so many bytes of their bodies.
    pub(super) fn new(requests: usize, bodies: usize) -> Room {
        let memory = bodies.div_ceil(UNIT).min(Semaphore::MAX_PERMITS);
        Room {
            sending: Arc::new(Semaphore::new(requests.saturating_mul(SENDING))),
            working: Arc::new(Semaphore::new(requests)),
            memory: Arc::new(Semaphore::new(memory)),
        }
    }

    /// A place for a request: to work, where it has no body, else to send it. None where all are
    /// taken.
    pub(super) fn seat(&self, request: &Request) -> Option<Seat> {
        let whole = request.body().is_end_stream();
        let kind = if whole { &self.working } else { &self.sending };
        let place = kind.clone().try_acquire_owned().ok()?;
        let stage = if whole {
            Stage::Working
        } else {
            Stage::Sending
        };
        Some(Seat {
            working: self.working.clone(),
            memory: self.memory.clone(),
            held: Arc::new(Mutex::new(Some(Held {
                place: (stage, place),
                body: None,
            }))),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sending,
    Working,
}

/// What one request has.
struct Held {
    place: (Stage, OwnedSemaphorePermit),
    /// Memory for its body.
    body: Option<OwnedSemaphorePermit>,
}

/// The place of one request.
#[derive(Clone)]
pub(super) struct Seat {
    working: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    held: Arc<Mutex<Option<Held>>>,
}

impl Seat {
    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request is all there and has a place to work from now on. False where none is left.
    pub(super) fn work(&self) -> bool {
        let mut held = self.held();
        let Some(held) = held.as_mut().filter(|held| held.place.0 == Stage::Sending) else {
            return true; // it has one, or needs none any more
        };
        let Ok(place) = self.working.clone().try_acquire_owned() else {
            return false;
        };
        held.place = (Stage::Working, place);
        true
    }

    /// The request has memory for so many bytes of its body in all. False where none is left. A small
    /// one needs none: the places bound how many there are.
    pub(super) fn holds(&self, bytes: usize) -> bool {
        let mut held = self.held();
        let Some(held) = held.as_mut().filter(|_| bytes > SMALL) else {
            return true;
        };
        let has = held.body.as_ref();
        let has = has.map_or(0, OwnedSemaphorePermit::num_permits);
        let lacks = bytes.div_ceil(UNIT).saturating_sub(has);
        let Ok(lacks) = u32::try_from(lacks) else {
            return false;
        };
        let Ok(more) = self.memory.clone().try_acquire_many_owned(lacks) else {
            return false;
        };
        match &mut held.body {
            Some(body) => body.merge(more),
            none => *none = Some(more),
        }
        true
    }

    /// The request needs no place any more.
    pub(super) fn leave(&self) {
        *self.held() = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::Body;

    use super::*;

    fn request(body: &'static str) -> Request {
        Request::new(Body::from(body))
    }

    #[test]
    fn who_sends_takes_no_place_of_those_who_work() {
        let room = Room::new(1, 0);
        let sending: Vec<Seat> = (0..SENDING)
            .map(|_| room.seat(&request("x")).unwrap())
            .collect();
        assert!(room.seat(&request("x")).is_none());
        let working = room.seat(&request("")).unwrap();
        assert!(room.seat(&request("")).is_none());
        assert!(!sending[0].work(), "the only one is taken");
        working.leave();
        assert!(sending[0].work() && sending[0].work());
        assert!(!sending[1].work() && room.seat(&request("")).is_none());
        assert!(room.seat(&request("x")).is_some(), "one has moved on");
        sending[0].leave();
        assert!(sending[0].work(), "a late word takes none");
        assert!(sending[1].work());
        drop(sending);
        assert!(room.seat(&request("")).is_some());
    }

    #[test]
    fn all_bodies_together_are_bounded() {
        let room = Room::new(9, 3 * SMALL);
        let [first, second, small] = [(), (), ()].map(|()| room.seat(&request("x")).unwrap());
        assert!(first.holds(SMALL + 1) && first.holds(SMALL + 2) && first.holds(2 * SMALL));
        assert!(second.holds(SMALL), "a small one needs none");
        assert!(!second.holds(SMALL + 1), "and no more than that is left");
        assert!(first.holds(3 * SMALL) && !first.holds(3 * SMALL + 1));
        assert!(small.holds(1) && small.work());
        assert!(first.work(), "it keeps its memory where it is worked on");
        assert!(!second.holds(SMALL + 1));
        first.leave();
        assert!(second.holds(3 * SMALL));
        drop(second);
        assert!(small.holds(3 * SMALL), "whoever goes away leaves it");
    }
}
