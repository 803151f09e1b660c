//! Reading a project from a body: JSON with a nested `settings`, or a form with a picture and
//! `settings.…`.

use rest::error::FieldErrors;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Map, Value};
use store::project::{Project, ProjectChange};

use super::super::internal;
use super::fields::{EXCLUDE, FIELDS, INCLUDE, PIPELINE_ID, SETTINGS, WAIT};
use crate::call::{Call, found};
use crate::pictures::{self, Sent};

/// A sound body: values for the row, and the picture.
pub async fn read(
    call: &Call,
    body: JsonBody,
    how: How,
    before: Option<&Project>,
) -> ApiResult<(ProjectChange, Sent)> {
    let flags = switches(call, &body.value);
    let mut form = Form::read(FIELDS, body, how)?;
    let mut change = ProjectChange {
        name: form.text("name"),
        description: form.text("description"),
        draft: form.boolean("draft"),
        ..ProjectChange::default()
    };
    if let Some(settings) = form.nested(SETTINGS).cloned() {
        let errors = read_settings(call, &settings, &mut change).await?;
        form.errors.add_nested(SETTINGS, errors);
    }
    if let Some(flags) = flags {
        match merged(before, &flags) {
            Some(flags) => change.feature_flags = Some(flags),
            None => form.wrong("feature_flags", "Give an object of true and false."),
        }
    }
    let image = pictures::read(&mut form, "image").await?;
    form.finish()?;
    Ok((change, image))
}

/// The switches that a superuser turns, with a body of nothing else: a client that sends back a
/// whole project, or that is somebody else's, only shows them.
fn switches(call: &Call, body: &Value) -> Option<Value> {
    let body = body.as_object()?;
    let alone = body.len() == 1 && call.who.caller().is_superuser();
    body.get("feature_flags").filter(|_| alone).cloned()
}

/// The switches with those that are sent.
fn merged(before: Option<&Project>, sent: &Value) -> Option<Value> {
    let sent = sent.as_object()?;
    if !sent.values().all(Value::is_boolean) {
        return None;
    }
    let flags = before.and_then(|project| project.feature_flags.as_object());
    let mut flags = flags.cloned().unwrap_or_else(store::project::flags);
    flags.extend(sent.clone());
    Some(Value::Object(flags))
}

async fn read_settings(
    call: &Call,
    sent: &Map<String, Value>,
    change: &mut ProjectChange,
) -> ApiResult<FieldErrors> {
    let mut errors = FieldErrors::new();
    let missing = |id: i64| format!("Invalid pk \"{id}\" - object does not exist.");
    let gap = sent.get("session_time_gap_seconds").and_then(Value::as_i64);
    change.session_time_gap_seconds = gap.and_then(|gap| i32::try_from(gap).ok());
    let wait = sent.get(WAIT).map(Value::as_i64);
    let wait = wait.map(|minutes| minutes.and_then(|minutes| i32::try_from(minutes).ok()));
    change.worker_wait_minutes = wait;
    let threshold = sent.get("default_filters_score_threshold");
    change.score_threshold = threshold.and_then(Value::as_f64);
    if let Some(pipeline) = sent.get(PIPELINE_ID) {
        let id = pipeline.as_i64();
        change.default_pipeline_id = Some(id);
        if let Some(id) = id
            && found(call.store().pipeline(id).await)?.is_none()
        {
            errors.add(PIPELINE_ID, missing(id));
        }
    }
    for field in [INCLUDE, EXCLUDE] {
        let Some(ids) = sent.get(field).and_then(Value::as_array) else {
            continue;
        };
        let ids: Vec<i64> = ids.iter().filter_map(Value::as_i64).collect();
        let unknown = call.store().unknown_taxa(&ids).await.map_err(internal)?;
        for id in unknown {
            errors.add(field, missing(id));
        }
        if field == INCLUDE {
            change.include_taxa = Some(ids);
        } else {
            change.exclude_taxa = Some(ids);
        }
    }
    Ok(errors)
}

/// Only superusers make projects.
pub fn may_create(call: &Call) -> ApiResult<i64> {
    let user = call.who.0.as_ref().ok_or(ApiError::NotAuthenticated)?;
    if user.is_superuser {
        Ok(user.id)
    } else {
        Err(ApiError::Forbidden)
    }
}
