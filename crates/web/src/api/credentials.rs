//! `/api/v2/users/set_password/` and its like: what a person signs in with, changed or won back
//! (`ui.md` §A.2, `domain-rules.md` §12). A link to win an account back proves itself by a seal
//! over the present password hash, so it ends with its first use.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rest::allow::ACTION;
use rest::field::{Field, Kind};
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use store::StoreError;
use store::user::User;
use telling::Letter;

use super::internal;
use super::me::own_password;
use super::users::signed_in;
use crate::AppState;
use crate::auth::known::Known;
use crate::auth::limit::From;
use crate::call::Call;
use crate::views::{Answer, View, view};

const SET_PASSWORD: &str = "Change one's own password. Other browsers are signed out.";
const SET_EMAIL: &str = "Change one's own e-mail address.";
const RESET: &str = "Have a link sent with which a forgotten password is replaced.";
const CONFIRM: &str = "Replace a forgotten password, with what the link held.";

/// An address that somebody else has.
pub const TAKEN: &str = "user with this email address already exists.";
/// Shortest password.
const SHORTEST: usize = 8;
/// How long a link is good, in seconds.
const GOOD_FOR: i64 = 24 * 3600;
/// Purpose of the links' seal.
const PURPOSE: &str = "reset password";
/// What people try first.
const COMMON: &[&str] = &[
    "password",
    "password1",
    "password12",
    "password123",
    "passw0rd",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "1qaz2wsx",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "trustno1",
    "superman",
    "starwars",
    "whatever",
    "letmein1",
    "welcome1",
    "abcd1234",
    "abc12345",
    "admin123",
    "changeme",
];

const CURRENT: Field = Field::new(
    "current_password",
    "Current password",
    Kind::Text(Some(1024)),
)
.required();
const NEW: Field = Field::new("new_password", "New password", Kind::Text(Some(1024))).required();

const SET_PASSWORD_FIELDS: &[Field] = &[NEW, CURRENT];
const SET_EMAIL_FIELDS: &[Field] = &[
    CURRENT,
    Field::new("new_email", "New email", Kind::Email(254)).required(),
];
const RESET_FIELDS: &[Field] = &[Field::new("email", "Email", Kind::Email(254)).required()];
const CONFIRM_FIELDS: &[Field] = &[
    Field::new("uid", "Uid", Kind::Text(Some(255))).required(),
    Field::new("token", "Token", Kind::Text(Some(255))).required(),
    NEW,
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/users/set_password",
        "Set password",
        ACTION,
        SET_PASSWORD,
        SET_PASSWORD_FIELDS,
        || post(set_password),
    )
    .posted(&[(204, Answer::Nothing)])
    .fails(&[429]),
    view(
        "/users/set_email",
        "Set email",
        ACTION,
        SET_EMAIL,
        SET_EMAIL_FIELDS,
        || post(set_email),
    )
    .posted(&[(204, Answer::Nothing)])
    .fails(&[429]),
    view(
        "/users/reset_password",
        "Reset password",
        ACTION,
        RESET,
        RESET_FIELDS,
        || post(reset_password),
    )
    .posted(&[(204, Answer::Nothing)])
    .fails(&[429])
    .open(),
    view(
        "/users/reset_password_confirm",
        "Reset password confirm",
        ACTION,
        CONFIRM,
        CONFIRM_FIELDS,
        || post(reset_password_confirm),
    )
    .posted(&[(204, Answer::Nothing)])
    .fails(&[429])
    .open(),
];

/// Goes on where a password is good enough; all that is wrong is said at once.
///
/// # Errors
/// 400 on the field.
pub fn good_password(field: &str, password: &str) -> ApiResult<()> {
    let mut errors = rest::FieldErrors::new();
    if password.chars().count() < SHORTEST {
        let words =
            format!("This password is too short. It must contain at least {SHORTEST} characters.");
        errors.add(field, words);
    }
    if COMMON.contains(&password.to_lowercase().as_str()) {
        errors.add(field, "This password is too common.");
    }
    if !password.is_empty() && password.chars().all(|c| c.is_ascii_digit()) {
        errors.add(field, "This password is entirely numeric.");
    }
    errors.check()
}

/// Changes one's own password.
pub async fn set_password(
    call: Call,
    from: From,
    Extension(known): Extension<Known>,
    body: JsonBody,
) -> ApiResult<StatusCode> {
    let me = signed_in(&call)?;
    let form = Form::read(SET_PASSWORD_FIELDS, body, How::Whole)?;
    form.finish()?;
    let current = form.text("current_password").unwrap_or_default();
    own_password(&call, from, &current).await?;
    let new = form.text("new_password").unwrap_or_default();
    good_password("new_password", &new)?;
    let done = call.store().set_password(me.id, &new, known.secret()).await;
    done.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes one's own e-mail address.
pub async fn set_email(call: Call, from: From, body: JsonBody) -> ApiResult<StatusCode> {
    let me = signed_in(&call)?;
    let form = Form::read(SET_EMAIL_FIELDS, body, How::Whole)?;
    form.finish()?;
    let current = form.text("current_password").unwrap_or_default();
    own_password(&call, from, &current).await?;
    let email = form.text("new_email").unwrap_or_default();
    match call.store().set_email(me.id, &email).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Conflict(_)) => Err(ApiError::field("new_email", TAKEN)),
        Err(other) => Err(internal(other)),
    }
}

