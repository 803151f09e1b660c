//! A request to the API as handlers see it: who asks, the query, the addresses that the answer
//! will name. The idea: one extractor, so that no handler reads headers or builds addresses.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use domain::permission::{Action, Caller, Permit, ProjectFacts, Verb, decide, list_permissions};
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::{ApiError, ApiResult};
use serde_json::Value;
use std::collections::HashMap;
use store::job::offer::Workable;
use store::project::Project;
use store::{Store, StoreError};

use crate::AppState;
use crate::api::internal;
use crate::auth::known::Known;
use crate::auth::{Who, allow, refusal, scope};
use crate::shape::Asked;

/// The addresses that an answer names: absolute, and with the format that was asked for in the
/// query or by a suffix, so that a reader who follows them stays in it (`browsable-api.md` §1).
#[derive(Clone, Debug)]
pub struct Addresses {
    base: String,
    /// What ends an address: `/`, or `.json` where that was asked for.
    end: String,
    query: String,
}

impl Addresses {
    /// The address of a path below `/api/v2`, without slashes around it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{}", self.bare(path), self.query)
    }

    /// The address of a row.
    pub fn row(&self, path: &str, id: i64) -> String {
        self.path(&format!("{path}/{id}"))
    }

    /// The address of the server itself, without a slash at its end.
    pub fn root(&self) -> &str {
        self.base.strip_suffix("/api/v2").unwrap_or(&self.base)
    }

    /// The address of a file of this server; other addresses stay as they are.
    pub fn file(&self, address: &str) -> String {
        let root = self.base.strip_suffix("/api/v2").unwrap_or(&self.base);
        match address.starts_with('/') {
            true => format!("{root}{address}"),
            false => address.to_owned(),
        }
    }

    /// The address of a path without any query.
    pub fn bare(&self, path: &str) -> String {
        format!("{}/{path}{}", self.base, self.end)
    }
}

/// The media type of a request.
pub fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// A request to the API.
#[derive(Clone)]
pub struct Call {
    /// What all requests share.
    pub state: AppState,
    /// Who asks.
    pub who: Who,
    /// The query.
    pub query: Query,
    /// Addresses for the answer.
    pub addresses: Addresses,
    /// The one project of a worker's token.
    pub only: Option<i64>,
}

impl FromRequestParts<AppState> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Call> {
        let who = Who::from_request_parts(parts, state).await?;
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let mut addresses = addresses(state, host, &query);
        let asked = parts.extensions.get::<Asked>();
        if let Some(suffix) = asked.and_then(|asked| asked.suffix.as_ref()) {
            addresses.end = format!(".{suffix}");
        }
        Ok(Call {
            state: state.clone(),
            who,
            query,
            addresses,
            only: Known::of(&parts.extensions).only(),
        })
    }
}

/// The addresses for a request that named this host.
pub fn addresses(state: &AppState, host: Option<&str>, query: &Query) -> Addresses {
    let public = state.links.public_url();
    let scheme = public.split("://").next().unwrap_or("http");
    let root = match host {
        Some(host) => format!("{scheme}://{host}"),
        None => public.to_owned(),
    };
    let format = query.get("format");
    Addresses {
        base: format!("{root}/api/v2"),
        end: "/".to_owned(),
        query: format.map_or(String::new(), |format| format!("?format={format}")),
    }
}

/// The number in an address; what is none names nothing.
pub fn number(text: &str) -> ApiResult<i64> {
    text.parse().map_err(|_| ApiError::NotFound)
}

impl Call {
    /// The store.
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// The projects that the caller may see; `None` means all.
    pub async fn visible(&self) -> ApiResult<Option<Vec<i64>>> {
        let visible = self.store().visible_projects(self.who.0.as_ref()).await;
        let visible = visible.map_err(internal)?;
        Ok(match (visible, self.only) {
            (visible, None) => visible,
            (None, Some(only)) => Some(vec![only]),
            (Some(ids), Some(only)) => Some(ids.into_iter().filter(|id| *id == only).collect()),
        })
    }

