//! What a worker's token is good for: fetching tasks of one project's jobs, posting their results
//! and registering pipelines there. The idea: a short list of addresses, and everything else is
//! refused before its handler runs, so what is added to the API later is closed to such tokens
//! until somebody opens it here.

use axum::http::Method;
use rest::{ApiError, ApiResult};
use store::job::offer::Workable;

use crate::AppState;
use crate::api::internal;

/// Methods and addresses below `/api/v2`. `{job}` is a job and `{project}` the project of the
/// token; the others are lists, which show nothing of other projects to it.
const OPEN: &[(&str, &str)] = &[
    ("GET", "/jobs"),
    ("GET", "/jobs/next"),
    ("GET", "/jobs/{job}"),
    ("GET", "/jobs/{job}/tasks"),
    ("POST", "/jobs/{job}/tasks"),
    ("POST", "/jobs/{job}/result"),
    ("POST", "/jobs/{job}/extend"),
    ("GET", "/projects"),
    ("GET", "/projects/{project}"),
    ("GET", "/projects/{project}/pipelines"),
    ("POST", "/projects/{project}/pipelines"),
];

/// Goes on where a token for this project may ask this.
///
/// # Errors
/// 403 for what no worker needs, 404 for what is in another project.
pub async fn check(state: &AppState, method: &Method, path: &str, project: i64) -> ApiResult<()> {
    let method = match method.as_str() {
        "HEAD" => "GET",
        other => other,
    };
    let path = path.strip_prefix("/api/v2").unwrap_or(path);
    let mut open = OPEN.iter().filter(|(open, _)| *open == method);
    let Some(named) = open.find_map(|(_, pattern)| fits(pattern, path)) else {
        return Err(ApiError::Forbidden);
    };
    let home = match named {
        Named::Nothing => return Ok(()),
        Named::Project(id) => id,
        Named::Job(id) => {
            let job = state.store.job(id).await.map_err(internal)?;
            job.project_id
        }
    };
    match home == project {
        true => Ok(()),
        false => Err(ApiError::NotFound),
    }
}

/// Those of the projects in which somebody may work that a token leaves over.
pub fn within(workable: Workable, only: Option<i64>) -> Workable {
    match (workable, only) {
        (workable, None) => workable,
        (Workable::All, Some(only)) => Workable::Projects(vec![only]),
        (Workable::Projects(ids), Some(only)) => {
            Workable::Projects(ids.into_iter().filter(|id| *id == only).collect())
        }
    }
}

/// What an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Nothing,
    Project(i64),
    Job(i64),
}

/// What a path names where it has this pattern.
fn fits(pattern: &str, path: &str) -> Option<Named> {
    let mut named = Named::Nothing;
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        match wanted {
            "{job}" => named = Named::Job(part.parse().ok()?),
            "{project}" => named = Named::Project(part.parse().ok()?),
            word if word == part => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        assert_eq!(
            fits("/jobs/{job}/tasks", "/jobs/7/tasks"),
            Some(Named::Job(7))
        );
        assert_eq!(fits("/jobs/{job}", "/jobs/next"), None);
        assert_eq!(fits("/jobs", "/jobs"), Some(Named::Nothing));
        assert_eq!(fits("/jobs", "/jobs/7"), None);
        assert_eq!(fits("/jobs/{job}", "/jobs/7/cancel"), None);
        assert_eq!(
            fits("/projects/{project}/pipelines", "/projects/3/pipelines"),
            Some(Named::Project(3))
        );
    }

    #[test]
    fn a_token_leaves_one_project_over() {
        let some = || Workable::Projects(vec![1, 2]);
        assert_eq!(within(some(), None), some());
        assert_eq!(within(some(), Some(2)), Workable::Projects(vec![2]));
        assert_eq!(within(some(), Some(3)), Workable::Projects(vec![]));
        assert_eq!(within(Workable::All, Some(3)), Workable::Projects(vec![3]));
    }
}
