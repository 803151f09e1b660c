//! Which service a batch goes to: of those that are online the one with the lowest latency that
//! has room, and when that one fails, the next (`processing-service.md` §3, choosing a service).
//! The idea: a service that dies is found dead by the first batch that it drops, and is asked
//! again and again until it is back; a batch that kills services does so twice to each at most.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::wire::{PipelineRequest, PipelineResultsResponse};
use futures_util::future::join_all;
use services::ServiceError;
use store::log::Level;
use store::service::ProcessingService;
use store::service::slot::Slot;
use store::{Store, StoreResult};
use tokio::sync::Notify;

use crate::Tools;

/// How soon a batch looks again whether a service has room for it, at first and at last.
const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(1);
/// Room was given back by this process: whoever waits for it looks at once. What other processes give
/// back is only seen.
static FREED: Notify = Notify::const_new();
/// A service that was not heard of for so long is asked before it gets work.
const FRESH: chrono::Duration = chrono::Duration::seconds(60);
/// How often dead services are asked while the job waits for one of them.
const AGAIN: Duration = Duration::from_millis(500);
/// How often one service gets the same batch.
const TRIES: u32 = 2;

/// The services of one job's pipeline.
pub(super) struct Services {
    tools: Tools,
    job: i64,
    project: i64,
    pipeline: i64,
    name: String,
    /// Since when none is online.
    out: Mutex<Option<Instant>>,
    /// Which were not asked, and why: nobody would learn it otherwise.
    refused: Mutex<BTreeSet<String>>,
    reviving: tokio::sync::Mutex<()>,
}

/// What became of a request.
pub(super) struct Asked {
    /// The answer, or why there is none.
    pub answer: Result<PipelineResultsResponse, String>,
    /// What is to be said about services.
    pub notes: Vec<String>,
}

/// Which services have had a batch, and what came of it.
#[derive(Default)]
struct Tried {
    times: HashMap<i64, u32>,
    reasons: Vec<String>,
}

impl Tried {
    fn times(&self, service: &ProcessingService) -> u32 {
        self.times.get(&service.id).copied().unwrap_or(0)
    }

