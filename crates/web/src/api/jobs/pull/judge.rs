//! What becomes of a posted result: the receipt says which capture it is for, the answer is checked
//! against that capture and the pipeline's algorithms (`processing-service.md` §7). The idea: one
//! is judged by itself, so a broken one spoils none of the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::wire::{Fault, Frame, PullResult};
use queue::Receipt;
use rest::ApiResult;
use store::job::Job;
use store::result::Outcome;

use super::read::Posted;
use super::settings;
use crate::api::internal;
use crate::call::Call;
use crate::pull::Settings;

/// What becomes of one posted result.
pub(super) enum Verdict {
    /// It is saved, or was before, or came too late to count: accepted either way.
    Taken(Option<(i64, Outcome)>),
    /// It cannot be used; the capture fails where the receipt is good.
    Broken(Option<i64>, String),
}

/// What is needed to judge results of a job.
pub(super) struct Judge<'a> {
    job: &'a Job,
    frames: HashMap<i64, Option<Frame>>,
    settings: Option<Arc<Settings>>,
}

impl<'a> Judge<'a> {
    /// For these results.
    pub(super) async fn new(call: &Call, job: &'a Job, posted: &[Posted]) -> ApiResult<Judge<'a>> {
        let opened = |one: &Posted| Receipt::received(&one.receipt).open(&job.receipt_key);
        let captures: Vec<i64> = posted
            .iter()
            .filter_map(opened)
            .map(|claim| claim.capture)
            .collect();
        let (mut frames, mut known) = (HashMap::new(), None);
        if let (Some(pipeline), false) = (job.pipeline_id, captures.is_empty()) {
            let store = call.store();
            let sizes = store.capture_sizes(&captures).await.map_err(internal)?;
            let side = |edge: Option<i32>| edge.and_then(|edge| u32::try_from(edge).ok());
            frames.extend(sizes.into_iter().map(|(id, width, height)| {
                let sides = side(width).zip(side(height));
                (id, sides.map(|(width, height)| Frame { width, height }))
            }));
            known = Some(settings(call, job, pipeline, &algorithms(posted)).await?);
        }
        Ok(Judge {
            job,
            frames,
            settings: known,
        })
    }

    /// What becomes of one of them.
    pub(super) fn verdict(&self, one: Posted) -> Verdict {
        let claim = Receipt::received(&one.receipt).open(&self.job.receipt_key);
        let Some(claim) = claim.filter(|claim| claim.job == self.job.id) else {
            let why = "the reply_subject was not given out for this job";
            return Verdict::Broken(None, why.to_owned());
        };
        if claim.generation != self.job.generation {
            return Verdict::Taken(None);
        }
        let capture = claim.capture;
        let broken = |why: String| Verdict::Broken(Some(capture), why);
        match one.result {
            Err(why) => broken(why),
            Ok(PullResult::Error(error)) => {
                let other = error.image_id.filter(|id| *id != capture.to_string());
                match other {
                    Some(id) => broken(format!("the error names image {id}, not {capture}")),
                    None => Verdict::Taken(Some((capture, Outcome::Failed(error.error)))),
                }
            }
            Ok(PullResult::Success(answer)) => {
                let words = answer.error_text();
                let frame = self.frames.get(&capture).copied().flatten();
                let asked = BTreeMap::from([(capture, frame)]);
                let none = BTreeSet::new();
                let algorithms = self.settings.as_ref().map_or(&none, |s| &s.algorithms);
                match answer.check(&asked, algorithms).all_or_nothing() {
                    Err(why) => broken(why),
                    Ok((mut good, _)) => match good.pop() {
                        Some(image) => {
                            Verdict::Taken(Some((capture, Outcome::Done(image.detections))))
                        }
                        None => broken(words.unwrap_or_else(|| Fault::Missing.to_string())),
                    },
                }
            }
        }
    }
}

/// The keys of the algorithms that results name.
fn algorithms(posted: &[Posted]) -> BTreeSet<&str> {
    let good = posted.iter().filter_map(|one| match &one.result {
        Ok(PullResult::Success(answer)) => Some(&answer.detections),
        _ => None,
    });
    let keys = good.flatten().flat_map(|detection| {
        let classifiers = detection.classifications.iter();
        let classifiers = classifiers.map(|c| c.algorithm.key.as_str());
        classifiers.chain([detection.algorithm.key.as_str()])
    });
    keys.collect()
}
