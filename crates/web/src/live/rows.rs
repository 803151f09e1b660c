//! A list of jobs that follows its jobs. The idea: one task per project, however many watch, looks
//! at what is at work and at what it heard of, within bounds, and sends the cells that differ;
//! each viewer takes those of its own page. New jobs that its list holds are counted, never moved
//! under the reader.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::{FutureExt, StreamExt, stream};
use rest::query::Query;
use rest::{ApiError, ApiResult};
use store::job::JobFilter;
use store::{Store, StoreResult};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use super::{Fragment, Hub, PAUSE, TICK, event, sse};
use crate::AppState;
use crate::api::internal;
use crate::auth::Who;
use crate::pages;
use crate::pages::jobs::row::{Cells, gone};
use crate::pages::jobs::{self, ROWS};
use crate::pages::top::Top;

/// Jobs that are looked at at once.
const MOST: u64 = 200;
/// Looks that a slow viewer may be behind.
const BEHIND: usize = 16;

/// What one look found.
#[derive(Default)]
pub(super) struct Look {
    /// Cells that differ from what was sent of them, by job.
    cells: Vec<(i64, Fragment)>,
    /// Jobs that were made since the look before.
    made: Vec<i64>,
}

/// Those who watch lists, by project.
pub(super) type Watched = HashMap<i64, broadcast::Sender<Arc<Look>>>;

impl Hub {
    /// Listens to a project's jobs, of which `last` is the newest; the first listener starts its
    /// task.
    fn watch_list(&self, project: i64, last: i64) -> broadcast::Receiver<Arc<Look>> {
        let mut watched = self.0.lists.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(sender) = watched.get(&project) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(BEHIND);
        watched.insert(project, sender.clone());
        let following = follow(self.clone(), (project, last), sender);
        tokio::spawn(self.0.zone.around(following));
        receiver
    }

    /// Forgets a project that nobody watches any more; false if somebody does after all.
    fn forget_list(&self, project: i64, sender: &broadcast::Sender<Arc<Look>>) -> bool {
        let mut watched = self.0.lists.lock().unwrap_or_else(|e| e.into_inner());
        if sender.receiver_count() > 0 {
            return false;
        }
        watched.remove(&project);
        true
    }
}

/// What the task of a project remembers between two looks.
struct Watch {
    project: i64,
    /// The newest job that was seen.
    last: i64,
    /// Jobs that were at work at the look before: they may have ended since.
    known: Vec<i64>,
    /// Jobs of any project that an event named since then.
    heard: BTreeSet<i64>,
    /// What was sent last of these jobs.
    shown: HashMap<i64, Vec<Fragment>>,
}

impl Watch {
    /// Looks once.
    async fn look(&mut self, store: &Store) -> StoreResult<Look> {
        let at_work = store.ids_at_work(self.project, MOST).await?;
        let made = store.jobs_after(self.project, self.last, MOST).await?;
        self.last = made.last().copied().unwrap_or(self.last);
        let mut ids = std::mem::take(&mut self.heard);
        ids.extend(std::mem::replace(&mut self.known, at_work.clone()));
        ids.extend(at_work);
        let list: Vec<i64> = ids.iter().copied().collect();
        let mut jobs = store.jobs_by_id(&list).await?;
        ids.retain(|id| jobs.iter().all(|job| job.id != *id));
        jobs.retain(|job| job.project_id == self.project);
        let mut look = Look {
            made,
            ..Look::default()
        };
        let mut shown = HashMap::new();
        for cells in Cells::read(store, &jobs).await? {
            let Ok(fragments) = cells.fragments() else {
                continue;
            };
            let before = self.shown.get(&cells.id).map(Vec::as_slice);
            let news = fragments
                .iter()
                .filter(|f| !before.unwrap_or(&[]).contains(f));
            look.cells.extend(news.map(|f| (cells.id, f.clone())));
            shown.insert(cells.id, fragments.to_vec());
        }
        let missing = ids.into_iter();
        look.cells
            .extend(missing.filter_map(|id| Some((id, gone(id).ok()?))));
        self.shown = shown;
        Ok(look)
    }

    /// Notes a job that an event named; more than can be looked at are left to the next look.
    fn hear(&mut self, job: i64) {
        if self.heard.len() < MOST as usize {
            self.heard.insert(job);
        }
    }
}

