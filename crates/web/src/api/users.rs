//! `/api/v2/users/`: people, oneself, and the roles that there are (`domain-rules.md` §12).
//! The list of people is staff business; everybody else sees only oneself in it.

use crate::views::{Answer, View, view};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use domain::permission::Role;
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::shape;
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::user::{NewUser, User};

use super::internal;
use crate::AppState;
use crate::auth::Who;
use crate::call::{base, content_type};

/// About people.
pub const ABOUT: &str = "People who may sign in.";
/// About oneself.
pub const ME: &str = "The person who is signed in.";
/// About roles.
pub const ROLES: &str = "The roles that members of a project can have.";
/// About passwords.
pub const SET_PASSWORD: &str = "Change one's own password.";

/// The fields of a person.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).blank(),
    Field::details(),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::shown("identifications", "Identifications", Kind::List).holds(shape::NOTHING),
    Field::shown("email", "Email", Kind::Email(254)),
];

/// What others see of a person.
const ROW: &[Field] = &[FIELDS[0], FIELDS[1], FIELDS[2], FIELDS[3], FIELDS[4]];

const NEW: &[Field] = &[
    Field::new("email", "Email", Kind::Email(254)).required(),
    Field::new("password", "Password", Kind::Text(Some(1024))).required(),
    Field::new("name", "Name", Kind::Text(Some(255))).blank(),
];

const MADE: &[Field] = &[
    Field::shown("email", "Email", Kind::Email(254)),
    Field::id(),
];

const ROLE: &[Field] = &[
    Field::shown("id", "Key", Kind::Text(None)),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("description", "Description", Kind::Text(None)),
];

/// One's own password, as a second thought.
const PASSWORD: &[Field] =
    &[Field::new("current_password", "Password", Kind::Text(Some(1024))).required()];

const PASSWORDS: &[Field] = &[
    Field::new("new_password", "New password", Kind::Text(Some(1024))).required(),
    PASSWORD[0],
];

/// Shortest password.
const SHORTEST: usize = 8;

fn signed_in(who: &Who) -> ApiResult<&User> {
    who.0.as_ref().ok_or(ApiError::NotAuthenticated)
}

fn shown(user: &User, base: &str, with_email: bool) -> Value {
    let mut value = json!({
        "id": user.id,
        "name": user.name,
        "details": format!("{base}/users/{}/", user.id),
        "image": user.image,
        "identifications": [],
    });
    if with_email {
        value["email"] = json!(user.email);
    }
    value["user_permissions"] = json!([]);
    value
}

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/users", "User List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .in_root()
    .private()
    .shows(ROW)
    .takes(NEW)
    .posted(&[(201, Answer::Object(MADE))]),
    view("/users/me", "User Me", DETAIL, ME, FIELDS, || {
        get(me).put(edit_me).patch(edit_me).delete(delete_me)
    })
    .private()
    .removal(PASSWORD),
    view("/users/roles", "Role List", READ, ROLES, &[], || get(roles))
        .got(&[Answer::List(ROLE)])
        .open(),
    view(
        "/users/set_password",
        "Set password",
        ACTION,
        SET_PASSWORD,
        &[],
        || post(set_password),
    )
    .takes(PASSWORDS)
    .posted(&[(204, Answer::Nothing)]),
    view("/users/{id}", "User Instance", READ, ABOUT, FIELDS, || {
        get(detail)
    })
    .private()
    .shows(ROW),
];

