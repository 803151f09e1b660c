//! What was found on captures: occurrences as they were determined, detections, classifications,
//! and what people said.

use serde_json::Value;

use super::line::{Line, Unfit};
use super::step::{About, Rows};
use crate::entity::{classification, detection, identification, occurrence};

pub(super) const OCCURRENCES: Rows<occurrence::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        links: &[
            ("deployment_id", "station"),
            ("event_id", "session"),
            ("determination_id", "taxon"),
        ],
        ..About::new("main_occurrence", "occurrence")
    },
    row: |line, _| {
        Ok(occurrence::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            station_id: line.opt("deployment_id")?,
            session_id: line.opt("event_id")?,
            determination_id: line.opt("determination_id")?,
            determination_score: line.opt("determination_score")?,
            first_seen_at: None,
            last_seen_at: None,
            boxes_count: 0,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

/// Left, top, right, bottom; nothing in a marker that nothing was found.
fn sides(line: &Line) -> Result<[Option<f64>; 4], Unfit> {
    let Some(found) = line.opt::<Value>("bbox")? else {
        return Ok([None; 4]);
    };
    let sides: Vec<f64> = serde_json::from_value(found).map_err(|_| "bbox is no box".to_owned())?;
    match sides[..] {
        [left, top, right, bottom] => Ok([left, top, right, bottom].map(Some)),
        _ => Err("bbox is no box".to_owned()),
    }
}

pub(super) const DETECTIONS: Rows<detection::Entity> = Rows {
    about: About {
        needs: &[("source_image_id", "capture")],
        links: &[
            ("occurrence_id", "occurrence"),
            ("detection_algorithm_id", "algorithm"),
        ],
        leaves: &["frame_num", "similarity_vector"],
        ..About::new("main_detection", "detection")
    },
    row: |line, world| {
        let [x1, y1, x2, y2] = sides(line)?;
        Ok(detection::Model {
            id: line.key,
            capture_id: line.get("source_image_id")?,
            x1,
            y1,
            x2,
            y2,
            path: line.text("path")?,
            taken_at: line.local("timestamp", world)?,
            detected_at: line.opt("detection_time")?,
            algorithm_id: line.opt("detection_algorithm_id")?,
            occurrence_id: line.opt("occurrence_id")?,
            score: line.opt("detection_score")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const CLASSIFICATIONS: Rows<classification::Entity> = Rows {
    about: About {
        needs: &[("detection_id", "detection")],
        links: &[
            ("taxon_id", "taxon"),
            ("algorithm_id", "algorithm"),
            ("category_map_id", "category_map"),
        ],
        own: &[("applied_to_id", "applied_to_id")],
        ..About::new("main_classification", "classification")
    },
    row: |line, _| {
        Ok(classification::Model {
            id: line.key,
            detection_id: line.get("detection_id")?,
            taxon_id: line.opt("taxon_id")?,
            algorithm_id: line.opt("algorithm_id")?,
            category_map_id: line.opt("category_map_id")?,
            score: line.opt("score")?,
            scores: line.opt("scores")?,
            logits: line.opt("logits")?,
            terminal: line.opt("terminal")?.unwrap_or(true),
            classified_at: line.get("timestamp")?,
            applied_to_id: line.opt("applied_to_id")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const IDENTIFICATIONS: Rows<identification::Entity> = Rows {
    about: About {
        needs: &[("occurrence_id", "occurrence")],
        links: &[
            ("taxon_id", "taxon"),
            ("user_id", "user"),
            ("agreed_with_prediction_id", "classification"),
        ],
        own: &[(
            "agreed_with_identification_id",
            "agreed_with_identification_id",
        )],
        ..About::new("main_identification", "identification")
    },
    row: |line, _| {
        Ok(identification::Model {
            id: line.key,
            occurrence_id: line.get("occurrence_id")?,
            taxon_id: line.opt("taxon_id")?,
            user_id: line.opt("user_id")?,
            comment: line.words("comment")?,
            withdrawn: line.opt("withdrawn")?.unwrap_or(false),
            agreed_with_identification_id: line.opt("agreed_with_identification_id")?,
            agreed_with_prediction_id: line.opt("agreed_with_prediction_id")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};
