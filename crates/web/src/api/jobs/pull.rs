//! What remote workers ask of a job: tasks, a longer lease, to take their results
//! (`processing-service.md` §7, `adc-worker.md`). The idea: 200 to a result means that it is
//! saved; a broken one is named and spoils none of the others.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use domain::job::DispatchMode;
use domain::permission::JobAction;
use queue::{Ask, Changed, Lease, QueueError, Receipt};
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::job::Job;
use store::origin::{Origin, SPANS};
use store::result::{Batch, Outcome, Saved};
use store::worker::Machine;
use tracing::{Instrument, Span};

use super::super::internal;
use super::find;
use crate::call::{Call, content_type};
use crate::pull::Settings;
use crate::pull::saver::Done;
use crate::pull::tally::Brought;

mod judge;
pub mod read;

use judge::{Judge, Verdict};
use read::ClientInfo;

/// Images of one answer at most.
const MOST: usize = 1000;

pub(super) fn queued(error: QueueError) -> ApiError {
    match error {
        QueueError::Store(error) => internal(error),
        QueueError::Nats(why) => ApiError::Unavailable(why),
        other => ApiError::Internal(other.to_string()),
    }
}

/// What a job's pipeline sets for its remote workers, who named these algorithms.
async fn settings(
    call: &Call,
    job: &Job,
    pipeline: i64,
    named: &BTreeSet<&str>,
) -> ApiResult<Arc<Settings>> {
    let (state, project) = (&call.state, job.project_id);
    let desk = &state.desk;
    let known = desk.settings(&state.store, &state.leases, project, pipeline, named);
    known.await.map_err(internal)
}

/// Writes down that a worker was heard of; returns the machine's id where it is somebody's.
async fn heard(
    call: &Call,
    job: &Job,
    pipeline: i64,
    client: ClientInfo,
) -> ApiResult<Option<i64>> {
    let (desk, store) = (&call.state.desk, call.store());
    desk.worked(store, job.project_id, pipeline)
        .await
        .map_err(internal)?;
    let Some(user) = &call.who.0 else {
        return Ok(None);
    };
    let machine = Machine {
        project: job.project_id,
        user: user.id,
        name: client.name.unwrap_or_else(|| user.email.clone()),
        host: client.host.unwrap_or_default(),
        version: client.version,
    };
    let id = desk.machine(store, machine, pipeline, job.id).await;
    id.map(Some).map_err(internal)
}

/// `POST /jobs/{id}/tasks/`: leases images.
pub async fn tasks(
    call: Call,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let (size, client) = read::ask(content_type(&headers), &body)?;
    let (job, _) = find(&call, &id, JobAction::Work).await?;
    if job.dispatch() != DispatchMode::AsyncApi {
        let words = "Only async_api jobs have fetchable tasks";
        return Err(ApiError::message(words));
    }
    let nothing = || Json(json!({"tasks": []}));
    if !job.job_state().is_active() {
        return Ok(nothing());
    }
    let Some(pipeline) = job.pipeline_id else {
        let words = "This job does not have a pipeline configured";
        return Err(ApiError::message(words));
    };
    let worker = heard(&call, &job, pipeline, client).await?;
    if let Some(user) = &call.who.0 {
        let away = call
            .state
            .desk
            .sends_away(call.store(), user, call.only, &job);
        let away = away.await;
        if away.map_err(internal)? {
            return Ok(nothing());
        }
    }
    let settings = settings(&call, &job, pipeline, &BTreeSet::new()).await?;
    let ask = Ask {
        max: size.min(MOST),
        ttl: Duration::from_secs(u64::from(settings.terms.seconds)),
        max_deliveries: Some(settings.terms.deliveries),
        worker,
        claim: None,
    };
    let tasks = hand_out(&call, &job, pipeline, ask).await?;
    call.state.bus.publish(Changed {
        job: job.id,
        waiting: false,
    });
    Ok(Json(json!({"tasks": tasks})))
}

