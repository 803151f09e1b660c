//! Who asks. A request without a token is anonymous; one with a bad token is refused whatever
//! it asks for, as Django REST framework does (`browsable-api.md` §6).

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::permission::{Caller, Decision, ProjectFacts};
use rest::{ApiError, ApiResult};
use store::project::Project;
use store::user::User;

use crate::AppState;
use crate::api::internal;

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
        Decision::Hidden => Err(ApiError::NotFound),
        Decision::Unauthenticated => Err(ApiError::NotAuthenticated),
        Decision::Forbidden => Err(ApiError::Forbidden),
    }
}

impl FromRequestParts<AppState> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Who> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else {
            return Ok(Who(None));
        };
        let bad = ApiError::BadToken;
        let text = header.to_str().map_err(|_| {
            bad("Invalid token header. Token string should not contain invalid characters.")
        })?;
        let mut words = text.split_whitespace();
        if !words
            .next()
            .is_some_and(|w| w.eq_ignore_ascii_case("token"))
        {
            return Ok(Who(None)); // another scheme: not ours to read
        }
        let token = words
            .next()
            .ok_or(bad("Invalid token header. No credentials provided."))?;
        if words.next().is_some() {
            return Err(bad(
                "Invalid token header. Token string should not contain spaces.",
            ));
        }
        let user = state.store.user_by_token(token).await.map_err(internal)?;
        user.map(|user| Who(Some(user)))
            .ok_or(bad("Invalid token."))
    }
}
