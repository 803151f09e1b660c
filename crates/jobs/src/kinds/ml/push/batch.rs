//! One batch, from lease to saved: the request, what the answer says of each capture, and the
//! save. The idea: the batch keeps its leases while it works and no longer, so the images of a
//! runner that dies are soon anybody's, and one that has lost its job stops by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::storage::crop_name;
use domain::wire::{
    AlgorithmReference, BoundingBox, DetectionRequest, Frame, PipelineRequest,
    PipelineResultsResponse, SourceImageRequest,
};
use queue::{Lease, Receipt};
use serde_json::Value;
use store::StoreError;
use store::job::life::Fence;
use store::origin::{Origin, SPANS};
use store::pipeline::{Algorithm, Pipeline};
use store::result::{Batch, Outcome, Saved};

use tracing::Instrument;

use super::choice::{Asked, Services};
use crate::Tools;
use crate::context::JobContext;

/// The flag of a project, and the key of a pipeline's settings, by which boxes that are known are
/// sent to be classified again.
const REPROCESS: &str = "reprocess_existing_detections";

/// The flag of a project by which captures are sent whether or not they were processed.
const EVERYTHING: &str = "reprocess_all_images";

/// What all batches of the job share.
pub(super) struct Push {
    pub services: Services,
    tools: Tools,
    fence: Fence,
    pipeline: Pipeline,
    algorithms: Vec<Algorithm>,
    keys: BTreeSet<String>,
    config: serde_json::Map<String, Value>,
    /// Whether captures are sent that this pipeline has processed.
    everything: bool,
    /// Whether known boxes are sent.
    boxes: bool,
}

/// One batch that came back.
pub(super) struct Returned {
    /// The batch's own span.
    pub origin: Origin,
    pub captures: Vec<i64>,
    pub saved: Saved,
    pub reason: Option<String>,
    pub notes: Vec<String>,
    pub seconds: f64,
}

/// What became of each capture.
type Outcomes = BTreeMap<i64, Outcome>;

