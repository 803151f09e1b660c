//! `/api/v2/jobs/`: list, make, show, edit, delete (`ui.md` §A.4, `domain-rules.md` §16). What
//! can be done with a job stands in `jobs/act.rs`, what has no place in its JSON in
//! `jobs/beside.rs`.

use crate::views::{Answer, View, view};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::permission::{Action, Delete, JobAction, JobFacts, Permit, Update, Verb, may};
use domain::state::JobState;
use queue::Changed;
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::{ApiError, ApiResult, How, JsonBody};
use serde_json::{Value, json};
use store::job::{Job, JobFilter, JobOrder};
use store::project::Project;

use super::internal;
use super::job_json::Around;
use crate::AppState;
use crate::auth::refusal;
use crate::call::{Call, number};
use once::{Made, Named};

pub mod act;
pub mod answers;
pub mod beside;
pub mod fields;
mod filter;
mod input;
mod once;
pub(super) mod params;
pub mod pull;
pub mod steer;
pub mod timeline;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/jobs",
        "Job List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(fields::FILTERS)
    .orders(&JobOrder::NAMES)
    .searched()
    .in_root()
    .got(&[Answer::Page(fields::ROW), Answer::Page(answers::BRIEF)])
    .asks(fields::CREATE_QUERY)
    .posted(&[
        (201, Answer::Row(fields::FIELDS)),
        (200, Answer::Row(fields::FIELDS)),
    ])
    .fails(&[409]),
    view("/jobs/next", "Next job", READ, fields::NEXT, &[], || {
        get(beside::next)
    })
    .filters(fields::NEXT_FILTERS)
    .got(&[Answer::Object(answers::NEXT_JOB)]),
    view("/jobs/bulk", "Bulk", ACTION, fields::BULK, &[], || {
        post(act::bulk)
    })
    .takes(answers::BULK_TAKES)
    .posted(&[(200, Answer::Object(answers::BULK_ANSWER))]),
    view(
        "/jobs/{id}",
        "Job Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    )
    .query(fields::DETAIL_QUERY)
    .fails(&[400, 409]),
    view(
        "/jobs/{id}/run",
        "run",
        ACTION,
        fields::RUN,
        fields::FIELDS,
        || post(act::run),
    )
    .takes(&[])
    .fails(&[409]),
    view(
        "/jobs/{id}/retry",
        "retry",
        ACTION,
        fields::RETRY,
        fields::FIELDS,
        || post(act::retry),
    )
    .takes(&[])
    .asks(fields::RETRY_QUERY)
    .fails(&[409]),
    view(
        "/jobs/{id}/cancel",
        "cancel",
        ACTION,
        fields::CANCEL,
        fields::FIELDS,
        || post(act::cancel),
    )
    .takes(&[])
    .fails(&[409]),
    view(
        "/jobs/{id}/tasks",
        "tasks",
        ACTION,
        fields::TASKS,
        fields::FIELDS,
        || post(pull::tasks),
    )
    .takes(fields::TASKS_FIELDS)
    .posted(&[(200, Answer::Object(answers::TASKS_ANSWER))])
    .fails(&[409]),
    view(
        "/jobs/{id}/result",
        "result",
        ACTION,
        fields::RESULT,
        fields::FIELDS,
        || post(pull::result),
    )
    .takes(fields::RESULT_FIELDS)
    .posted(&[(200, Answer::Object(answers::RESULT_ANSWER))])
    .fails(&[409]),
    view(
        "/jobs/{id}/extend",
        "Extend",
        ACTION,
        fields::EXTEND,
        fields::EXTEND_FIELDS,
        || post(pull::extend),
    )
    .posted(&[(200, Answer::Object(answers::EXTEND_ANSWER))])
    .fails(&[409]),
    view(
        "/jobs/{id}/pause",
        "Pause",
        ACTION,
        fields::PAUSE,
        &[],
        || post(steer::pause),
    )
    .posted(&[(200, Answer::Row(fields::FIELDS))])
    .fails(&[409]),
    view(
        "/jobs/{id}/resume",
        "Resume",
        ACTION,
        fields::RESUME,
        &[],
        || post(steer::resume),
    )
    .posted(&[(200, Answer::Row(fields::FIELDS))])
    .fails(&[409]),
    view(
        "/jobs/{id}/queue",
        "Queue",
        "GET, PATCH, HEAD, OPTIONS",
        fields::QUEUE,
        fields::QUEUE_FIELDS,
        || get(steer::queue).patch(steer::prioritise),
    )
    .got(&[Answer::Object(answers::QUEUE_ANSWER)])
    .edited(Answer::Object(answers::QUEUE_ANSWER))
    .fails(&[409]),
    view(
        "/jobs/{id}/failures",
        "Failures",
        READ,
        fields::FAILURES,
        &[],
        || get(beside::failures),
    )
    .got(&[Answer::Objects(answers::FAILURE)]),
    view(
        "/jobs/{id}/timeline",
        "Timeline",
        READ,
        fields::TIMELINE,
        &[],
        || get(timeline::list),
    )
    .got(&[Answer::Objects(answers::EVENT)]),
    view("/jobs/{id}/logs", "Logs", READ, fields::LOGS, &[], || {
        get(beside::logs)
    })
    .query(fields::LOG_QUERY)
    .searched()
    .got(&[Answer::Objects(answers::LINE), Answer::Text]),
];

