//! `/api/v2/captures/collections/`: capture sets (`ui.md` §A.5, `domain-rules.md` §5). Filling one
//! by its method is a job; single captures are put in and taken out by hand.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::NaiveDate;
use domain::job::{POPULATE, TODAY};
use domain::permission::{Action, ProjectFacts};
use queue::Changed;
use rest::allow::{ACTION, DETAIL, LIST};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, FieldErrors, Form, How, JsonBody, Zone};
use serde_json::{Map, Value, json};
use store::StoreError;
use store::capture_set::{
    CaptureSet, CaptureSetChange, CaptureSetFilter, CaptureSetOrder, NewCaptureSet, SetCounts,
};
use store::job::{Job, NewJob};
use store::project::Project;

use super::nested::{Nested, fields as nested_fields};
use super::{defaults, internal};
use crate::call::{Call, found, number};
use crate::views::{Answer, View, view};

pub mod fields;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/captures/collections",
        "Source Image Collection List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(fields::FILTERS)
    .orders(&CaptureSetOrder::NAMES)
    .searched()
    .in_root(),
    view(
        "/captures/collections/{id}",
        "Source Image Collection Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/captures/collections/{id}/populate",
        "populate",
        ACTION,
        fields::POPULATE,
        &[],
        || post(populate),
    )
    .posted(&[(200, Answer::Object(fields::POPULATING))])
    .fails(&[400, 409]),
    view(
        "/captures/collections/{id}/add",
        "add",
        ACTION,
        fields::ADD,
        fields::MEMBER,
        || post(add),
    )
    .posted(&[(200, Answer::Object(fields::CHANGED))]),
    view(
        "/captures/collections/{id}/remove",
        "remove",
        ACTION,
        fields::REMOVE,
        fields::MEMBER,
        || post(remove),
    )
    .posted(&[(200, Answer::Object(fields::CHANGED))]),
];

/// A set as the API shows it; what is not counted is null.
fn shown(
    nested: &Nested<'_>,
    call: &Call,
    set: &CaptureSet,
    counts: Option<&SetCounts>,
    with_counts: bool,
    jobs: &[Job],
) -> Value {
    let found = counts.filter(|_| with_counts);
    let jobs: Vec<Value> = jobs.iter().map(|job| nested.job(job)).collect();
    json!({
        "id": set.id,
        "details": call.addresses.row("captures/collections", set.id),
        "name": set.name,
        "project": set.project_id,
        "method": set.method,
        "kwargs": set.kwargs,
        "source_images": nested.list("captures", &format!("collections={}", set.id)),
        "source_images_count": counts.map(|c| c.captures),
        "source_images_with_detections_count": counts.map(|c| c.found),
        "source_images_processed_count": counts.map(|c| c.processed),
        "occurrences_count": found.map(|c| c.occurrences),
        "taxa_count": found.map(|c| c.taxa),
        "description": set.description,
        "jobs": jobs,
        "created_at": instant(set.created_at),
        "updated_at": instant(set.updated_at),
        "user_permissions": nested.set_permissions(set),
    })
}

/// A page of capture sets; with `with_counts` also of what was found on their captures.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let query = &call.query;
    let counted = match query.flag("with_counts") {
        true => Some(call.required_project().await?.0),
        false => None,
    };
    let methods: Vec<&str> = nested_fields::METHODS.iter().map(|(key, _)| *key).collect();
    let filter = CaptureSetFilter {
        search: call.query.search(),
        project_id: query.integer("project_id", 0)?,
        visible: call.visible().await?,
        method: query.choice("method", &methods)?,
    };
    let order: Vec<(CaptureSetOrder, bool)> = query
        .ordering(&CaptureSetOrder::NAMES)
        .iter()
        .filter_map(|by| Some((CaptureSetOrder::from_name(by.field)?, by.descending)))
        .collect();
    let page = Page::read(query);
    let store = call.store();
    let found = store
        .capture_sets_page(&filter, &order, page.limit, page.offset)
        .await;
    let (sets, count) = found.map_err(internal)?;
    let filters = counted.as_ref().map(|project| defaults(&call, project));
    let counts = store
        .set_counts(&sets, filters.as_ref())
        .await
        .map_err(internal)?;
    let ids: Vec<i64> = sets.iter().map(|set| set.id).collect();
    let jobs = store.jobs_of_sets(&ids).await.map_err(internal)?;
    let nested = Nested::of(&call, sets.iter().map(|set| set.project_id)).await?;
    let none = SetCounts::default();
    let item = |set: &CaptureSet| {
        let counts = Some(counts.get(&set.id).unwrap_or(&none));
        let jobs = jobs.get(&set.id).map(Vec::as_slice).unwrap_or_default();
        shown(&nested, &call, set, counts, counted.is_some(), jobs)
    };
    let rows = sets.iter().map(item).collect();
    let words = call.list_words("sourceimagecollection").await?;
    Ok(Json(call.envelope(
        "captures/collections",
        page,
        count,
        rows,
        words,
    )))
}

/// The set, when the caller may do this with it.
pub async fn find(
    call: &Call,
    id: &str,
    action: Action<'_>,
) -> ApiResult<(CaptureSet, Project, ProjectFacts)> {
    let set = call
        .store()
        .capture_set(number(id)?)
        .await
        .map_err(internal)?;
    let (project, facts) = call.project(set.project_id).await?;
    call.permit(&facts, action)?;
    Ok((set, project, facts))
}

