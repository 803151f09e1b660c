//! An occurrence as the API shows it, without what depends on who looks (`domain-rules.md` §7): the
//! same keys in the same order, no permissions at the top and none granted below, the duration in
//! ISO 8601, links that last. The system's tests compare it with what the API answers.

use chrono::Duration;
use domain::session::{duration_label, session_label, session_name};
use rest::time::naive;
use serde_json::{Map, Value, json};
use store::identification::Identification;
use store::occurrence::Occurrence;
use store::occurrence::detail::Sighting;
use store::occurrence::prediction::{Prediction, tops};
use store::taxon::Taxon;

use super::super::super::page::Page;

/// The occurrence with its detections and what was said of each.
pub fn whole(page: &Page, row: &Occurrence) -> Value {
    let first = row.first_seen_at;
    let boxes = page.boxes(row);
    let images = boxes.iter().map(|seen| page.about.crop(seen));
    let said = page.said(row).iter();
    let tops = tops(page.predictions(row).to_vec());
    let duration = page.duration(row);
    json!({
        "id": row.id,
        "details": page.about.row("occurrences", row.id),
        "event": session(page, row),
        "deployment": station(page, row),
        "first_appearance_timestamp": first.map(naive),
        "first_appearance_time": first.map(|at| at.format("%H:%M:%S").to_string()),
        "duration": duration.map(iso),
        "duration_label": duration.map(|length| match length.is_zero() {
            true => String::new(),
            false => duration_label(length),
        }),
        "determination": determination(page, row),
        "detections_count": row.boxes_count,
        "detection_images": images.collect::<Vec<_>>(),
        "determination_score": row.determination_score,
        "determination_details": details(page, row),
        "best_machine_prediction": best(page, row),
        "identifications": said.map(|said| identification(page, said)).collect::<Vec<_>>(),
        "created_at": page.about.instant(row.created_at),
        "updated_at": page.about.instant(row.updated_at),
        "determination_id": row.determination_id,
        "detections": boxes.iter().map(|seen| detection(page, row, seen)).collect::<Vec<_>>(),
        "predictions": tops.iter().map(|p| prediction(page, row, p)).collect::<Vec<_>>(),
    })
}

fn session(page: &Page, row: &Occurrence) -> Option<Value> {
    let session = page.session(row)?;
    let (start, end) = (session.start_at, session.end_at);
    Some(json!({
        "id": session.id,
        "name": session_name(start, end),
        "details": page.about.row("events", session.id),
        "date_label": session_label(start, end),
        "user_permissions": [],
    }))
}

fn station(page: &Page, row: &Occurrence) -> Option<Value> {
    let station = page.station(row)?;
    Some(json!({
        "id": station.id,
        "name": station.name,
        "details": page.about.row("deployments", station.id),
        "user_permissions": [],
    }))
}

