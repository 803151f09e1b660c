//! `/api/v2/captures/upload/`: photographs that people send (`domain-rules.md` §14). An upload is
//! kept among the server's own files, becomes a capture at once, and its station is regrouped.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use domain::job::ML;
use domain::permission::{Action, ProjectFacts, object_permissions};
use domain::session::gap;
use domain::storage::Location;
use files::FilesError;
use queue::Changed;
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody, Upload as Sent};
use serde_json::{Value, json};
use store::StoreError;
use store::capture::{Capture, NewCapture};
use store::job::NewJob;
use store::project::Project;
use store::station::Station;
use store::upload::{Upload, UploadFilter};

use super::super::internal;
use super::super::nested::Nested;
use super::{fields, photograph, remove};
use crate::call::{Call, found, number};
use crate::media::UPLOADS;
use crate::unbroken;

/// Largest photograph that is taken, in bytes: the web client's own bound (`ui.md`), whatever size of
/// an upload is set.
const MAX_BYTES: usize = 30 * 1024 * 1024;
/// Captures of a station up to which an upload waits until they are regrouped.
const REGROUPED_AT_ONCE: i64 = 20_000;
/// How often a station's lock is asked for, and how long to wait between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Uploads as the API shows them.
async fn shown(
    call: &Call,
    rows: &[(Upload, Capture)],
    facts: &ProjectFacts,
) -> ApiResult<Vec<Value>> {
    let captures: Vec<Capture> = rows.iter().map(|row| row.1.clone()).collect();
    let places = call.store().locations(&captures).await;
    let places = places.map_err(internal)?;
    let one = |(upload, capture): &(Upload, Capture)| item(call, upload, capture, &places, facts);
    Ok(rows.iter().map(one).collect())
}

fn item(
    call: &Call,
    upload: &Upload,
    capture: &Capture,
    places: &HashMap<i64, Location>,
    facts: &ProjectFacts,
) -> Value {
    let nested = Nested::within(call, capture.project_id.unwrap_or(0), *facts);
    let mut shown = nested.capture(capture, places);
    let image = shown.get("url").cloned();
    shown.insert("event_id".into(), json!(capture.session_id));
    let permissions = nested.capture_permissions(capture);
    shown.insert("user_permissions".into(), permissions);
    let caller = call.who.caller();
    json!({
        "id": upload.id,
        "details": call.addresses.row("captures/upload", upload.id),
        "image": image,
        "deployment": upload.station_id,
        "source_image": shown,
        "user": upload.user_id,
        "created_at": instant(upload.created_at),
        "user_permissions": object_permissions(caller, facts, "sourceimageupload"),
    })
}

/// One upload.
async fn alone(call: &Call, row: (Upload, Capture), facts: &ProjectFacts) -> ApiResult<Value> {
    let mut shown = shown(call, &[row], facts).await?;
    shown.pop().ok_or(ApiError::NotFound)
}

/// A page of the caller's own uploads in a project.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.required_project().await?;
    let page = Page::read(&call.query);
    let (rows, count) = match call.who.0.as_ref() {
        None => (Vec::new(), 0),
        Some(user) => {
            let filter = UploadFilter {
                id: None,
                user_id: user.id,
                project_id: Some(project.id),
            };
            let rows = call.store().uploads(&filter, page.limit, page.offset).await;
            rows.map_err(internal)?
        }
    };
    let items = shown(&call, &rows, &facts).await?;
    let words = call.list_words("sourceimageupload").await?;
    Ok(Json(call.envelope(
        "captures/upload",
        page,
        count,
        items,
        words,
    )))
}

/// The caller's own upload.
async fn find(call: &Call, id: &str) -> ApiResult<((Upload, Capture), ProjectFacts)> {
    let filter = UploadFilter {
        id: Some(number(id)?),
        user_id: call.who.caller().id().ok_or(ApiError::NotFound)?,
        project_id: call.query.integer("project_id", 0)?,
    };
    let (rows, _) = call
        .store()
        .uploads(&filter, 1, 0)
        .await
        .map_err(internal)?;
    let row = rows.into_iter().next().ok_or(ApiError::NotFound)?;
    let project = row.1.project_id.ok_or(ApiError::NotFound)?;
    let (_, facts) = call.project(project).await?;
    call.permit(&facts, Action::View)?;
    Ok((row, facts))
}

/// One of the caller's uploads.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, facts) = find(&call, &id).await?;
    Ok(Json(alone(&call, row, &facts).await?))
}

/// Refuses: a photograph is sent again, not changed.
pub async fn refuse(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    find(&call, &id).await?;
    Err(ApiError::ForbiddenBecause(
        "An upload cannot be changed; delete it and send the photograph again.",
    ))
}

