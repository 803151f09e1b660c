//! What a job would do, said before it is started: how many captures it would find, and who would
//! work on them. The idea: it is read as the job itself would read it, within bounds, so that a
//! look costs a person no wait and the server no more than a page.

use std::time::Duration;

use domain::job::{DispatchMode, EXPORT, KindSpec, ML, POPULATE, REGROUP, SYNC};
use domain::session::gap;
use store::capture::Scope;
use store::capture::ahead::{Ahead, Bounds};
use store::job::dispatch;
use store::pipeline::Pipeline;
use store::project::flag;
use store::service::{ONLINE_SECONDS, ProcessingService, is_online};
use store::station::Station;
use store::{Store, StoreError, StoreResult};

use super::fields::{self, CAPTURE, SET, STATION};
use crate::AppState;
use crate::pages::at::At;
use crate::pages::columns::{counted, grouped, noun};
use crate::pages::form::Shown;
use crate::pages::model::{self, Ago};

/// How far the captures are looked at.
const BOUNDS: Bounds = Bounds {
    captures: 10_000,
    time: Duration::from_millis(60),
};
/// Occurrences that are counted.
const COUNTED: u64 = 10_000;

/// A service that would work on it.
pub struct ServiceView {
    pub name: String,
    pub word: &'static str,
    pub tone: &'static str,
    pub seen: Option<Ago>,
}

/// What is said.
#[derive(Default)]
pub struct AheadView {
    pub lines: Vec<String>,
    /// What will not go well.
    pub warnings: Vec<String>,
    pub services: Vec<ServiceView>,
}

