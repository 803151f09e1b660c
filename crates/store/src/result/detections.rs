//! Writing the detections, classifications and occurrences of images that became done.
//! Detections are matched by capture and box, classifications belong to the detection they came
//! with (never by position), and an image on which nothing was found gets a null marker
//! (`processing-service.md` §6 and §13).

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::wire::{ClassificationResponse, DetectionResponse};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
    QueryTrait, prelude::Json,
};

use super::labels::{Vocabulary, top};
use crate::capture::lock::Taken;
use crate::connection::{StoreResult, Write, now};
use crate::counters;
use crate::entity::{classification, detection, occurrence};
use crate::occurrence::determination;

/// Detections with a box, and their classifications, by capture.
pub(super) type Written = BTreeMap<i64, (i64, i64)>;

/// A box on a capture by its exact edges: what makes a detection the same one.
type Place = (i64, Option<[u64; 4]>, i64);

/// One detection of the answer with what was said of it; the same box named twice is one.
struct Found<'a> {
    capture: &'a Taken,
    bbox: Option<[f64; 4]>,
    algorithm: i64,
    path: Option<String>,
    at: NaiveDateTime,
    classifications: Vec<&'a ClassificationResponse>,
}

impl Found<'_> {
    fn place(&self) -> Place {
        place(self.capture.id, self.bbox, self.algorithm)
    }
}

/// A box matches whatever algorithm drew it; a null marker only that of its own algorithm.
fn place(capture: i64, bbox: Option<[f64; 4]>, algorithm: i64) -> Place {
    match bbox {
        Some(edges) => (capture, Some(edges.map(f64::to_bits)), 0),
        None => (capture, None, algorithm),
    }
}

fn stored_box(row: &detection::Model) -> Option<[f64; 4]> {
    Some([row.x1?, row.y1?, row.x2?, row.y2?])
}

/// What makes a detection that was just written the same as the one of the answer.
#[derive(FromQueryResult)]
struct Drawn {
    id: i64,
    capture_id: i64,
    algorithm_id: Option<i64>,
    x1: Option<f64>,
    y1: Option<f64>,
    x2: Option<f64>,
    y2: Option<f64>,
}

impl Drawn {
    fn place(&self) -> Place {
        let edges = || Some([self.x1?, self.y1?, self.x2?, self.y2?]);
        place(self.capture_id, edges(), self.algorithm_id.unwrap_or(0))
    }
}

/// Writes all of it. `done` holds, by capture, what the service found there.
pub(super) async fn write(
    tx: &Write,
    pipeline: i64,
    captures: &HashMap<i64, Taken>,
    done: &BTreeMap<i64, &[DetectionResponse]>,
) -> StoreResult<Written> {
    if done.is_empty() {
        return Ok(Written::default());
    }
    let words = Vocabulary::read(tx, pipeline, done).await?;
    let found = gather(&words, captures, done)?;
    let ids: Vec<i64> = done.keys().copied().collect();
    let known = known_detections(tx, &ids).await?;
    let fresh: Vec<&Found> = found
        .iter()
        .filter(|f| !known.contains_key(&f.place()))
        .collect();
    let occurrences = make_occurrences(tx, &words, &fresh).await?;
    let mut by_place = insert(tx, &fresh, &occurrences).await?;
    let reused: Vec<detection::Model> = found
        .iter()
        .filter_map(|f| known.get(&f.place()).cloned())
        .collect();
    let touched = adopt(tx, captures, &reused).await?;
    by_place.extend(reused.iter().map(|row| {
        let key = place(
            row.capture_id,
            stored_box(row),
            row.algorithm_id.unwrap_or(0),
        );
        (key, row.id)
    }));
    classify(tx, &words, &found, &by_place, &reused).await?;
    determination::recompute(tx, &touched).await?;
    // A new occurrence is what its one detection says; an old one may have been seen again.
    counters::refresh_occurrences(tx, &touched).await?;
    let mut written = Written::new();
    for f in found.iter().filter(|f| f.bbox.is_some()) {
        let (detections, classifications) = written.entry(f.capture.id).or_default();
        *detections += 1;
        *classifications += f.classifications.len() as i64;
    }
    Ok(written)
}

