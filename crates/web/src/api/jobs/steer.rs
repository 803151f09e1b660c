//! Steering a running job: pause, resume, and `/jobs/{id}/queue/` with its priority.

use axum::Json;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use domain::job::DispatchMode;
use domain::permission::{JobAction, Run, Update};
use rest::validate::Input;
use rest::{ApiResult, JsonBody};
use serde_json::{Value, json};
use store::job::Job;
use store::service::{ONLINE_SECONDS, is_online};

use super::super::internal;
use super::pull::queued;
use super::{announce, answer, find, find_to};
use crate::call::Call;
use crate::pages::model;

/// Nothing more is handed out.
pub async fn pause(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    set_paused(call, id, true).await
}

/// Images are handed out again.
pub async fn resume(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    set_paused(call, id, false).await
}

async fn set_paused(call: Call, Path(id): Path<String>, paused: bool) -> ApiResult<Json<Value>> {
    let (job, _, permit) = find_to::<Run>(&call, &id).await?;
    let job = call.store().pause_job(permit, job.id, paused).await;
    let job = job.map_err(internal)?;
    announce(&call.state, &job);
    answer(&call, &job).await
}

/// `GET /jobs/{id}/queue/`: where the images are, how fast they go, and who works on them.
pub async fn queue(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (job, _) = find(&call, &id, JobAction::View).await?;
    shown(&call, &job).await.map(Json)
}

/// `PATCH /jobs/{id}/queue/` `{"priority": …}`: higher ones are handed out first.
pub async fn prioritise(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
) -> ApiResult<Json<Value>> {
    let (job, _, permit) = find_to::<Update>(&call, &id).await?;
    let mut input = Input::new(body)?;
    let priority = input.integer("priority", i64::from(i32::MIN));
    let priority = input.finish(priority)?.unwrap_or(job.priority);
    let job = call.store().prioritise_job(permit, job.id, priority).await;
    let job = job.map_err(internal)?;
    announce(&call.state, &job);
    shown(&call, &job).await.map(Json)
}

async fn shown(call: &Call, job: &Job) -> ApiResult<Value> {
    let store = call.store();
    let workers = workers(call, job).await?;
    let most = workers.as_ref().map(|w| w.deliveries);
    let depth = call.state.queue.depth(job.id, most).await;
    let depth = depth.map_err(queued)?;
    let counts = store.counts(std::slice::from_ref(job)).await;
    let counts = counts.map_err(internal)?;
    let counts = counts.get(&job.id).copied().unwrap_or_default();
    let slots = store.rate(job).await.map_err(internal)?;
    let rate = model::rate(job, &slots, counts, store::now());
    let left = job.total.map(|total| total - counts.done - counts.failed);
    let left = left.zip(rate).filter(|_| !job.job_state().is_final());
    Ok(json!({
        "priority": job.priority,
        "paused": job.paused,
        "waiting": depth.waiting,
        "leased": depth.leased,
        "dead": depth.dead,
        "done": counts.done,
        "failed": counts.failed,
        "total": job.total,
        "images_per_second": rate,
        "seconds_left": left.map(|(images, rate)| images as f64 / rate),
        "workers": workers.as_ref().map(|w| w.online),
        "message": workers.as_ref().and_then(|w| w.message.clone()),
        "waits_until": workers.and_then(|w| w.until).map(rest::time::instant),
    }))
}

/// Who works on a pull job.
struct Workers {
    online: u64,
    deliveries: i32,
    message: Option<String>,
    /// When the job fails if nobody is heard of until then.
    until: Option<DateTime<Utc>>,
}

async fn workers(call: &Call, job: &Job) -> ApiResult<Option<Workers>> {
    let (Some(pipeline), DispatchMode::AsyncApi) = (job.pipeline_id, job.dispatch()) else {
        return Ok(None);
    };
    let store = call.store();
    let minute = chrono::Duration::seconds(ONLINE_SECONDS);
    let services = store.pull_services(job.project_id, pipeline).await;
    let services = services.map_err(internal)?;
    let online = services.iter().filter(|s| is_online(s, minute)).count();
    let online = u64::try_from(online).unwrap_or(u64::MAX);
    let working = store.live_workers(job.project_id, pipeline, minute).await;
    let online = online.max(working.map_err(internal)?);
    let row = store.pipeline(pipeline).await.map_err(internal)?;
    let config = store.pipeline_config(job.project_id, &row).await;
    let terms = call.state.leases.overlaid(&config.map_err(internal)?);
    let waits = online == 0 && !job.job_state().is_final();
    let until = match waits {
        true => store.waits_until(job).await.map_err(internal)?,
        false => None,
    };
    Ok(Some(Workers {
        until,
        online,
        deliveries: terms.deliveries,
        message: waits.then(|| {
            let slug = &row.slug;
            format!("No worker for pipeline '{slug}' is online: the images wait until one asks.")
        }),
    }))
}
