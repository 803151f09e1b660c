//! Pages, people, projects and their members.

use super::super::target::Target::*;
use super::heard::*;
use super::{NAME, Row, row};

const PAGE: &str = r#"{"name": "Page $n", "slug": "new-$n"}"#;
const NEW_PASSWORD: &str = r#"{"current_password": "wrong", "new_password": "another-secret-9"}"#;

pub const ROWS: &[Row] = &[
    // Pages.
    row("GET", "/pages", Nothing, "", ALL),
    row("POST", "/pages", Nothing, PAGE, STAFF_MAKE),
    row("GET", "/pages/{slug}", Page, "", ALL),
    row("PUT", "/pages/{slug}", Page, PAGE, STAFF_CHANGE),
    row("PATCH", "/pages/{slug}", Page, NAME, STAFF_CHANGE),
    row("DELETE", "/pages/{slug}", Page, "", STAFF_END),
    // People.
    row("GET", "/users", Nothing, "", SIGNED_IN),
    row(
        "POST",
        "/users",
        Nothing,
        r#"{"email": "new$n@example.org", "password": "another-secret-9"}"#,
        [201, 403, 403, 403, 403, 403, 403, 403, 201, 401],
    ),
    row("GET", "/users/roles", Nothing, "", ALL),
    row("GET", "/users/{id}", Person, "", STAFF),
    row("PUT", "/users/{id}", Person, NAME, STAFF),
    row("PATCH", "/users/{id}", Person, NAME, STAFF),
    row(
        "DELETE",
        "/users/{id}",
        Person,
        r#"{"current_password": "secret"}"#,
        [204, 404, 404, 404, 404, 404, 404, 404, 204, 401],
    ),
    row("GET", "/users/me", Nothing, "", SIGNED_IN),
    row("PUT", "/users/me", Nothing, "{}", SIGNED_IN),
    row("PATCH", "/users/me", Nothing, "{}", SIGNED_IN),
    row(
        "DELETE",
        "/users/me",
        Nothing,
        r#"{"current_password": "wrong"}"#,
        WRONG,
    ),
    row("GET", "/users/me/tokens", Nothing, "", SIGNED_IN),
    row(
        "POST",
        "/users/me/tokens",
        Nothing,
        NAME,
        [201, 201, 201, 201, 201, 201, 201, 201, 201, 401],
    ),
    row(
        "DELETE",
        "/users/me/tokens/{id}",
        TokenOfOther,
        "",
        [404, 404, 404, 404, 404, 404, 404, 404, 404, 401],
    ),
    row("POST", "/users/set_password", Nothing, NEW_PASSWORD, WRONG),
    row(
        "POST",
        "/users/set_email",
        Nothing,
        r#"{"current_password": "wrong", "new_email": "new$n@example.org"}"#,
        WRONG,
    ),
    row(
        "POST",
        "/users/reset_password",
        Nothing,
        r#"{"email": "stranger$n@example.org"}"#,
        [204; 10],
    ),
    row(
        "POST",
        "/users/reset_password_confirm",
        Nothing,
        r#"{"uid": "x", "token": "y", "new_password": "another-secret-9"}"#,
        [400; 10],
    ),
    row(
        "POST",
        "/auth/token/login",
        Nothing,
        r#"{"email": "stranger$n@example.org", "password": "x"}"#,
        [400; 10],
    ),
    row(
        "POST",
        "/auth/token/logout",
        OwnToken,
        "",
        [204, 204, 204, 204, 204, 204, 204, 204, 204, 401],
    ),
    // Projects and their members.
    row("GET", "/projects", Nothing, "", ALL),
    row("POST", "/projects", Nothing, NAME, SUPER_MAKE),
    row("GET", "/projects/{id}", Project, "", ALL),
    row("GET", "/projects/{id}", Draft, "", DRAFT),
    row("PUT", "/projects/{id}", Project, NAME, MANAGERS),
    row("PATCH", "/projects/{id}", Project, NAME, MANAGERS),
    row("PATCH", "/projects/{id}", Draft, "{}", DRAFT),
    row("DELETE", "/projects/{id}", Project, "", MANAGERS_END),
    row("GET", "/projects/{id}/members", Nothing, "", MEMBERS),
    row("GET", "/projects/{id}/members", Draft, "", DRAFT),
    row(
        "POST",
        "/projects/{id}/members",
        Nothing,
        r#"{"email": "@newcomer", "role_id": "BasicMember"}"#,
        MANAGERS_MAKE,
    ),
    row(
        "GET",
        "/projects/{id}/members/{member}",
        Member,
        "",
        MEMBERS,
    ),
    row(
        "PUT",
        "/projects/{id}/members/{member}",
        Member,
        r#"{"role_id": "Identifier"}"#,
        MANAGERS,
    ),
    row(
        "PATCH",
        "/projects/{id}/members/{member}",
        Member,
        r#"{"role_id": "Identifier"}"#,
        MANAGERS,
    ),
    row(
        "DELETE",
        "/projects/{id}/members/{member}",
        Member,
        "",
        MANAGERS_END,
    ),
];
