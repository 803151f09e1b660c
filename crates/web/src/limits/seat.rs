//! Places of requests: many for those that are still sent, fewer for those that are worked on. The
//! idea: a request moves from the one to the other when the last of its body has come, so whoever
//! sends slowly keeps nobody from being answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::HttpBody;
use axum::extract::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many times as many requests may be on their way in as are worked on.
const SENDING: usize = 4;

/// The places that are left. Cheap to clone.
#[derive(Clone)]
pub(super) struct Room {
    sending: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new(requests: usize) -> Room {
        Room {
            sending: Arc::new(Semaphore::new(requests.saturating_mul(SENDING))),
            working: Arc::new(Semaphore::new(requests)),
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
            held: Arc::new(Mutex::new(Some((stage, place)))),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sending,
    Working,
}

/// The place of one request.
#[derive(Clone)]
pub(super) struct Seat {
    working: Arc<Semaphore>,
    held: Arc<Mutex<Option<(Stage, OwnedSemaphorePermit)>>>,
}

impl Seat {
    fn held(&self) -> MutexGuard<'_, Option<(Stage, OwnedSemaphorePermit)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request is all there and has a place to work from now on. False where none is left.
    pub(super) fn work(&self) -> bool {
        let mut held = self.held();
        if !matches!(*held, Some((Stage::Sending, _))) {
            return true; // it has one, or needs none any more
        }
        let Ok(place) = self.working.clone().try_acquire_owned() else {
            return false;
        };
        *held = Some((Stage::Working, place));
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
        let room = Room::new(1);
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
}