impl Push {
    pub(super) async fn new(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<Push> {
        let store = &cx.tools.store;
        let algorithms = store.algorithms_of(pipeline.id).await?;
        let config = store.pipeline_config(cx.job.project_id, pipeline).await?;
        let project = store.project(cx.job.project_id).await?;
        let flag = |name| store::project::flag(&project, name);
        let wanted = config.get(REPROCESS).is_none_or(is_truthy);
        Ok(Push {
            services: Services::new(&cx.tools, &cx.job, pipeline.id, &pipeline.name),
            tools: cx.tools.clone(),
            fence: cx.fence.clone(),
            pipeline: pipeline.clone(),
            keys: algorithms.iter().map(|a| a.key.clone()).collect(),
            algorithms,
            everything: flag(EVERYTHING),
            boxes: flag(EVERYTHING) || (flag(REPROCESS) && wanted),
            config,
        })
    }

    /// Images of one request: the setting, at least 1.
    pub(super) fn batch_size(&self) -> usize {
        let setting = self.config.get("request_source_image_batch_size");
        let size = setting.and_then(Value::as_u64).unwrap_or(1);
        usize::try_from(size).unwrap_or(1).clamp(1, 1000)
    }

    /// For how long images are leased before the lease must be extended.
    pub(super) fn lease(&self) -> Duration {
        self.tools.pace.silence * 2
    }

    /// Takes one batch from lease to saved. Fails only where the database does, or where the job
    /// is over for this runner.
    pub(super) async fn batch(self: Arc<Self>, leases: Vec<Lease>) -> anyhow::Result<Returned> {
        let receipts: Vec<Receipt> = leases.iter().map(|l| l.receipt.clone()).collect();
        tokio::select! {
            returned = self.work(&leases) => returned,
            lost = self.keep(&receipts) => Err(lost.into()),
        }
    }

    /// Keeps the leases as long as the job is this runner's.
    async fn keep(&self, receipts: &[Receipt]) -> StoreError {
        loop {
            tokio::time::sleep(self.lease() / 4).await;
            let kept = match self.tools.store.holds_job(&self.fence).await {
                Ok(false) => return StoreError::FenceLost,
                Ok(true) => self.tools.queue.extend(receipts, self.lease()).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = kept {
                tracing::warn!(job.id = self.fence.job, %error, "leases could not be extended");
            }
        }
    }

    async fn work(&self, leases: &[Lease]) -> anyhow::Result<Returned> {
        let start = Instant::now();
        let generation = leases.first().map_or(0, |l| l.generation);
        let captures: Vec<i64> = leases.iter().map(|l| l.capture).collect();
        let mut outcomes = Outcomes::new();
        let wanted = self.still_wanted(&captures, &mut outcomes).await?;
        let (request, asked) = self.request(&wanted, &mut outcomes).await?;
        let (mut reason, mut notes) = (None, Vec::new());
        if !asked.is_empty() {
            let came = self.services.ask(&request).await?;
            let Asked {
                answer,
                notes: said,
            } = came;
            notes = said;
            reason = match answer {
                Ok(answer) => self.sort(answer, &asked, &mut outcomes),
                Err(why) => {
                    fail(&mut outcomes, asked.keys(), &why);
                    Some(why)
                }
            };
        }
        if let Err(StoreError::NotFound(_)) = self.tools.store.pipeline(self.pipeline.id).await {
            anyhow::bail!("Its pipeline \"{}\" was deleted.", self.pipeline.name);
        }
        reason = reason.or_else(|| first_failure(&outcomes));
        let saved = self.save(generation, outcomes).await?;
        Ok(Returned {
            origin: Origin::current(),
            captures,
            saved: saved.0,
            reason: saved.1.or(reason),
            notes,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// The captures that need processing now: another job may have been faster
    /// (`processing-service.md` §5.3). The others have nothing left to be asked.
    async fn still_wanted(
        &self,
        captures: &[i64],
        outcomes: &mut Outcomes,
    ) -> anyhow::Result<Vec<i64>> {
        if self.everything {
            return Ok(captures.to_vec());
        }
        let store = &self.tools.store;
        let needing = store.needing_processing(captures, &self.algorithms).await?;
        let needing: BTreeSet<i64> = needing.into_iter().collect();
        let (wanted, known): (Vec<i64>, Vec<i64>) = captures
            .iter()
            .copied()
            .partition(|id| needing.contains(id));
        outcomes.extend(known.into_iter().map(|id| (id, Outcome::Known)));
        Ok(wanted)
    }

    /// The request for these captures; those without a photograph's address have failed already.
    async fn request(
        &self,
        captures: &[i64],
        outcomes: &mut Outcomes,
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
            let Some(place) = places.get(id) else {
                fail(outcomes, [id], "The capture's photograph has no address.");
                continue;
            };
            let url = self.tools.links.photograph(place);
            images.push(SourceImageRequest::new(*id, url));
            let frame = capture.width.zip(capture.height).and_then(|(w, h)| {
                Some(Frame {
                    width: u32::try_from(w).ok()?,
                    height: u32::try_from(h).ok()?,
                })
            });
            asked.insert(*id, frame);
        }
        let detections = match self.boxes {
            true => self.known_boxes(&images).await?,
            false => Vec::new(),
        };
        let request = PipelineRequest {
            pipeline: self.pipeline.slug.clone(),
            source_images: images,
            detections,
            config: self.config.clone(),
        };
        Ok((request, asked))
    }

    /// The boxes that are known on these captures, by whatever detector
    /// (`processing-service.md` §5).
    async fn known_boxes(
        &self,
        images: &[SourceImageRequest],
    ) -> anyhow::Result<Vec<DetectionRequest>> {
        let by_id: HashMap<i64, &SourceImageRequest> = images
            .iter()
            .filter_map(|image| Some((image.id.parse().ok()?, image)))
            .collect();
        let ids: Vec<i64> = by_id.keys().copied().collect();
        let known = self.tools.store.boxes_on(&ids).await?;
        let request =
            |(detection, algorithm): (store::detection::Detection, AlgorithmReference)| {
                let edges = [detection.x1?, detection.y1?, detection.x2?, detection.y2?];
                let image = by_id.get(&detection.capture_id)?;
                let crop = detection.path.filter(|path| path.starts_with("http"));
                let links = &self.tools.links;
                let crop =
                    crop.unwrap_or_else(|| links.absolute("crops", &crop_name(detection.id)));
                Some(DetectionRequest {
                    source_image: (*image).clone(),
                    bbox: BoundingBox::from_array(edges),
                    crop_image_url: Some(crop),
                    algorithm,
                })
            };
        Ok(known.into_iter().filter_map(request).collect())
    }

    /// Sorts an answer into outcomes. One broken part spoils the batch; captures that the answer
    /// leaves out have failed alone.
    fn sort(
        &self,
        answer: PipelineResultsResponse,
        asked: &BTreeMap<i64, Option<Frame>>,
        outcomes: &mut Outcomes,
    ) -> Option<String> {
        let words = answer.error_text();
        match answer.check(asked, &self.keys).all_or_nothing() {
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
        outcomes: Outcomes,
    ) -> anyhow::Result<(Saved, Option<String>)> {
        let batch = Batch {
            job: self.fence.job,
            generation,
            pipeline: self.pipeline.id,
            images: outcomes.into_iter().collect(),
        };
        let images = i64::try_from(batch.images.len()).unwrap_or(i64::MAX);
        let span = tracing::info_span!(target: SPANS, "save", images);
        let saved = self.tools.store.save_or_fail(batch).instrument(span);
        Ok(saved.await?)
    }
}

/// What Python takes for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn fail<'a>(outcomes: &mut Outcomes, captures: impl IntoIterator<Item = &'a i64>, reason: &str) {
    for id in captures {
        outcomes.insert(*id, Outcome::Failed(reason.to_owned()));
    }
}

fn first_failure(outcomes: &Outcomes) -> Option<String> {
    outcomes.values().find_map(|outcome| match outcome {
        Outcome::Failed(reason) => Some(reason.clone()),
        Outcome::Done(_) | Outcome::Known => None,
    })
}