/// A page of people.
pub async fn list(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Envelope<Value>>> {
    let me = signed_in(&who)?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let page = Page::read(&query);
    let only = (!me.is_staff && !me.is_superuser).then_some(me.id);
    let found = state.store.users(only, page.limit, page.offset).await;
    let (users, count) = found.map_err(internal)?;
    let base = base(&state, &headers);
    let rows = users.iter().map(|user| shown(user, &base, false)).collect();
    let url = format!("{base}/users/");
    Ok(Json(Envelope::new(
        &url,
        &query,
        page,
        count,
        rows,
        Vec::new(),
    )))
}

/// One person: oneself, or for staff anybody.
pub async fn detail(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let me = signed_in(&who)?;
    let id: i64 = id.parse().map_err(|_| ApiError::NotFound)?;
    if id != me.id && !me.is_staff && !me.is_superuser {
        return Err(ApiError::NotFound);
    }
    let user = state.store.user(id).await.map_err(internal)?;
    Ok(Json(shown(&user, &base(&state, &headers), false)))
}

/// Oneself.
pub async fn me(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
) -> ApiResult<Json<Value>> {
    let me = signed_in(&who)?;
    Ok(Json(shown(me, &base(&state, &headers), true)))
}

/// Changes one's own name; everything else in the body is passed over.
pub async fn edit_me(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let me = signed_in(&who)?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let name = input.has("name").then(|| input.optional_text("name", 255));
    let name = input.finish(name)?;
    let user = match name {
        Some(name) => {
            let name = name.unwrap_or_default();
            state
                .store
                .rename_user(me.id, &name)
                .await
                .map_err(internal)?
        }
        None => me.clone(),
    };
    Ok(Json(shown(&user, &base(&state, &headers), true)))
}

/// Deletes one's own account, with the password as a second thought.
pub async fn delete_me(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<StatusCode> {
    let me = signed_in(&who)?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let current = input.text("current_password", 1024);
    let current = input.finish(current.unwrap_or_default())?;
    let fits = state.store.check_login(&me.email, &current).await;
    if fits.map_err(internal)?.is_none() {
        return Err(ApiError::field("current_password", "Invalid password."));
    }
    state.store.delete_user(me.id).await.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a person: staff only.
pub async fn create(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let me = signed_in(&who)?;
    if !me.is_staff && !me.is_superuser {
        return Err(ApiError::Forbidden);
    }
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let email = input.text("email", 254);
    let password = input.text("password", 1024);
    let name = input
        .has("name")
        .then(|| input.optional_text("name", 255))
        .flatten();
    let (email, password) =
        input.finish((email.unwrap_or_default(), password.unwrap_or_default()))?;
    if !email.contains('@') || email.contains(char::is_whitespace) {
        return Err(ApiError::field("email", "Enter a valid email address."));
    }
    if state
        .store
        .user_by_email(&email)
        .await
        .map_err(internal)?
        .is_some()
    {
        let words = "user with this email address already exists.";
        return Err(ApiError::field("email", words));
    }
    good_password("password", &password)?;
    let new = NewUser {
        email,
        password,
        name: name.unwrap_or_default(),
        is_staff: false,
        is_superuser: false,
    };
    let user = match state.store.create_user(new).await {
        Err(StoreError::Conflict(why)) => return Err(ApiError::field("email", why)),
        other => other.map_err(internal)?,
    };
    let body = json!({"email": user.email, "id": user.id});
    Ok((StatusCode::CREATED, Json(body)))
}

fn good_password(field: &str, password: &str) -> ApiResult<()> {
    if password.chars().count() >= SHORTEST {
        return Ok(());
    }
    let words =
        format!("This password is too short. It must contain at least {SHORTEST} characters.");
    Err(ApiError::field(field, words))
}

/// Changes one's own password.
pub async fn set_password(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<StatusCode> {
    let me = signed_in(&who)?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let new = input.text("new_password", 1024);
    let current = input.text("current_password", 1024);
    let (new, current) = input.finish((new.unwrap_or_default(), current.unwrap_or_default()))?;
    good_password("new_password", &new)?;
    let fits = state.store.check_login(&me.email, &current).await;
    if fits.map_err(internal)?.is_none() {
        return Err(ApiError::field("current_password", "Invalid password."));
    }
    state
        .store
        .set_password(me.id, &new)
        .await
        .map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
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