/// Sends a link, if there is such an account; the answer is the same if not.
pub async fn reset_password(
    State(state): State<AppState>,
    from: From,
    body: JsonBody,
) -> ApiResult<StatusCode> {
    let form = Form::read(RESET_FIELDS, body, How::Whole)?;
    form.finish()?;
    send_link(&state, from, &form.text("email").unwrap_or_default())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends the link for an e-mail address apart from the request, whose time then tells nothing.
///
/// # Errors
/// 429 for too many.
pub fn send_link(state: &AppState, from: From, email: &str) -> ApiResult<()> {
    // Never taken back: each costs somebody a mail.
    let _attempt = state.limiter.attempt(&format!("reset {email}"), from.0)?;
    let (state, email) = (state.clone(), email.to_owned());
    tokio::spawn(async move {
        match state.store.user_by_email(&email).await {
            Ok(Some(user)) if user.is_active && user.has_password() => {
                let link = link(&state, &user, store::now().timestamp() + GOOD_FOR);
                write(&state, user.email, &link).await;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "no mail is sent"),
        }
    });
    Ok(())
}

/// Writes to somebody who has forgotten their password; without a mail server into the log of the
/// process, for whoever runs it to pass on.
async fn write(state: &AppState, to: String, link: &str) {
    let text = format!(
        "Somebody, probably you, wants a new password for Hawkmoth. To choose one, open {link} \
         within a day. Otherwise do nothing."
    );
    let Some(mailer) = state.teller.mailer() else {
        tracing::info!(target: "mail", to, "{text}");
        return;
    };
    let letter = Letter {
        to,
        subject: "A new password for Hawkmoth".to_owned(),
        text,
        key: hex::encode(rand::random::<[u8; 16]>()),
    };
    if let Err(why) = mailer.send(letter).await {
        tracing::error!(%why, "a link for a new password is not sent");
    }
}

fn link(state: &AppState, user: &User, until: i64) -> String {
    let uid = URL_SAFE_NO_PAD.encode(user.id.to_string());
    let seal = state.links.sealer().seal(PURPOSE, &sealed(user, until));
    let root = state.links.public_url();
    format!("{root}/auth/reset-password-confirm?uid={uid}&token={until:x}-{seal}")
}

/// What the seal of a link holds for: the present account, until then.
fn sealed(user: &User, until: i64) -> String {
    format!("{}\n{}\n{}\n{until}", user.id, user.email, user.password)
}

/// Replaces a forgotten password.
pub async fn reset_password_confirm(
    State(state): State<AppState>,
    body: JsonBody,
) -> ApiResult<StatusCode> {
    let form = Form::read(CONFIRM_FIELDS, body, How::Whole)?;
    form.finish()?;
    let [uid, token, new] =
        ["uid", "token", "new_password"].map(|field| form.text(field).unwrap_or_default());
    confirm(&state, &uid, &token, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces a password by what a link held.
///
/// # Errors
/// 400 on the field that is wrong.
pub async fn confirm(state: &AppState, uid: &str, token: &str, new: &str) -> ApiResult<()> {
    let nobody = || ApiError::field("uid", "Invalid user id or user doesn't exist.");
    let user = account(state, uid).await?.ok_or_else(nobody)?;
    let bad = || ApiError::field("token", "Invalid token for given user.");
    let (until, seal) = token.split_once('-').ok_or_else(bad)?;
    let until = i64::from_str_radix(until, 16).map_err(|_| bad())?;
    let holds = state
        .links
        .sealer()
        .holds(PURPOSE, &sealed(&user, until), seal);
    if !holds || until < store::now().timestamp() {
        return Err(bad());
    }
    good_password("new_password", new)?;
    let replaced = state.store.replace_password(&user, new).await;
    if replaced.map_err(internal)? {
        Ok(())
    } else {
        Err(bad())
    }
}

async fn account(state: &AppState, uid: &str) -> ApiResult<Option<User>> {
    let id = URL_SAFE_NO_PAD.decode(uid).ok();
    let id = id.and_then(|bytes| String::from_utf8(bytes).ok()?.parse::<i64>().ok());
    let Some(id) = id else {
        return Ok(None);
    };
    match state.store.user(id).await {
        Ok(user) => Ok(Some(user).filter(|user| user.is_active)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(internal(other)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::good_password;

    #[test]
    fn poor_passwords_are_told_why() {
        assert!(good_password("p", "moths at night").is_ok());
        let said = |password| good_password("p", password).unwrap_err().body()["p"].to_string();
        assert!(said("short").contains("too short"));
        assert!(said("123").contains("too short") && said("123").contains("entirely numeric"));
        assert!(said("PassWord123").contains("too common"));
        assert!(said("").contains("too short") && !said("").contains("numeric"));
    }
}
