//! What a filter or a form offers to choose from. The idea: of many the first by name are offered
//! and always what is chosen already, so that sending a form again loses nothing; what is offered
//! is bounded in number and in length, however large the project is.

use store::capture_set::{CaptureSetFilter, CaptureSetOrder};
use store::pipeline::list::PipelineFilter;
use store::station::StationFilter;
use store::{Store, StoreResult};

use super::model;

/// Things that are offered at most.
pub const MOST: u64 = 200;
/// The longest name among them, in letters.
pub const NAME: usize = 40;

/// Things with names, by number.
pub struct Offered {
    /// Number and name of each, by name; what is chosen and not among the first comes last.
    pub all: Vec<(i64, String)>,
    /// How many there are that are not offered.
    pub more: u64,
}

impl Offered {
    /// The first of so many.
    fn of(rows: impl Iterator<Item = (i64, String)>, count: u64) -> Offered {
        let mut offered = Offered {
            all: Vec::new(),
            more: count,
        };
        offered.add(rows);
        offered
    }

    fn add(&mut self, rows: impl Iterator<Item = (i64, String)>) {
        for (id, name) in rows {
            let name = model::short(&model::named(&name), NAME);
            self.all.push((id, name));
            self.more = self.more.saturating_sub(1);
        }
    }

    /// Whether this one is offered.
    pub fn has(&self, id: i64) -> bool {
        self.all.iter().any(|(known, _)| *known == id)
    }

    /// Those of them that are not offered, each once.
    fn lacking(&self, chosen: &[i64]) -> Vec<i64> {
        let mut others: Vec<i64> = chosen.to_vec();
        others.retain(|id| !self.has(*id));
        others.sort_unstable();
        others.dedup();
        others
    }

    /// What is chosen stays chosen, also where the project does not have it (any more).
    pub fn kept(mut self, chosen: &[i64]) -> Offered {
        for id in self.lacking(chosen) {
            self.all.push((id, format!("number {id}, not here")));
        }
        self
    }
}

/// The stations of a project, at most so many and those that are chosen.
///
/// # Errors
/// Errors of the database.
pub async fn stations(
    store: &Store,
    project: i64,
    most: u64,
    chosen: &[i64],
) -> StoreResult<Offered> {
    let filter = StationFilter {
        project_id: Some(project),
        ..StationFilter::default()
    };
    let (rows, count) = store.stations_page(&filter, most, 0).await?;
    let mut offered = Offered::of(rows.into_iter().map(|row| (row.id, row.name)), count);
    let others = store.stations_by_id(&offered.lacking(chosen)).await?;
    let own = others
        .into_iter()
        .filter(|row| row.project_id == Some(project));
    offered.add(own.map(|row| (row.id, row.name)));
    Ok(offered)
}

/// The same of its capture sets.
///
/// # Errors
/// Errors of the database.
pub async fn sets(store: &Store, project: i64, most: u64, chosen: &[i64]) -> StoreResult<Offered> {
    let filter = CaptureSetFilter {
        project_id: Some(project),
        ..CaptureSetFilter::default()
    };
    let by_name = [(CaptureSetOrder::Name, false)];
    let (rows, count) = store.capture_sets_page(&filter, &by_name, most, 0).await?;
    let mut offered = Offered::of(rows.into_iter().map(|row| (row.id, row.name)), count);
    let others = store.capture_sets_by_id(&offered.lacking(chosen)).await?;
    let own = others.into_iter().filter(|row| row.project_id == project);
    offered.add(own.map(|row| (row.id, row.name)));
    Ok(offered)
}

/// The same of the pipelines that it uses, also of those that it has disabled.
///
/// # Errors
/// Errors of the database.
pub async fn pipelines(
    store: &Store,
    project: i64,
    most: u64,
    chosen: &[i64],
) -> StoreResult<Offered> {
    let filter = PipelineFilter {
        project_id: Some(project),
        order: vec![("name", false)],
        ..PipelineFilter::default()
    };
    let (rows, count) = store.pipelines_page(&filter, most, 0).await?;
    let mut offered = Offered::of(rows.into_iter().map(|row| (row.id, row.name)), count);
    for id in offered.lacking(chosen) {
        let one = PipelineFilter {
            id: Some(id),
            ..filter.clone()
        };
        let (rows, _) = store.pipelines_page(&one, 1, 0).await?;
        offered.add(rows.into_iter().map(|row| (row.id, row.name)));
    }
    Ok(offered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_offered() {
        let rows = [(3, "Ash".to_owned()), (1, "x".repeat(100))];
        let offered = Offered::of(rows.into_iter(), 7);
        assert_eq!(offered.more, 5);
        assert_eq!(offered.all[1].1.chars().count(), NAME);
        assert_eq!(offered.lacking(&[1, 9, 4, 9]), [4, 9]);
        let kept = offered.kept(&[9, 3]);
        assert_eq!(kept.all[2], (9, "number 9, not here".to_owned()));
        assert!(kept.has(3) && kept.all.len() == 3);
    }
}
