//! All numbers of a project's charts at once. The idea: they are counted over everything that the
//! project holds, so those of a large installation are kept for a minute, like long lists.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Hour, Months};
use crate::connection::{Store, StoreResult};
use crate::project::Project;

/// Taxa that the chart of the most seen shows.
const TOP: u64 = 10;
/// Numbers that take longer are not counted again at each request.
const SLOW: Duration = Duration::from_millis(100);

/// What the charts of a project are drawn from.
#[derive(Debug)]
pub struct ProjectCharts {
    /// Captures and detections by hour of the day.
    pub hours: Vec<Hour>,
    /// Captures by month.
    pub captures: Months,
    /// Occurrences by month.
    pub occurrences: Months,
    /// Species by month.
    pub species: Months,
    /// The taxa seen most, with how often.
    pub taxa: Vec<(String, i64)>,
}

impl Store {
    /// The numbers of a project's charts, in a large installation up to a minute old.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn project_charts(&self, project: &Project) -> StoreResult<Arc<ProjectCharts>> {
        let key = format!("{} {}", project.id, project.score_threshold);
        if let Some((charts, is_old)) = self.counts.charts.get(&key, |_| true) {
            if is_old {
                self.charts_later(key, project.clone());
            }
            return Ok(charts);
        }
        let began = Instant::now();
        let charts = Arc::new(self.count_charts(project).await?);
        if began.elapsed() >= SLOW && self.is_large().await? {
            self.counts.charts.put(key, charts.clone());
        }
        Ok(charts)
    }

    /// Counts again while nobody waits.
    fn charts_later(&self, key: String, project: Project) {
        let store = self.patient();
        tokio::spawn(async move {
            match store.count_charts(&project).await {
                Ok(charts) => store.counts.charts.put(key, Arc::new(charts)),
                Err(error) => tracing::warn!(%error, "charts are not counted again"),
            }
        });
    }

    async fn count_charts(&self, project: &Project) -> StoreResult<ProjectCharts> {
        Ok(ProjectCharts {
            hours: self.hours(project.id).await?,
            captures: self.captures_by_month(project.id).await?,
            occurrences: self.occurrences_by_month(project.id).await?,
            species: self.species_by_month(project).await?,
            taxa: self.top_taxa(project, TOP).await?,
        })
    }
}
