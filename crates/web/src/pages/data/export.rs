//! Exports on pages: files to download, and the form that has another one written.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::state::JobState;
use domain::storage::Location;
use rest::query::Query;
use serde_json::{Map, json};
use store::export::{Export, ExportFilter};

use crate::AppState;
use crate::auth::Who;
use crate::media;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::columns::counted;
use crate::pages::form::{Sent, Shown};
use crate::pages::model::{self, Ago};
use crate::pages::{PageError, said};

/// Exports of a page, the newest.
const ROWS: u64 = 25;

/// What a format is for, in words.
const FORMATS: &[(&str, &str)] = &[
    (domain::export::CSV, "CSV, a line for each occurrence"),
    (
        domain::export::JSON,
        "JSON, whole occurrences as the API shows them",
    ),
    (domain::export::DARWIN_CORE, "Darwin Core archive, for GBIF"),
    (
        domain::export::PARQUET,
        "Parquet, for programs that analyse",
    ),
];

/// An export.
pub struct ExportRow {
    pub id: i64,
    pub format: &'static str,
    /// What narrows it.
    pub narrowed: String,
    pub word: &'static str,
    pub tone: &'static str,
    pub job: Option<i64>,
    /// How many records are in it, in words.
    pub records: String,
    pub size: String,
    pub made: Ago,
    /// Where its file is, once it is there.
    pub file: Option<String>,
}

/// The formats as choices.
pub fn formats() -> Vec<(&'static str, &'static str)> {
    FORMATS.to_vec()
}

/// The newest exports, and how many more there are.
pub async fn rows(state: &AppState, at: &At) -> Result<(Vec<ExportRow>, u64), PageError> {
    let filter = ExportFilter {
        project_id: Some(at.project.id),
        order: vec![("id", true)],
        ..Default::default()
    };
    let (exports, count) = state.store.exports(&filter, ROWS, 0).await?;
    let ids: Vec<i64> = exports.iter().map(|export| export.id).collect();
    let jobs = state.store.jobs_of_exports(&ids).await?;
    let row = |export: &Export| {
        let job = jobs.get(&export.id);
        let is = job.map_or(JobState::Unknown, |job| job.job_state());
        let key = export.file_url.as_deref();
        let key = key.and_then(|url| url.strip_prefix("/media/"));
        let file = key.map(|key| Location::Kept {
            key: key.to_owned(),
            open: !at.facts.draft,
        });
        let known = FORMATS.iter().find(|(key, _)| *key == export.format);
        ExportRow {
            id: export.id,
            format: known.map_or("Another format", |(_, words)| words),
            narrowed: narrowed(&export.filters_display),
            word: is.word(),
            tone: model::tone(is),
            job: job.map(|job| job.id),
            records: counted(export.record_count.unsigned_abs(), "record", "records"),
            size: rest::size::display(export.file_size),
            made: Ago::of(export.created_at),
            file: file.map(|place| media::page_address(&state.links, &place)),
        }
    };
    let rows: Vec<ExportRow> = exports.iter().map(row).collect();
    let more = count.saturating_sub(rows.len() as u64);
    Ok((rows, more))
}

/// What narrows an export: names where there are some.
fn narrowed(filters: &serde_json::Value) -> String {
    let pairs = filters.as_object().into_iter().flatten();
    let pairs = pairs.filter(|(_, value)| !value.is_null());
    let words = pairs.map(|(name, value)| {
        let name = if name == "collection" {
            "capture set"
        } else {
            name.as_str()
        };
        match value["name"].as_str().or_else(|| value.as_str()) {
            Some(text) => format!("{name} {text}"),
            None => format!("{name} {value}"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Has an export written.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let mut filters = Map::new();
    if let Some(set) = sent.filled("set") {
        filters.insert("collection_id".to_owned(), json!(set));
    }
    let body = json!({
        "project": project,
        "format": sent.text("format"),
        "filters": filters,
    });
    match act.post("/exports/", body).await {
        Ok(made) => {
            let job = made["job"]["id"].as_i64().unwrap_or_default();
            let words = format!(
                "Job {job} writes the export; reload this page when it has ended to see its file."
            );
            Ok(said::go(&state.links, &at.path("/data#exports"), &words))
        }
        Err(refused) => {
            let form = Shown::again(sent, refused)?;
            let page = super::page(&state, at, &Query::default(), form).await?;
            Ok(page.into_response())
        }
    }
}

/// Removes an export with its file.
pub async fn remove(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let export = state.store.export(id).await?;
    at.must_own(export.project_id)?;
    let gone = act.delete(&format!("/exports/{id}/")).await;
    let words = format!("Export {id} was removed with its file and its job.");
    let words = gone.map(|_| words).or_else(Refused::words)?;
    Ok(said::go(&state.links, &at.path("/data#exports"), &words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_words() {
        assert_eq!(FORMATS.len(), domain::export::FORMATS.len());
        for format in domain::export::FORMATS {
            assert!(
                FORMATS.iter().any(|(key, _)| *key == format.key),
                "{}",
                format.key
            );
        }
    }

    #[test]
    fn what_narrows_an_export_is_named() {
        let filters = json!({"collection": {"id": 3, "name": "Night"}, "taxon": 7, "x": null});
        assert_eq!(narrowed(&filters), "capture set Night, taxon 7");
    }
}
