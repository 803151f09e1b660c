//! What a job of post-processing is to do, read from a body (`domain-rules.md` §8). It is read as
//! the job itself reads it when it starts, so whoever asks hears at once what would fail.

use domain::job::POST_PROCESSING;
use domain::post::{Fault, Request};
use rest::{ApiResult, FieldErrors, Form};
use serde_json::Value;
use store::project::Project;

use super::super::internal;
use crate::call::Call;

/// The sound `params` of a body; of other kinds they are passed over, as in the reference. What
/// is wrong is noted.
pub async fn read(
    call: &Call,
    form: &mut Form,
    kind: Option<&str>,
    project: Option<&Project>,
) -> ApiResult<Option<Value>> {
    let Some(params) = sent(form) else {
        return Ok(None);
    };
    if kind != Some(POST_PROCESSING) {
        return Ok(None);
    }
    if !params.is_object() {
        let words = "Expected an object: {\"task\": …, \"config\": {…}}.";
        form.wrong("params", words);
        return Ok(None);
    }
    let faults = faults(call, &params, project.map(|project| project.id)).await?;
    form.errors.add_nested("params", faults);
    Ok(Some(params))
}

/// What is wrong with the settings of post-processing in this project, below `params`.
///
/// # Errors
/// Errors of the database.
pub async fn faults(call: &Call, params: &Value, project: Option<i64>) -> ApiResult<FieldErrors> {
    let faults = match (Request::read(params), project) {
        (Err(faults), _) => faults,
        (Ok(request), Some(project)) => {
            let faults = call.store().post_faults(project, &request).await;
            faults.map_err(internal)?
        }
        (Ok(_), None) => Vec::new(),
    };
    Ok(nested(faults))
}

/// What was sent; a form sends it as text.
fn sent(form: &Form) -> Option<Value> {
    match form.value("params")? {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(serde_json::from_str(text).unwrap_or(Value::Null)),
        other => Some(other.clone()),
    }
}

/// `{"task": […], "config": {"size_threshold": […]}}`.
fn nested(faults: Vec<Fault>) -> FieldErrors {
    let (mut outer, mut config) = (FieldErrors::new(), FieldErrors::new());
    for fault in faults {
        match fault.field.strip_prefix("config.") {
            Some(setting) => config.add(setting, fault.words),
            None => outer.add(&fault.field, fault.words),
        }
    }
    outer.add_nested("config", config);
    outer
}