/// Log lines in a job's detail, unless asked otherwise.
const LOG_LINES: i64 = 1000;
/// Log lines that may be asked for.
const MAX_LOG_LINES: i64 = 5000;

/// A page of jobs, newest first; with `ids_only` what workers need of them, in the order in which
/// they should be worked on.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let query = &call.query;
    let filter = filter::read(&call).await?;
    let words = call.list_words("job").await?;
    let mut page = Page::read(query);
    let order: Vec<(JobOrder, bool)> = query
        .ordering(&JobOrder::NAMES)
        .iter()
        .filter_map(|by| Some((JobOrder::from_name(by.field)?, by.descending)))
        .collect();
    let ids_only = query.flag("ids_only");
    if ids_only && query.get("limit").is_none() && query.get("page_size").is_none() {
        page.limit = 1;
    }
    let store = call.store();
    if let (true, Some(user)) = (ids_only, &call.who.0) {
        let slugs = filter.slugs.as_deref().unwrap_or_default();
        let desk = &call.state.desk;
        let noted = desk.polled(store, user, slugs, filter.project_id).await;
        noted.map_err(internal)?;
    }
    let (limit, offset) = (page.limit, page.offset);
    let found = if ids_only && order.is_empty() {
        let workable = call.workable().await?;
        store
            .jobs_for_workers(&filter, &workable, limit, offset)
            .await
    } else {
        store.jobs_ordered(&filter, &order, limit, offset).await
    };
    let (jobs, count) = found.map_err(internal)?;
    let around = Around::read(&call, &jobs).await?;
    let row = |job: &Job| match ids_only {
        true => around.job_id(job),
        false => around.row(job),
    };
    let rows = jobs.iter().map(row).collect();
    Ok(Json(call.envelope("jobs", page, count, rows, words)))
}

/// One job with its newest log lines. The filters of the list narrow it too, as in the
/// reference: a job that they leave out is not found.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let lines = call.query.integer("logs_limit", 1)?;
    if lines.is_some_and(|lines| lines > MAX_LOG_LINES) {
        let words = format!("Ensure this value is less than or equal to {MAX_LOG_LINES}.");
        return Err(ApiError::field("logs_limit", words));
    }
    let filter = filter::read(&call).await?;
    let (job, _) = find(&call, &id, JobAction::View).await?;
    let names = fields::FILTERS.iter().map(|field| field.name);
    let mut names = names.chain(["search"]);
    if names.any(|name| call.query.get(name).is_some()) {
        let filter = JobFilter {
            id: Some(job.id),
            ..filter
        };
        let (_, count) = call.store().jobs(&filter, 1, 0).await.map_err(internal)?;
        if count == 0 {
            return Err(ApiError::NotFound);
        }
    }
    answer_with(&call, &job, lines.unwrap_or(LOG_LINES)).await
}

async fn answer(call: &Call, job: &Job) -> ApiResult<Json<Value>> {
    answer_with(call, job, LOG_LINES).await
}