/// A row that a form names, if it belongs to the project.
fn named<T>(found: StoreResult<T>, is_ours: impl Fn(&T) -> bool) -> StoreResult<Option<T>> {
    match found {
        Ok(row) => Ok(Some(row).filter(is_ours)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Looks, as far as the form says enough.
///
/// # Errors
/// Errors of the database.
pub async fn look(
    state: &AppState,
    at: &At,
    kind: &KindSpec,
    form: &Shown,
) -> StoreResult<Option<AheadView>> {
    let store = &state.store;
    let number = |field: &str| form.value(field).trim().parse::<i64>().ok();
    let mut view = AheadView::default();
    match kind.key {
        ML => {
            let Some(id) = number("pipeline_id") else {
                return Ok(None);
            };
            let Some(pipeline) = named(store.pipeline(id).await, |_| true)? else {
                return Ok(None);
            };
            let field = fields::scope(form.value("scope")).0;
            let Some((scope, name)) = scope(store, at, field, number(field)).await? else {
                return Ok(None);
            };
            captures(
                store,
                at,
                &mut view,
                (scope, name),
                &pipeline,
                number("limit"),
            )
            .await?;
            workers(store, at, &mut view, &pipeline).await?;
        }
        SYNC | REGROUP => {
            let Some(station) = station(store, at, number(STATION)).await? else {
                return Ok(None);
            };
            match kind.key {
                SYNC => source(store, &mut view, &station).await?,
                _ => sessions(at, &mut view, &station),
            }
        }
        EXPORT => {
            if form.value("format").is_empty() {
                return Ok(None);
            }
            exported(store, at, &mut view, number(SET)).await?;
        }
        other => {
            let Some((scope, name)) = scope(store, at, SET, number(SET)).await? else {
                return Ok(None);
            };
            let captures = captures_of(store, &scope).await?;
            view.lines.push(if other == POPULATE {
                format!("{name} holds {captures} now. What its method picks replaces them.")
            } else if form.value("dry_run").is_empty() {
                format!(
                    "It looks at what was found on the {captures} of {name}, and writes \
                         new classifications beside those that are there."
                )
            } else {
                format!(
                    "It looks at what was found on the {captures} of {name}, says in its \
                         log what it would change, and changes nothing."
                )
            });
        }
    }
    Ok(Some(view))
}

/// "2,314 captures": how much a scope holds.
async fn captures_of(store: &Store, scope: &Scope) -> StoreResult<String> {
    let size = store.scope_size(scope).await?;
    Ok(counted(size, "capture", "captures"))
}

/// What a form chose to work on, and what it is called.
async fn scope(
    store: &Store,
    at: &At,
    field: &str,
    id: Option<i64>,
) -> StoreResult<Option<(Scope, String)>> {
    let home = at.project.id;
    let Some(id) = id else { return Ok(None) };
    Ok(match field {
        CAPTURE => named(store.capture(id).await, |row| row.project_id == Some(home))?
            .map(|_| (Scope::Single(id), format!("capture {id}"))),
        STATION => station(store, at, Some(id))
            .await?
            .map(|row| (Scope::Station(id), format!("station “{}”", row.name))),
        _ => named(store.capture_set(id).await, |row| row.project_id == home)?
            .map(|row| (Scope::Set(id), format!("capture set “{}”", row.name))),
    })
}

async fn station(store: &Store, at: &At, id: Option<i64>) -> StoreResult<Option<Station>> {
    let Some(id) = id else { return Ok(None) };
    let home = Some(at.project.id);
    named(store.station(id).await, |row| row.project_id == home)
}

/// "2,314 captures, 1,980 not yet processed by this pipeline."
async fn captures(
    store: &Store,
    at: &At,
    view: &mut AheadView,
    (scope, name): (Scope, String),
    pipeline: &Pipeline,
    limit: Option<i64>,
) -> StoreResult<()> {
    if flag(&at.project, "reprocess_all_images") {
        let captures = captures_of(store, &scope).await?;
        view.lines.push(format!(
            "{captures} of {name}. This project processes captures again, so all of them \
             are worked on."
        ));
    } else {
        let algorithms = store.algorithms_of(pipeline.id).await?;
        let ahead = store.look_ahead(&scope, &algorithms, BOUNDS).await?;
        view.lines.push(told(&ahead, &name));
        if ahead.whole && ahead.left == 0 {
            let nothing = "There is nothing to do: the job would end at once.";
            view.warnings.push(nothing.to_owned());
        }
    }
    if let Some(limit) = limit.filter(|limit| *limit > 0) {
        let most = limit.unsigned_abs();
        view.lines.push(format!(
            "At most {} of them {} worked on in this job.",
            grouped(most),
            noun(most, "is", "are")
        ));
    }
    Ok(())
}

fn told(ahead: &Ahead, name: &str) -> String {
    let captures = counted(ahead.captures, "capture", "captures");
    let left = grouped(ahead.left);
    match ahead.whole {
        true => format!("{captures} of {name}, {left} not yet processed by this pipeline."),
        false => format!(
            "{captures} of {name}; of the first {} that were looked at, {left} {} not yet \
             processed by this pipeline.",
            grouped(ahead.looked_at),
            noun(ahead.left, "is", "are")
        ),
    }
}

/// Who would work on the images.
async fn workers(
    store: &Store,
    at: &At,
    view: &mut AheadView,
    pipeline: &Pipeline,
) -> StoreResult<()> {
    let project = at.project.id;
    let minute = chrono::Duration::seconds(ONLINE_SECONDS);
    let seen = |service: &ProcessingService, online: bool| ServiceView {
        name: service.name.clone(),
        word: if online { "online" } else { "not online" },
        tone: if online { "success" } else { "waiting" },
        seen: service.last_seen_at.map(Ago::of),
    };
    if dispatch::mode(ML, Some(pipeline.id), &at.project) == DispatchMode::AsyncApi {
        let services = store.pull_services(project, pipeline.id).await?;
        let live = store.live_workers(project, pipeline.id, minute).await?;
        let online = services.iter().any(|service| is_online(service, minute));
        view.lines.push(match live {
            1 => "Remote workers ask for its images: 1 did in the last minute.".to_owned(),
            n => format!("Remote workers ask for its images: {n} did in the last minute."),
        });
        if live == 0 && !online {
            view.warnings.push(match at.project.worker_wait_minutes {
                Some(minutes) => format!(
                    "No worker for this pipeline is online. The images wait until one asks; after \
                     {} without any sign of one the job fails.",
                    counted(minutes.unsigned_abs().into(), "minute", "minutes")
                ),
                None => "No worker for this pipeline is online. The images wait until one asks."
                    .to_owned(),
            });
        }
        let services = services.iter();
        view.services = services.map(|s| seen(s, is_online(s, minute))).collect();
        return Ok(());
    }
    let services = store.push_services(project, pipeline.id).await?;
    let live = |service: &ProcessingService| service.last_seen_live == Some(true);
    if services.is_empty() {
        let words = "No processing service offers this pipeline to this project: the job would \
                     fail. Add one under Processing.";
        view.warnings.push(words.to_owned());
    } else if !services.iter().any(live) {
        let words = "No service that offers this pipeline answered when it was last asked.";
        view.warnings.push(words.to_owned());
    }
    view.services = services.iter().map(|s| seen(s, live(s))).collect();
    Ok(())
}

/// From where a sync reads.
async fn source(store: &Store, view: &mut AheadView, station: &Station) -> StoreResult<()> {
    let known = station.captures_count.max(0).unsigned_abs();
    let known = counted(known, "capture", "captures");
    let name = &station.name;
    let Some(id) = station.source_id else {
        let words = format!("Station “{name}” has no storage source: the job would fail.");
        view.warnings.push(words);
        return Ok(());
    };
    let source = store.source(id).await?;
    let folder = station.source_subdir.as_deref().unwrap_or_default();
    let folder = match folder.trim_matches('/') {
        "" => String::new(),
        folder => format!(", folder “{folder}”"),
    };
    view.lines.push(format!(
        "It reads what lies in storage source “{}”{folder}, and adds to station “{name}” what is \
         new there. The station has {known} now.",
        source.name
    ));
    view.lines.push(match station.source_checked_at {
        Some(at) => format!("It was last read {}.", model::exact(at)),
        None => "It has not been read yet.".to_owned(),
    });
    Ok(())
}

/// How sessions are made anew.
fn sessions(at: &At, view: &mut AheadView, station: &Station) {
    let gap = gap(Some(at.project.session_time_gap_seconds.into()));
    let captures = station.captures_count.max(0).unsigned_abs();
    let sessions = station.sessions_count.max(0).unsigned_abs();
    view.lines.push(format!(
        "The {} of station “{}” {} put into sessions again; a new one begins after {} without a \
         capture. There {} {} now.",
        counted(captures, "capture", "captures"),
        station.name,
        noun(captures, "is", "are"),
        model::span(gap),
        noun(sessions, "is", "are"),
        counted(sessions, "session", "sessions"),
    ));
}

/// What an export holds.
async fn exported(
    store: &Store,
    at: &At,
    view: &mut AheadView,
    set: Option<i64>,
) -> StoreResult<()> {
    if let Some((scope, name)) = scope(store, at, SET, set).await? {
        let captures = captures_of(store, &scope).await?;
        view.lines.push(format!(
            "It writes the occurrences that were seen on the {captures} of {name}."
        ));
        return Ok(());
    }
    let count = store.exportable_up_to(at.project.id, COUNTED).await?;
    view.lines.push(match count {
        0 => "There is no occurrence to write yet: the file would be empty.".to_owned(),
        count if count > COUNTED => {
            let most = grouped(COUNTED);
            format!("It writes all occurrences of the project, more than {most}.")
        }
        1 => "It writes the one occurrence of the project.".to_owned(),
        count => format!(
            "It writes all {} occurrences of the project.",
            grouped(count)
        ),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_looked_at_is_not_claimed() {
        let mut ahead = Ahead {
            captures: 2314,
            looked_at: 2314,
            left: 1980,
            whole: true,
        };
        assert_eq!(
            told(&ahead, "capture set “A”"),
            "2,314 captures of capture set “A”, 1,980 not yet processed by this pipeline."
        );
        ahead.whole = false;
        ahead.looked_at = 2000;
        assert!(told(&ahead, "it").contains("of the first 2,000 that were looked at, 1,980 are"));
        (ahead.captures, ahead.left) = (1, 1);
        assert!(told(&ahead, "it").starts_with("1 capture of it; "));
        assert!(told(&ahead, "it").contains(", 1 is not yet"));
    }
}
