//! What of a service's answer may be saved.
//! The idea: the check never decides for the caller. It sorts an answer into captures that are
//! good, captures that are broken (and why), captures passed over, and parts that belong to none
//! of the asked captures. A push batch takes all or nothing of it ([`Checked::all_or_nothing`]),
//! a pull result takes the good ones and names the rest ([`Checked::failures`]).

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

use super::{BoundingBox, ClassificationResponse, DetectionResponse, PipelineResultsResponse};

/// Size of a capture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Why a part of an answer must not be saved.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The id is not a whole number.
    #[error("the answer names a capture by an id that is no number: {0:?}")]
    BadId(String),
    /// The id was not asked for.
    #[error("the answer speaks of capture {0}, which was not asked for")]
    UnknownImage(i64),
    /// The algorithm does not belong to the pipeline.
    #[error("algorithm {0:?} does not belong to the pipeline")]
    UnknownAlgorithm(String),
    /// An edge of a box is NaN or infinite.
    #[error("a box has an edge that is not a finite number")]
    BoxNotFinite,
    /// The box has no area, or its corners are swapped.
    #[error("box {0:?} has no area")]
    BoxWithoutArea([f64; 4]),
    /// No pixel of the box lies on the picture.
    #[error("box {0:?} lies outside the picture of {1} x {2} pixels")]
    BoxOutside([f64; 4], u32, u32),
    /// The word that nothing was found, with classifications of it.
    #[error("a detection without a box is classified")]
    ClassifiedNothing,
    /// The winning label is empty.
    #[error("a classification by {0:?} has no label")]
    NoLabel(String),
    /// No scores.
    #[error("a classification by {0:?} has no scores")]
    NoScores(String),
    /// A score is NaN, infinite, below 0 or above 1.
    #[error("a classification by {0:?} has the score {1}, which is not between 0 and 1")]
    BadScore(String, f64),
    /// A logit is NaN or infinite.
    #[error("a classification by {0:?} has a logit that is not a finite number")]
    BadLogit(String),
    /// The answer passes the capture over.
    #[error("the answer says nothing about this capture")]
    Missing,
}

/// All that an answer says about one capture, fit to be saved.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageResult {
    /// Primary key of the capture.
    pub image_id: i64,
    /// What was found; empty when nothing was. A detection without a box says so explicitly.
    pub detections: Vec<DetectionResponse>,
}

/// An answer, sorted. Every asked capture is in exactly one of `good`, `bad` and `missing`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Fit to be saved, ascending by id.
    pub good: Vec<ImageResult>,
    /// Asked for and answered, but broken: the first fault of each, ascending by id.
    pub bad: Vec<(i64, Fault)>,
    /// Asked for and not mentioned at all, ascending.
    pub missing: Vec<i64>,
    /// Parts of the answer that belong to none of the asked captures.
    pub strangers: Vec<Fault>,
}

impl Checked {
    /// True when nothing in the answer is broken and no asked capture was passed over.
    pub fn is_clean(&self) -> bool {
        self.bad.is_empty() && self.missing.is_empty() && self.strangers.is_empty()
    }

    /// The first thing that is wrong with what was answered, as a sentence; `None` when every
    /// part of the answer may be saved (captures may still be missing from it).
    pub fn reason(&self) -> Option<String> {
        let stranger = self.strangers.first().map(ToString::to_string);
        let bad = self.bad.first().map(|(id, f)| format!("capture {id}: {f}"));
        stranger.or(bad)
    }

    /// For push batches: one broken part spoils the batch, and nothing of it is saved. Ok holds
    /// the good captures and the ones passed over.
    ///
    /// # Errors
    /// The reason, with which every capture of the batch fails.
    pub fn all_or_nothing(self) -> Result<(Vec<ImageResult>, Vec<i64>), String> {
        match self.reason() {
            Some(reason) => Err(reason),
            None => Ok((self.good, self.missing)),
        }
    }

    /// For pull results: the captures that failed, each with its reason, ascending by id.
    pub fn failures(&self) -> Vec<(i64, String)> {
        let bad = self.bad.iter().map(|(id, fault)| (*id, fault.to_string()));
        let missing = self
            .missing
            .iter()
            .map(|id| (*id, Fault::Missing.to_string()));
        let mut all: Vec<_> = bad.chain(missing).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }
}

