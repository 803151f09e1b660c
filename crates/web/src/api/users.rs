//! `/api/v2/users/`: people, and the roles that there are (`domain-rules.md` §12). The list of
//! people is staff business; everybody else sees only oneself in it. What concerns one's own
//! account stands in `me.rs`, `credentials.rs` and `tokens.rs`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::Role;
use rest::allow::{DETAIL, LIST, READ};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::user::{NewUser, User};

use super::{credentials, internal, me};
use crate::auth::limit::From;
use crate::call::{Call, number};
use crate::pictures;
use crate::views::{Answer, View, view};

/// About people.
pub const ABOUT: &str = "People who may sign in.";
/// About roles.
pub const ROLES: &str = "The roles that members of a project can have.";

/// The fields of a person, as they see themselves.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).blank(),
    Field::details(),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::shown("identifications", "Identifications", Kind::List).holds(shape::NOTHING),
    Field::shown("email", "Email", Kind::Email(254)),
];

/// What it takes to make a person.
const NEW: &[Field] = &[
    Field::new("email", "Email", Kind::Email(254)).required(),
    Field::new("password", "Password", Kind::Text(Some(1024))).required(),
    Field::new("name", "Name", Kind::Text(Some(255))).blank(),
];

/// What is shown of a new person.
const MADE: &[Field] = &[
    Field::shown("email", "Email", Kind::Email(254)),
    Field::id(),
];

/// What others see of a person.
const ROW: &[Field] = &[FIELDS[0], FIELDS[1], FIELDS[2], FIELDS[3], FIELDS[4]];

const ROLE: &[Field] = &[
    Field::shown("id", "Key", Kind::Text(None)),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("description", "Description", Kind::Text(None)),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/users", "User List", LIST, ABOUT, ROW, || {
        get(list).post(create)
    })
    .in_root()
    .private()
    .takes(NEW)
    .posted(&[(201, Answer::Object(MADE))]),
    view("/users/roles", "Role List", READ, ROLES, &[], || get(roles))
        .got(&[Answer::List(ROLE)])
        .open(),
    view("/users/{id}", "User Instance", DETAIL, ABOUT, ROW, || {
        get(detail).put(replace).patch(edit).delete(delete)
    })
    .private()
    .edited(Answer::Row(ROW))
    .removal(me::END)
    .fails(&[429]),
];

/// The person who asks.
///
/// # Errors
/// 401 where nobody does.
pub fn signed_in(call: &Call) -> ApiResult<&User> {
    call.who.0.as_ref().ok_or(ApiError::NotAuthenticated)
}

fn is_staff(user: &User) -> bool {
    user.is_staff || user.is_superuser
}

/// A person as others see them, or with the e-mail address as they see themselves.
pub fn shown(call: &Call, user: &User, with_email: bool) -> Value {
    let mut value = json!({
        "id": user.id,
        "name": user.name,
        "details": call.addresses.row("users", user.id),
        "image": pictures::address(&call.state.links, user.image.as_deref()),
        "identifications": [],
    });
    if with_email {
        value["email"] = json!(user.email);
    }
    value["user_permissions"] = json!([]);
    value
}

/// A page of people.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let me = signed_in(&call)?;
    let page = Page::read(&call.query);
    let only = (!is_staff(me)).then_some(me.id);
    let found = call.store().users(only, page.limit, page.offset).await;
    let (users, count) = found.map_err(internal)?;
    let rows = users.iter().map(|user| shown(&call, user, false)).collect();
    let words = call.list_words("user").await?;
    Ok(Json(call.envelope("users", page, count, rows, words)))
}

/// The person of an address: oneself, or for staff anybody.
async fn find(call: &Call, id: &str) -> ApiResult<User> {
    let me = signed_in(call)?;
    let id = number(id)?;
    if id != me.id && !is_staff(me) {
        return Err(ApiError::NotFound);
    }
    call.store().user(id).await.map_err(internal)
}

/// One person.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let user = find(&call, &id).await?;
    Ok(Json(shown(&call, &user, false)))
}

/// Changes name and picture (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    edit(call, id, body).await
}

/// Changes name or picture (PATCH).
pub async fn edit(call: Call, Path(id): Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    let user = find(&call, &id).await?;
    let user = me::change(&call, user, body).await?;
    Ok(Json(shown(&call, &user, false)))
}

/// Deletes an account; whoever asks says their own password.
pub async fn delete(
    call: Call,
    from: From,
    Path(id): Path<String>,
    body: JsonBody,
) -> ApiResult<StatusCode> {
    let user = find(&call, &id).await?;
    me::end(&call, from, user, body).await
}

/// Makes a person: staff only.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    if !is_staff(signed_in(&call)?) {
        return Err(ApiError::Forbidden);
    }
    let mut form = Form::read(NEW, body, How::Whole)?;
    let email = form.text("email").unwrap_or_default();
    let taken = call.store().user_by_email(&email).await.map_err(internal)?;
    if taken.is_some() {
        form.wrong("email", credentials::TAKEN);
    }
    form.finish()?;
    let password = form.text("password").unwrap_or_default();
    credentials::good_password("password", &password)?;
    let new = NewUser {
        email,
        password,
        name: form.text("name").unwrap_or_default(),
        is_staff: false,
        is_superuser: false,
    };
    let user = match call.store().create_user(new).await {
        Err(StoreError::Conflict(_)) => {
            return Err(ApiError::field("email", credentials::TAKEN));
        }
        other => other.map_err(internal)?,
    };
    let body = json!({"email": user.email, "id": user.id});
    Ok((StatusCode::CREATED, Json(body)))
}

/// The roles, as a bare list.
pub async fn roles() -> Json<Value> {
    let role = |role: Role| {
        json!({
            "id": role.key(),
            "name": role.display_name(),
            "description": role.description(),
        })
    };
    Json(Role::ALL.into_iter().map(role).collect())
}
