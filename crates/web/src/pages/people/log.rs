//! The log of a webhook: what was told and is to be told, the newest first, each with how it stands,
//! when it is tried next and what was answered.

use chrono::{DateTime, TimeDelta, Utc};
use domain::state::JobState;
use domain::telling::{Event, JobNews};
use rest::query::Query;
use store::webhook::{Delivery, DeliveryState, Webhook};

use crate::AppState;
use crate::pages::PageError;
use crate::pages::columns::{self, Pager};
use crate::pages::model::{self, Ago};

/// Deliveries of a page.
const ROWS: u64 = 50;

/// A delivery as a row of the table.
pub struct LogRow {
    pub id: i64,
    /// The webhook that it goes to.
    pub webhook: i64,
    /// What it tells.
    pub event: String,
    pub job: Option<JobOf>,
    pub word: &'static str,
    pub tone: &'static str,
    pub attempts: i32,
    pub made: Ago,
    /// When it is tried next.
    pub next: Option<Ago>,
    /// Status of the last answer.
    pub status: Option<i32>,
    /// Why the last try failed.
    pub reason: Option<String>,
    /// Whether it can be sent again.
    pub again: bool,
}

/// The job that a delivery tells of.
pub struct JobOf {
    /// Its number, unless it was deleted.
    pub id: Option<i64>,
    pub name: String,
}

/// The page of the log that the address asks for.
pub async fn rows(
    state: &AppState,
    webhook: &Webhook,
    query: &Query,
) -> Result<(Vec<LogRow>, Pager), PageError> {
    let offset = (columns::page(query) - 1) * ROWS;
    let (rows, count) = state.store.deliveries(webhook.id, ROWS, offset).await?;
    let rows = rows.iter().map(|delivery| row(webhook, delivery));
    Ok((rows.collect(), Pager::of(query, ROWS, count)))
}

fn row(webhook: &Webhook, delivery: &Delivery) -> LogRow {
    let (word, tone) = standing(delivery);
    let ended = delivery.delivery_state() != DeliveryState::Waiting;
    // What cannot be read is shown by what stands beside it.
    let job = delivery.news().ok().and_then(|news| news.job);
    LogRow {
        id: delivery.id,
        webhook: webhook.id,
        event: event(delivery.event(), job.as_ref()),
        job: job.map(|job| JobOf {
            id: delivery.job_id,
            name: model::named(&job.name),
        }),
        word,
        tone,
        attempts: delivery.attempts,
        made: Ago::of(delivery.created_at),
        next: delivery.next_at.map(|time| next(time, store::now())),
        status: delivery.status,
        reason: delivery.reason.clone(),
        again: ended && webhook.enabled,
    }
}

/// How a delivery stands: the word and its colour.
pub fn standing(delivery: &Delivery) -> (&'static str, &'static str) {
    match delivery.delivery_state() {
        DeliveryState::Delivered => ("delivered", "success"),
        DeliveryState::Failed => ("given up", "failed"),
        DeliveryState::Waiting if delivery.attempts == 0 => ("waiting", "waiting"),
        DeliveryState::Waiting => ("being tried", "running"),
    }
}

/// What is told, in words.
fn event(event: Event, job: Option<&JobNews>) -> String {
    let state = job.and_then(|job| JobState::from_code(&job.status));
    match (event, state) {
        (Event::JobEnded, Some(state)) => format!("Job ended: {}", state.word().to_lowercase()),
        (Event::JobEnded, None) => "Job ended".to_owned(),
        (Event::JobNoWorker, _) => "No worker".to_owned(),
        (Event::Test, _) => "Test".to_owned(),
    }
}

/// When something is tried next: who sends looks every few seconds, so what is near is not told
/// to the second, and what is late says so.
fn next(time: DateTime<Utc>, now: DateTime<Utc>) -> Ago {
    let ago = Ago::of(time);
    let near = TimeDelta::seconds(60);
    let words = match time - now {
        ahead if ahead > near => ago.words,
        ahead if ahead < -near => format!("due {}", ago.words),
        _ => "within a minute".to_owned(),
    };
    Ago { words, ..ago }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_not_told_to_the_second() {
        let now = store::now();
        let said = |seconds: i64| next(now + TimeDelta::seconds(seconds), now);
        assert_eq!(said(3).words, "within a minute");
        assert_eq!(said(-3).words, "within a minute");
        assert_eq!(said(-200).words, "due 3 min ago");
        let later = said(7200);
        assert_eq!(later.words, later.exact);
    }

    #[test]
    fn the_end_of_a_job_is_told_with_how_it_ended() {
        let job = JobNews {
            id: 7,
            name: "Night".to_owned(),
            kind: "ml".to_owned(),
            status: "FAILURE".to_owned(),
            total: None,
            done: 0,
            failed: 0,
            started_at: None,
            finished_at: None,
        };
        assert_eq!(event(Event::JobEnded, Some(&job)), "Job ended: failed");
        assert_eq!(event(Event::JobEnded, None), "Job ended");
        assert_eq!(event(Event::JobNoWorker, Some(&job)), "No worker");
    }
}
