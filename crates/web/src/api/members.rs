//! `/api/v2/projects/{id}/members/`: who belongs to a project, with which role
//! (`domain-rules.md` §10, §12).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use domain::permission::{Action, ProjectFacts, Role, list_permissions, member_permissions};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::time::instant;
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::member::Membership;
use store::user::User;

use super::internal;
use super::jobs::{base, content_type};
use super::projects::find;
use crate::AppState;
use crate::auth::Who;

/// About members.
pub const ABOUT: &str = "The members of a project and their roles.";

/// The fields of a membership.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("email", "Email", Kind::Email(254)).required(),
    Field::new("role_id", "Role id", Kind::Text(None)).required(),
];

const VIEW: Action<'_> = Action::Change("view_userprojectmembership");

/// Reads a role's key; the message lists the keys in the words of the recordings.
fn role(input: &mut Input) -> Option<Role> {
    let key = input.text("role_id", 80)?;
    let role = Role::from_key(&key);
    if role.is_none() {
        let keys: Vec<String> = Role::ALL.iter().map(|r| format!("'{}'", r.key())).collect();
        let words = format!("Invalid role_id. Must be one of: [{}]", keys.join(", "));
        input.errors.add("role_id", words);
    }
    role
}

fn shown(
    row: &Membership,
    user: &User,
    base: &str,
    who: &Who,
    facts: &ProjectFacts,
    project: bool,
) -> Value {
    let own = who.caller().id() == Some(user.id);
    let role = Role::from_key(&row.role);
    let mut value = json!({
        "id": row.id,
        "user": {
            "id": user.id,
            "name": user.name,
            "details": format!("{base}/users/{}/", user.id),
            "image": user.image,
            "email": user.email,
            "user_permissions": [],
        },
        "project": format!("{base}/projects/{}/", row.project_id),
        "role": row.role,
        "role_display_name": role.map(Role::display_name),
        "role_description": role.map(Role::description),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "user_permissions": member_permissions(who.caller(), facts, own),
    });
    if let (false, Some(map)) = (project, value.as_object_mut()) {
        map.shift_remove("project");
    }
    value
}

/// A page of members.
pub async fn list(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = find(&state, &who, &project, VIEW).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let page = Page::read(&query);
    let found = state
        .store
        .members(project.id, page.limit, page.offset)
        .await;
    let (rows, count) = found.map_err(internal)?;
    let base = base(&state, &headers);
    let rows = rows
        .iter()
        .map(|(row, user)| shown(row, user, &base, &who, &facts, false))
        .collect();
    let permissions = list_permissions(who.caller(), Some(&facts), "userprojectmembership");
    let permissions = permissions.into_iter().map(str::to_owned).collect();
    let url = format!("{base}/projects/{}/members/", project.id);
    Ok(Json(Envelope::new(
        &url,
        &query,
        page,
        count,
        rows,
        permissions,
    )))
}

/// One member.
pub async fn detail(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path((project, id)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let (project, facts) = find(&state, &who, &project, VIEW).await?;
    let (row, user) = one(&state, project.id, &id).await?;
    let base = base(&state, &headers);
    Ok(Json(shown(&row, &user, &base, &who, &facts, true)))
}

async fn one(state: &AppState, project: i64, id: &str) -> ApiResult<(Membership, User)> {
    let id: i64 = id.parse().map_err(|_| ApiError::NotFound)?;
    state.store.member(project, id).await.map_err(internal)
}

/// Adds a member by e-mail address.
pub async fn create(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(project): Path<String>,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let action = Action::Change("create_userprojectmembership");
    let (project, facts) = find(&state, &who, &project, action).await?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let email = input.text("email", 254);
    let user = match &email {
        Some(email) => state.store.user_by_email(email).await.map_err(internal)?,
        None => None,
    };
    if email.is_some() && user.is_none() {
        input
            .errors
            .add("email", "User does not exist in the system.");
    }
    let role = role(&mut input);
    input.finish(())?;
    let (Some(user), Some(role)) = (user, role) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let row = match state.store.add_member(project.id, user.id, role).await {
        Err(StoreError::Conflict(why)) => return Err(ApiError::field("non_field_errors", why)),
        other => other.map_err(internal)?,
    };
    let base = base(&state, &headers);
    let body = shown(&row, &user, &base, &who, &facts, true);
    Ok((StatusCode::CREATED, Json(body)))
}

/// Gives a member another role.
pub async fn edit(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path((project, id)): Path<(String, String)>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let action = Action::Change("update_userprojectmembership");
    let (project, facts) = find(&state, &who, &project, action).await?;
    let (row, user) = one(&state, project.id, &id).await?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let role = role(&mut input);
    input.finish(())?;
    let row = match role {
        Some(role) => state
            .store
            .change_member(row.id, role)
            .await
            .map_err(internal)?,
        None => row,
    };
    let base = base(&state, &headers);
    Ok(Json(shown(&row, &user, &base, &who, &facts, true)))
}

/// Ends a membership; everybody may end their own.
pub async fn delete(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let (project, facts) = find(&state, &who, &project, Action::View).await?;
    let me = who.caller().id().ok_or(ApiError::NotAuthenticated)?;
    let (row, _) = one(&state, project.id, &id).await?;
    if row.user_id != me && !facts.grants(who.caller(), "delete_userprojectmembership") {
        return Err(ApiError::Forbidden);
    }
    state.store.delete_member(row.id).await.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
