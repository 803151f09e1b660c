//! One's own page: name, tokens, password, signing out. A new token is shown in the answer to the
//! form that made it and nowhere else: no address, no cookie and no row holds it.

use std::collections::HashMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use domain::permission::{Caller, ProjectFacts};
use rest::ApiError;
use serde_json::json;
use store::project::Project;
use store::user::User;

use super::act::{Act, Refused};
use super::form::{Sent, Shown};
use super::model::{Ago, short};
use super::offered::NAME;
use super::top::Top;
use super::{PageError, PageResult, Route, said};
use crate::AppState;
use crate::auth::Who;
use crate::auth::known::Known;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/me", || get(show).post(rename)),
    ("/me/tokens", || post(make)),
    ("/me/tokens/{token}/end", || post(end)),
    ("/me/password", || post(password)),
];

/// Tokens of the page.
const ROWS: u64 = 50;
/// Projects for which a worker's token can be made.
const PROJECTS: u64 = 500;
/// Of them, those that are offered.
const OFFERED: usize = 200;
/// Fields of the forms.
pub const TOKEN_FORM: &[&str] = &["name", "project"];
/// See above.
pub const PASSWORD_FORM: &[&str] = &["current_password", "new_password"];

struct TokenRow {
    id: i64,
    name: String,
    /// What it is good for.
    scope: String,
    made: Ago,
    used: Option<Ago>,
}

/// A token that was just made.
struct Fresh {
    name: String,
    text: String,
}

#[derive(Default)]
struct Forms {
    person: Shown,
    token: Shown,
    password: Shown,
    fresh: Option<Fresh>,
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    name: String,
    email: String,
    /// Signed in by a cookie: what a password ends is other browsers.
    browser: bool,
    tokens: Vec<TokenRow>,
    more: u64,
    /// Where the person may have a worker work.
    projects: Vec<(String, String)>,
    more_projects: usize,
    forms: Forms,
}

fn me(who: &Who) -> Result<&User, PageError> {
    who.0
        .as_ref()
        .ok_or_else(|| ApiError::NotAuthenticated.into())
}

/// The page; who is nobody is asked to sign in.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Extension(known): Extension<Known>,
) -> Result<Response, PageError> {
    if who.0.is_none() {
        return Ok(said::on_to("/login?next=%2Fme"));
    }
    let page = page(&state, &who, &known, Forms::default()).await?;
    Ok(page.into_response())
}

async fn page(state: &AppState, who: &Who, known: &Known, forms: Forms) -> PageResult {
    let me = me(who)?;
    let (tokens, count) = state.store.tokens(me.id, ROWS, 0).await?;
    let ids: Vec<i64> = tokens.iter().filter_map(|token| token.works_for).collect();
    let named = state.store.projects_by_id(&ids).await?;
    let named: HashMap<i64, String> = named.into_iter().map(|row| (row.id, row.name)).collect();
    let rows: Vec<TokenRow> = tokens
        .iter()
        .map(|token| TokenRow {
            id: token.id,
            name: token.name.clone(),
            scope: match token.works_for {
                None => "everything that you may do".to_owned(),
                Some(id) => match named.get(&id) {
                    Some(name) => format!("a worker of {name}"),
                    None => "a worker of a project that is gone: good for nothing".to_owned(),
                },
            },
            made: Ago::of(token.created_at),
            used: token.last_used_at.map(Ago::of),
        })
        .collect();
    let (projects, more_projects) = workplaces(state, me).await?;
    let page = MePage {
        name: me.name.clone(),
        email: me.email.clone(),
        browser: known.secret().is_some(),
        more: count.saturating_sub(rows.len() as u64),
        tokens: rows,
        more_projects,
        projects,
        forms,
    };
    Ok(Html(page.render()?))
}

