//! What a job's page shows while it runs: the captures that were processed last, with their boxes.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::{classification, detection, task_result, taxon};
use crate::job::{Job, feed};

/// Of all detections the newest that are looked at.
const DETECTIONS: u64 = 2000;
/// Of a job's results, those with the highest captures that are looked at.
const RESULTS: u64 = 500;

/// A detection as a picture shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnBox {
    /// Left, upper, right, lower edge in pixels of the original.
    pub edges: [f64; 4],
    /// Name of the taxon of its best classification, if it has one.
    pub label: Option<String>,
    /// Score of that classification.
    pub score: Option<f64>,
}

impl Store {
    /// The captures that a job's run saved last, newest first. Looks at the newest detections of
    /// all; where none of them is the job's, because others worked since or it found nothing, those
    /// of its results with the highest numbers of captures.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn newest_results(&self, job: &Job, limit: usize) -> StoreResult<Vec<Capture>> {
        // Newest detections first, along the primary key. How far to walk is bounded by number
        // and by nothing else: a condition that old rows fail would read the whole table.
        let recent: Vec<i64> = detection::Entity::find()
            .select_only()
            .column(detection::Column::CaptureId)
            .order_by_desc(detection::Column::Id)
            .limit(DETECTIONS)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut seen = HashSet::new();
        let recent: Vec<i64> = recent.into_iter().filter(|id| seen.insert(*id)).collect();
        use task_result::Column as R;
        let mine: HashSet<i64> = task_result::Entity::find()
            .select_only()
            .column(R::CaptureId)
            .filter(R::JobId.eq(job.id))
            .filter(R::RunNo.eq(job.run_no))
            .filter(R::Stage.eq(feed::PROCESS))
            .filter(R::Outcome.eq(feed::DONE))
            .filter(R::CaptureId.is_in(recent.iter().copied()))
            .into_tuple::<i64>()
            .all(&self.db)
            .await?
            .into_iter()
            .collect();
        let mut chosen: Vec<i64> = recent
            .into_iter()
            .filter(|id| mine.contains(id))
            .take(limit)
            .collect();
        if chosen.is_empty() {
            chosen = self.highest_results(job, limit).await?;
        }
        let mut rows = self.captures_by_id(&chosen).await?;
        rows.sort_by_key(|c| chosen.iter().position(|id| *id == c.id));
        Ok(rows)
    }

    /// The captures with the highest numbers that a job's run is done with, along the key of its
    /// results and bounded, however many of them failed.
    async fn highest_results(&self, job: &Job, limit: usize) -> StoreResult<Vec<i64>> {
        use task_result::Column as R;
        let last = Query::select()
            .columns([R::CaptureId, R::Outcome])
            .from(task_result::Entity)
            .and_where(Expr::col(R::JobId).eq(job.id))
            .and_where(Expr::col(R::RunNo).eq(job.run_no))
            .and_where(Expr::col(R::Stage).eq(feed::PROCESS))
            .order_by(R::CaptureId, Order::Desc)
            .limit(RESULTS)
            .to_owned();
        let done = Query::select()
            .column(R::CaptureId)
            .from_subquery(last, "last")
            .and_where(Expr::col(R::Outcome).eq(feed::DONE))
            .order_by(R::CaptureId, Order::Desc)
            .limit(limit as u64)
            .to_owned();
        let rows = self.db.query_all(&done).await?;
        let ids: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        Ok(ids?)
    }

    /// The boxes on these captures, at most so many on each, with their best terminal
    /// classifications.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn boxes(
        &self,
        captures: &[i64],
        most: u64,
    ) -> StoreResult<HashMap<i64, Vec<DrawnBox>>> {
        let mut rows = Vec::new();
        for capture in captures {
            let first = detection::Entity::find()
                .filter(detection::Column::CaptureId.eq(*capture))
                .filter(detection::Column::X1.is_not_null())
                .order_by_asc(detection::Column::Id)
                .limit(most);
            rows.extend(first.all(&self.db).await?);
        }
        let ids: Vec<i64> = rows.iter().map(|d| d.id).collect();
        let labels = self.best_labels(&ids).await?;
        let mut boxes: HashMap<i64, Vec<DrawnBox>> = HashMap::new();
        for d in rows {
            let (Some(x1), Some(y1), Some(x2), Some(y2)) = (d.x1, d.y1, d.x2, d.y2) else {
                continue;
            };
            let (label, score) = labels.get(&d.id).cloned().unzip();
            boxes.entry(d.capture_id).or_default().push(DrawnBox {
                edges: [x1, y1, x2, y2],
                label,
                score,
            });
        }
        Ok(boxes)
    }

    async fn best_labels(&self, detections: &[i64]) -> StoreResult<HashMap<i64, (String, f64)>> {
        use classification::Column as C;
        let mut best: HashMap<i64, (String, f64)> = HashMap::new();
        for chunk in detections.chunks(1000) {
            let rows: Vec<(i64, Option<f64>, String)> = classification::Entity::find()
                .join(JoinType::InnerJoin, classification::Relation::Taxon.def())
                .select_only()
                .columns([C::DetectionId, C::Score])
                .column(taxon::Column::Name)
                .filter(C::DetectionId.is_in(chunk.iter().copied()))
                .filter(C::Terminal.eq(true))
                .order_by_asc(C::Id)
                .into_tuple()
                .all(&self.db)
                .await?;
            for (detection, score, name) in rows {
                let score = score.unwrap_or(0.0);
                let entry = best
                    .entry(detection)
                    .or_insert_with(|| (name.clone(), score));
                if score > entry.1 {
                    *entry = (name, score);
                }
            }
        }
        Ok(best)
    }
}