/// Sorts the answer by place, and adds a null marker where nothing at all was said.
fn gather<'a>(
    words: &Vocabulary,
    captures: &'a HashMap<i64, Taken>,
    done: &BTreeMap<i64, &'a [DetectionResponse]>,
) -> StoreResult<Vec<Found<'a>>> {
    let mut list: Vec<Found<'a>> = Vec::new();
    let mut index: HashMap<Place, usize> = HashMap::new();
    for (id, detections) in done {
        let Some(capture) = captures.get(id) else {
            continue;
        };
        for d in *detections {
            let one = Found {
                capture,
                bbox: d.bbox.map(|b| b.as_array()),
                algorithm: words.algorithm(&d.algorithm.key)?.id,
                path: d.crop_image_url.clone(),
                at: d.timestamp,
                classifications: d.classifications.iter().collect(),
            };
            match index.get(&one.place()) {
                Some(i) => list[*i].classifications.extend(one.classifications),
                None => {
                    index.insert(one.place(), list.len());
                    list.push(one);
                }
            }
        }
        if detections.is_empty() {
            list.push(Found {
                capture,
                bbox: None,
                algorithm: words.detector,
                path: None,
                at: now().naive_utc(),
                classifications: Vec::new(),
            });
        }
    }
    Ok(list)
}

async fn known_detections(
    tx: &Write,
    captures: &[i64],
) -> StoreResult<HashMap<Place, detection::Model>> {
    let mut known = HashMap::new();
    for chunk in captures.chunks(1000) {
        let rows = detection::Entity::find()
            .filter(detection::Column::CaptureId.is_in(chunk.iter().copied()))
            .all(&**tx)
            .await?;
        for row in rows {
            let key = place(
                row.capture_id,
                stored_box(&row),
                row.algorithm_id.unwrap_or(0),
            );
            known.entry(key).or_insert(row);
        }
    }
    Ok(known)
}

