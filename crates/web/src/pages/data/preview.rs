//! What a method would pick, before anything is saved: how many captures, and the first of them. The
//! idea: the same plan and the same sampler as the job that fills the set; where choosing takes
//! longer than a page may, it says so instead of guessing.

use std::time::Duration;

use domain::sampling::{Filter, Method, Plan};
use rest::Zone;
use serde_json::{Map, Value};
use store::capture_set::CaptureSet;

use crate::AppState;
use crate::media;
use crate::pages::PageError;
use crate::pages::at::At;
use crate::pages::columns::{counted, grouped};
use crate::pages::model;

/// How long choosing may take: somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Captures that are shown.
const SHOWN: usize = 20;

/// A capture that would be picked.
pub struct Picked {
    pub id: i64,
    pub taken: String,
    pub thumbnail: String,
}

/// What a method would pick.
pub struct Preview {
    pub words: String,
    pub picked: Vec<Picked>,
}

/// What this method with these settings would pick of a project now.
///
/// # Errors
/// Errors of the database. What is wrong with the settings is the inner one.
pub async fn of(
    state: &AppState,
    at: &At,
    method: &str,
    settings: &Map<String, Value>,
) -> Result<Result<Preview, String>, PageError> {
    let seed = rand::random::<u32>();
    let mut plan = match Plan::read(method, settings, seed.into()) {
        Ok(plan) => plan,
        Err(wrong) => return Ok(Err(wrong.to_string())),
    };
    plan.filter.on(Zone::current().local(store::now()).date());
    let all = state.store.project_captures(at.project.id).await?;
    let drawn = plan.draws() && !settings.contains_key("seed");
    let (count, first) = if plan.method == Method::Full && plan.filter == Filter::default() {
        let of = [at.project.id];
        let some = state.store.newest_captures(Some(&of), SHOWN as u64).await?;
        (all, some.iter().map(|capture| capture.id).collect())
    } else {
        let set = nothing_yet(at.project.id, method, settings);
        let chosen = state.store.sample(&set, plan, |_| {});
        match tokio::time::timeout(PATIENCE, chosen).await {
            Ok(chosen) => {
                let mut chosen = chosen?;
                let count = chosen.len() as u64;
                chosen.truncate(SHOWN);
                (count, chosen)
            }
            Err(_) => {
                let words = format!(
                    "Choosing among {} captures takes longer than a second, and a page does not wait \
                     for it: save the set and fill it, and its job says how many it picks.",
                    grouped(all)
                );
                return Ok(Ok(Preview {
                    words,
                    picked: Vec::new(),
                }));
            }
        }
    };
    let mut words = match count {
        0 => format!(
            "It would pick none of {}.",
            counted(all, "capture", "captures")
        ),
        1 => format!("It would pick one capture of {}.", grouped(all)),
        _ => format!(
            "It would pick {} captures of {}.",
            grouped(count),
            grouped(all)
        ),
    };
    if drawn && count > 0 {
        words += " They are drawn by lot: without a seed another draw picks others.";
    }
    Ok(Ok(Preview {
        words,
        picked: shown(state, &first).await?,
    }))
}

/// A set that stands nowhere.
fn nothing_yet(project: i64, method: &str, settings: &Map<String, Value>) -> CaptureSet {
    let at = store::now();
    CaptureSet {
        id: 0,
        project_id: project,
        name: String::new(),
        description: String::new(),
        method: method.to_owned(),
        kwargs: Value::Object(settings.clone()),
        captures_count: 0,
        found_count: 0,
        processed_count: 0,
        occurrences_count: 0,
        taxa_count: 0,
        counted_at: None,
        created_at: at,
        updated_at: at,
    }
}

async fn shown(state: &AppState, ids: &[i64]) -> Result<Vec<Picked>, PageError> {
    let rows = state.store.captures_by_id(ids).await?;
    let picked = |id: &i64| {
        let capture = rows.iter().find(|capture| capture.id == *id)?;
        Some(Picked {
            id: capture.id,
            taken: model::taken(capture.taken_at),
            thumbnail: media::thumbnail::page_address(&state.links, capture.id),
        })
    };
    Ok(ids.iter().filter_map(picked).collect())
}
