//! Job states and the table of legal moves between them.
//! The idea: moves are data. SQL guards, API errors, documents and buttons all read [`MOVES`],
//! so a state can only change in a way that is written down here.

use serde::{Deserialize, Serialize};

/// What a job says about itself, in the codes of the API (`processing-service.md` §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobState {
    /// Made, and not yet asked to run.
    Created,
    /// Asked to run; waits for a runner.
    Pending,
    /// A runner works on it, or remote workers finish it.
    Started,
    /// Ended well.
    Success,
    /// Ended badly; the log says why.
    Failure,
    /// Read from older databases, never written.
    Retry,
    /// A person cancelled it; its runner has not yet stopped.
    Canceling,
    /// Ended by a person.
    Revoked,
    /// Read from older databases, never written.
    Received,
    /// Read from older databases, never written.
    Unknown,
}

impl JobState {
    /// All states, in the order in which the API lists its choices.
    pub const ALL: [JobState; 10] = [
        JobState::Created,
        JobState::Pending,
        JobState::Started,
        JobState::Success,
        JobState::Failure,
        JobState::Retry,
        JobState::Canceling,
        JobState::Revoked,
        JobState::Received,
        JobState::Unknown,
    ];

    /// The code used in the API and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            JobState::Created => "CREATED",
            JobState::Pending => "PENDING",
            JobState::Started => "STARTED",
            JobState::Success => "SUCCESS",
            JobState::Failure => "FAILURE",
            JobState::Retry => "RETRY",
            JobState::Canceling => "CANCELING",
            JobState::Revoked => "REVOKED",
            JobState::Received => "RECEIVED",
            JobState::Unknown => "UNKNOWN",
        }
    }

    /// The state with this code, if there is one.
    pub fn from_code(code: &str) -> Option<JobState> {
        JobState::ALL.into_iter().find(|s| s.code() == code)
    }

    /// True when nothing but a person's run or retry changes the state again.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            JobState::Success | JobState::Failure | JobState::Revoked
        )
    }

    /// The states of a job that has not ended: all that are not final.
    pub fn unfinished() -> impl Iterator<Item = JobState> {
        let all = JobState::ALL.into_iter();
        all.filter(|state| !state.is_final())
    }

    /// True when tasks of the job may be handed out (`processing-service.md` §10, "active").
    pub const fn is_active(self) -> bool {
        matches!(self, JobState::Started)
    }

    /// The word shown to people beside the coloured dot.
    pub const fn word(self) -> &'static str {
        match self {
            JobState::Created => "Created",
            JobState::Pending => "Waiting",
            JobState::Started => "Running",
            JobState::Success => "Success",
            JobState::Failure => "Failed",
            JobState::Retry => "Retrying",
            JobState::Canceling => "Cancelling",
            JobState::Revoked => "Cancelled",
            JobState::Received => "Received",
            JobState::Unknown => "Unknown",
        }
    }

    /// Its colour, on pages and in the terminal alike (`look.md`).
    pub const fn tone(self) -> Tone {
        match self {
            JobState::Created | JobState::Pending | JobState::Received | JobState::Unknown => {
                Tone::Waiting
            }
            JobState::Started | JobState::Canceling | JobState::Retry => Tone::Running,
            JobState::Success => Tone::Success,
            JobState::Failure | JobState::Revoked => Tone::Failed,
        }
    }

    /// The state after `event`, or `None` where the move is not legal.
    pub fn after(self, event: Event) -> Option<JobState> {
        MOVES
            .iter()
            .find(|(from, e, _)| *from == self && *e == event)
            .map(|(_, _, to)| *to)
    }

    /// The states in which `event` is legal and leads to `to`: the guard of the UPDATE.
    pub fn sources(event: Event, to: JobState) -> Vec<JobState> {
        MOVES
            .iter()
            .filter(|(_, e, t)| *e == event && *t == to)
            .map(|(from, _, _)| *from)
            .collect()
    }
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// What a state means to somebody who looks for a moment: the colour of its dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Grey: nothing happens yet.
    Waiting,
    /// Amber: somebody is at it.
    Running,
    /// Green.
    Success,
    /// Red: it ended without having done all, by itself or by a person.
    Failed,
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A person (or a schedule) asks for a run, also for a further one of an ended job.
    Enqueue,
    /// A runner claims the job.
    Start,
    /// All work is done, well enough.
    Finish,
    /// The job cannot end well.
    Fail,
    /// A person asks for what is missing to be done again.
    Retry,
    /// A person cancels a job that somebody runs.
    Cancel,
    /// The job stops because of a cancel: its runner has seen it, or nobody ran it.
    Stopped,
    /// The runner died: its beat is old.
    Rescue,
}