    fn note(&mut self, service: &ProcessingService, error: &ServiceError) {
        let times = self.times.entry(service.id).or_default();
        *times = if error.may_pass() { *times + 1 } else { TRIES };
        let reason = format!("{}: {error}", service.name);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

impl Services {
    pub(super) fn new(tools: &Tools, job: &store::job::Job, pipeline: i64, name: &str) -> Services {
        Services {
            tools: tools.clone(),
            job: job.id,
            project: job.project_id,
            pipeline,
            name: name.to_owned(),
            out: Mutex::new(None),
            refused: Mutex::default(),
            reviving: tokio::sync::Mutex::new(()),
        }
    }

    /// Has a batch processed by one service or another.
    pub(super) async fn ask(&self, request: &PipelineRequest) -> StoreResult<Asked> {
        let mut tried = Tried::default();
        let mut notes = Vec::new();
        loop {
            let Some(place) = self.place(&tried).await? else {
                let why = match tried.reasons.is_empty() {
                    true => self.none_online(),
                    false => tried.reasons.join("; "),
                };
                let answer = Err(why);
                return Ok(Asked { answer, notes });
            };
            let answer = tokio::select! {
                answer = self.tools.services.process(&place.url, request) => answer,
                never = place.keep(self.hold()) => match never {},
            };
            let service = place.leave().await;
            let error = match answer {
                Ok(answer) => {
                    let answer = Ok(answer);
                    return Ok(Asked { answer, notes });
                }
                Err(error) => error,
            };
            tracing::warn!(job.id = self.job, service = service.name, %error, "a batch failed");
            tried.note(&service, &error);
            if !error.is_trouble() {
                continue;
            }
            if self.check(&service).await? {
                tokio::time::sleep(self.tools.pace.retry).await;
            } else {
                let name = &service.name;
                notes.push(format!("{name} is not online any more: {error}"));
            }
        }
    }

    /// Waits for room at the best service that may have this batch; `None` where there is none.
    async fn place(&self, tried: &Tried) -> StoreResult<Option<Place>> {
        let mut pause = SOON;
        loop {
            let mut freed = pin!(FREED.notified());
            freed.as_mut().enable(); // also for what is given back while this looks
            let mut services = self.list().await?;
            services.retain(|service| tried.times(service) < TRIES);
            if services.is_empty() {
                return Ok(None);
            }
            // In the order of their latency, but first those that have not had it.
            services.sort_by_key(|service| tried.times(service));
            let mut any = false;
            for service in services.iter().filter(|s| is_live(s)) {
                any = true;
                if let Some(place) = self.take(service).await? {
                    self.set_out(None);
                    return Ok(Some(place));
                }
            }
            if any {
                if tokio::time::timeout(pause, freed).await.is_err() {
                    pause = longer(pause);
                }
            } else if !self.revive().await? {
                return Ok(None);
            }
        }
    }

    async fn take(&self, service: &ProcessingService) -> StoreResult<Option<Place>> {
        let Some(url) = &service.endpoint_url else {
            return Ok(None);
        };
        let store = &self.tools.store;
        let most = self.tools.pace.requests_per_service;
        let slot = store.take_slot(service.id, most, self.hold()).await?;
        Ok(slot.map(|slot| Place {
            service: service.clone(),
            url: url.clone(),
            slot: Some(slot),
            store: store.clone(),
        }))
    }

    /// For how long a slot is taken before it must be kept.
    fn hold(&self) -> Duration {
        self.tools.pace.silence
    }

    async fn list(&self) -> StoreResult<Vec<ProcessingService>> {
        let store = &self.tools.store;
        store.push_services(self.project, self.pipeline).await
    }

    fn none_online(&self) -> String {
        let name = &self.name;
        let mut words = format!("No processing services are online for the pipeline \"{name}\".");
        for refused in &*self.refused.lock().unwrap_or_else(|e| e.into_inner()) {
            words = format!("{words} {refused}.");
        }
        words
    }

    /// Asks the dead services whether they are back, as long as there is patience left; false
    /// when it is over.
    async fn revive(&self) -> StoreResult<bool> {
        let _turn = self.reviving.lock().await;
        let services = self.list().await?;
        if services.iter().any(is_live) {
            return Ok(true);
        }
        let patience = self.tools.pace.patience;
        let since = self.out();
        let Some(since) = since else {
            self.set_out(Some(Instant::now()));
            let text = format!(
                "{} Waiting {} seconds for one of them to come back.",
                self.none_online(),
                patience.as_secs()
            );
            let line = (Level::Warning, text);
            self.tools.store.write_log(self.job, &[line]).await?;
            return self.any_back(&services).await.map(|_| true);
        };
        if since.elapsed() >= patience {
            return Ok(false);
        }
        tokio::time::sleep(AGAIN.min(patience / 20)).await;
        self.any_back(&services).await?;
        Ok(true)
    }

    fn out(&self) -> Option<Instant> {
        *self.out.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn set_out(&self, to: Option<Instant>) {
        *self.out.lock().unwrap_or_else(|e| e.into_inner()) = to;
    }

    /// Asks services that were not heard of lately, so that the choice is a fresh one.
    pub(super) async fn probe(&self) -> StoreResult<()> {
        let mut services = self.list().await?;
        services.retain(|service| {
            let seen = service.last_seen_at;
            seen.is_none_or(|at| store::now() - at >= FRESH)
        });
        self.any_back(&services).await.map(drop)
    }

    /// Asks dead services again and again: one that is well gets work again.
    pub(super) async fn watch(&self) -> Infallible {
        loop {
            tokio::time::sleep(self.tools.pace.revive).await;
            let dead = self.list().await.map(|mut services| {
                services.retain(|service| !is_live(service));
                services
            });
            let asked = match dead {
                Ok(dead) => self.any_back(&dead).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = asked {
                tracing::warn!(job.id = self.job, %error, "services could not be asked");
            }
        }
    }

    async fn any_back(&self, services: &[ProcessingService]) -> StoreResult<bool> {
        let asked = join_all(services.iter().map(|service| self.check(service))).await;
        let asked: Vec<bool> = asked.into_iter().collect::<StoreResult<_>>()?;
        Ok(asked.contains(&true))
    }

    async fn check(&self, service: &ProcessingService) -> StoreResult<bool> {
        let health = crate::health::check(&self.tools, service).await?;
        let refused = health.as_ref().and_then(|health| health.refused.as_ref());
        if let Some(refused) = refused {
            let words = format!("{}: {refused}", service.name);
            let mut known = self.refused.lock().unwrap_or_else(|e| e.into_inner());
            known.insert(words);
        }
        Ok(health.is_some_and(|health| health.live))
    }
}

/// The next pause of somebody who has waited this one for nothing.
fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LATE)
}

fn is_live(service: &ProcessingService) -> bool {
    service.last_seen_live == Some(true)
}

/// A slot of a service, given back when it is left or dropped.
struct Place {
    service: ProcessingService,
    url: String,
    slot: Option<Slot>,
    store: Store,
}

impl Place {
    /// Keeps the slot for as long as this is waited for.
    async fn keep(&self, hold: Duration) -> Infallible {
        loop {
            tokio::time::sleep(hold / 3).await;
            let Some(slot) = self.slot else { continue };
            // A slot that is lost all the same costs the service a request too many.
            if let Err(error) = self.store.keep_slot(slot, hold).await {
                tracing::warn!(%error, "a slot could not be kept");
            }
        }
    }

    async fn leave(mut self) -> ProcessingService {
        if let Some(slot) = self.slot.take() {
            free(&self.store, slot).await;
        }
        self.service.clone()
    }
}

impl Drop for Place {
    /// The job was cancelled while the service had the batch.
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(slot), Ok(runtime)) = (self.slot.take(), runtime) {
            let store = self.store.clone();
            runtime.spawn(async move { free(&store, slot).await });
        }
    }
}

/// One that cannot be given back is free when its time is over.
async fn free(store: &Store, slot: Slot) {
    if let Err(error) = store.free_slot(slot).await {
        tracing::warn!(%error, "a slot could not be given back");
    }
    FREED.notify_waiters();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::FutureExt;
    use store::testing;

    use super::*;

    #[test]
    fn who_waits_looks_less_and_less() {
        let pauses = std::iter::successors(Some(SOON), |pause| Some(longer(*pause)));
        let pauses: Vec<u128> = pauses.take(7).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
    }

    #[tokio::test]
    async fn who_waits_hears_of_room_at_once() {
        let fresh = testing::fresh_sqlite().await;
        let store = &fresh.store;
        let project = store.create_project(Default::default()).await.unwrap();
        let service = store.put_service(project.id, "Service", "", None).await;
        let slot = store.take_slot(service.unwrap().id, 1, LATE).await.unwrap();
        let mut freed = pin!(FREED.notified());
        freed.as_mut().enable();
        assert!(freed.as_mut().now_or_never().is_none());
        free(store, slot.unwrap()).await;
        assert!(freed.now_or_never().is_some());
    }
}
