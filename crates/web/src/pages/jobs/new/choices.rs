//! What can be chosen for a new job: only what its kind needs, the first of each by name, and
//! always what is chosen already.

use domain::capture::needs_category_map;
use domain::job::{EXPORT, KindSpec, ML, POPULATE, POST_PROCESSING, REGROUP, SYNC};
use store::algorithm::AlgorithmFilter;
use store::capture_set::{CaptureSetFilter, CaptureSetOrder};
use store::pipeline::list::PipelineFilter;
use store::station::StationFilter;
use store::taxa_list::TaxaListFilter;
use store::{Store, StoreResult};

use super::Choice;
use super::fields::{SET, STATION};
use crate::pages::at::At;
use crate::pages::columns::counted;
use crate::pages::form::Shown;
use crate::pages::model::short;
use crate::pages::offered::{MOST, NAME};

/// The longest label of a choice, in letters: a name, and how many captures it has.
const LABEL: usize = NAME + 30;

/// The choices of a form.
#[derive(Default)]
pub struct Choices {
    pub pipelines: Vec<Choice>,
    pub sets: Vec<Choice>,
    /// How many sets are not among them.
    pub more_sets: u64,
    pub stations: Vec<Choice>,
    pub more_stations: u64,
    pub lists: Vec<Choice>,
    pub algorithms: Vec<Choice>,
    pub formats: Vec<Choice>,
    pub ranks: Vec<Choice>,
}