/// Leases until there is something to hand out or nothing left: what has no photograph fails.
async fn hand_out(call: &Call, job: &Job, pipeline: i64, ask: Ask) -> ApiResult<Vec<Value>> {
    loop {
        let leases = call.state.queue.lease(job.id, ask);
        let leases = match leases.instrument(lease_span(job)).await {
            // Workers poll again; an error could end them.
            Err(QueueError::Nats(error)) => {
                tracing::debug!(job.id = job.id, error, "no task can be handed out");
                return Ok(Vec::new());
            }
            leases => leases.map_err(queued)?,
        };
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        queue::handed_out(&leases);
        let addresses = addresses(call, &leases).await?;
        let mut missing = Vec::new();
        let mut tasks = Vec::new();
        for lease in &leases {
            match addresses.get(&lease.capture) {
                Some(url) => tasks.push(json!({
                    "id": lease.capture.to_string(),
                    "image_id": lease.capture.to_string(),
                    "image_url": url,
                    "reply_subject": lease.receipt.as_str(),
                })),
                None => missing.push(lease.capture),
            }
        }
        if !missing.is_empty() {
            let why = "The capture was deleted, or its photograph has no address.";
            let images = missing.iter().map(|id| (*id, Outcome::Failed(why.into())));
            let batch = Batch {
                job: job.id,
                generation: leases[0].generation,
                pipeline,
                images: images.collect(),
            };
            let saved = call.store().save_results(batch).await.map_err(internal)?;
            let gone = leases.iter().filter(|l| missing.contains(&l.capture));
            let gone: Vec<Receipt> = gone.map(|lease| lease.receipt.clone()).collect();
            call.state.queue.saved(&job.receipt_key, &gone).await;
            let errors = missing.iter().map(|id| format!("Image {id} failed: {why}"));
            let brought = Brought {
                saved,
                errors: errors.collect(),
                ..Brought::default()
            };
            let last = call.store().queue_is_empty(job.id).await;
            conclude(call, job.id, brought, last.map_err(internal)?).await?;
        }
        if !tasks.is_empty() {
            return Ok(tasks);
        }
    }
}

/// A lease is a step of the job's trace, and about the request that asked for it.
fn lease_span(job: &Job) -> Span {
    let span = tracing::info_span!(target: SPANS, "lease", job.id = job.id);
    if let Some(trace) = job.trace() {
        trace.leads_to(&span);
        if let Some(request) = Origin::current().trace {
            request.is_linked_from(&span);
        }
    }
    span
}

/// Where the photographs of these captures are to be had.
async fn addresses(call: &Call, leases: &[Lease]) -> ApiResult<HashMap<i64, String>> {
    let ids: Vec<i64> = leases.iter().map(|l| l.capture).collect();
    let store = call.store();
    let rows = store.captures_by_id(&ids).await.map_err(internal)?;
    let places = store.locations(&rows).await.map_err(internal)?;
    // Under the address by which the worker knows this server.
    let root = call.addresses.root();
    let address = |(id, place)| {
        let address = crate::media::address_below(root, &call.state.links, &place);
        (id, address)
    };
    Ok(places.into_iter().map(address).collect())
}

/// `POST /jobs/{id}/result/`: saves results.
pub async fn result(
    call: Call,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let (posted, client) = read::results(content_type(&headers), &body)?;
    drop(body);
    let (job, _) = find(&call, &id, JobAction::Work).await?;
    let mut worker = None;
    if let (Some(pipeline), DispatchMode::AsyncApi) = (job.pipeline_id, job.dispatch()) {
        worker = heard(&call, &job, pipeline, client).await?;
    }
    let mut answers = Vec::with_capacity(posted.len());
    let mut accepted = 0;
    let mut images = Vec::new();
    // Of tickets the commit itself strikes off what was answered.
    let streamed = posted.iter().filter(|_| job.in_stream);
    let receipts: Vec<Receipt> = streamed
        .map(|one| Receipt::received(&one.receipt))
        .collect();
    let mut brought = Brought::default();
    let judge = Judge::new(&call, &job, &posted).await?;
    for one in posted {
        let receipt = one.receipt.clone();
        let mut answer = json!({
            "reply_subject": receipt,
            "status": "queued",
            "task_id": task_id(),
        });
        match judge.verdict(one) {
            Verdict::Taken(None) => accepted += 1,
            Verdict::Taken(Some((capture, outcome))) => {
                accepted += 1;
                if let Outcome::Failed(why) = &outcome {
                    brought.errors.push(format!(
                        "Pipeline returned error for job {}, image {capture}: {why}",
                        job.id
                    ));
                }
                images.push((capture, outcome));
            }
            Verdict::Broken(capture, why) => {
                answer["status"] = json!("rejected");
                answer["error"] = json!(why);
                match capture {
                    Some(capture) => {
                        brought
                            .errors
                            .push(format!("The result for image {capture} is broken: {why}"));
                        images.push((capture, Outcome::Failed(why)));
                    }
                    None => brought
                        .warnings
                        .push(format!("A result was rejected: {why}")),
                }
            }
        }
        answers.push(answer);
    }
    let failed = images.iter().any(|(_, o)| matches!(o, Outcome::Failed(_)));
    let saved = save(&call, &job, images, brought).await?;
    if let Some(worker) = worker {
        call.state.desk.did(worker, saved.done, saved.failed);
    }
    if job.in_stream {
        strike_off(&call, &job, &receipts, failed).await;
    }
    Ok(Json(json!({
        "status": "accepted",
        "job_id": job.id,
        "results_queued": accepted,
        "tasks": answers,
    })))
}

