//! The people of the server, for superusers: found, added, locked out, made superusers. The API has
//! no address for rights, so they are changed here; the last superuser cannot be taken away.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use rest::query::Query;
use serde_json::json;
use store::StoreError;
use store::user::{Rights, User};

use super::{Bar, ROWS, for_keepers};
use crate::AppState;
use crate::auth::Who;
use crate::pages::act::Act;
use crate::pages::columns::{self, Pager};
use crate::pages::form::{Sent, Shown};
use crate::pages::model::Ago;
use crate::pages::top::Top;
use crate::pages::{PageError, PageResult, said};

/// Fields of the form.
pub const FORM: &[&str] = &["email", "name", "password"];

struct Row {
    id: i64,
    name: String,
    email: String,
    active: bool,
    superuser: bool,
    staff: bool,
    own: bool,
    made: Ago,
    seen: Option<Ago>,
}

#[derive(Template)]
#[template(path = "server/users.html")]
struct UsersPage {
    bar: Bar,
    rows: Vec<Row>,
    pager: Pager,
    search: String,
    form: Shown,
}

/// The page.
pub async fn list(
    State(state): State<AppState>,
    who: Who,
    RawQuery(query): RawQuery,
) -> PageResult {
    for_keepers(&who)?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    page(&state, &who, &query, Shown::default()).await
}

async fn page(state: &AppState, who: &Who, query: &Query, form: Shown) -> PageResult {
    let offset = (columns::page(query) - 1) * ROWS;
    let (people, count) = state
        .store
        .find_users(&query.search(), ROWS, offset)
        .await?;
    let own = who.caller().id();
    let row = |user: User| Row {
        own: own == Some(user.id),
        made: Ago::of(user.created_at),
        seen: user.last_login_at.map(Ago::of),
        id: user.id,
        name: user.name,
        email: user.email,
        active: user.is_active,
        superuser: user.is_superuser,
        staff: user.is_staff,
    };
    let page = UsersPage {
        bar: Bar::at("/server/users"),
        rows: people.into_iter().map(row).collect(),
        pager: Pager::of(query, ROWS, count),
        search: query.get("search").unwrap_or_default().to_owned(),
        form,
    };
    Ok(Html(page.render()?))
}

fn here() -> String {
    format!("{}/server/users", Top::root())
}

/// Makes a person.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    for_keepers(&who)?;
    let password = sent.0.get("password").unwrap_or_default();
    let body = json!({
        "email": sent.text("email"),
        "name": sent.text("name"),
        "password": password,
    });
    match act.post("/users/", body).await {
        Ok(_) => {
            let words = format!(
                "{} may sign in now. Tell them the password; they can change it on their page.",
                sent.text("email")
            );
            Ok(said::go(&state.links, &here(), &words))
        }
        Err(refused) => {
            let shown = Sent(Query::parse(&sent.0.with(&[("password", None)])));
            let form = Shown::again(shown, refused)?;
            let page = page(&state, &who, &Query::default(), form).await?;
            Ok(page.into_response())
        }
    }
}

/// Locks a person out or lets them in again, gives and takes rights.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((id, deed)): Path<(i64, String)>,
) -> Result<Response, PageError> {
    for_keepers(&who)?;
    let set = |active, superuser, staff| Rights {
        active,
        superuser,
        staff,
    };
    let (rights, words) = match deed.as_str() {
        "lock" => (
            set(Some(false), None, None),
            "is locked out: signed out everywhere, and tokens are refused.",
        ),
        "unlock" => (set(Some(true), None, None), "may sign in again."),
        "promote" => (
            set(None, Some(true), Some(true)),
            "is a superuser now and may do everything.",
        ),
        "demote" => (
            set(None, Some(false), Some(false)),
            "is no superuser any more.",
        ),
        _ => return Err(ApiError::NotFound.into()),
    };
    let words = match state.store.set_rights(id, rights).await {
        Ok(user) => format!("{} {words}", user.email),
        Err(StoreError::Conflict(why)) => why,
        Err(other) => return Err(other.into()),
    };
    // Who has taken their own rights away sees this page no more.
    let own = who.caller().id() == Some(id) && ["lock", "demote"].contains(&deed.as_str());
    let path = if own {
        format!("{}/", Top::root())
    } else {
        here()
    };
    Ok(said::go(&state.links, &path, &words))
}
