//! Signing in, one's own account, and the roles that there are (`ui.md` §A.2).

use crate::client::row::Made::Person;
use crate::client::row::Sent::{Form, Json, Nothing, Photo};
use crate::client::row::Who::{SignedIn, Superusers};
use crate::client::row::{Row, get, patch, post};

pub const ROWS: &[Row] = &[
    post(
        "/auth/token/login/",
        Json(r#"{"email": "$email", "password": "secret"}"#),
        200,
    )
    .made(Person)
    .bare()
    .reads(&["auth_token: string"]),
    post("/auth/token/logout/", Nothing, 204)
        .made(Person)
        .by(SignedIn),
    get("/users/me/").signed_in().reads(&[
        "id: number",
        "{name,email}: string",
        "image: string|null",
    ]),
    patch("/users/me/", Photo(&[("name", "Name $n")], "image"))
        .made(Person)
        .by(SignedIn),
    patch("/users/me/", Form(&[("name", "Name $n"), ("image", "")]))
        .note("picture cleared")
        .made(Person)
        .by(SignedIn),
    post(
        "/users/set_email/",
        Json(r#"{"current_password": "secret", "new_email": "moved$n@example.org"}"#),
        204,
    )
    .made(Person)
    .by(SignedIn),
    post(
        "/users/set_password/",
        Json(r#"{"current_password": "secret", "new_password": "another-secret-9"}"#),
        204,
    )
    .made(Person)
    .by(SignedIn),
    post(
        "/users/reset_password/",
        Json(r#"{"email": "$email"}"#),
        204,
    )
    .made(Person),
    // `tests/system/api/account.rs` follows a link that was sent.
    post(
        "/users/reset_password_confirm/",
        Json(r#"{"uid": "x", "token": "y", "new_password": "another-secret-9"}"#),
        400,
    )
    .note("of no link")
    .reads(&["uid: strings"]),
    post(
        "/users/",
        Json(r#"{"email": "signed-up$n@example.org", "password": "another-secret-9"}"#),
        201,
    )
    .by(Superusers),
    get("/users/roles").reads(&["*.{id,name,description}: string"]),
];
