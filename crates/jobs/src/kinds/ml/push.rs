//! Pushing batches to processing services: lease, post, check, save, several at once. The idea:
//! whatever a service does, its batch ends as saved or as failed with the reason, and the job
//! goes on (`processing-service.md` §3, §5, §13).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use domain::storage::Location;
use domain::wire::{Frame, PipelineRequest, PipelineResultsResponse, SourceImageRequest};
use queue::{Ask, Lease};
use services::ServiceError;
use store::Store;
use store::origin::Origin;
use store::pipeline::Pipeline;
use store::result::{Batch, Outcome, Saved};
use tokio::task::JoinSet;

use crate::Tools;
use crate::context::JobContext;

/// A push lease ends with its runner, so it may be long.
const LEASE: Duration = Duration::from_secs(24 * 3600);
/// Counters of sessions and stations are counted again this often at most.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How often a paused job looks whether it goes on.
const PAUSED: Duration = Duration::from_millis(500);
/// A service that was not asked for so long is asked before it gets work.
const FRESH: chrono::Duration = chrono::Duration::seconds(60);

/// What all batches of the job share.
struct Push {
    tools: Tools,
    job: i64,
    project: i64,
    pipeline: Pipeline,
    algorithms: BTreeSet<String>,
    config: serde_json::Map<String, serde_json::Value>,
}

/// One batch that came back.
struct Returned {
    /// The batch's own span.
    origin: Origin,
    captures: Vec<i64>,
    saved: Saved,
    reason: Option<String>,
    seconds: f64,
}

