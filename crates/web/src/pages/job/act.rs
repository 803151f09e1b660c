//! What a person does with a job from its page: asked of the API, and said on the page that
//! follows.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::AppState;
use crate::auth::Who;
use crate::pages::act::Act;
use crate::pages::form::Sent;
use crate::pages::{PageError, said};

/// Does what the form says.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let (job, at) = super::find(&state, &who, project, id).await?;
    let here = at.path(&format!("/jobs/{}", job.id));
    let what = sent.text("act");
    let done = match what {
        "delete" => act.delete(&format!("/jobs/{id}/")).await,
        "run" | "retry" | "cancel" | "pause" | "resume" => {
            act.post(&format!("/jobs/{id}/{what}/"), json!({})).await
        }
        "retry-failed" => {
            let path = format!("/jobs/{id}/retry/?failed_only=1");
            act.post(&path, json!({})).await
        }
        _ => {
            let words = "Nothing was done: the page that sent this is too old.";
            return Ok(said::go(&state.links, &here, words));
        }
    };
    match done {
        Ok(_) if what == "delete" => {
            let words = format!("Job {id} was deleted.");
            Ok(said::go(&state.links, &at.path("/jobs"), &words))
        }
        Ok(answer) => Ok(said::go(&state.links, &here, &sentence(id, what, &answer))),
        Err(refused) => {
            let words = format!("Nothing was done. {}", refused.words()?);
            Ok(said::go(&state.links, &here, &words))
        }
    }
}

/// What was done, by what the API answered.
fn sentence(id: i64, act: &str, answer: &Value) -> String {
    if answer["id"] != id {
        let other = &answer["id"];
        return format!("Job {other} does this already, so job {id} stays as it is.");
    }
    match (act, answer["status"].as_str().unwrap_or_default()) {
        ("run", _) => format!("Job {id} was queued."),
        ("retry" | "retry-failed", _) => format!("Job {id} was queued again."),
        ("pause", _) => {
            format!("Job {id} is paused: no image is handed out until somebody resumes it.")
        }
        ("resume", _) => format!("Job {id} goes on."),
        (_, "REVOKED") => format!("Job {id} was cancelled."),
        (_, "CANCELING") => format!("Job {id} stops as soon as its runner has heard of it."),
        _ => format!("Job {id} had ended before it could be cancelled."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_the_api_did() {
        let answer = |id: i64, status: &str| json!({"id": id, "status": status});
        let said = |act, id, status| sentence(7, act, &answer(id, status));
        assert_eq!(said("cancel", 7, "REVOKED"), "Job 7 was cancelled.");
        assert!(said("cancel", 7, "CANCELING").contains("stops"));
        assert!(said("cancel", 7, "SUCCESS").contains("had ended"));
        assert!(said("run", 9, "STARTED").starts_with("Job 9 does this already"));
    }
}