impl Choices {
    /// Reads those that a kind needs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(
        store: &Store,
        at: &At,
        kind: &KindSpec,
        form: &Shown,
    ) -> StoreResult<Choices> {
        let mut choices = Choices::default();
        let project = at.project.id;
        if kind.key == ML {
            let which = PipelineFilter {
                enabled_for: Some(project),
                order: vec![("name", false)],
                ..Default::default()
            };
            let (mut rows, _) = store.pipelines_page(&which, MOST, 0).await?;
            if let Some(id) = other(form, "pipeline_id", rows.iter().map(|row| row.id)) {
                let one = PipelineFilter {
                    id: Some(id),
                    ..which
                };
                rows.extend(store.pipelines_page(&one, 1, 0).await?.0);
            }
            let rows = rows.into_iter().map(|row| (row.id, row.name));
            choices.pipelines = chosen(form, "pipeline_id", rows);
        }
        if matches!(kind.key, ML | POPULATE | EXPORT | POST_PROCESSING) {
            choices.read_sets(store, project, form).await?;
        }
        if matches!(kind.key, ML | SYNC | REGROUP) {
            choices.read_stations(store, project, form).await?;
        }
        if kind.key == POST_PROCESSING {
            choices.read_settings(store, project, form).await?;
        }
        choices.alone(kind, form);
        if kind.key == EXPORT {
            let formats = domain::export::FORMATS.iter();
            choices.formats = formats
                .map(|format| Choice {
                    value: format.key.to_owned(),
                    name: format!("{} (.{})", words(format.key), format.extension),
                    chosen: form.has("format", format.key),
                })
                .collect();
        }
        Ok(choices)
    }

    /// What must be chosen and is the only one there is stands chosen.
    fn alone(&mut self, kind: &KindSpec, form: &Shown) {
        let must: [(&str, &[&str], &mut Vec<Choice>); 3] = [
            ("pipeline_id", &[ML], &mut self.pipelines),
            (SET, &[ML, POPULATE], &mut self.sets),
            (STATION, &[ML, SYNC, REGROUP], &mut self.stations),
        ];
        // What was sent stays as it was sent.
        let is_fresh = form.value("act").is_empty();
        for (field, kinds, choices) in must {
            let open = is_fresh && kinds.contains(&kind.key) && form.value(field).trim().is_empty();
            if let (true, [only]) = (open, choices.as_mut_slice()) {
                only.chosen = true;
            }
        }
    }

    async fn read_sets(&mut self, store: &Store, project: i64, form: &Shown) -> StoreResult<()> {
        let which = CaptureSetFilter {
            project_id: Some(project),
            ..Default::default()
        };
        let order = [(CaptureSetOrder::Name, false)];
        let (mut rows, count) = store.capture_sets_page(&which, &order, MOST, 0).await?;
        self.more_sets = count.saturating_sub(rows.len() as u64);
        if let Some(id) = other(form, SET, rows.iter().map(|row| row.id)) {
            let found = store.capture_sets_by_id(&[id]).await?.into_iter();
            rows.extend(found.filter(|row| row.project_id == project));
        }
        let named = rows.into_iter().map(|row| {
            let captures = row.captures_count.max(0).unsigned_abs();
            let captures = counted(captures, "capture", "captures");
            (row.id, format!("{} ({captures})", short(&row.name, NAME)))
        });
        self.sets = chosen(form, SET, named);
        Ok(())
    }

    async fn read_stations(
        &mut self,
        store: &Store,
        project: i64,
        form: &Shown,
    ) -> StoreResult<()> {
        let which = StationFilter {
            project_id: Some(project),
            ..Default::default()
        };
        let (mut rows, count) = store.stations_page(&which, MOST, 0).await?;
        self.more_stations = count.saturating_sub(rows.len() as u64);
        if let Some(id) = other(form, STATION, rows.iter().map(|row| row.id)) {
            let found = store.stations_by_id(&[id]).await?.into_iter();
            rows.extend(found.filter(|row| row.project_id == Some(project)));
        }
        let named = rows.into_iter().map(|row| {
            let captures = row.captures_count.max(0).unsigned_abs();
            let captures = counted(captures, "capture", "captures");
            (row.id, format!("{} ({captures})", short(&row.name, NAME)))
        });
        self.stations = chosen(form, STATION, named);
        Ok(())
    }

    async fn read_settings(
        &mut self,
        store: &Store,
        project: i64,
        form: &Shown,
    ) -> StoreResult<()> {
        let which = TaxaListFilter {
            project_id: Some(project),
            order: vec![("name", false)],
            ..Default::default()
        };
        let (mut lists, _) = store.taxa_lists(&which, MOST, 0).await?;
        if let Some(id) = other(form, "taxa_list_id", lists.iter().map(|row| row.id)) {
            let one = TaxaListFilter {
                id: Some(id),
                ..which
            };
            lists.extend(store.taxa_lists(&one, 1, 0).await?.0);
        }
        let lists = lists.into_iter().map(|row| (row.id, row.name));
        self.lists = chosen(form, "taxa_list_id", lists);
        let which = AlgorithmFilter {
            project_id: Some(project),
            order: vec![("name", false)],
            ..Default::default()
        };
        let (algorithms, _) = store.algorithms_page(&which, MOST, 0).await?;
        let algorithms = algorithms
            .into_iter()
            .filter(|row| row.task_type.as_deref().is_some_and(needs_category_map))
            .map(|row| (row.id, row.name));
        self.algorithms = chosen(form, "algorithm_id", algorithms);
        let ranks = domain::agreement::RANKS.iter();
        self.ranks = ranks
            .map(|rank| Choice {
                value: (*rank).to_owned(),
                name: rank.to_lowercase(),
                chosen: form.has("ranks", rank),
            })
            .collect();
        Ok(())
    }
}

/// The row that a field names, where it is not among those that are offered.
fn other(form: &Shown, field: &str, mut offered: impl Iterator<Item = i64>) -> Option<i64> {
    let id = form.value(field).trim().parse().ok()?;
    (!offered.any(|known| known == id)).then_some(id)
}

fn chosen(form: &Shown, field: &str, rows: impl Iterator<Item = (i64, String)>) -> Vec<Choice> {
    let choice = |(id, name): (i64, String)| {
        let value = id.to_string();
        Choice {
            chosen: form.value(field).trim() == value,
            value,
            name: short(&name, LABEL),
        }
    };
    rows.map(choice).collect()
}

/// What a format is called by people.
fn words(format: &str) -> &'static str {
    match format {
        domain::export::JSON => "whole occurrences as the API shows them",
        domain::export::CSV => "a line of text for each occurrence",
        domain::export::DARWIN_CORE => "Darwin Core archive, as GBIF reads it",
        _ => "typed columns, for programs that analyse",
    }
}
