//! Workers on pages: the machines that fetch tasks, as the API lists them.

use chrono::DateTime;
use serde_json::Value;

use crate::pages::PageError;
use crate::pages::act::{Act, Refused};
use crate::pages::at::At;
use crate::pages::columns::grouped;
use crate::pages::model::{Ago, short};
use crate::pages::offered::NAME;

/// Workers of a page, those last heard of.
const ROWS: u64 = 15;

/// A machine.
pub struct WorkerRow {
    pub name: String,
    pub host: String,
    pub version: String,
    pub word: &'static str,
    pub tone: &'static str,
    pub seen: Option<Ago>,
    pub holds: String,
    /// The job that it last worked on.
    pub job: Option<i64>,
    pub done: String,
    pub failed: String,
    /// Images per second, while it works.
    pub rate: Option<String>,
}

/// The machines of a project.
pub struct Workers {
    pub rows: Vec<WorkerRow>,
    /// How many more there are than are shown.
    pub more: u64,
}

/// The machines that were last heard of.
pub async fn rows(at: &At, act: &Act) -> Result<Workers, PageError> {
    let path = format!("/workers/?project_id={}&limit={ROWS}", at.project.id);
    let answer = match act.get(&path).await {
        Ok(answer) => answer,
        Err(Refused::Error(error)) => return Err(error),
        Err(Refused::Fields(wrong)) => {
            return Err(rest::ApiError::Internal(format!("{wrong:?}")).into());
        }
    };
    let rows: Vec<WorkerRow> = answer["results"]
        .as_array()
        .into_iter()
        .flatten()
        .map(row)
        .collect();
    let count = answer["count"].as_u64().unwrap_or(0);
    Ok(Workers {
        more: count.saturating_sub(rows.len() as u64),
        rows,
    })
}

fn row(value: &Value) -> WorkerRow {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| grouped(value[name].as_u64().unwrap_or(0));
    let live = value["is_live"].as_bool().unwrap_or(false);
    let seen = DateTime::parse_from_rfc3339(&text("last_seen")).ok();
    let rate = value["images_per_second"].as_f64().filter(|_| live);
    WorkerRow {
        name: short(&text("name"), NAME),
        host: short(&text("host"), NAME),
        version: short(&text("version"), NAME),
        word: if live { "online" } else { "silent" },
        tone: if live { "success" } else { "waiting" },
        seen: seen.map(|at| Ago::of(at.to_utc())),
        holds: number("leased"),
        job: value["job"]["id"].as_i64(),
        done: number("done"),
        failed: number("failed"),
        rate: rate.map(|rate| format!("{rate:.1}/s")),
    }
}