async fn whole(
    call: &Call,
    set: &CaptureSet,
    (project, facts): (&Project, ProjectFacts),
    with_counts: bool,
) -> ApiResult<Value> {
    let store = call.store();
    let filters = with_counts.then(|| defaults(call, project));
    let counts = store
        .set_counts(std::slice::from_ref(set), filters.as_ref())
        .await;
    let counts: HashMap<i64, SetCounts> = counts.map_err(internal)?;
    let counts = counts.get(&set.id).copied().unwrap_or_default();
    let jobs = store.jobs_of_sets(&[set.id]).await.map_err(internal)?;
    let jobs = jobs.get(&set.id).map(Vec::as_slice).unwrap_or_default();
    let nested = Nested::within(call, project.id, facts);
    Ok(shown(&nested, call, set, Some(&counts), with_counts, jobs))
}

/// One capture set with all its counts.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (set, project, facts) = find(&call, &id, Action::View).await?;
    Ok(Json(whole(&call, &set, (&project, facts), true).await?))
}

/// The sound settings of the body; null ones are left out.
fn kwargs(form: &mut Form) -> Option<Map<String, Value>> {
    let mut given = form.nested("kwargs")?.clone();
    given.retain(|_, value| !value.is_null() && value != "");
    let mut wrong = FieldErrors::new();
    for name in fields::DATES {
        let text = given.get(name).and_then(Value::as_str);
        if text.is_some_and(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").is_err()) {
            wrong.add(name, "Invalid date format. Use YYYY-MM-DD format.");
        }
    }
    form.errors.add_nested("kwargs", wrong);
    Some(given)
}

/// Makes a capture set.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let mut form = Form::read(fields::FIELDS, body, How::Whole)?;
    let kwargs = kwargs(&mut form);
    let project = match form.integer("project") {
        Some(id) => {
            let project = found(call.store().project(id).await)?;
            if project.is_none() {
                form.missing("project", id);
            }
            project
        }
        None => None,
    };
    form.finish()?;
    let project = project.ok_or(ApiError::NotFound)?;
    let facts = call.who.facts(&call.state, &project).await?;
    call.permit(&facts, Action::Create("create_sourceimagecollection"))?;
    let new = NewCaptureSet {
        project_id: project.id,
        name: form.text("name").unwrap_or_default(),
        description: form.text("description").unwrap_or_default(),
        method: form.text("method").unwrap_or_else(|| "full".to_owned()),
        kwargs: kwargs.unwrap_or_default(),
    };
    let made = call.store().create_capture_set(new).await;
    let set = made.map_err(internal)?;
    let nested = Nested::within(&call, project.id, facts);
    let body = shown(&nested, &call, &set, None, false, &[]);
    Ok((StatusCode::CREATED, Json(body)))
}

/// Replaces what a person may edit (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let action = Action::Change("update_sourceimagecollection");
    let (set, project, facts) = find(&call, &id, action).await?;
    let mut form = Form::read(fields::FIELDS, body, how)?;
    let kwargs = kwargs(&mut form);
    if form
        .integer("project")
        .is_some_and(|other| other != project.id)
    {
        form.wrong("project", "It cannot be moved to another project.");
    }
    form.finish()?;
    let change = CaptureSetChange {
        name: form.text("name"),
        description: form.text("description"),
        method: form.text("method"),
        kwargs,
    };
    let changed = call.store().change_capture_set(set.id, change).await;
    let set = changed.map_err(internal)?;
    Ok(Json(whole(&call, &set, (&project, facts), false).await?))
}

/// Deletes a capture set; its captures stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let action = Action::Change("delete_sourceimagecollection");
    let (set, _, _) = find(&call, &id, action).await?;
    let deleted = call.store().delete_capture_set(set.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes and starts the job that fills a set by its method.
pub async fn populate(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let action = Action::Change("populate_sourceimagecollection");
    let (set, project, _) = find(&call, &id, action).await?;
    let new = NewJob {
        name: format!("Populate captures for capture set {}", set.id),
        project_id: project.id,
        kind: POPULATE,
        params: Some(json!({TODAY: Zone::current().local(store::now()).date()})),
        capture_set_id: Some(set.id),
        created_by_id: call.who.caller().id(),
        shuffle: true,
        start_now: true,
        ..Default::default()
    };
    let job = call.store().create_job(new).await.map_err(internal)?;
    call.state.bus.publish(Changed {
        job: job.id,
        waiting: true,
    });
    Ok(Json(json!({"job_id": job.id, "project_id": project.id})))
}

/// Puts a capture into a set.
pub async fn add(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    set_member(call, id, body, true).await
}

/// Takes a capture out of a set.
pub async fn remove(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    set_member(call, id, body, false).await
}

async fn set_member(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    within: bool,
) -> ApiResult<Json<Value>> {
    // No role holds these two: they are for superusers.
    let action = match within {
        true => "add_sourceimagecollection",
        false => "remove_sourceimagecollection",
    };
    let (set, project, _) = find(&call, &id, Action::Change(action)).await?;
    let capture = match call.query.integer("source_image", 0)? {
        Some(id) => id,
        None => {
            let form = Form::read(fields::MEMBER, body, How::Whole)?;
            form.finish()?;
            form.integer("source_image").unwrap_or_default()
        }
    };
    let store = call.store();
    let gone = || ApiError::Gone(format!("SourceImage with id {capture} not found"));
    let row = match store.capture(capture).await {
        Err(StoreError::NotFound(_)) => return Err(gone()),
        other => other.map_err(internal)?,
    };
    if row.project_id != Some(project.id) {
        return Err(gone());
    }
    let count = match within {
        true => store.add_to_set(set.id, row.id).await,
        false => store.remove_from_set(set.id, row.id).await,
    };
    let count = count.map_err(internal)?;
    Ok(Json(json!({"collection": set.id, "total_images": count})))
}
