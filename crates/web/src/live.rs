//! Live pages by server-sent events. The idea: an event only says that a job changed; one task
//! per watched job, however many watch, reads the row at most twice a second, renders its
//! fragments and sends those that differ. A lost event costs two seconds.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use files::Links;
use futures_util::{Stream, StreamExt, stream};
use queue::EventBus;
use rest::{ApiResult, Zone};
use serde_json::json;
use store::Store;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::AppState;
use crate::auth::Who;
use crate::pages::{self, job::Fragment, top::Top};

/// A job is read this often at most.
const PAUSE: Duration = Duration::from_millis(500);
/// And this often even when nobody says that it changed.
const TICK: Duration = Duration::from_secs(2);

/// Tells viewers what changed. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Arc<dyn EventBus>,
    links: Links,
    zone: Zone,
    /// Where the pages begin.
    root: &'static str,
    watched: Mutex<HashMap<i64, broadcast::Sender<Arc<Fragment>>>>,
}

impl Hub {
    pub(crate) fn new(store: Store, bus: Arc<dyn EventBus>, links: Links, zone: Zone) -> Hub {
        Hub(Arc::new(Inner {
            store,
            bus,
            links,
            zone,
            root: "",
            watched: Mutex::default(),
        }))
    }

    /// The same for pages that begin elsewhere; nobody may listen yet.
    pub(crate) fn below(&self, root: &'static str) -> Hub {
        let Inner {
            store, bus, links, ..
        } = &*self.0;
        Hub(Arc::new(Inner {
            store: store.clone(),
            bus: bus.clone(),
            links: links.clone(),
            zone: self.0.zone,
            root,
            watched: Mutex::default(),
        }))
    }

    /// Listens to a job; the first listener starts its task.
    fn watch(&self, job: i64) -> broadcast::Receiver<Arc<Fragment>> {
        let mut watched = self.0.watched.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(sender) = watched.get(&job) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(64);
        watched.insert(job, sender.clone());
        let top = Top {
            root: self.0.root,
            ..Top::default()
        };
        let following = top.above(follow(self.clone(), job, sender));
        tokio::spawn(self.0.zone.around(following));
        receiver
    }

    /// Forgets a job that nobody watches any more; false if somebody does after all.
    fn forget(&self, job: i64, sender: &broadcast::Sender<Arc<Fragment>>) -> bool {
        let mut watched = self.0.watched.lock().unwrap_or_else(|e| e.into_inner());
        if sender.receiver_count() > 0 {
            return false;
        }
        watched.remove(&job);
        true
    }
}

/// Renders a job whenever it changed, until nobody watches it.
async fn follow(hub: Hub, job: i64, sender: broadcast::Sender<Arc<Fragment>>) {
    let mut events = hub.0.bus.subscribe();
    let mut shown: HashMap<&'static str, String> = HashMap::new();
    loop {
        match pages::job::fragments(&hub.0.store, &hub.0.links, job).await {
            Ok(fragments) => {
                for fragment in fragments {
                    if shown.get(fragment.id) != Some(&fragment.html) {
                        shown.insert(fragment.id, fragment.html.clone());
                        let _ = sender.send(Arc::new(fragment));
                    }
                }
            }
            Err(error) => tracing::debug!(job.id = job, %error, "a job cannot be shown"),
        }
        if sender.receiver_count() == 0 && hub.forget(job, &sender) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
        let changed = async {
            while let Some(event) = events.next().await {
                if event.job == job {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout(TICK, changed).await;
    }
}

/// The live stream of a job page: everything once, then what changes.
pub async fn stream(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
) -> ApiResult<impl IntoResponse> {
    pages::job::find(&state, &who, project, job).await?;
    let changes = BroadcastStream::new(state.hub.watch(job));
    let first = pages::job::fragments(&state.store, &state.links, job).await?;
    let first = stream::iter(first.into_iter().map(Arc::new));
    let later = changes.filter_map(|fragment| std::future::ready(fragment.ok()));
    let stop = state.stop.clone();
    let events = first
        .chain(later)
        .map(|fragment| Ok::<Event, Infallible>(event(&fragment)))
        .take_until(async move { stop.cancelled().await });
    Ok(sse(events))
}

fn sse(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
) -> impl IntoResponse {
    Sse::new(events).keep_alive(KeepAlive::default())
}

fn event(fragment: &Fragment) -> Event {
    let data = json!({"id": fragment.id, "html": fragment.html});
    Event::default().event("fragment").data(data.to_string())
}
