//! Several jobs at once: run, retry, cancel or delete those that were selected, and say of each
//! kind of outcome how many there were. What can be done is the API's to say, job by job.

use axum::extract::{Path, State};
use axum::response::Response;
use rest::query::Query;
use serde_json::{Value, json};

use crate::AppState;
use crate::auth::Who;
use crate::pages::act::Act;
use crate::pages::at::{At, Part};
use crate::pages::form::Sent;
use crate::pages::{PageError, said};

/// Refusals that are told in full.
const TOLD: usize = 3;

/// Acts on the selected jobs and goes back to the list.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Jobs).await?;
    let selected = state.store.jobs_by_id(&sent.numbers("ids")).await?;
    let here = selected.iter().filter(|job| job.project_id == project);
    let ids = here.map(|job| job.id).collect();
    done(&state, &act, &sent, &at.path("/jobs"), ids).await
}

/// Acts on these jobs as the form asks, and goes back to the page of the list that it was on.
///
/// # Errors
/// What no sentence of a page tells: there is nothing here, or the person may not.
pub async fn done(
    state: &AppState,
    act: &Act,
    sent: &Sent,
    list: &str,
    ids: Vec<i64>,
) -> Result<Response, PageError> {
    let back = match Query::parse(sent.text("back")).with(&[]) {
        query if query.is_empty() => list.to_owned(),
        query => format!("{list}?{query}"),
    };
    if ids.is_empty() {
        let words = "No job was selected, so nothing was done.";
        return Ok(said::go(&state.links, &back, words));
    }
    let action = sent.text("action");
    let asked = json!({"action": action, "ids": ids});
    let words = match act.post("/jobs/bulk/", asked).await {
        Ok(answer) => sentence(
            action,
            answer["results"].as_array().map_or(&[][..], Vec::as_slice),
        ),
        Err(refused) => format!("Nothing was done. {}", refused.words()?),
    };
    Ok(said::go(&state.links, &back, &words))
}

/// What was done, in a sentence: "3 cancelled; 1 could not be cancelled: job 7: …".
fn sentence(action: &str, results: &[Value]) -> String {
    let done = match action {
        "run" => "queued",
        "retry" => "queued again",
        "cancel" => "cancelled",
        _ => "deleted",
    };
    let mut count = 0;
    let mut ended = 0;
    let mut refused = Vec::new();
    for result in results {
        let status = result["status"].as_str().unwrap_or_default();
        if result["ok"] != true {
            let why = result["error"].as_str().unwrap_or("it was refused");
            refused.push(format!(
                "job {}: {}",
                result["id"],
                why.trim_end_matches('.')
            ));
        } else if action == "cancel" && matches!(status, "SUCCESS" | "FAILURE") {
            ended += 1;
        } else {
            count += 1;
        }
    }
    let mut parts = Vec::new();
    if count > 0 || (ended == 0 && refused.is_empty()) {
        parts.push(format!("{count} {done}"));
    }
    if ended > 0 {
        parts.push(format!("{ended} had ended before"));
    }
    if !refused.is_empty() {
        let more = match refused.len() - refused.len().min(TOLD) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let told = refused[..refused.len().min(TOLD)].join("; ");
        parts.push(format!(
            "{} could not be {done}: {told}{more}",
            refused.len()
        ));
    }
    format!("{}.", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_counted_and_few_refusals_are_told() {
        let done = |id: i64, status: &str| json!({"id": id, "ok": true, "status": status});
        let no = |id: i64| json!({"id": id, "ok": false, "error": "Not now.", "code": 409});
        let results = [
            done(1, "REVOKED"),
            done(2, "CANCELING"),
            done(3, "SUCCESS"),
            no(7),
        ];
        assert_eq!(
            sentence("cancel", &results),
            "2 cancelled; 1 had ended before; 1 could not be cancelled: job 7: Not now."
        );
        assert_eq!(sentence("run", &[done(1, "PENDING")]), "1 queued.");
        assert_eq!(
            sentence("delete", &[no(1), no(2), no(3), no(4), no(5)]),
            "5 could not be deleted: job 1: Not now; job 2: Not now; job 3: Not now; and 2 more."
        );
    }
}
