//! What the form of a new job sends, as the API takes it, and where the API's refusals belong.

use domain::job::{EXPORT, KindSpec, ML, POPULATE, REGROUP, SYNC};
use domain::post::{MASKING, SMALL_SIZE, TaskSpec};
use serde_json::{Map, Value, json};

use crate::pages::act::Refused;
use crate::pages::form::Sent;

pub use crate::pages::act::Wrong;

/// Field of the capture set.
pub const SET: &str = "source_image_collection_id";
/// Field of a single capture.
pub const CAPTURE: &str = "source_image_single_id";
/// Field of the station.
pub const STATION: &str = "deployment_id";

/// The fields that the form of a kind shows.
pub fn of(kind: &KindSpec, task: &TaskSpec) -> &'static [&'static str] {
    match (kind.key, task.key) {
        (ML, _) => &[
            "name",
            "pipeline_id",
            SET,
            CAPTURE,
            STATION,
            "limit",
            "delay",
            "shuffle",
        ],
        (POPULATE, _) => &["name", SET],
        (SYNC | REGROUP, _) => &["name", STATION],
        (EXPORT, _) => &["format", "filters"],
        (_, SMALL_SIZE) => &["name", SET, "occurrence_id", "dry_run", "size_threshold"],
        (_, MASKING) => &[
            "name",
            SET,
            "occurrence_id",
            "dry_run",
            "taxa_list_id",
            "algorithm_id",
            "reweight",
        ],
        _ => &[
            "name",
            SET,
            "occurrence_id",
            "dry_run",
            "algorithm_id",
            "threshold",
            "ranks",
        ],
    }
}

/// The field and the words for whoever chose this scope.
pub fn scope(scope: &str) -> (&'static str, &'static str) {
    match scope {
        "capture" => (CAPTURE, "Give the number of a capture."),
        "station" => (STATION, "Choose a station."),
        _ => (SET, "Choose a capture set."),
    }
}

/// The body of the request that makes the job.
///
/// # Errors
/// What the API would take, and the job could not use.
pub fn body(kind: &KindSpec, project: i64, sent: &Sent, name: String) -> Result<Value, Wrong> {
    if kind.key == EXPORT {
        let mut filters = Map::new();
        if let Some(set) = sent.number(SET) {
            filters.insert("collection_id".to_owned(), set.into());
        }
        let format = sent.text("format");
        return Ok(json!({"project": project, "format": format, "filters": filters}));
    }
    let mut wrong = Wrong::new();
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("project_id", project.into());
    put("job_type_key", kind.key.into());
    put("name", name.into());
    // The API wants a time to wait; what is left out waits for none.
    put("delay", sent.filled("delay").unwrap_or("0").into());
    let mut need = |field: &str, words: &str| match sent.number(field) {
        Some(id) => Value::from(id),
        None => {
            wrong.push((field.to_owned(), vec![words.to_owned()]));
            Value::Null
        }
    };
    match kind.key {
        ML => {
            put("pipeline_id", need("pipeline_id", "Choose a pipeline."));
            let (field, words) = scope(sent.text("scope"));
            put(field, need(field, words));
            if let Some(limit) = sent.filled("limit") {
                put("limit", limit.into());
            }
            put("shuffle", sent.ticked("shuffle").into());
        }
        POPULATE => put(SET, need(SET, "Choose a capture set.")),
        SYNC | REGROUP => put(STATION, need(STATION, "Choose a station.")),
        _ => put("params", params(sent)),
    }
    if wrong.is_empty() {
        Ok(Value::Object(body))
    } else {
        Err(wrong)
    }
}

/// What post-processing is told: only the settings of its task.
pub fn params(sent: &Sent) -> Value {
    let mut config = Map::new();
    let mut put = |name: &str, value: Value| {
        config.insert(name.to_owned(), value);
    };
    let settings = domain::post::task(sent.text("task")).map_or(&[][..], |task| task.settings);
    for name in [SET, "occurrence_id"].iter().chain(settings) {
        match *name {
            "reweight" => put(name, sent.ticked(name).into()),
            "ranks" => put(name, sent.0.values(name).into()),
            name => {
                if let Some(text) = sent.filled(name) {
                    put(name, number(text));
                }
            }
        }
    }
    put("dry_run", sent.ticked("dry_run").into());
    json!({"task": sent.text("task"), "config": config})
}

/// A number as one; what is none stays as it is, for the API to say so.
fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => whole.into(),
        (_, Ok(share)) => share.into(),
        _ => text.into(),
    }
}

/// A refusal with what is said of settings beside their fields.
pub fn beside(refused: Refused) -> Refused {
    let Refused::Fields(wrong) = refused else {
        return refused;
    };
    let mut placed = Wrong::new();
    for (field, words) in wrong {
        for said in words {
            let (field, said) = match field.as_str() {
                "params" => setting(&said),
                field => (field.to_owned(), said),
            };
            match placed.iter_mut().find(|(known, _)| *known == field) {
                Some((_, words)) => words.push(said),
                None => placed.push((field, vec![said])),
            }
        }
    }
    Refused::Fields(placed)
}

/// "config: ranks: Give …" as the field and what is said of it.
fn setting(said: &str) -> (String, String) {
    let inner = said.strip_prefix("config: ").unwrap_or(said);
    match inner.split_once(": ") {
        Some((field, words)) if !field.contains(' ') => (field.to_owned(), words.to_owned()),
        _ => (String::new(), said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use domain::job::kind;
    use rest::query::Query;

    fn sent(text: &str) -> Sent {
        Sent(Query::parse(text))
    }

    #[test]
    fn only_the_scope_that_was_chosen_is_sent() {
        let form = sent(
            "pipeline_id=3&scope=station&deployment_id=5&source_image_collection_id=9&limit=ten",
        );
        let body = body(kind(ML).unwrap(), 1, &form, "Night".to_owned()).unwrap();
        let expected = json!({
            "project_id": 1, "job_type_key": "ml", "name": "Night", "delay": "0",
            "pipeline_id": 3, "deployment_id": 5, "limit": "ten", "shuffle": false,
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn what_a_job_cannot_do_without_is_asked_for() {
        let wrong = body(kind(ML).unwrap(), 1, &sent("scope=capture"), String::new());
        let fields: Vec<String> = wrong.unwrap_err().into_iter().map(|(f, _)| f).collect();
        assert_eq!(fields, ["pipeline_id", CAPTURE]);
        assert!(body(kind(SYNC).unwrap(), 1, &sent(""), String::new()).is_err());
    }

    #[test]
    fn settings_of_the_task_and_no_others_are_sent() {
        let form = sent(
            "task=rank_rollup&algorithm_id=4&threshold=0.6&ranks=GENUS&ranks=FAMILY\
                         &source_image_collection_id=2&size_threshold=0.1",
        );
        let expected = json!({"task": "rank_rollup", "config": {
            "algorithm_id": 4, "threshold": 0.6, "ranks": ["GENUS", "FAMILY"],
            "source_image_collection_id": 2, "dry_run": false,
        }});
        assert_eq!(params(&form), expected);
    }

    #[test]
    fn refusals_of_settings_stand_beside_them() {
        let refused = Refused::Fields(vec![(
            "params".to_owned(),
            vec![
                "config: ranks: Give some.".to_owned(),
                "task: No.".to_owned(),
            ],
        )]);
        let Refused::Fields(placed) = beside(refused) else {
            panic!("it is refused");
        };
        let expected = [("ranks", "Give some."), ("task", "No.")];
        let expected = expected.map(|(f, w)| (f.to_owned(), vec![w.to_owned()]));
        assert_eq!(placed, expected);
    }
}
