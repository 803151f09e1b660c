//! People of a project: its members with their roles, and whom it tells what becomes of its jobs.
//! Whoever may add and change members does so here; everybody may leave. Webhooks have pages of
//! their own (`people/webhooks.rs`).

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use domain::permission::Role;
use rest::ApiError;
use rest::query::Query;
use serde_json::json;

use super::act::Act;
use super::at::{At, Part};
use super::columns::{self, Pager};
use super::form::{Sent, Shown};
use super::model::Ago;
use super::{PageError, PageResult, Route, said};
use crate::AppState;
use crate::auth::Who;

mod log;
mod webhooks;

pub use webhooks::FORM as WEBHOOK_FORM;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/people", || get(show).post(add)),
    ("/projects/{project}/people/{member}/{deed}", || post(act)),
    ("/projects/{project}/people/webhooks/new", || {
        get(webhooks::new).post(webhooks::add)
    }),
    ("/projects/{project}/people/webhooks/{webhook}", || {
        get(webhooks::form).post(webhooks::change)
    }),
    (
        "/projects/{project}/people/webhooks/{webhook}/{deed}",
        || post(webhooks::act),
    ),
    (
        "/projects/{project}/people/webhooks/{webhook}/deliveries/{delivery}/again",
        || post(webhooks::again),
    ),
];

/// Members of a page.
const ROWS: u64 = 30;
/// Fields of the form.
pub const FORM: &[&str] = &["email", "role_id"];

struct Member {
    id: i64,
    name: String,
    email: String,
    role: &'static str,
    role_key: &'static str,
    since: Ago,
    /// Whether it is the person who looks.
    own: bool,
    /// Whether the account may sign in.
    active: bool,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    at: At,
    /// Who owns the project, and so may do everything in it.
    owner: Option<String>,
    rows: Vec<Member>,
    pager: Pager,
    adder: bool,
    changer: bool,
    remover: bool,
    roles: Vec<Role>,
    /// Whom it tells, for those who may see it.
    told: Option<webhooks::Told>,
    form: Shown,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::People).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    page(&state, at, &query, Shown::default()).await
}

async fn page(state: &AppState, at: At, query: &Query, form: Shown) -> PageResult {
    let offset = (columns::page(query) - 1) * ROWS;
    let (members, count) = state.store.members(at.project.id, ROWS, offset).await?;
    let owner = match at.project.owner_id {
        Some(id) => match state.store.user(id).await {
            Ok(user) if user.name.trim().is_empty() => Some(user.email),
            Ok(user) => Some(user.name),
            Err(store::StoreError::NotFound(_)) => None,
            Err(other) => return Err(other.into()),
        },
        None => None,
    };
    let rows = members.into_iter().filter_map(|(row, user)| {
        let role = Role::from_key(&row.role)?;
        Some(Member {
            id: row.id,
            name: user.name.clone(),
            email: user.email.clone(),
            role: role.display_name(),
            role_key: role.key(),
            since: Ago::of(row.created_at),
            own: at.caller().id() == Some(user.id),
            active: user.is_active,
        })
    });
    let page = PeoplePage {
        owner,
        rows: rows.collect(),
        pager: Pager::of(query, ROWS, count),
        adder: at.may_make("create_userprojectmembership"),
        changer: at.may_change("update_userprojectmembership"),
        remover: at.may_change("delete_userprojectmembership"),
        roles: Role::ALL.into_iter().chain([Role::Worker]).collect(),
        told: webhooks::told(state, &at).await?,
        form,
        at,
    };
    Ok(Html(page.render()?))
}

/// Adds a member.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::People).await?;
    let body = json!({"email": sent.text("email"), "role_id": sent.text("role_id")});
    match act
        .post(&format!("/projects/{project}/members/"), body)
        .await
    {
        Ok(_) => {
            let role = Role::from_key(sent.text("role_id")).map_or("", Role::display_name);
            let words = format!("{} is a member now: {role}.", sent.text("email"));
            Ok(said::go(&state.links, &at.path("/people"), &words))
        }
        Err(refused) => {
            let form = Shown::again(sent, refused)?;
            let page = page(&state, at, &Query::default(), form).await?;
            Ok(page.into_response())
        }
    }
}

/// Gives a member another role, or ends a membership.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::People).await?;
    let (_, user) = state.store.member(project, id).await?;
    let own = at.caller().id() == Some(user.id);
    let name = match user.name.trim() {
        "" => user.email.clone(),
        name => name.to_owned(),
    };
    let path = format!("/projects/{project}/members/{id}/");
    let (done, words) = match deed.as_str() {
        "role" => {
            let key = sent.text("role_id");
            let role = Role::from_key(key)
                .map(Role::display_name)
                .unwrap_or_default();
            let done = act.patch(&path, json!({"role_id": key})).await;
            let words = format!("{name} has the role {role} now.");
            (done, words)
        }
        "remove" => {
            let words = match own {
                true => format!("You are no member of {} any more.", at.name()),
                false => format!("{name} is no member any more."),
            };
            (act.delete(&path).await, words)
        }
        _ => return Err(ApiError::NotFound.into()),
    };
    match done {
        // Who has left may not see this page any more.
        Ok(_) if own && deed == "remove" => {
            let home = format!("{}/", super::top::Top::root());
            Ok(said::go(&state.links, &home, &words))
        }
        Ok(_) => Ok(said::go(&state.links, &at.path("/people"), &words)),
        Err(refused) => Ok(said::go(
            &state.links,
            &at.path("/people"),
            &refused.words()?,
        )),
    }
}
