//! Who asks. A token or the cookie of a signed-in browser says so; without either a request is
//! anonymous. A token that is none is refused whatever is asked for, as Django REST framework
//! does (`browsable-api.md` §6), also where a cookie is sent beside it.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::permission::{Caller, Decision, ProjectFacts};
use rest::{ApiError, ApiResult};
use store::project::Project;
use store::user::User;

use crate::AppState;
use crate::api::internal;

pub mod cookie;
pub mod forgery;
pub mod known;
pub mod limit;
pub mod scope;

use known::Known;

/// The person behind a request, if any.
#[derive(Clone, Debug)]
pub struct Who(pub Option<User>);

impl Who {
    /// As permission rules see it.
    pub fn caller(&self) -> Caller {
        match &self.0 {
            None => Caller::Anonymous,
            Some(user) => Caller::User {
                id: user.id,
                superuser: user.is_superuser,
                staff: user.is_staff,
            },
        }
    }

    /// What the rules need to know of a project.
    pub async fn facts(&self, state: &AppState, project: &Project) -> ApiResult<ProjectFacts> {
        let facts = state.store.project_facts(project, self.0.as_ref()).await;
        facts.map_err(internal)
    }
}

/// Turns a decision into the answer that refuses.
pub fn allow(decision: Decision) -> ApiResult<()> {
    match decision {
        Decision::Allowed => Ok(()),
        other => Err(refusal(other)),
    }
}

/// The answer that refuses.
pub fn refusal(decision: Decision) -> ApiError {
    match decision {
        Decision::Hidden => ApiError::NotFound,
        Decision::Unauthenticated => ApiError::NotAuthenticated,
        Decision::Forbidden | Decision::Allowed => ApiError::Forbidden,
    }
}

impl FromRequestParts<AppState> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &AppState) -> ApiResult<Who> {
        Known::of(&parts.extensions).who()
    }
}

/// The token that a request shows; other schemes are not ours to read.
pub fn token(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let bad = |words| Err(ApiError::BadToken(words));
    let Ok(text) = header.to_str() else {
        return bad("Invalid token header. Token string should not contain invalid characters.");
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [scheme, ..] if !scheme.eq_ignore_ascii_case("token") => Ok(None),
        [] => Ok(None),
        [_] => bad("Invalid token header. No credentials provided."),
        [_, token] => Ok(Some(token.to_owned())),
        _ => bad("Invalid token header. Token string should not contain spaces."),
    }
}