/// Deletes an upload with its capture and its file.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let ((_, capture), facts) = find(&call, &id).await?;
    call.permit(&facts, Action::Change("delete_sourceimageupload"))?;
    remove(&call, &capture).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a photograph.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let process_now = call.query.flag("process_now");
    let mut form = Form::read(fields::UPLOADS, body, How::Whole)?;
    let photo = picture(&mut form);
    let station = match form.integer("deployment") {
        Some(id) => {
            let station = found(call.store().station(id).await)?;
            if station.is_none() {
                form.missing("deployment", id);
            }
            station
        }
        None => None,
    };
    form.finish()?;
    let (Some((photo, sent)), Some(station)) = (photo, station) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let project = station.project_id.ok_or(ApiError::Forbidden)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, Action::Create("create_sourceimageupload"))?;
    // Who goes away in the middle leaves no capture without its file.
    let kept = unbroken::to_its_end(async move {
        let row = keep(&call, &station, photo, &sent).await?;
        let body = alone(&call, row.clone(), &facts).await?;
        regroup(&call, &project, &station, &row.1).await?;
        if process_now {
            process(&call, &project, &station, &row.1).await?;
        }
        Ok::<_, ApiError>(body)
    });
    Ok((StatusCode::CREATED, Json(kept.await??)))
}

/// The photograph of the form, told from its bytes; what is wrong with it is noted.
fn picture(form: &mut Form) -> Option<(NewCapture, Sent)> {
    let sent = form.upload("image").filter(|sent| !sent.bytes.is_empty());
    let sent = sent?.clone();
    if sent.bytes.len() > MAX_BYTES {
        form.wrong("image", "The file is larger than 30 MB.");
        return None;
    }
    let name = photograph::safe_name(&sent.name);
    let Some(photo) = photograph::read(&name, &sent.bytes) else {
        let words = "Upload a valid image. The file you uploaded was either not an image or a \
                     corrupted image.";
        form.wrong("image", words);
        return None;
    };
    Some((photo, sent))
}

/// Makes the rows first, so that the name is this upload's own, and then writes the file.
async fn keep(
    call: &Call,
    station: &Station,
    photo: NewCapture,
    sent: &Sent,
) -> ApiResult<(Upload, Capture)> {
    let (store, user) = (call.store(), call.who.caller().id());
    let mut name = photo.path.clone();
    let row = loop {
        let path = format!("{UPLOADS}/{}/{name}", station.id);
        // What lies there without a row is about to be deleted, and what would lie there then with it.
        if call.state.files.exists(&path).await.map_err(not_kept)? {
            name = photograph::another_name(&photo.path, rand::random());
            continue;
        }
        let named = NewCapture {
            path,
            ..photo.clone()
        };
        match store.create_upload(station, user, named).await {
            Ok(row) => break row,
            Err(StoreError::Conflict(_)) => {
                name = photograph::another_name(&photo.path, rand::random());
            }
            Err(other) => return Err(internal(other)),
        }
    };
    let kept = call.state.files.put(&row.1.path, sent.bytes.clone()).await;
    if let Err(error) = kept {
        store.delete_capture(row.1.id).await.map_err(internal)?;
        return Err(not_kept(error));
    }
    Ok(row)
}

fn not_kept(error: FilesError) -> ApiError {
    ApiError::Internal(format!("an upload is not kept: {error}"))
}

/// Puts the capture into its session. Where somebody else regroups the station for long, or it is
/// large, the caretaker makes a job for it: the upload has left its mark on the station.
async fn regroup(
    call: &Call,
    project: &Project,
    station: &Station,
    capture: &Capture,
) -> ApiResult<()> {
    let store = call.store();
    let holder = format!("upload {}", capture.id);
    let tries = if station.captures_count > REGROUPED_AT_ONCE {
        0
    } else {
        TRIES
    };
    for _ in 0..tries {
        let ttl = chrono::Duration::minutes(2);
        let locked = store.lock_regroup(station.id, &holder, ttl).await;
        if locked.map_err(internal)? {
            let gap = gap(Some(project.session_time_gap_seconds.into()));
            let done = store.regroup(station.id, gap, |_| {}).await;
            let freed = store.unlock_regroup(station.id, &holder).await;
            done.map_err(internal)?;
            return freed.map_err(internal);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Makes a job that processes the capture with the project's pipeline; without one there is
/// nothing to be done.
async fn process(
    call: &Call,
    project: &Project,
    station: &Station,
    capture: &Capture,
) -> ApiResult<()> {
    let pipeline = call.store().default_pipeline(project).await;
    let Some(pipeline) = pipeline.map_err(internal)? else {
        tracing::info!(
            capture = capture.id,
            "no pipeline processes an upload at once"
        );
        return Ok(());
    };
    let at = capture.taken_at.map_or(String::new(), |at| at.to_string());
    let job = NewJob {
        name: format!("Capture #{} ({at}) from {}", capture.id, station.name),
        project_id: project.id,
        kind: ML,
        shuffle: true,
        capture_id: Some(capture.id),
        pipeline_id: Some(pipeline),
        ..Default::default()
    };
    start(call, job).await
}

async fn start(call: &Call, job: NewJob) -> ApiResult<()> {
    let new = NewJob {
        start_now: true,
        created_by_id: call.who.caller().id(),
        ..job
    };
    let job = call.store().create_job(new).await.map_err(internal)?;
    call.state.bus.publish(Changed {
        job: job.id,
        waiting: true,
    });
    Ok(())
}