async fn answer_with(call: &Call, job: &Job, lines: i64) -> ApiResult<Json<Value>> {
    let around = Around::read(call, std::slice::from_ref(job)).await?;
    let log = call.store().job_log(job.id, lines.unsigned_abs()).await;
    Ok(Json(around.job(job, &log.map_err(internal)?)))
}

/// The job, when the caller may do this with it.
async fn find(call: &Call, id: &str, action: JobAction) -> ApiResult<(Job, Project)> {
    let found = call.store().job_in_project(number(id)?).await;
    let (job, project) = found.map_err(internal)?;
    let facts = call.who.facts(&call.state, &project).await?;
    let job_facts = JobFacts {
        kind: &job.kind,
        single_capture: job.capture_id.is_some(),
    };
    call.permit(&facts, Action::Job(action, job_facts))?;
    Ok((job, project))
}

/// The job, with the permit to do this with it.
async fn find_to<V: Verb>(call: &Call, id: &str) -> ApiResult<(Job, Project, Permit<V>)> {
    let found = call.store().job_in_project(number(id)?).await;
    let (job, project) = found.map_err(internal)?;
    let facts = call.who.facts(&call.state, &project).await?;
    let job_facts = JobFacts {
        kind: &job.kind,
        single_capture: job.capture_id.is_some(),
    };
    let permit = Permit::ask_job(call.who.caller(), &facts, job_facts).map_err(refusal)?;
    Ok((job, project, permit))
}

/// Whether somebody may edit a job.
pub async fn may_update(call: &Call, id: &str) -> bool {
    find(call, id, JobAction::Update).await.is_ok()
}

/// Makes a job; with `?start_now` it is asked to run in the same transaction. With an
/// `Idempotency-Key`, once. A sync, regroup or populate that is at work on the same target
/// already is answered instead, with 200.
pub async fn create(call: Call, named: Named, body: JsonBody) -> ApiResult<Response> {
    let key = named.key(&call, &body);
    if let Some(key) = &key
        && let Some(answer) = once::before(&call, key).await?
    {
        return Ok(answer);
    }
    let (mut new, project) = input::new_job(&call, body).await?;
    let facts = call.who.facts(&call.state, &project).await?;
    let job_facts = JobFacts {
        kind: new.kind,
        single_capture: new.capture_id.is_some(),
    };
    let action = |act| Action::Job(act, job_facts);
    call.permit(&facts, action(JobAction::Create))?;
    let caller = call.who.caller();
    new.start_now = call.query.flag("start_now");
    if new.start_now && !may(caller, &facts, action(JobAction::CreateAndStart)) {
        return Err(ApiError::ForbiddenBecause(
            "You do not have permission to run this job.",
        ));
    }
    new.created_by_id = caller.id();
    let (job, status) = match once::make(&call, new, key.as_ref()).await? {
        Made::Job(job, status) => (*job, status),
        Made::Answered(answer) => return Ok(answer),
    };
    announce(&call.state, &job);
    // As it was made: what a runner has begun to log since is not part of the answer.
    let around = Around::read(&call, std::slice::from_ref(&job)).await?;
    let answer = around.job(&job, &[]);
    if let Some(key) = &key {
        let kept = call.store().keep_answer(key, &answer.to_string()).await;
        kept.map_err(internal)?;
    }
    Ok((status, Json(answer)).into_response())
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
    let (job, project, permit) = find_to::<Update>(&call, &id).await?;
    let change = input::change(&call, (&job, &project), body, how).await?;
    let job = call.store().change_job(permit, job.id, change).await;
    let job = job.map_err(internal)?;
    announce(&call.state, &job);
    answer(&call, &job).await
}

/// Deletes a job with its log and results.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (job, _, permit) = find_to::<Delete>(&call, &id).await?;
    call.store()
        .delete_job(permit, job.id)
        .await
        .map_err(internal)?;
    announce(&call.state, &job);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn announce(state: &AppState, job: &Job) {
    state.bus.publish(Changed {
        job: job.id,
        waiting: job.job_state() == JobState::Pending,
    });
}

/// `{"detail": …}` for handlers that answer with a sentence.
fn sentence(text: &str) -> Json<Value> {
    Json(json!({"detail": text}))
}