impl PipelineResultsResponse {
    /// Sorts the answer against what was asked. `asked` holds the captures' ids with their sizes
    /// where these are known, `algorithms` the keys of the pipeline's algorithms. Consumes the
    /// answer, because its score vectors can be large.
    pub fn check(
        self,
        asked: &BTreeMap<i64, Option<Frame>>,
        algorithms: &BTreeSet<String>,
    ) -> Checked {
        let mut checked = Checked::default();
        let mut answers: BTreeMap<i64, Result<Vec<DetectionResponse>, Fault>> = BTreeMap::new();
        for image in &self.source_images {
            match known(&image.id, asked) {
                Ok(id) => {
                    answers.entry(id).or_insert_with(|| Ok(Vec::new()));
                }
                Err(fault) => checked.stranger(fault),
            }
        }
        for detection in self.detections {
            let id = match known(&detection.source_image_id, asked) {
                Ok(id) => id,
                Err(fault) => {
                    checked.stranger(fault);
                    continue;
                }
            };
            let frame = asked.get(&id).copied().flatten();
            let answer = answers.entry(id).or_insert_with(|| Ok(Vec::new()));
            if let Ok(list) = answer {
                match check_detection(&detection, frame, algorithms) {
                    Ok(()) => list.push(detection),
                    Err(fault) => *answer = Err(fault),
                }
            }
        }
        for id in asked.keys() {
            match answers.remove(id) {
                Some(Ok(detections)) => checked.good.push(ImageResult {
                    image_id: *id,
                    detections,
                }),
                Some(Err(fault)) => checked.bad.push((*id, fault)),
                None => checked.missing.push(*id),
            }
        }
        checked
    }
}

impl Checked {
    /// Notes a stranger once, however often the answer repeats it.
    fn stranger(&mut self, fault: Fault) {
        if !self.strangers.contains(&fault) {
            self.strangers.push(fault);
        }
    }
}

fn known(id: &str, asked: &BTreeMap<i64, Option<Frame>>) -> Result<i64, Fault> {
    match id.trim().parse::<i64>() {
        Ok(number) if asked.contains_key(&number) => Ok(number),
        Ok(number) => Err(Fault::UnknownImage(number)),
        Err(_) => Err(Fault::BadId(id.chars().take(80).collect())),
    }
}

fn check_detection(
    detection: &DetectionResponse,
    frame: Option<Frame>,
    algorithms: &BTreeSet<String>,
) -> Result<(), Fault> {
    check_algorithm(&detection.algorithm.key, algorithms)?;
    match &detection.bbox {
        Some(bbox) => check_box(bbox, frame)?,
        None if detection.classifications.is_empty() => {}
        None => return Err(Fault::ClassifiedNothing),
    }
    detection
        .classifications
        .iter()
        .try_for_each(|c| check_classification(c, algorithms))
}

fn check_algorithm(key: &str, algorithms: &BTreeSet<String>) -> Result<(), Fault> {
    if algorithms.contains(key) {
        Ok(())
    } else {
        Err(Fault::UnknownAlgorithm(key.to_owned()))
    }
}

fn check_box(bbox: &BoundingBox, frame: Option<Frame>) -> Result<(), Fault> {
    if !bbox.is_finite() {
        return Err(Fault::BoxNotFinite);
    }
    if bbox.x2 <= bbox.x1 || bbox.y2 <= bbox.y1 {
        return Err(Fault::BoxWithoutArea(bbox.as_array()));
    }
    let Some(Frame { width, height }) = frame else {
        return Ok(());
    };
    let outside = bbox.x2 <= 0.0
        || bbox.y2 <= 0.0
        || bbox.x1 >= f64::from(width)
        || bbox.y1 >= f64::from(height);
    if outside {
        return Err(Fault::BoxOutside(bbox.as_array(), width, height));
    }
    Ok(())
}

fn check_classification(
    classification: &ClassificationResponse,
    algorithms: &BTreeSet<String>,
) -> Result<(), Fault> {
    let key = &classification.algorithm.key;
    check_algorithm(key, algorithms)?;
    if classification.classification.trim().is_empty() {
        return Err(Fault::NoLabel(key.clone()));
    }
    if classification.scores.is_empty() {
        return Err(Fault::NoScores(key.clone()));
    }
    // NaN is in no range, so this finds it too.
    let bad = |s: &&f64| !(0.0..=1.0).contains(*s);
    if let Some(score) = classification.scores.iter().find(bad) {
        return Err(Fault::BadScore(key.clone(), *score));
    }
    let mut logits = classification.logits.iter().flatten();
    if logits.any(|l| !l.is_finite()) {
        return Err(Fault::BadLogit(key.clone()));
    }
    Ok(())
}
