//! Telling others what becomes of a project's jobs: which events there are, who wants which, how
//! long is waited between tries, and what is signed. The idea: all of it is decided here from plain
//! values; `store` writes down what is to be told, and crate `telling` sends it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::state::JobState;

mod news;
#[cfg(test)]
mod tests;

pub use news::{JobNews, Named, News, Silence};

/// What somebody may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A job has ended, however.
    #[serde(rename = "job.ended")]
    JobEnded,
    /// A job waits for workers, and none was heard of for a while.
    #[serde(rename = "job.no_worker")]
    JobNoWorker,
    /// Somebody tries out whether it arrives.
    #[serde(rename = "test")]
    Test,
}

impl Event {
    /// Those that can be chosen.
    pub const CHOSEN: [Event; 2] = [Event::JobEnded, Event::JobNoWorker];

    /// Its name in the API, in headers and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Event::JobEnded => "job.ended",
            Event::JobNoWorker => "job.no_worker",
            Event::Test => "test",
        }
    }

    /// The event of this name.
    pub fn from_word(word: &str) -> Option<Event> {
        let all = [Event::JobEnded, Event::JobNoWorker, Event::Test];
        all.into_iter().find(|event| event.word() == word)
    }
}

/// Where it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A signed POST to an address.
    Webhook,
    /// A letter to a person of the project.
    Email,
}

impl Channel {
    /// Its name in the API and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Channel::Webhook => "webhook",
            Channel::Email => "email",
        }
    }

    /// The channel of this name.
    pub fn from_word(word: &str) -> Option<Channel> {
        let all = [Channel::Webhook, Channel::Email];
        all.into_iter().find(|channel| channel.word() == word)
    }
}

/// What a webhook wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Of these events.
    pub events: Vec<Event>,
    /// Of ends only where the job failed.
    pub only_failures: bool,
    /// After so many minutes without a sign of a worker.
    pub minutes: u32,
}

impl Wishes {
    /// Whether the end of a job is told.
    pub fn end(&self, state: JobState) -> bool {
        let wanted = state == JobState::Failure || (state.is_final() && !self.only_failures);
        self.events.contains(&Event::JobEnded) && wanted
    }

    /// Whether it is told that a job has had no sign of a worker since then: once, until a worker
    /// was heard of again. `told` is when that was last told of this job.
    pub fn silence(
        &self,
        since: DateTime<Utc>,
        told: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> bool {
        self.events.contains(&Event::JobNoWorker)
            && now - since >= TimeDelta::minutes(self.minutes.into())
            && told.is_none_or(|told| told < since)
    }
}

/// How long is waited after each try that failed; after the last of them there is one more.
const WAITS: [Duration; 6] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(6 * 3600),
];

/// Tries in all.
pub const TRIES: u32 = WAITS.len() as u32 + 1;

/// How long is waited after so many tries that failed; `None`: it is given up.
pub fn wait_after(tries: u32) -> Option<Duration> {
    let place = usize::try_from(tries).ok()?.checked_sub(1)?;
    WAITS.get(place).copied()
}

/// What is signed: the time at which it is sent, in seconds since 1970, and the body byte for byte.
/// With the time in it, nobody can send an old one again later.
pub fn signed(timestamp: i64, body: &str) -> String {
    format!("{timestamp}.{body}")
}

/// Shortest secret, in characters.
pub const SHORTEST_SECRET: usize = 16;
