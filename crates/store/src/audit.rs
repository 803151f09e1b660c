//! Whether a job's books agree: its rows, its counters, and what it has written. The idea: the
//! three are moved in one transaction, so whatever was killed or sent twice, they say the same.

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::connection::{Store, StoreResult};
use crate::entity::{classification, detection, occurrence, task_result, ticket};
use crate::job::{
    Job,
    feed::{DONE, FAILED, OPEN},
};
use crate::progress::Counts;
use crate::result::KNOWN;

/// What the rows of a job's present run say, beside what its counters say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Images without an outcome.
    pub open: u64,
    /// Images saved, the known ones among them.
    pub done: u64,
    /// Images for which another job had been faster: done without a result of this one.
    pub known: u64,
    /// Images failed.
    pub failed: u64,
    /// Images that wait or are in somebody's hands.
    pub tickets: u64,
    /// What the counters say.
    pub counted: Counts,
    /// Detections with a box on the job's captures but the known ones, whoever wrote them.
    pub detections: u64,
    /// Classifications of these.
    pub classifications: u64,
    /// Occurrences of these.
    pub occurrences: u64,
    /// Boxes that stand more than once on one of these captures.
    pub doubled: u64,
}

impl Audit {
    /// What does not agree, for a job that has ended on captures that nobody else worked on;
    /// `total` is how many images it has, and `None` where it was cancelled in the middle.
    pub fn faults(&self, total: Option<i64>) -> Vec<String> {
        let counted = self.counted;
        let number = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
        let pairs = [
            ("open images", self.open, total.map_or(self.open, |_| 0)),
            ("tickets", self.tickets, 0),
            ("boxes that stand twice", self.doubled, 0),
            (
                "images",
                self.done + self.failed,
                total.map_or(self.done + self.failed, number),
            ),
            ("saved images", self.done, number(counted.done)),
            ("failed images", self.failed, number(counted.failed)),
            ("captures", self.done, number(counted.captures)),
            ("detections", self.detections, number(counted.detections)),
            (
                "classifications",
                self.classifications,
                number(counted.classifications),
            ),
            ("occurrences", self.occurrences, self.detections),
        ];
        let wrong = pairs.iter().filter(|(_, there, right)| there != right);
        wrong
            .map(|(what, there, right)| format!("{what}: {there}, and not {right}"))
            .collect()
    }
}

impl Store {
    /// Reads a job's books.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn audit(&self, job: &Job) -> StoreResult<Audit> {
        let rows = |outcome: i32| {
            task_result::Entity::find()
                .filter(task_result::Column::JobId.eq(job.id))
                .filter(task_result::Column::RunNo.eq(job.run_no))
                .filter(task_result::Column::Outcome.eq(outcome))
                .count(&self.db)
        };
        let known = task_result::Entity::find()
            .filter(task_result::Column::JobId.eq(job.id))
            .filter(task_result::Column::RunNo.eq(job.run_no))
            .filter(task_result::Column::Outcome.eq(DONE))
            .filter(task_result::Column::Reason.eq(KNOWN));
        let tickets = ticket::Entity::find().filter(ticket::Column::JobId.eq(job.id));
        let counted = self.counts(std::slice::from_ref(job)).await?;
        let id = || Expr::col((detection::Entity, detection::Column::Id));
        let detections = boxes(job).expr(Func::count(id())).to_owned();
        let classifications = boxes(job)
            .expr(Func::count(id()))
            .inner_join(
                classification::Entity,
                Expr::col((classification::Entity, classification::Column::DetectionId))
                    .equals((detection::Entity, detection::Column::Id)),
            )
            .to_owned();
        let occurrences = boxes(job)
            .expr(Func::count_distinct(Expr::col((
                occurrence::Entity,
                occurrence::Column::Id,
            ))))
            .inner_join(
                occurrence::Entity,
                Expr::col((occurrence::Entity, occurrence::Column::Id))
                    .equals((detection::Entity, detection::Column::OccurrenceId)),
            )
            .to_owned();
        Ok(Audit {
            open: rows(OPEN).await?,
            done: rows(DONE).await?,
            known: known.count(&self.db).await?,
            failed: rows(FAILED).await?,
            tickets: tickets.count(&self.db).await?,
            counted: counted.get(&job.id).copied().unwrap_or_default(),
            detections: self.number(&detections).await?,
            classifications: self.number(&classifications).await?,
            occurrences: self.number(&occurrences).await?,
            doubled: self.number(&doubled(job)).await?,
        })
    }

    async fn number(&self, select: &SelectStatement) -> StoreResult<u64> {
        let row = self.db.query_one(select).await?;
        let number: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }
}

/// Boxes on the captures of a job's present run, but those that were known: what stands there is
/// in another job's books.
fn boxes(job: &Job) -> SelectStatement {
    let captures = Query::select()
        .column(task_result::Column::CaptureId)
        .from(task_result::Entity)
        .and_where(Expr::col(task_result::Column::JobId).eq(job.id))
        .and_where(Expr::col(task_result::Column::RunNo).eq(job.run_no))
        .and_where(
            Expr::col(task_result::Column::Outcome)
                .ne(DONE)
                .or(Expr::col(task_result::Column::Reason).is_null()),
        )
        .to_owned();
    Query::select()
        .from(detection::Entity)
        .and_where(
            Expr::col((detection::Entity, detection::Column::CaptureId)).in_subquery(captures),
        )
        .and_where(Expr::col((detection::Entity, detection::Column::X1)).is_not_null())
        .to_owned()
}

fn doubled(job: &Job) -> SelectStatement {
    use detection::Column as D;
    let columns = [D::CaptureId, D::X1, D::Y1, D::X2, D::Y2];
    let columns = || columns.map(|column| (detection::Entity, column));
    let id = Expr::col((detection::Entity, D::Id));
    let twice = boxes(job)
        .columns(columns())
        .group_by_columns(columns())
        .and_having(Expr::expr(Func::count(id)).gt(1))
        .to_owned();
    Query::select()
        .expr(Func::count(Expr::val(1)))
        .from_subquery(twice, "twice")
        .to_owned()
}