/// Looks at a project whenever something changed, until nobody watches it.
async fn follow(hub: Hub, (project, last): (i64, i64), sender: broadcast::Sender<Arc<Look>>) {
    let mut events = hub.0.bus.subscribe();
    let store = &hub.0.store;
    let mut watch = Watch {
        project,
        last,
        known: Vec::new(),
        heard: BTreeSet::new(),
        shown: HashMap::new(),
    };
    loop {
        match watch.look(store).await {
            Ok(look) if look.cells.is_empty() && look.made.is_empty() => {}
            Ok(look) => {
                let _ = sender.send(Arc::new(look));
            }
            Err(error) => tracing::debug!(project, %error, "a list cannot be shown"),
        }
        if sender.receiver_count() == 0 && hub.forget_list(project, &sender) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
        let first = tokio::time::timeout(TICK, events.next()).await;
        let mut next = first.ok().flatten();
        while let Some(event) = next {
            watch.hear(event.job);
            next = events.next().now_or_never().flatten();
        }
    }
}

#[derive(Template)]
#[template(path = "jobs/made.html")]
struct Made<'a> {
    made: usize,
    list: &'a str,
}

/// What one viewer has on its page.
struct Viewer {
    rows: Vec<i64>,
    /// Address of the list.
    list: String,
    /// What the list is narrowed by, where it is.
    filter: Option<JobFilter>,
    /// The newest job that is counted.
    last: i64,
    made: usize,
}

impl Viewer {
    /// What of a look concerns this viewer.
    async fn news(&mut self, store: &Store, look: &Look) -> Vec<Event> {
        let mine = look.cells.iter().filter(|(id, _)| self.rows.contains(id));
        let mut events: Vec<Event> = mine.map(|(_, cell)| event(cell)).collect();
        events.extend(self.count(store, &look.made).await);
        events
    }

    /// The line about new jobs, where the list holds some.
    async fn count(&mut self, store: &Store, made: &[i64]) -> Option<Event> {
        let fresh = made.iter().copied().filter(|id| *id > self.last);
        let fresh: Vec<i64> = fresh.collect();
        self.last = fresh.last().copied().unwrap_or(self.last);
        let fresh = match &self.filter {
            Some(filter) if !fresh.is_empty() => match store.jobs_that_pass(filter, &fresh).await {
                Ok(passed) => passed.len(),
                Err(error) => {
                    tracing::debug!(%error, "new jobs cannot be counted");
                    0
                }
            },
            _ => fresh.len(),
        };
        if fresh == 0 {
            return None;
        }
        self.made += fresh;
        let (made, list) = (self.made, self.list.as_str());
        let html = Made { made, list }.render().ok()?;
        Some(event(&Fragment::new("new-jobs", html)))
    }
}

/// The live stream of a list: the rows that the address names once, then what changes.
pub async fn stream(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    pages::projects::visible(&state, &who, project).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let named = query.list("ids").into_iter();
    let named = named.filter_map(|id| id.parse().ok());
    let store = &state.store;
    // Before listening, and what the page misses after it: no job falls between the two.
    let newest = store.last_job(project).await.map_err(internal)?;
    let changes = BroadcastStream::new(state.hub.watch_list(project, newest));
    let last = query.number("after").unwrap_or(i64::MAX);
    let list = jobs::list_of(&query);
    let mark = if list.is_empty() { "" } else { "?" };
    let filter = jobs::is_narrowed(&query).then(|| jobs::filter(&query, project, &who));
    let mut viewer = Viewer {
        rows: named.take(ROWS as usize).collect(),
        list: format!("{}/projects/{project}/jobs{mark}{list}", Top::root()),
        filter,
        last,
        made: 0,
    };
    let mut shown = store.jobs_by_id(&viewer.rows).await.map_err(internal)?;
    shown.retain(|job| job.project_id == project);
    let mut first = Vec::new();
    for cells in Cells::read(store, &shown).await.map_err(internal)? {
        let fragments = cells.fragments();
        let fragments = fragments.map_err(|e| ApiError::Internal(e.to_string()))?;
        first.extend(fragments.iter().map(event));
    }
    let made = store.jobs_after(project, last, MOST).await;
    let made = made.map_err(internal)?;
    first.extend(viewer.count(store, &made).await);
    let store = store.clone();
    let later = stream::unfold(
        (changes, viewer, store),
        |(mut changes, mut viewer, store)| async move {
            // Who is too far behind begins anew: the browser asks again by itself.
            let look = changes.next().await?.ok()?;
            let events = viewer.news(&store, &look).await;
            Some((stream::iter(events), (changes, viewer, store)))
        },
    );
    Ok(sse(&state, stream::iter(first).chain(later.flatten())))
}