/// Projects in which a worker of this person may work, and how many more there are.
async fn workplaces(
    state: &AppState,
    me: &User,
) -> Result<(Vec<(String, String)>, usize), PageError> {
    let visible = state.store.visible_projects(Some(me)).await?;
    let projects = state.store.projects(visible.as_deref(), PROJECTS).await?;
    let roles: HashMap<i64, _> = state.store.roles_of(me.id).await?.into_iter().collect();
    let machine = Caller::User {
        id: me.id,
        superuser: false,
        staff: false,
    };
    let mut works = projects.into_iter().filter(|project| {
        let facts = ProjectFacts {
            draft: project.draft,
            owner: project.owner_id,
            role: roles.get(&project.id).copied(),
        };
        facts.works_here(machine)
    });
    let offered = works.by_ref().take(OFFERED);
    let choice = |row: Project| (row.id.to_string(), short(&row.name, NAME));
    let offered = offered.map(choice).collect();
    Ok((offered, works.count()))
}

/// Changes one's name.
pub async fn rename(
    State(state): State<AppState>,
    who: Who,
    Extension(known): Extension<Known>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    me(&who)?;
    match act
        .patch("/users/me/", json!({"name": sent.text("name")}))
        .await
    {
        Ok(_) => Ok(said::go(&state.links, &here(), "Your name was changed.")),
        Err(refused) => {
            let forms = Forms {
                person: Shown::again(sent, refused)?,
                ..Default::default()
            };
            Ok(page(&state, &who, &known, forms).await?.into_response())
        }
    }
}

fn here() -> String {
    format!("{}/me", Top::root())
}

/// Makes a token, and shows it this once.
pub async fn make(
    State(state): State<AppState>,
    who: Who,
    Extension(known): Extension<Known>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    me(&who)?;
    let body = json!({"name": sent.text("name"), "project": sent.filled("project")});
    let forms = match act.post("/users/me/tokens/", body).await {
        Ok(made) => Forms {
            fresh: Some(Fresh {
                name: sent.text("name").to_owned(),
                text: made["token"].as_str().unwrap_or_default().to_owned(),
            }),
            ..Default::default()
        },
        Err(refused) => Forms {
            token: Shown::again(sent, refused)?,
            ..Default::default()
        },
    };
    let page = page(&state, &who, &known, forms).await?;
    Ok(([(CACHE_CONTROL, "private, no-store")], page).into_response())
}

/// Ends a token.
pub async fn end(
    State(state): State<AppState>,
    who: Who,
    axum::extract::Path(id): axum::extract::Path<i64>,
    act: Act,
) -> Result<Response, PageError> {
    me(&who)?;
    match act.delete(&format!("/users/me/tokens/{id}/")).await {
        Ok(_) => {
            let words = "The token was revoked: whoever sends it is refused from now on.";
            Ok(said::go(&state.links, &here(), words))
        }
        Err(Refused::Error(error)) => Err(error),
        Err(Refused::Fields(wrong)) => {
            Err(ApiError::Internal(format!("a token is not revoked: {wrong:?}")).into())
        }
    }
}

/// Changes one's password.
pub async fn password(
    State(state): State<AppState>,
    who: Who,
    Extension(known): Extension<Known>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    me(&who)?;
    // Passwords may begin and end with spaces.
    let typed = |name: &str| sent.0.get(name).unwrap_or_default().to_owned();
    let refused = if typed("new_password") == typed("again") {
        let body = json!({
            "current_password": typed("current_password"),
            "new_password": typed("new_password"),
        });
        match act.post("/users/set_password/", body).await {
            Ok(_) => {
                let words = "Your password was changed, and other browsers were signed out. \
                             Tokens go on working.";
                return Ok(said::go(&state.links, &here(), words));
            }
            Err(refused) => refused,
        }
    } else {
        let words = vec!["The two new passwords are not the same.".to_owned()];
        Refused::Fields(vec![("new_password".to_owned(), words)])
    };
    let forms = Forms {
        password: Shown::again(Sent::default(), refused)?,
        ..Default::default()
    };
    Ok(page(&state, &who, &known, forms).await?.into_response())
}