    /// Where the caller may work on jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn workable(&self) -> ApiResult<Workable> {
        let workable = self.store().workable_projects(self.who.0.as_ref()).await;
        Ok(scope::within(workable.map_err(internal)?, self.only))
    }

    /// A project, and what the rules need to know of it.
    pub async fn project(&self, id: i64) -> ApiResult<(Project, ProjectFacts)> {
        let project = self.store().project(id).await.map_err(internal)?;
        let facts = self.who.facts(&self.state, &project).await?;
        Ok((project, facts))
    }

    /// The project that the query must name, when the caller may see it.
    ///
    /// # Errors
    /// 400 where none is named, 404 where there is none for the caller.
    pub async fn required_project(&self) -> ApiResult<(Project, ProjectFacts)> {
        let Some(id) = self.query.integer("project_id", 0)? else {
            return Err(ApiError::field("project_id", "This field is required."));
        };
        let (project, facts) = self.project(id).await?;
        self.permit(&facts, Action::View)?;
        Ok((project, facts))
    }

    /// What the rules need to know of these projects: a fixed number of statements for a page.
    pub async fn facts(&self, ids: &[i64]) -> ApiResult<HashMap<i64, ProjectFacts>> {
        let projects = self.store().projects_by_id(ids).await.map_err(internal)?;
        self.facts_of(&projects).await
    }

    /// The same where the projects have been read.
    pub async fn facts_of(&self, projects: &[Project]) -> ApiResult<HashMap<i64, ProjectFacts>> {
        let roles = match self.who.0.as_ref() {
            Some(user) => self.store().roles_of(user.id).await.map_err(internal)?,
            None => Vec::new(),
        };
        let roles: HashMap<i64, _> = roles.into_iter().collect();
        let facts = projects.iter().map(|project| {
            let facts = ProjectFacts {
                draft: project.draft,
                owner: project.owner_id,
                role: roles.get(&project.id).copied(),
            };
            (project.id, facts)
        });
        Ok(facts.collect())
    }

    /// Goes on where the caller may do this in a project of these facts.
    ///
    /// # Errors
    /// 404, 401 or 403, as the rules word the refusal.
    pub fn permit(&self, facts: &ProjectFacts, action: Action<'_>) -> ApiResult<()> {
        allow(decide(self.who.caller(), facts, action))
    }

    /// Goes on where the caller may write what belongs to no single project: pipelines, taxa …
    ///
    /// # Errors
    /// 401 or 403.
    pub fn permit_shared(&self) -> ApiResult<()> {
        match self.who.caller() {
            caller if caller.may_write_shared() => Ok(()),
            Caller::Anonymous => Err(ApiError::NotAuthenticated),
            Caller::User { .. } => Err(ApiError::Forbidden),
        }
    }

    /// The project that the query names; an unknown one narrows nothing, as in the reference.
    pub async fn active_project(&self) -> ApiResult<Option<i64>> {
        let Some(id) = self.query.integer("project_id", 0)? else {
            return Ok(None);
        };
        let project = found(self.store().project(id).await)?;
        Ok(project.map(|project| project.id))
    }

    /// The order that the query asks for, of those that a list has.
    pub fn order(&self, names: &[&'static str]) -> Vec<(&'static str, bool)> {
        let order = self.query.ordering(names);
        order.iter().map(|o| (o.field, o.descending)).collect()
    }

    /// The permit to make, change or remove a row of a model in a project of these facts.
    ///
    /// # Errors
    /// As [`Call::permit`].
    pub fn ask<V: Verb>(&self, facts: &ProjectFacts, model: &str) -> ApiResult<Permit<V>> {
        Permit::ask(self.who.caller(), facts, model).map_err(refusal)
    }

    /// What the caller may do with the list of a kind of rows, in the project that the query
    /// names.
    pub async fn list_words(&self, model: &str) -> ApiResult<Vec<String>> {
        let facts = match self.query.integer("project_id", 0)? {
            Some(id) => match self.project(id).await {
                Ok((_, facts)) => Some(facts),
                Err(ApiError::NotFound) => None,
                Err(other) => return Err(other),
            },
            None => None,
        };
        let words = list_permissions(self.who.caller(), facts.as_ref(), model);
        Ok(words.into_iter().map(str::to_owned).collect())
    }

    /// A page of rows in its envelope.
    pub fn envelope(
        &self,
        path: &str,
        page: Page,
        count: u64,
        rows: Vec<Value>,
        words: Vec<String>,
    ) -> Envelope<Value> {
        let url = self.addresses.bare(path);
        Envelope::new(&url, &self.query, page, count, rows, words)
    }
}

/// A row that a body names, or `None` where it does not exist.
///
/// # Errors
/// Errors of the database.
pub fn found<T>(row: Result<T, StoreError>) -> ApiResult<Option<T>> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(internal(other)),
    }
}