impl Event {
    /// All events.
    pub const ALL: [Event; 8] = [
        Event::Enqueue,
        Event::Start,
        Event::Finish,
        Event::Fail,
        Event::Retry,
        Event::Cancel,
        Event::Stopped,
        Event::Rescue,
    ];
}

use Event as E;
use JobState as S;

/// Every legal move: from, event, to.
pub const MOVES: &[(JobState, Event, JobState)] = &[
    (S::Created, E::Enqueue, S::Pending),
    (S::Success, E::Enqueue, S::Pending),
    (S::Failure, E::Enqueue, S::Pending),
    (S::Revoked, E::Enqueue, S::Pending),
    (S::Retry, E::Enqueue, S::Pending),
    (S::Received, E::Enqueue, S::Pending),
    (S::Unknown, E::Enqueue, S::Pending),
    (S::Success, E::Retry, S::Pending),
    (S::Failure, E::Retry, S::Pending),
    (S::Revoked, E::Retry, S::Pending),
    (S::Pending, E::Start, S::Started),
    (S::Started, E::Finish, S::Success),
    (S::Started, E::Fail, S::Failure),
    (S::Started, E::Cancel, S::Canceling),
    (S::Created, E::Stopped, S::Revoked),
    (S::Pending, E::Stopped, S::Revoked),
    (S::Started, E::Stopped, S::Revoked),
    (S::Canceling, E::Stopped, S::Revoked),
    (S::Retry, E::Stopped, S::Revoked),
    (S::Received, E::Stopped, S::Revoked),
    (S::Unknown, E::Stopped, S::Revoked),
    (S::Started, E::Rescue, S::Pending),
    (S::Canceling, E::Rescue, S::Revoked),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_state_and_an_event_lead_to_one_state() {
        for (i, (from, event, _)) in MOVES.iter().enumerate() {
            let same = MOVES[i + 1..]
                .iter()
                .find(|(f, e, _)| f == from && e == event);
            assert!(same.is_none(), "{from} {event:?} stands twice");
        }
    }

    #[test]
    fn what_waits_is_grey_and_only_what_somebody_works_on_is_amber() {
        for state in JobState::ALL {
            let tone = match state.word() {
                "Success" => Tone::Success,
                "Failed" | "Cancelled" => Tone::Failed,
                "Running" | "Cancelling" | "Retrying" => Tone::Running,
                _ => Tone::Waiting,
            };
            assert_eq!(state.tone(), tone, "{state}");
        }
    }

    #[test]
    fn no_move_leads_to_a_state_that_is_only_read() {
        for (_, _, to) in MOVES {
            assert!(!matches!(to, S::Retry | S::Received | S::Unknown));
        }
    }

    #[test]
    fn from_every_state_a_final_one_can_be_reached() {
        for start in JobState::ALL {
            let mut seen = vec![start];
            let mut i = 0;
            while i < seen.len() {
                for (f, _, t) in MOVES {
                    if *f == seen[i] && !seen.contains(t) {
                        seen.push(*t);
                    }
                }
                i += 1;
            }
            assert!(seen.iter().any(|s| s.is_final()), "{start} never ends");
        }
    }

    #[test]
    fn a_state_is_final_or_unfinished() {
        let unfinished: Vec<JobState> = JobState::unfinished().collect();
        for state in JobState::ALL {
            assert_eq!(unfinished.contains(&state), !state.is_final(), "{state}");
        }
    }

    #[test]
    fn codes_round_trip() {
        for s in JobState::ALL {
            assert_eq!(JobState::from_code(s.code()), Some(s));
            assert_eq!(
                serde_json::to_string(&s).unwrap(),
                format!("\"{}\"", s.code())
            );
        }
        assert_eq!(JobState::from_code("started"), None);
    }

    fn any_event() -> impl Strategy<Value = Event> {
        (0..Event::ALL.len()).prop_map(|i| Event::ALL[i])
    }

    proptest! {
        /// A final state is left only by a person's run or retry.
        #[test]
        fn final_states_stay(events in prop::collection::vec(any_event(), 0..60)) {
            let mut state = JobState::Created;
            for event in events {
                if let Some(next) = state.after(event) {
                    if state.is_final() {
                        prop_assert!(matches!(event, Event::Enqueue | Event::Retry));
                    }
                    prop_assert!(JobState::sources(event, next).contains(&state));
                    state = next;
                }
            }
        }
    }
}
