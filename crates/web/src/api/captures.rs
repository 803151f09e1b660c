//! `/api/v2/captures/`: list, show, star, edit, delete (`ui.md` §A.5). Uploads stand in
//! `captures/uploads.rs`, thumbnails in `captures/thumbnails.rs`; capture sets are a resource of
//! their own.

use crate::views::{Answer, View, view};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::{Action, ProjectFacts};
use domain::storage::KEPT;
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::capture::{Capture, CaptureChange, CaptureFilter, CaptureOrder};
use store::project::Project;

use super::choice::{exists, none_such, row, rows, yes_or_no};
use super::internal;
use crate::call::{Call, number};
use crate::media::forget;

pub mod fields;
pub mod photograph;
pub mod shown;
pub mod thumbnails;
pub mod uploads;

use shown::{Around, More};

/// Thumbnails.
pub const THUMBNAILS: &[View] = &[
    view(
        "/captures/thumbnails",
        "Source Image Thumbnail List",
        READ,
        fields::THUMBNAIL,
        &[],
        || get(thumbnails::list),
    )
    .refused(&["GET"])
    .in_root(),
    view(
        "/captures/thumbnails/{id}",
        "Source Image Thumbnail Instance",
        READ,
        fields::THUMBNAIL,
        &[],
        || get(thumbnails::show),
    )
    .filters(thumbnails::FILTERS)
    .got(&[Answer::Moved])
    .fails(&[503]),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/captures/upload",
        "Source Image Upload List",
        LIST,
        fields::UPLOAD,
        fields::UPLOADS,
        || get(uploads::list).post(uploads::create),
    )
    .filters(fields::UPLOAD_FILTERS)
    .asks(fields::UPLOAD_ASKS)
    .in_root(),
    view(
        "/captures/upload/{id}",
        "Source Image Upload Instance",
        DETAIL,
        fields::UPLOAD,
        fields::UPLOADS,
        || {
            get(uploads::detail)
                .put(uploads::refuse)
                .patch(uploads::refuse)
                .delete(uploads::delete)
        },
    ),
    view(
        "/captures",
        "Source Image List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(fields::FILTERS)
    .shows(fields::ROW)
    .fails(&[409])
    .refused(&["POST"])
    .orders(&CaptureOrder::NAMES)
    .in_root(),
    view(
        "/captures/{id}",
        "Source Image Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    )
    .filters(fields::ONE)
    .edited(Answer::Row(fields::CHANGED))
    .fails(&[409]),
    view(
        "/captures/{id}/star",
        "star",
        ACTION,
        fields::STAR,
        &[],
        || post(star),
    )
    .posted(&[(200, Answer::Object(super::capture_sets::fields::CHANGED))]),
    view(
        "/captures/{id}/unstar",
        "unstar",
        ACTION,
        fields::UNSTAR,
        &[],
        || post(unstar),
    )
    .posted(&[(200, Answer::Object(super::capture_sets::fields::CHANGED))]),
];

async fn read_filter(call: &Call, project: &Project) -> ApiResult<CaptureFilter> {
    let (store, query) = (call.store(), &call.query);
    let sets = rows(query, "collections")?;
    let known = store.capture_sets_by_id(&sets).await.map_err(internal)?;
    let missing = sets
        .iter()
        .find(|id| !known.iter().any(|set| set.id == **id));
    if let Some(id) = missing {
        return Err(none_such("collections", *id));
    }
    Ok(CaptureFilter {
        project_id: project.id,
        station_id: match row(query, "deployment")? {
            Some(id) => Some(exists("deployment", id, store.station(id).await)?),
            None => None,
        },
        session_id: match row(query, "event")? {
            Some(id) => Some(exists("event", id, store.session(id).await)?),
            None => None,
        },
        sets,
        processed: yes_or_no(query, "processed"),
        has_detections: yes_or_no(query, "has_detections"),
        ..CaptureFilter::default()
    })
}

/// A page of a project's captures, the earliest first.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.required_project().await?;
    let filter = read_filter(&call, &project).await?;
    let query = &call.query;
    let order: Vec<(CaptureOrder, bool)> = query
        .ordering(&CaptureOrder::NAMES)
        .iter()
        .filter_map(|by| Some((CaptureOrder::from_name(by.field)?, by.descending)))
        .collect();
    let page = Page::read(query);
    let store = call.store();
    let found = store
        .captures_page(&filter, &order, page.limit, page.offset)
        .await;
    let (captures, count) = found.map_err(internal)?;
    let more = More {
        counts: query.flag("with_counts"),
        detections: query.flag("with_detections"),
    };
    let around = Around::read(&call, (&project, facts), &captures, more).await?;
    let rows = captures
        .iter()
        .map(|capture| around.item(&call, capture))
        .collect();
    let words = call.list_words("sourceimage").await?;
    Ok(Json(call.envelope("captures", page, count, rows, words)))
}