/// After the commit: takes answered images out of the stream, and notes with failed ones how often
/// they were handed out. What is lost of it comes again and is seen to be saved.
async fn strike_off(call: &Call, job: &Job, receipts: &[Receipt], failed: bool) {
    let key = &job.receipt_key;
    call.state.queue.saved(key, receipts).await;
    if !failed {
        return;
    }
    let handed = receipts.iter().filter_map(|receipt| {
        let claim = receipt.open(key)?;
        let present = claim.job == job.id && claim.generation == job.generation;
        let deliveries = receipt.deliveries(key).filter(|_| present)?;
        Some((claim.capture, deliveries))
    });
    let handed: Vec<(i64, i32)> = handed.collect();
    if let Err(error) = call.store().note_handed(job, &handed).await {
        tracing::warn!(job.id = job.id, %error, "how often images were handed out is not noted");
    }
}

/// Saves what was taken; when this returns, it is committed.
async fn save(
    call: &Call,
    job: &Job,
    images: Vec<(i64, Outcome)>,
    mut brought: Brought,
) -> ApiResult<Saved> {
    let worked = job.pipeline_id.filter(|_| !images.is_empty());
    let Some(pipeline) = worked else {
        if !brought.warnings.is_empty() {
            call.state
                .desk
                .tally
                .add(&call.state, job.id, brought, false)
                .await;
        }
        return Ok(Saved::default());
    };
    let captures = images.iter().map(|(id, _)| *id).collect();
    let batch = Batch {
        job: job.id,
        generation: job.generation,
        pipeline,
        images,
    };
    let done = call.state.desk.saver.save(call.store(), job, batch).await;
    let Done { saved, why, last } = done.map_err(internal)?;
    if saved.failed == 0 {
        brought.errors.clear(); // told when they were new
    }
    brought.errors.extend(why);
    if saved.done + saved.failed > 0 {
        brought.captures = captures;
    }
    brought.saved = saved;
    conclude(call, job.id, brought, last).await?;
    Ok(saved)
}

/// Tells what was saved, and ends the job where that was the last of it.
async fn conclude(call: &Call, job: i64, brought: Brought, last: bool) -> ApiResult<()> {
    let (state, store) = (&call.state, call.store());
    state.desk.tally.add(state, job, brought, last).await;
    if last
        && let Some(job) = store.finalise_job(job).await.map_err(internal)?
        && job.in_stream
    {
        state.queue.ended(job.id, job.generation).await;
    }
    state.bus.publish(Changed {
        job,
        waiting: false,
    });
    Ok(())
}

/// `POST /jobs/{id}/extend/`: keeps leases that are not over.
pub async fn extend(
    call: Call,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let wanted = read::extend(content_type(&headers), &body)?;
    let (job, _) = find(&call, &id, JobAction::Work).await?;
    let mut seconds = call.state.leases.seconds;
    if let Some(pipeline) = job.pipeline_id {
        heard(&call, &job, pipeline, wanted.client).await?;
        seconds = settings(&call, &job, pipeline, &BTreeSet::new())
            .await?
            .terms
            .seconds;
    }
    let seconds = wanted.seconds.unwrap_or(seconds);
    let good: Vec<Receipt> = wanted
        .receipts
        .iter()
        .map(|text| Receipt::received(text))
        .filter(|receipt| {
            let claim = receipt.open(&job.receipt_key);
            claim.is_some_and(|claim| claim.job == job.id)
        })
        .collect();
    let time = Duration::from_secs(u64::from(seconds));
    let kept = call.state.queue.extend(&good, time).await.map_err(queued)?;
    let status = |text: &String| {
        let receipt = Receipt::received(text);
        let status = match (good.contains(&receipt), kept.contains(&receipt)) {
            (false, _) => "rejected",
            (true, false) => "lost",
            (true, true) => "extended",
        };
        json!({"reply_subject": text, "status": status})
    };
    Ok(Json(json!({
        "job_id": job.id,
        "lease_seconds": seconds,
        "extended": kept.len(),
        "tasks": wanted.receipts.iter().map(status).collect::<Vec<_>>(),
    })))
}

/// A random UUID: clients expect each result to get a task of its own, and show its id.
fn task_id() -> String {
    let n: u128 = rand::random();
    let n = (n & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let text = format!("{n:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}