/// What the answer itself says an occurrence is: terminal first, then the highest score.
fn determination(words: &Vocabulary, found: &Found<'_>) -> StoreResult<Option<(i64, f64)>> {
    let score = |c: &ClassificationResponse| top(&c.scores).map_or(0.0, |i| c.scores[i]);
    let best = found.classifications.iter().max_by(|a, b| {
        (a.terminal, score(a))
            .partial_cmp(&(b.terminal, score(b)))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    best.map(|c| Ok((words.taxon(&c.classification)?, score(c))))
        .transpose()
}

/// What an occurrence that was just made says.
#[derive(FromQueryResult)]
struct Made {
    id: i64,
    project_id: Option<i64>,
    station_id: Option<i64>,
    session_id: Option<i64>,
    determination_id: Option<i64>,
    determination_score: Option<f64>,
    first_seen_at: Option<NaiveDateTime>,
}

/// One occurrence for each new detection with a box, in the same order; `None` for markers.
/// Rows that are equal in all they say are interchangeable, so ids are dealt out by content.
async fn make_occurrences(
    tx: &Write,
    words: &Vocabulary,
    fresh: &[&Found<'_>],
) -> StoreResult<Vec<Option<i64>>> {
    type Content = (
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<u64>,
        Option<NaiveDateTime>,
    );
    let at = now();
    let mut rows = Vec::new();
    let mut contents: Vec<Option<Content>> = Vec::new();
    for f in fresh {
        if f.bbox.is_none() {
            contents.push(None);
            continue;
        }
        let (taxon, score) = determination(words, f)?.unzip();
        let c = f.capture;
        contents.push(Some((
            c.project_id,
            c.station_id,
            c.session_id,
            taxon,
            score.map(f64::to_bits),
            c.taken_at,
        )));
        rows.push(occurrence::ActiveModel {
            project_id: Set(c.project_id),
            station_id: Set(c.station_id),
            session_id: Set(c.session_id),
            determination_id: Set(taxon),
            determination_score: Set(score),
            boxes_count: Set(1),
            first_seen_at: Set(c.taken_at),
            last_seen_at: Set(c.taken_at),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        });
    }
    let mut dealt: HashMap<Content, Vec<i64>> = HashMap::new();
    for chunk in rows.chunks(1000) {
        use occurrence::Column as O;
        let mut insert = occurrence::Entity::insert_many(chunk.to_vec()).into_query();
        insert.returning(Query::returning().columns([
            O::Id,
            O::ProjectId,
            O::StationId,
            O::SessionId,
            O::DeterminationId,
            O::DeterminationScore,
            O::FirstSeenAt,
        ]));
        for row in tx.query_all(&insert).await?.iter().rev() {
            let o = Made::from_query_result(row, "")?;
            let score = o.determination_score.map(f64::to_bits);
            let key = (
                o.project_id,
                o.station_id,
                o.session_id,
                o.determination_id,
                score,
                o.first_seen_at,
            );
            dealt.entry(key).or_default().push(o.id);
        }
    }
    Ok(contents
        .into_iter()
        .map(|key| dealt.get_mut(&key?)?.pop())
        .collect())
}

async fn insert(
    tx: &Write,
    fresh: &[&Found<'_>],
    occurrences: &[Option<i64>],
) -> StoreResult<HashMap<Place, i64>> {
    let at = now();
    let rows: Vec<detection::ActiveModel> = fresh
        .iter()
        .zip(occurrences)
        .map(|(f, occurrence)| {
            let [x1, y1, x2, y2] = f.bbox.map_or([None; 4], |b| b.map(Some));
            detection::ActiveModel {
                capture_id: Set(f.capture.id),
                x1: Set(x1),
                y1: Set(y1),
                x2: Set(x2),
                y2: Set(y2),
                path: Set(f.path.clone()),
                taken_at: Set(f.capture.taken_at),
                detected_at: Set(Some(utc(f.at))),
                algorithm_id: Set(Some(f.algorithm)),
                occurrence_id: Set(*occurrence),
                score: Set(None),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            }
        })
        .collect();
    let mut by_place = HashMap::new();
    for chunk in rows.chunks(1000) {
        use detection::Column as D;
        let mut insert = detection::Entity::insert_many(chunk.to_vec()).into_query();
        insert.returning(Query::returning().columns([
            D::Id,
            D::CaptureId,
            D::AlgorithmId,
            D::X1,
            D::Y1,
            D::X2,
            D::Y2,
        ]));
        for row in tx.query_all(&insert).await? {
            let drawn = Drawn::from_query_result(&row, "")?;
            by_place.insert(drawn.place(), drawn.id);
        }
    }
    Ok(by_place)
}

/// Services write naive times; they are kept as if in UTC.
fn utc(naive: NaiveDateTime) -> DateTime<Utc> {
    naive.and_utc()
}

/// Gives an occurrence to detections that have none. Returns the occurrences of all of them,
/// whose determination may change.
async fn adopt(
    tx: &Write,
    captures: &HashMap<i64, Taken>,
    reused: &[detection::Model],
) -> StoreResult<Vec<i64>> {
    let mut touched: Vec<i64> = Vec::new();
    for row in reused.iter().filter(|row| row.x1.is_some()) {
        if let Some(id) = row.occurrence_id {
            touched.push(id);
            continue;
        }
        let capture = captures.get(&row.capture_id);
        let at = now();
        let made = occurrence::ActiveModel {
            project_id: Set(capture.and_then(|c| c.project_id)),
            station_id: Set(capture.and_then(|c| c.station_id)),
            session_id: Set(capture.and_then(|c| c.session_id)),
            determination_id: Set(None),
            determination_score: Set(None),
            boxes_count: Set(1),
            first_seen_at: Set(row.taken_at),
            last_seen_at: Set(row.taken_at),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let made = sea_orm::ActiveModelTrait::insert(made, &**tx).await?;
        detection::Entity::update_many()
            .col_expr(detection::Column::OccurrenceId, Expr::value(made.id))
            .filter(detection::Column::Id.eq(row.id))
            .exec(&**tx)
            .await?;
        touched.push(made.id);
    }
    touched.sort_unstable();
    touched.dedup();
    Ok(touched)
}

/// Same detection, taxon, algorithm and score: the same classification.
type Said = (i64, i64, i64, u64);

async fn classify(
    tx: &Write,
    words: &Vocabulary,
    found: &[Found<'_>],
    by_place: &HashMap<Place, i64>,
    reused: &[detection::Model],
) -> StoreResult<()> {
    let mut said = said_before(tx, reused).await?;
    let at = now();
    let mut rows = Vec::new();
    for f in found {
        let Some(id) = by_place.get(&f.place()) else {
            continue;
        };
        for c in &f.classifications {
            let algorithm = words.algorithm(&c.algorithm.key)?;
            let taxon = words.taxon(&c.classification)?;
            let score = top(&c.scores).map_or(0.0, |i| c.scores[i]);
            if !said.insert((*id, taxon, algorithm.id, score.to_bits())) {
                continue;
            }
            rows.push(classification::ActiveModel {
                detection_id: Set(*id),
                taxon_id: Set(Some(taxon)),
                algorithm_id: Set(Some(algorithm.id)),
                category_map_id: Set(algorithm.category_map_id),
                score: Set(Some(score)),
                scores: Set(Some(Json::from(c.scores.clone()))),
                logits: Set(c.logits.clone().map(Json::from)),
                terminal: Set(c.terminal),
                classified_at: Set(utc(c.timestamp)),
                applied_to_id: Set(None),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            });
        }
    }
    for chunk in rows.chunks(1000) {
        classification::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

async fn said_before(tx: &Write, reused: &[detection::Model]) -> StoreResult<HashSet<Said>> {
    let mut said = HashSet::new();
    for chunk in reused.chunks(1000) {
        let rows = classification::Entity::find()
            .filter(classification::Column::DetectionId.is_in(chunk.iter().map(|d| d.id)))
            .all(&**tx)
            .await?;
        said.extend(rows.iter().filter_map(|c| {
            let score = c.score?.to_bits();
            Some((c.detection_id, c.taxon_id?, c.algorithm_id?, score))
        }));
    }
    Ok(said)
}
