//! Live pages by server-sent events. The idea: an event only says that a job changed; one task
//! per watched job, however many watch, reads the row at most twice a second, renders its
//! fragments and sends those that differ. A lost event costs two seconds, of a job that has ended half
//! a minute. What a viewer sees depends on who it is only in parts that are rendered for each
//! ([`Personal`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
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
use crate::pages;
use crate::pages::job::offers::Personal;
use crate::pages::top::Top;

pub mod rows;

/// A job is read this often at most.
const PAUSE: Duration = Duration::from_millis(500);
/// And this often even when nobody says that it changed.
const TICK: Duration = Duration::from_secs(2);
/// How soon a browser asks again where a stream has ended.
const AGAIN: Duration = Duration::from_secs(2);
/// A job that has ended is read with twice the pause each time, so often: until it is half a minute.
const DOUBLED: u32 = 4;

/// A part of a page that changes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Name of its element.
    pub id: Cow<'static, str>,
    /// What stands in it.
    pub html: String,
}

impl Fragment {
    /// The part with this name.
    pub fn new(id: impl Into<Cow<'static, str>>, html: String) -> Fragment {
        Fragment {
            id: id.into(),
            html,
        }
    }
}

/// What is told of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The same for everybody.
    All(Fragment),
    /// Something that each viewer sees in its own way.
    Each(Personal),
}

impl News {
    /// Name of the element that it fills.
    fn id(&self) -> &str {
        match self {
            News::All(fragment) => &fragment.id,
            News::Each(personal) => personal.id(),
        }
    }

    /// Whether it says that the job has ended.
    fn is_over(&self) -> bool {
        matches!(self, News::Each(Personal::Acts(standing)) if standing.is_over())
    }
}

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
    watched: Mutex<HashMap<i64, broadcast::Sender<Arc<News>>>>,
    lists: Mutex<rows::Watched>,
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
            lists: Mutex::default(),
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
            lists: Mutex::default(),
        }))
    }

    /// Listens to a job; the first listener starts its task.
    fn watch(&self, job: i64) -> broadcast::Receiver<Arc<News>> {
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
    fn forget(&self, job: i64, sender: &broadcast::Sender<Arc<News>>) -> bool {
        let mut watched = self.0.watched.lock().unwrap_or_else(|e| e.into_inner());
        if sender.receiver_count() > 0 {
            return false;
        }
        watched.remove(&job);
        true
    }
}

/// Renders a job whenever it changed, until nobody watches it.
async fn follow(hub: Hub, job: i64, sender: broadcast::Sender<Arc<News>>) {
    let mut events = hub.0.bus.subscribe();
    let mut shown: HashMap<String, News> = HashMap::new();
    // Looks since something was heard of it.
    let mut looks = 0;
    loop {
        let over = match pages::job::news(&hub.0.store, &hub.0.links, job).await {
            Ok(news) => {
                let over = news.iter().any(News::is_over);
                for one in news {
                    if shown.get(one.id()) != Some(&one) {
                        shown.insert(one.id().to_owned(), one.clone());
                        let _ = sender.send(Arc::new(one));
                    }
                }
                over
            }
            Err(error) => {
                tracing::debug!(job.id = job, %error, "a job cannot be shown");
                error.status() == StatusCode::NOT_FOUND
            }
        };
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
        looks = match tokio::time::timeout(patience(over, looks), changed).await {
            Ok(()) => 0,
            Err(_) => looks + 1,
        };
    }
}

/// How long nothing need be heard of a job before it is read again: of one that has ended, and was
/// read so often since, longer and longer. Its last lines may be written after its end.
fn patience(over: bool, looks: u32) -> Duration {
    match over {
        true => TICK * 2u32.pow(looks.min(DOUBLED)),
        false => TICK,
    }
}

/// The live stream of a job page: everything once, then what changes.
pub async fn stream(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
) -> ApiResult<Response> {
    let (row, at) = pages::job::find(&state, &who, project, job).await?;
    let viewer = pages::job::offers::Viewer::of(&at, &row);
    let changes = BroadcastStream::new(state.hub.watch(job));
    let first = pages::job::news(&state.store, &state.links, job).await?;
    let first = stream::iter(first.into_iter().map(Arc::new));
    let later = changes.filter_map(|news| std::future::ready(news.ok()));
    let events = first
        .chain(later)
        .filter_map(move |news| std::future::ready(shown_to(&viewer, &news)));
    Ok(sse(&state, events))
}

/// The event for one viewer.
fn shown_to(viewer: &pages::job::offers::Viewer, news: &News) -> Option<Event> {
    match news {
        News::All(fragment) => Some(event(fragment)),
        News::Each(personal) => personal.rendered(viewer).ok().as_ref().map(event),
    }
}

/// The answer of a live stream. It ends with the server, and after a while by itself: what somebody
/// may see is asked when it begins, so who has lost that hears no more then. Browsers ask again.
fn sse(state: &AppState, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let again = stream::once(std::future::ready(Event::default().retry(AGAIN)));
    let (stop, time) = (state.stop.clone(), state.limits.live);
    let end = async move { tokio::time::timeout(time, stop.cancelled()).await };
    let events = again.chain(events).map(Ok::<Event, Infallible>);
    let live = Sse::new(events.take_until(end)).keep_alive(KeepAlive::default());
    live.into_response()
}

fn event(fragment: &Fragment) -> Event {
    let data = json!({"id": fragment.id, "html": fragment.html});
    Event::default().event("fragment").data(data.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_has_ended_is_read_more_and_more_seldom() {
        let seconds = |over| (0..8).map(move |looks| patience(over, looks).as_secs());
        assert!(seconds(false).all(|pause| pause == 2));
        let ended: Vec<u64> = seconds(true).collect();
        assert_eq!(ended, [2, 4, 8, 16, 32, 32, 32, 32]);
    }
}
