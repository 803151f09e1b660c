//! `/api/v2/projects/{id}/members/`: who belongs to a project, with which role
//! (`domain-rules.md` §10, §12).

use crate::views::{View, view};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{
    Action, Permit, ProjectFacts, Role, list_permissions, member_permissions,
};
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape;
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::member::Membership;
use store::user::User;

use super::internal;
use super::projects::find;
use crate::auth::refusal;
use crate::call::{Call, number};
use crate::pictures;

/// About members.
pub const ABOUT: &str = "The members of a project and their roles.";

const USER: &[Field] = &[
    Field::id(),
    Field::new("name", "Name of User", Kind::Text(Some(255))),
    Field::details(),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::new("email", "Email address", Kind::Email(254)).required(),
    Field::permissions(),
];

/// The fields of a membership.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("email", "Email", Kind::Email(usize::MAX))
        .required()
        .write_only(),
    Field::new("role_id", "Role id", Kind::Text(None))
        .required()
        .write_only(),
    Field::shown("user", "User", Kind::Nested(USER)),
    Field::shown("project", "Project", Kind::Any).holds(shape::ADDRESS),
    Field::shown("role", "Role", Kind::Any).holds(shape::TEXT),
    Field::shown("role_display_name", "Role display name", Kind::Any).holds(shape::TEXT_OR_NULL),
    Field::shown("role_description", "Role description", Kind::Any).holds(shape::TEXT_OR_NULL),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What a list shows: its address names the project.
const ROW: &[Field] = &[
    FIELDS[0], FIELDS[3], FIELDS[5], FIELDS[6], FIELDS[7], FIELDS[8], FIELDS[9],
];

/// What can be changed.
const EDITS: &[Field] = &[FIELDS[2]];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/projects/{id}/members",
        "User Project Membership List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .shows(ROW),
    view(
        "/projects/{id}/members/{member}",
        "User Project Membership Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(edit).patch(edit).delete(delete),
    )
    .edits(EDITS),
];

/// Its word in permissions.
const MODEL: &str = "userprojectmembership";
const VIEW: Action<'_> = Action::Change("view_userprojectmembership");

/// Reads a role's key; the message lists the keys in the words of the recordings.
fn role(form: &mut Form) -> Option<Role> {
    let key = form.text("role_id")?;
    let role = Role::from_key(&key);
    if role.is_none() {
        let keys: Vec<String> = Role::ALL.iter().map(|r| format!("'{}'", r.key())).collect();
        let words = format!("Invalid role_id. Must be one of: [{}]", keys.join(", "));
        form.wrong("role_id", words);
    }
    role
}

fn shown(call: &Call, row: &Membership, user: &User, facts: &ProjectFacts) -> Value {
    let caller = call.who.caller();
    // A superuser needs no role: whatever was given, the reference shows the least one.
    let role = match user.is_superuser {
        true => Some(Role::BasicMember),
        false => Role::from_key(&row.role),
    };
    json!({
        "id": row.id,
        "user": {
            "id": user.id,
            "name": user.name,
            "details": call.addresses.row("users", user.id),
            "image": pictures::address(&call.state.links, user.image.as_deref()),
            "email": user.email,
            "user_permissions": [],
        },
        "project": call.addresses.row("projects", row.project_id),
        "role": role.map(Role::key),
        "role_display_name": role.map(Role::display_name),
        "role_description": role.map(Role::description),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "user_permissions": member_permissions(caller, facts, caller.id() == Some(user.id)),
    })
}

/// A page of members.
pub async fn list(call: Call, Path(project): Path<String>) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = find(&call, &project, VIEW).await?;
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store.members(project.id, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let rows = rows.iter().map(|(row, user)| {
        let mut value = shown(&call, row, user, &facts);
        if let Some(map) = value.as_object_mut() {
            map.shift_remove("project"); // the address names it
        }
        value
    });
    let words = list_permissions(call.who.caller(), Some(&facts), "userprojectmembership");
    let words = words.into_iter().map(str::to_owned).collect();
    let path = format!("projects/{}/members", project.id);
    Ok(Json(call.envelope(
        &path,
        page,
        count,
        rows.collect(),
        words,
    )))
}

/// One member.
pub async fn detail(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let (project, facts) = find(&call, &project, VIEW).await?;
    let (row, user) = one(&call, project.id, &id).await?;
    Ok(Json(shown(&call, &row, &user, &facts)))
}

async fn one(call: &Call, project: i64, id: &str) -> ApiResult<(Membership, User)> {
    let found = call.store().member(project, number(id)?).await;
    found.map_err(internal)
}

/// Adds a member by e-mail address.
pub async fn create(
    call: Call,
    Path(project): Path<String>,
    body: JsonBody,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let (project, facts) = find(&call, &project, Action::View).await?;
    let permit = call.ask(&facts, MODEL)?;
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    let store = call.store();
    let user = match form.text("email") {
        Some(email) => {
            let user = store.user_by_email(&email).await.map_err(internal)?;
            if user.is_none() {
                form.wrong("email", "User does not exist in the system.");
            }
            user
        }
        None => None,
    };
    let role = role(&mut form);
    form.finish()?;
    let (Some(user), Some(role)) = (user, role) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let row = match store.add_member(permit, project.id, user.id, role).await {
        Err(StoreError::Conflict(why)) => return Err(ApiError::general(why)),
        other => other.map_err(internal)?,
    };
    let body = shown(&call, &row, &user, &facts);
    Ok((StatusCode::CREATED, Json(body)))
}

/// Gives a member another role. The person stays the same, so no e-mail address is asked for.
pub async fn edit(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: JsonBody,
) -> ApiResult<Json<Value>> {
    let (project, facts) = find(&call, &project, Action::View).await?;
    let permit = call.ask(&facts, MODEL)?;
    let (row, user) = one(&call, project.id, &id).await?;
    let mut form = Form::read(EDITS, body, How::Whole)?;
    let role = role(&mut form);
    form.finish()?;
    let row = match role {
        Some(role) => call.store().change_member(permit, row.id, role).await,
        None => Ok(row),
    };
    Ok(Json(shown(&call, &row.map_err(internal)?, &user, &facts)))
}

/// Ends a membership; everybody may end their own.
pub async fn delete(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let (project, facts) = find(&call, &project, Action::View).await?;
    let caller = call.who.caller();
    caller.id().ok_or(ApiError::NotAuthenticated)?;
    let (row, _) = one(&call, project.id, &id).await?;
    let permit = Permit::ask_leave(caller, &facts, row.user_id).map_err(refusal)?;
    let ended = call.store().delete_member(permit, row.id).await;
    ended.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
