//! `/api/v2/users/me/`: the person who asks: shown, changed, gone (`ui.md` §A.2).

use axum::Json;
use axum::http::StatusCode;
use axum::routing::get;
use rest::allow::DETAIL;
use rest::field::{Field, Kind};
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::Value;
use store::user::User;

use super::internal;
use super::login::by_password;
use super::users::{FIELDS, shown, signed_in};
use crate::auth::limit::From;
use crate::call::Call;
use crate::pictures;
use crate::views::{View, view};

/// About oneself.
pub const ABOUT: &str = "The person who is signed in.";

/// What it takes to delete one's account.
const END: &[Field] = &[Field::new(
    "current_password",
    "Current password",
    Kind::Text(Some(1024)),
)
.required()];

/// Its address.
pub const VIEWS: &[View] = &[view("/users/me", "User Me", DETAIL, ABOUT, FIELDS, || {
    get(show).put(edit).patch(edit).delete(delete)
})];

/// Oneself.
pub async fn show(call: Call) -> ApiResult<Json<Value>> {
    Ok(Json(shown(&call, signed_in(&call)?, true)))
}

/// Changes one's name or picture; everything else in the body is passed over.
pub async fn edit(call: Call, body: JsonBody) -> ApiResult<Json<Value>> {
    let me = signed_in(&call)?.clone();
    let user = change(&call, me, body).await?;
    Ok(Json(shown(&call, &user, true)))
}

/// Changes name or picture of a person. An empty picture takes it away.
pub async fn change(call: &Call, user: User, body: JsonBody) -> ApiResult<User> {
    // No field is required, so PUT and PATCH are the same.
    let form = Form::read(FIELDS, body, How::Partial)?;
    form.finish()?;
    let image = match form.upload("image") {
        Some(upload) => {
            let folder = format!("users/{}", user.id);
            Some(Some(
                pictures::keep(&call.state.files, &folder, upload).await?,
            ))
        }
        None => form.is_null("image").then_some(None),
    };
    let name = form.text("name");
    let changed = call.store().change_user(user.id, name, image.clone()).await;
    let changed = changed.map_err(internal)?;
    if let (Some(_), Some(old)) = (image, &user.image) {
        pictures::forget(&call.state.files, old).await;
    }
    Ok(changed)
}

/// Deletes one's own account, with the password as a second thought.
pub async fn delete(call: Call, from: From, body: JsonBody) -> ApiResult<StatusCode> {
    let me = signed_in(&call)?.clone();
    end(&call, from, me, body).await
}

/// Deletes the account of a person; whoever asks says their own password.
pub async fn end(call: &Call, from: From, user: User, body: JsonBody) -> ApiResult<StatusCode> {
    let form = Form::read(END, body, How::Whole)?;
    form.finish()?;
    let password = form.text("current_password").unwrap_or_default();
    own_password(call, from, &password).await?;
    let deleted = call.store().delete_user(user.id).await;
    deleted.map_err(internal)?;
    if let Some(image) = &user.image {
        pictures::forget(&call.state.files, image).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Goes on where this is the password of the person who asks.
///
/// # Errors
/// 400 on the field `current_password`; 429 for guessing.
pub async fn own_password(call: &Call, from: From, password: &str) -> ApiResult<()> {
    let me = signed_in(call)?;
    let fits = by_password(&call.state, from, &me.email, password).await?;
    match fits {
        Some(_) => Ok(()),
        None => Err(ApiError::field("current_password", "Invalid password.")),
    }
}