/// The capture, when the caller may do this with it.
pub async fn find(
    call: &Call,
    id: &str,
    action: Action<'_>,
) -> ApiResult<(Capture, Project, ProjectFacts)> {
    let capture = call.store().capture(number(id)?).await.map_err(internal)?;
    let project = capture.project_id.ok_or(ApiError::NotFound)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, action)?;
    Ok((capture, project, facts))
}

/// One capture with what was found on it, in the project that the query names.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (project, _) = call.required_project().await?;
    let (capture, own, facts) = find(&call, &id, Action::View).await?;
    if own.id != project.id {
        return Err(ApiError::NotFound);
    }
    let more = More {
        counts: true,
        detections: true,
    };
    let one = std::slice::from_ref(&capture);
    let around = Around::read(&call, (&project, facts), one, more).await?;
    Ok(Json(around.whole(&call, &capture, false).await?))
}

/// Refuses: captures come from a storage or an upload.
pub async fn create(call: Call, _body: JsonBody) -> ApiResult<Json<Value>> {
    match call.who.0 {
        Some(_) => Err(ApiError::Forbidden),
        None => Err(ApiError::NotAuthenticated),
    }
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
    let action = Action::Change("update_sourceimage");
    let (capture, project, facts) = find(&call, &id, action).await?;
    let mut form = Form::read(fields::FIELDS, body, how)?;
    if form.has("project") && form.integer("project") != Some(project.id) {
        form.wrong("project", "It cannot be moved to another project.");
    }
    // Of what the server keeps itself, a path may be anybody's file.
    let kept = capture.public_base_url.as_deref() == Some(KEPT);
    if kept && form.text("path").is_some_and(|path| path != capture.path) {
        form.wrong("path", "An uploaded photograph stays where it is.");
    }
    form.finish()?;
    let small = |form: &Form, name: &str| form.integer(name).and_then(|n| i32::try_from(n).ok());
    let time = |form: &Form, name: &str| form.text(name).and_then(|text| rest::time::read(&text));
    let change = CaptureChange {
        path: form.text("path"),
        taken_at: form.change("timestamp", time),
        width: form.change("width", small),
        height: form.change("height", small),
        size: form.change("size", Form::integer),
        test_image: form.boolean("test_image"),
    };
    let changed = call.store().change_capture(capture.id, change).await;
    let capture = changed.map_err(internal)?;
    let one = std::slice::from_ref(&capture);
    let around = Around::read(&call, (&project, facts), one, More::default()).await?;
    Ok(Json(around.whole(&call, &capture, true).await?))
}

/// Deletes a capture with what was found on it, what was made of both, and the file where it was an
/// upload.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let action = Action::Change("delete_sourceimage");
    let (capture, _, _) = find(&call, &id, action).await?;
    remove(&call, &capture).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a capture, its thumbnails and crops, and its file where the server keeps it.
async fn remove(call: &Call, capture: &Capture) -> ApiResult<()> {
    let store = call.store();
    let upload = store.upload_of(capture.id).await.map_err(internal)?;
    let found = store.detections_on(capture.id).await.map_err(internal)?;
    store.delete_capture(capture.id).await.map_err(internal)?;
    let upload = upload.map(|upload| upload.path);
    forget::capture(&call.state, capture.id, found, upload).await;
    Ok(())
}

/// Stars a capture.
pub async fn star(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    set_star(call, id, true).await
}

/// Takes a capture's star away.
pub async fn unstar(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    set_star(call, id, false).await
}

async fn set_star(call: Call, Path(id): Path<String>, on: bool) -> ApiResult<Json<Value>> {
    let action = Action::Change("star_sourceimage");
    let (capture, project, _) = find(&call, &id, action).await?;
    let starred = call.store().star(project.id, capture.id, on).await;
    let (set, count) = starred.map_err(internal)?;
    Ok(Json(json!({"collection": set, "total_images": count})))
}