/// Works until the job's queue is empty, then releases the job.
pub(super) async fn drain(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<()> {
    let store = &cx.tools.store;
    let push = Arc::new(Push::new(cx, pipeline).await?);
    push.probe().await?;
    let size = push.batch_size();
    let mut flying: JoinSet<anyhow::Result<Returned>> = JoinSet::new();
    let mut touched = Touched::new(store.clone());
    loop {
        while flying.len() < cx.tools.pace.batches_in_flight.max(1) {
            cx.check()?;
            let ask = Ask {
                max: size,
                ttl: LEASE,
                max_deliveries: None,
                worker: None,
            };
            let leases = cx.tools.queue.lease(cx.job.id, ask).await?;
            if leases.is_empty() {
                break;
            }
            let batch = push.clone().batch(leases);
            flying.spawn(Origin::step().around(batch));
        }
        let next = tokio::select! {
            next = flying.join_next() => next,
            () = cx.stop.cancelled() => return Err(crate::context::Stopped.into()),
        };
        let Some(next) = next else {
            if store.queue_is_empty(cx.job.id).await? {
                break;
            }
            // Paused: images wait and are not handed out.
            cx.sleep(PAUSED).await?;
            continue;
        };
        let returned = next??;
        let origin = returned.origin.clone();
        origin.around(async { say(cx, &returned) }).await;
        touched.add(&returned.captures).await?;
        cx.changed();
    }
    touched.count().await?;
    store.release_job(&cx.fence).await?;
    Ok(())
}

fn say(cx: &JobContext, returned: &Returned) {
    let Saved {
        done,
        failed,
        detections,
        classifications,
        ..
    } = returned.saved;
    if done > 0 {
        cx.info(format!(
            "Saved {done} captures with {detections} detections and {classifications} classifications in {:.2} seconds",
            returned.seconds
        ));
    }
    if failed > 0 {
        let reason = returned.reason.as_deref().unwrap_or("no reason given");
        cx.error(format!("{failed} captures failed: {reason}"));
    }
}

impl Push {
    async fn new(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<Push> {
        let store = &cx.tools.store;
        let algorithms = store.algorithms_of(pipeline.id).await?;
        Ok(Push {
            tools: cx.tools.clone(),
            job: cx.job.id,
            project: cx.job.project_id,
            pipeline: pipeline.clone(),
            algorithms: algorithms.into_iter().map(|a| a.key).collect(),
            config: store.pipeline_config(cx.job.project_id, pipeline).await?,
        })
    }

    /// Images of one request: the setting, at least 1.
    fn batch_size(&self) -> usize {
        let setting = self.config.get("request_source_image_batch_size");
        let size = setting.and_then(serde_json::Value::as_u64).unwrap_or(1);
        usize::try_from(size).unwrap_or(1).clamp(1, 1000)
    }

    /// Asks services that were not heard of lately, so that the choice is a fresh one.
    async fn probe(&self) -> anyhow::Result<()> {
        let store = &self.tools.store;
        for service in store.push_services(self.project, self.pipeline.id).await? {
            let fresh = service
                .last_seen_at
                .is_some_and(|at| store::now() - at < FRESH);
            if let (false, Some(url)) = (fresh, &service.endpoint_url) {
                let health = self.tools.services.ready(url, Duration::from_secs(8)).await;
                let latency = health.latency.as_secs_f64();
                store.service_seen(service.id, health.live, latency).await?;
            }
        }
        Ok(())
    }

    /// Takes one batch from lease to saved. Fails only where the database does.
    async fn batch(self: Arc<Self>, leases: Vec<Lease>) -> anyhow::Result<Returned> {
        let start = Instant::now();
        let generation = leases.first().map_or(0, |l| l.generation);
        let captures: Vec<i64> = leases.iter().map(|l| l.capture).collect();
        let mut outcomes: BTreeMap<i64, Outcome> = BTreeMap::new();
        let (request, asked) = self.request(&captures, &mut outcomes).await?;
        let mut reason = None;
        if !asked.is_empty() {
            match self.ask(&request).await {
                Ok(answer) => reason = self.sort(answer, &asked, &mut outcomes),
                Err(why) => {
                    fail(&mut outcomes, asked.keys(), &why);
                    reason = Some(why);
                }
            }
        }
        reason = reason.or_else(|| first_failure(&outcomes));
        let saved = self.save(generation, outcomes).await?;
        Ok(Returned {
            origin: Origin::current(),
            captures,
            saved: saved.0,
            reason: saved.1.or(reason),
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// The request for these captures; those without a photograph's address have failed already.
    async fn request(
        &self,
        captures: &[i64],
        outcomes: &mut BTreeMap<i64, Outcome>,
    ) -> anyhow::Result<(PipelineRequest, BTreeMap<i64, Option<Frame>>)> {
        let rows = self.tools.store.captures_by_id(captures).await?;
        let places = self.tools.store.locations(&rows).await?;
        let rows: HashMap<i64, _> = rows.into_iter().map(|c| (c.id, c)).collect();
        let mut images = Vec::new();
        let mut asked = BTreeMap::new();
        for id in captures {
            let Some(capture) = rows.get(id) else {
                fail(outcomes, [id], "The capture was deleted.");
                continue;
            };
            let Some(url) = places.get(id).map(|place| self.address(place)) else {
                fail(outcomes, [id], "The capture's photograph has no address.");
                continue;
            };
            images.push(SourceImageRequest::new(*id, url));
            let frame = capture.width.zip(capture.height).and_then(|(w, h)| {
                Some(Frame {
                    width: u32::try_from(w).ok()?,
                    height: u32::try_from(h).ok()?,
                })
            });
            asked.insert(*id, frame);
        }
        let request = PipelineRequest {
            pipeline: self.pipeline.slug.clone(),
            source_images: images,
            detections: Vec::new(),
            config: self.config.clone(),
        };
        Ok((request, asked))
    }

    fn address(&self, place: &Location) -> String {
        self.tools.links.photograph(place)
    }

    /// Posts the request to the best service, and where that fails, to the next one.
    async fn ask(&self, request: &PipelineRequest) -> Result<PipelineResultsResponse, String> {
        let services = self
            .tools
            .store
            .push_services(self.project, self.pipeline.id)
            .await
            .map_err(|e| e.to_string())?;
        let mut reason = format!(
            "No processing services are online for the pipeline \"{}\".",
            self.pipeline.name
        );
        let live = services.iter().filter(|s| s.last_seen_live == Some(true));
        for service in live {
            let Some(url) = &service.endpoint_url else {
                continue;
            };
            match self.post(url, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => reason = format!("{}: {error}", service.name),
            }
        }
        Err(reason)
    }

    async fn post(
        &self,
        url: &str,
        request: &PipelineRequest,
    ) -> Result<PipelineResultsResponse, ServiceError> {
        let patience = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_times(3)
            .with_jitter();
        (|| self.tools.services.process(url, request))
            .retry(patience)
            .when(ServiceError::may_pass)
            .notify(|error, wait| {
                tracing::warn!(job.id = self.job, %error, ?wait, "asking the service again");
            })
            .await
    }

    /// Sorts an answer into outcomes. One broken part spoils the batch; captures that the answer
    /// leaves out have failed alone.
    fn sort(
        &self,
        answer: PipelineResultsResponse,
        asked: &BTreeMap<i64, Option<Frame>>,
        outcomes: &mut BTreeMap<i64, Outcome>,
    ) -> Option<String> {
        let words = answer.error_text();
        match answer.check(asked, &self.algorithms).all_or_nothing() {
            Err(reason) => {
                fail(outcomes, asked.keys(), &reason);
                Some(reason)
            }
            Ok((good, missing)) => {
                for image in good {
                    outcomes.insert(image.image_id, Outcome::Done(image.detections));
                }
                let why = words
                    .unwrap_or_else(|| "The answer says nothing about this capture.".to_owned());
                fail(outcomes, &missing, &why);
                None
            }
        }
    }

    /// Saves the outcomes. What the pipeline cannot have made fails as a batch.
    async fn save(
        &self,
        generation: i64,
        outcomes: BTreeMap<i64, Outcome>,
    ) -> anyhow::Result<(Saved, Option<String>)> {
        let batch = Batch {
            job: self.job,
            generation,
            pipeline: self.pipeline.id,
            images: outcomes.into_iter().collect(),
        };
        Ok(self.tools.store.save_or_fail(batch).await?)
    }
}

fn fail<'a>(
    outcomes: &mut BTreeMap<i64, Outcome>,
    captures: impl IntoIterator<Item = &'a i64>,
    reason: &str,
) {
    for id in captures {
        outcomes.insert(*id, Outcome::Failed(reason.to_owned()));
    }
}

fn first_failure(outcomes: &BTreeMap<i64, Outcome>) -> Option<String> {
    outcomes.values().find_map(|outcome| match outcome {
        Outcome::Failed(reason) => Some(reason.clone()),
        Outcome::Done(_) => None,
    })
}

/// Captures whose sessions and stations have to be counted again.
struct Touched {
    store: Store,
    captures: Vec<i64>,
    last: Instant,
}

impl Touched {
    fn new(store: Store) -> Touched {
        Touched {
            store,
            captures: Vec::new(),
            last: Instant::now(),
        }
    }

    async fn add(&mut self, captures: &[i64]) -> anyhow::Result<()> {
        self.captures.extend_from_slice(captures);
        if self.last.elapsed() >= COUNT_EVERY {
            self.count().await?;
        }
        Ok(())
    }

    async fn count(&mut self) -> anyhow::Result<()> {
        let captures = std::mem::take(&mut self.captures);
        self.store.refresh_counters(&captures).await?;
        self.last = Instant::now();
        Ok(())
    }
}
