//! A job as its page shows it: words, times, figures, and what it works on.

use domain::job::{DispatchMode, EXPORT, ML, POST_PROCESSING};
use domain::state::JobState;
use domain::storage::Location;
use files::Links;
use serde_json::Value;
use store::job::Job;
use store::log::Line;
use store::progress::{Counts, compose};
use store::{Store, StoreError, StoreResult};

use super::lasted;
use crate::media;
use crate::pages::columns::{counted, grouped};
use crate::pages::model::{self, Plot, Since, StageView};
use crate::pages::top::Top;

/// A fact about what a job works on.
pub struct About {
    pub label: &'static str,
    pub text: String,
    pub href: Option<String>,
}

/// A job.
pub struct JobView {
    pub id: i64,
    pub project_id: i64,
    pub name: String,
    pub kind: String,
    pub word: &'static str,
    pub tone: &'static str,
    pub paused: bool,
    pub percent: u8,
    pub since: Option<Since>,
    pub by: Option<String>,
    pub took: Option<String>,
    pub rate: Option<String>,
    pub left: Option<String>,
    pub seen: Option<String>,
    pub explanation: Option<&'static str>,
    pub plot: Option<Plot>,
    pub errors: Vec<String>,
    pub stages: Vec<StageView>,
    pub about: Vec<About>,
}

/// Letters of a reason or a detail on the page.
pub const REASON: usize = 200;
/// Letters of a message on the page; the whole text stands in the file.
const LETTERS: usize = 300;
/// Bytes of all messages on the page, so that of long lines fewer are shown.
const BYTES: usize = 16_000;

/// A line of the log.
pub struct LineView {
    pub id: i64,
    pub at: String,
    pub level: String,
    pub message: String,
}

impl LineView {
    fn of(line: Line) -> LineView {
        LineView {
            id: line.id,
            at: model::exact(line.at),
            level: line.level,
            message: model::short(&line.message, LETTERS),
        }
    }

    /// The first of these lines that the page has room for.
    pub fn all(lines: Vec<Line>) -> Vec<LineView> {
        let mut room = BYTES;
        let views = lines.into_iter().map(LineView::of);
        let fits = |line: &LineView| {
            let bytes = line.message.len();
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        };
        views.take_while(fits).collect()
    }
}

impl JobView {
    /// Reads what the view needs beside the job.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(
        store: &Store,
        links: &Links,
        job: &Job,
        counts: Counts,
    ) -> StoreResult<JobView> {
        let slots = store.rate(job).await?;
        let by = match job.created_by_id {
            Some(id) => store.user(id).await.ok().map(|user| model::person(&user)),
            None => None,
        };
        let about = about(store, links, job).await?;
        Ok(JobView::of(job, counts, &slots, by, about))
    }

    fn of(
        job: &Job,
        counts: Counts,
        slots: &[(i64, i64)],
        by: Option<String>,
        about: Vec<About>,
    ) -> JobView {
        let state = job.job_state();
        let progress = compose(job, counts);
        let now = store::now();
        let rate = model::rate(job, slots, counts, now);
        let seen = counts.done + counts.failed;
        let left = job.total.map(|total| total - seen);
        let left = left
            .zip(rate)
            .filter(|(left, _)| *left > 0 && !state.is_final());
        let took = job.started_at.zip(job.finished_at);
        let total = job.total.filter(|_| job.kind == ML);
        let stage = |stage| StageView {
            lasted: lasted::words(job, stage, slots, now),
            ..StageView::of(stage)
        };
        JobView {
            id: job.id,
            project_id: job.project_id,
            name: model::named(&job.name),
            kind: domain::job::kind(&job.kind)
                .map_or("Unknown", |k| k.name)
                .to_owned(),
            word: state.word(),
            tone: model::tone(state),
            paused: job.paused && matches!(state, JobState::Pending | JobState::Started),
            percent: model::percent(progress.summary.progress),
            since: Since::of(job),
            by,
            took: took.map(|(start, end)| model::span(end - start)),
            rate: rate.map(|r| format!("{r:.1}")),
            left: left.map(|(images, rate)| {
                let seconds = (images as f64 / rate).ceil() as i64;
                model::span(chrono::Duration::seconds(seconds))
            }),
            seen: total.map(|total| {
                let total = total.max(0).unsigned_abs();
                let all = counted(total, "capture", "captures");
                format!("{} of {all}", grouped(seen.max(0).unsigned_abs()))
            }),
            explanation: explanation(job),
            plot: Plot::of(slots),
            errors: progress
                .errors
                .iter()
                .map(|error| model::short(error, LETTERS))
                .collect(),
            stages: progress.stages.iter().map(stage).collect(),
            about,
        }
    }
}