fn named(page: &Page, taxon: &Taxon) -> Map<String, Value> {
    let pairs = [
        ("id", json!(taxon.id)),
        ("name", json!(taxon.name)),
        ("rank", json!(taxon.rank)),
        ("details", json!(page.about.row("taxa", taxon.id))),
        ("gbif_taxon_key", json!(taxon.gbif_key)),
        ("fieldguide_id", json!(taxon.fieldguide_id)),
        ("inat_taxon_id", json!(taxon.inat_taxon_id)),
        ("cover_image_url", json!(taxon.cover_image_url)),
        ("cover_image_credit", json!(taxon.cover_image_credit)),
    ];
    let pairs = pairs.into_iter();
    pairs.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The taxon right above this one.
fn parent(page: &Page, taxon: &Taxon) -> Option<Value> {
    let mut map = named(page, page.taxon(taxon.parent_id)?);
    map.insert("user_permissions".into(), json!([]));
    Some(Value::Object(map))
}

/// The taxon with all above it.
fn taxon(page: &Page, id: Option<i64>) -> Option<Value> {
    let taxon = page.taxon(id)?;
    let mut map = named(page, taxon);
    map.insert("parent".into(), json!(parent(page, taxon)));
    map.insert("parents".into(), taxon.parents.clone());
    map.insert("user_permissions".into(), json!([]));
    Some(Value::Object(map))
}

fn determination(page: &Page, row: &Occurrence) -> Option<Value> {
    let taxon = page.taxon(row.determination_id)?;
    Some(json!({
        "id": taxon.id,
        "name": taxon.name,
        "parent": parent(page, taxon),
        "rank": taxon.rank,
        "details": page.about.row("taxa", taxon.id),
        "user_permissions": [],
    }))
}

/// What it is determined as, and by whom.
fn details(page: &Page, row: &Occurrence) -> Value {
    let standing = page.standing(row);
    json!({
        "taxon": taxon(page, row.determination_id),
        "identification": standing.map(|said| identification(page, said)),
        "prediction": page.best(row).map(|best| prediction(page, row, best)),
        "score": row.determination_score,
    })
}

fn best(page: &Page, row: &Occurrence) -> Option<Value> {
    let best = page.best(row)?;
    let model = page.algorithm(best.algorithm_id).map(|algorithm| {
        json!({
            "id": algorithm.id,
            "details": page.about.row("ml/algorithms", algorithm.id),
            "name": algorithm.name,
            "key": algorithm.key,
            "version": algorithm.version,
            "version_name": algorithm.version_name,
            "created_at": page.about.instant(algorithm.created_at),
            "updated_at": page.about.instant(algorithm.updated_at),
            "user_permissions": [],
        })
    });
    Some(json!({
        "taxon": taxon(page, best.taxon_id),
        "algorithm": model,
        "score": best.score,
    }))
}

fn algorithm(page: &Page, id: Option<i64>) -> Option<Value> {
    let algorithm = page.algorithm(id)?;
    let map = algorithm.category_map_id.map(|id| {
        json!({
            "id": id,
            "details": page.about.row("ml/labels", id),
            "user_permissions": [],
        })
    });
    Some(json!({
        "id": algorithm.id,
        "details": page.about.row("ml/algorithms", algorithm.id),
        "name": algorithm.name,
        "key": algorithm.key,
        "description": algorithm.description,
        "uri": algorithm.uri,
        "version": algorithm.version,
        "version_name": algorithm.version_name,
        "task_type": algorithm.task_type,
        "category_map": map,
        "category_count": null,
        "created_at": page.about.instant(algorithm.created_at),
        "updated_at": page.about.instant(algorithm.updated_at),
        "user_permissions": [],
    }))
}

fn prediction(page: &Page, row: &Occurrence, p: &Prediction) -> Value {
    let source = p.applied_to_id.and_then(|id| {
        let mut all = page.predictions(row).iter();
        all.find(|other| other.id == id)
    });
    let applied = source.map(|source| {
        json!({
            "id": source.id,
            "created_at": page.about.instant(source.created_at),
            "algorithm": algorithm(page, source.algorithm_id),
        })
    });
    json!({
        "id": p.id,
        "details": page.about.row("classifications", p.id),
        "taxon": taxon(page, p.taxon_id),
        "score": p.score,
        "terminal": p.terminal,
        "algorithm": algorithm(page, p.algorithm_id),
        "applied_to": applied,
        "created_at": page.about.instant(p.created_at),
        "user_permissions": [],
    })
}

fn identification(page: &Page, said: &Identification) -> Value {
    let person = page.person(said.user_id).map(|user| {
        json!({
            "id": user.id,
            "name": user.name,
            "image": user.image,
            "details": page.about.row("users", user.id),
            "user_permissions": [],
        })
    });
    json!({
        "id": said.id,
        "details": page.about.row("identifications", said.id),
        "taxon": taxon(page, said.taxon_id),
        "user": person,
        "withdrawn": said.withdrawn,
        "comment": said.comment,
        "created_at": page.about.instant(said.created_at),
        "user_permissions": [],
    })
}

fn detection(page: &Page, row: &Occurrence, seen: &Sighting) -> Value {
    let capture = page.captures.get(&seen.capture_id).map(|capture| {
        json!({
            "id": capture.id,
            "details": page.about.row("captures", capture.id),
            "url": page.photograph(capture.id),
            "width": capture.width,
            "height": capture.height,
            "user_permissions": [],
        })
    });
    let of = |p: &&Prediction| p.detection_id == seen.id;
    let mut said: Vec<&Prediction> = page.predictions(row).iter().filter(of).collect();
    said.sort_by_key(|p| std::cmp::Reverse(p.id));
    json!({
        "id": seen.id,
        "details": page.about.row("detections", seen.id),
        "timestamp": seen.taken_at.map(naive),
        "url": page.about.crop(seen),
        "capture": capture,
        "width": null,
        "height": null,
        "bbox": [seen.x1, seen.y1, seen.x2, seen.y2],
        "occurrence": page.about.row("occurrences", row.id),
        "classifications": said.iter().map(|p| prediction(page, row, p)).collect::<Vec<_>>(),
        "user_permissions": [],
    })
}

/// A duration in ISO 8601 as the reference writes it: `P0DT00H05M00S`.
fn iso(span: Duration) -> String {
    let (sign, span) = match span < Duration::zero() {
        true => ("-", -span),
        false => ("", span),
    };
    let seconds = span.num_seconds();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let fraction = match span.subsec_nanos() / 1000 {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{sign}P{days}DT{hours:02}H{minutes:02}M{seconds:02}{fraction}S")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_recorded() {
        for (micros, expected) in [
            (300_000_000, "P0DT00H05M00S"),
            (0, "P0DT00H00M00S"),
            (93_600_000_500, "P1DT02H00M00.000500S"),
            (-1_000_000, "-P0DT00H00M01S"),
        ] {
            assert_eq!(iso(Duration::microseconds(micros)), expected);
        }
    }
}
