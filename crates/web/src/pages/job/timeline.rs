//! What happened to a job, when and by whom, in words.

use domain::state::JobState;
use store::job::event::{JobEvent, What};
use store::{Store, StoreResult};

use super::view::REASON;
use crate::pages::model::{self, Ago};

/// Events that are shown.
const SHOWN: u64 = 30;

/// Something that happened.
#[derive(Debug)]
pub struct EventView {
    pub at: Ago,
    pub words: String,
    pub by: Option<String>,
    pub detail: Option<String>,
    /// The colour of the state after it.
    pub tone: &'static str,
}

/// What happened last, oldest first.
#[derive(Debug, Default)]
pub struct Timeline {
    pub events: Vec<EventView>,
    /// How much happened before what is shown.
    pub before: u64,
}

impl Timeline {
    /// Reads it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(store: &Store, job: i64) -> StoreResult<Timeline> {
        let (mut events, count) = store.job_events(job, SHOWN, 0).await?;
        let before = count.saturating_sub(SHOWN);
        if before > 0 {
            events = store.job_events(job, SHOWN, before).await?.0;
        }
        Ok(Timeline {
            events: events.iter().map(EventView::of).collect(),
            before,
        })
    }
}

impl EventView {
    fn of(event: &JobEvent) -> EventView {
        let state = JobState::from_code(&event.state).unwrap_or(JobState::Unknown);
        let what = What::ALL.into_iter().find(|w| w.word() == event.what);
        EventView {
            at: Ago::of(event.at),
            words: what.map_or_else(|| event.what.clone(), |what| words(what, state)),
            by: event.user.as_ref().map(model::person),
            detail: event.detail.as_ref().map(|text| model::short(text, REASON)),
            tone: model::tone(state),
        }
    }
}

fn words(what: What, state: JobState) -> String {
    let words = match what {
        What::Created => "Made",
        What::Queued => "Queued",
        What::Retried => "Queued again for what is missing",
        What::Started => "Started",
        What::Continued => "Taken up again",
        What::HandedBack => "Given back by a runner that shut down",
        What::Rescued => "Taken from a runner that was silent",
        What::Paused => "Paused",
        What::Resumed => "Resumed",
        What::Cancelled => "Cancel asked for",
        What::Edited => "Changed",
        What::Ended => return format!("Ended: {}", state.word()),
    };
    words.to_owned()
}