/// What a state means for the person who waits.
fn explanation(job: &Job) -> Option<&'static str> {
    let pulled = job.dispatch() == DispatchMode::AsyncApi;
    match job.job_state() {
        JobState::Created => Some("Nobody has started it yet."),
        JobState::Pending => Some("It starts as soon as a worker process is free."),
        JobState::Started if job.kind == ML && job.total == Some(0) => {
            Some("There is nothing to process.")
        }
        JobState::Started if job.paused => {
            Some("No image is handed out until somebody resumes it; results are still taken.")
        }
        JobState::Started if pulled && job.owner.is_none() => {
            Some("Its images wait for the workers that ask for them.")
        }
        JobState::Canceling => Some("It stops as soon as its runner has heard of it."),
        _ => None,
    }
}

/// Something that may have been deleted since.
fn known<T>(found: StoreResult<T>) -> StoreResult<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

async fn about(store: &Store, links: &Links, job: &Job) -> StoreResult<Vec<About>> {
    let mut about = Vec::new();
    let mut say = |label, text: String, href| about.push(About { label, text, href });
    if let Some(id) = job.pipeline_id
        && let Some(pipeline) = known(store.pipeline(id).await)?
    {
        say("pipeline", pipeline.name, None);
    }
    if let Some(id) = job.capture_set_id
        && let Some(set) = known(store.capture_set(id).await)?
    {
        say("capture set", set.name, None);
    }
    if let Some(id) = job.capture_id {
        let root = Top::root();
        let href = format!("{root}/projects/{}/captures/{id}", job.project_id);
        say("capture", id.to_string(), Some(href));
    }
    if let Some(id) = job.station_id
        && let Some(station) = known(store.station(id).await)?
    {
        say("station", station.name, None);
    }
    if job.kind == ML {
        if let Some(limit) = job.limit {
            let limit = u64::from(limit.unsigned_abs());
            say("at most", counted(limit, "capture", "captures"), None);
        }
        let order = if job.shuffle { "random" } else { "by number" };
        say("order", order.to_owned(), None);
        let how = match job.dispatch() {
            DispatchMode::AsyncApi => "remote workers ask for them",
            DispatchMode::SyncApi => "sent to processing services",
            DispatchMode::Internal => "by the server itself",
        };
        say("images", how.to_owned(), None);
    }
    if job.delay > 0 {
        say("waits before it begins", format!("{} s", job.delay), None);
    }
    if job.kind == POST_PROCESSING {
        for (label, text) in settings(&job.params) {
            say(label, text, None);
        }
    }
    if let (EXPORT, Some(id)) = (job.kind.as_str(), job.export_id)
        && let Some(export) = known(store.export(id).await)?
    {
        say("format", export.format.clone(), None);
        let key = export.file_url.as_deref();
        if let Some(key) = key.and_then(|url| url.strip_prefix("/media/")) {
            let open = !store.project(job.project_id).await?.draft;
            let key = key.to_owned();
            let name = key.rsplit('/').next().unwrap_or_default().to_owned();
            let href = media::page_address(links, &Location::Kept { key, open });
            say("file", name, Some(href));
            let records = grouped(export.record_count.max(0).unsigned_abs());
            say("records", records, None);
        }
    }
    Ok(about)
}

/// What a job of post-processing was told.
fn settings(params: &Value) -> Vec<(&'static str, String)> {
    let key = params["task"].as_str().unwrap_or_default();
    let Some(task) = domain::post::task(key) else {
        return Vec::new();
    };
    let mut told = vec![("task", task.name.to_owned())];
    let named = task.settings.iter().chain(&domain::post::SHARED);
    for name in named {
        match &params["config"][*name] {
            Value::Null => {}
            Value::String(text) => told.push((*name, text.clone())),
            other => told.push((*name, other.to_string())),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_fewer() {
        let line = |letters: usize| Line {
            id: 1,
            at: store::now(),
            level: "INFO".to_owned(),
            message: "x".repeat(letters),
            trace: None,
        };
        let lines = |letters| (0..200).map(|_| line(letters)).collect::<Vec<_>>();
        let long = LineView::all(lines(4000));
        assert!(long[0].message.ends_with('…') && long[0].message.chars().count() == LETTERS);
        let bytes: usize = long.iter().map(|line| line.message.len()).sum();
        assert!(bytes <= BYTES && long.len() > 40, "{} lines", long.len());
        assert_eq!(LineView::all(lines(80)).len(), 200);
    }
}
