//! Bodies that make or change a schedule: every step is read against its own table and every row
//! that it names is looked up, so a chain that cannot run is refused when it is written. Messages
//! stand below `steps` by the place of the step, counted from 0 as in the reference's lists.

use domain::export;
use domain::job::{EXPORT, POST_PROCESSING};
use domain::schedule::{Step, read_cron, read_zone};
use rest::{ApiError, ApiResult, FieldErrors, Form, How, JsonBody};
use serde_json::{Map, Value};
use store::schedule::{NewSchedule, ScheduleChange};

use super::super::jobs::params;
use super::super::{exports, internal};
use super::fields::{FIELDS, MOST_STEPS, STEP};
use crate::call::{Call, found};

/// Longest settings of a step, in bytes of JSON.
const LONGEST_PARAMS: usize = 20_000;

/// Reads the body of a new schedule. Whether the caller may make it is not asked here.
///
/// # Errors
/// 400 with all messages.
pub async fn new(call: &Call, body: JsonBody) -> ApiResult<NewSchedule> {
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    let mut project = None;
    if let Some(id) = form.integer("project") {
        project = found(call.store().project(id).await)?;
        if project.is_none() {
            form.missing("project", id);
        }
    }
    rhythm(&mut form);
    let steps = steps(call, &mut form, project.as_ref().map(|p| p.id)).await?;
    form.finish()?;
    let (Some(project), Some(steps)) = (project, steps) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    Ok(NewSchedule {
        project_id: project.id,
        name: form.text("name").unwrap_or_default(),
        cron: form.text("cron").unwrap_or_default(),
        time_zone: form.text("time_zone").unwrap_or_default(),
        steps,
        owner_id: call.who.caller().id(),
    })
}

/// Reads a change of a schedule of this project; whoever sends it stands for it from now on.
///
/// # Errors
/// 400 with all messages.
pub async fn change(
    call: &Call,
    project: i64,
    body: JsonBody,
    how: How,
) -> ApiResult<ScheduleChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    if form
        .integer("project")
        .is_some_and(|other| other != project)
    {
        form.wrong("project", "It cannot be moved to another project.");
    }
    rhythm(&mut form);
    let steps = steps(call, &mut form, Some(project)).await?;
    form.finish()?;
    Ok(ScheduleChange {
        name: form.text("name"),
        cron: form.text("cron"),
        time_zone: form.text("time_zone"),
        steps,
        owner_id: call.who.caller().id(),
    })
}

fn rhythm(form: &mut Form) {
    let wrong = form.text("cron").and_then(|cron| read_cron(&cron).err());
    if let Some(wrong) = wrong {
        form.wrong("cron", wrong.to_string());
    }
    let wrong = form
        .text("time_zone")
        .and_then(|zone| read_zone(&zone).err());
    if let Some(wrong) = wrong {
        form.wrong("time_zone", wrong.to_string());
    }
}

/// The steps that were sent, with a message about each that cannot be.
async fn steps(call: &Call, form: &mut Form, home: Option<i64>) -> ApiResult<Option<Vec<Step>>> {
    if !form.has("steps") {
        return Ok(None);
    }
    let Some(list) = list(form.value("steps")) else {
        form.wrong("steps", "Expected a list of items.");
        return Ok(None);
    };
    if list.is_empty() {
        form.wrong("steps", "This list may not be empty.");
    }
    if list.len() > MOST_STEPS {
        let words = format!("Ensure this field has no more than {MOST_STEPS} elements.");
        form.wrong("steps", words);
        return Ok(None);
    }
    let mut steps = Vec::new();
    let mut wrong = FieldErrors::new();
    for (place, value) in list.into_iter().enumerate() {
        match step(call, value, home).await? {
            Ok(step) => steps.push(step),
            Err(errors) => wrong.add_nested(&place.to_string(), errors),
        }
    }
    form.errors.add_nested("steps", wrong);
    Ok(Some(steps))
}

/// A list as it is, or as a form holds it: written as JSON.
fn list(value: Option<&Value>) -> Option<Vec<Value>> {
    match value? {
        Value::Array(list) => Some(list.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// One step, or what is wrong with it.
async fn step(
    call: &Call,
    value: Value,
    home: Option<i64>,
) -> ApiResult<Result<Step, FieldErrors>> {
    let mut form = match Form::read(STEP, JsonBody::from(value), How::Whole) {
        Ok(form) => form,
        Err(ApiError::Fields(errors)) => return Ok(Err(errors)),
        Err(other) => return Err(other),
    };
    let params = match form.value("params") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(_) => {
            form.wrong("params", "Expected a dictionary of items.");
            Map::new()
        }
    };
    let step = Step {
        kind: form.text("job_type_key").unwrap_or_default(),
        name: form.text("name").unwrap_or_default(),
        station_id: form.integer("deployment_id"),
        capture_set_id: form.integer("source_image_collection_id"),
        pipeline_id: form.integer("pipeline_id"),
        limit: form.integer("limit").and_then(|n| i32::try_from(n).ok()),
        shuffle: form.boolean("shuffle").unwrap_or(true),
        params,
    };
    // What is wrong with the body already has its message.
    if form.errors.is_empty() {
        for (field, words) in step.faults() {
            form.wrong(field, words);
        }
        settings(call, &mut form, &step, home).await?;
    }
    if let Some(home) = home {
        let missing = call.store().missing_of_step(home, &step).await;
        for (field, id) in missing.map_err(internal)? {
            form.missing(field, id);
        }
    }
    match form.finish() {
        Ok(()) => Ok(Ok(step)),
        Err(ApiError::Fields(errors)) => Ok(Err(errors)),
        Err(other) => Err(other),
    }
}

/// Whether the settings of a step can be used, as far as its project is known.
async fn settings(call: &Call, form: &mut Form, step: &Step, home: Option<i64>) -> ApiResult<()> {
    let params = Value::Object(step.params.clone());
    if params.to_string().len() > LONGEST_PARAMS {
        form.wrong("params", "These settings are too long.");
        return Ok(());
    }
    let wrong = match step.kind.as_str() {
        // That they are missing has been said.
        _ if step.params.is_empty() => return Ok(()),
        EXPORT => of_export(call, step, home).await?,
        POST_PROCESSING => params::faults(call, &params, home).await?,
        _ => return Ok(()),
    };
    form.errors.add_nested("params", wrong);
    Ok(())
}

async fn of_export(call: &Call, step: &Step, home: Option<i64>) -> ApiResult<FieldErrors> {
    let mut wrong = FieldErrors::new();
    match step.params.get("format").and_then(Value::as_str) {
        None => wrong.add("format", "This field is required."),
        Some(format) if export::format(format).is_none() => {
            wrong.add("format", format!("\"{format}\" is not a valid choice."));
        }
        Some(_) => {}
    }
    match (step.params.get("filters"), home) {
        (Some(Value::Object(filters)), Some(home)) => {
            let named = call.store().named_filters(home, filters).await;
            if let Err(why) = named.map_err(internal)? {
                wrong.add("filters", exports::words(why));
            }
        }
        (None | Some(Value::Null | Value::Object(_)), _) => {}
        (Some(_), _) => wrong.add("filters", "Expected a dictionary of items."),
    }
    Ok(wrong)
}
