//! The log of a job: lines with a level, written in batches, read newest first.
//! Text is cut at a bound, so that a service's endless answer cannot fill the database.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::job_log;
use crate::origin::{Origin, Trace};

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For those who look for a fault.
    Debug,
    /// What happened.
    Info,
    /// What may need a look.
    Warning,
    /// What went wrong.
    Error,
}

impl Level {
    /// The word in the log line.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }
}

impl Level {
    /// The level with this word.
    pub fn from_word(word: &str) -> Option<Level> {
        [Level::Debug, Level::Info, Level::Warning, Level::Error]
            .into_iter()
            .find(|level| level.word().eq_ignore_ascii_case(word))
    }
}

/// Which lines are read.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Only of this level or a more serious one.
    pub least: Option<Level>,
    /// Only with each of these words.
    pub search: Vec<String>,
}

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Grows with time.
    pub id: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// "INFO" and so on.
    pub level: String,
    /// The text.
    pub message: String,
    /// The span in which it was written.
    pub trace: Option<Trace>,
}

/// A line to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// How serious it is.
    pub level: Level,
    /// The text.
    pub message: String,
    /// The span in which it was said.
    pub trace: Option<Trace>,
}

impl NewLine {
    /// A line that is said now, by the present task.
    pub fn now(level: Level, message: String) -> NewLine {
        NewLine {
            level,
            message,
            trace: Origin::current().trace,
        }
    }
}

/// Longest text of one line, in characters.
const MAX_MESSAGE: usize = 4000;

/// Appends lines that are said now.
pub(crate) async fn insert<C: ConnectionTrait>(
    db: &C,
    job: i64,
    lines: &[(Level, String)],
) -> StoreResult<()> {
    let lines = lines.iter().cloned();
    let lines: Vec<NewLine> = lines.map(|(l, text)| NewLine::now(l, text)).collect();
    insert_lines(db, job, &lines).await
}

pub(crate) async fn insert_lines<C: ConnectionTrait>(
    db: &C,
    job: i64,
    lines: &[NewLine],
) -> StoreResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let at = now();
    let rows = lines.iter().map(|line| {
        let trace = line.trace.as_ref();
        job_log::ActiveModel {
            job_id: Set(job),
            level: Set(line.level.word().to_owned()),
            message: Set(clean(&line.message)),
            created_at: Set(at),
            trace_id: Set(trace.map(|t| t.trace_id.clone())),
            span_id: Set(trace.map(|t| t.span_id.clone())),
            ..Default::default()
        }
    });
    job_log::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Cuts a line to its bound; PostgreSQL cannot store NUL.
fn clean(message: &str) -> String {
    message
        .chars()
        .filter(|c| *c != '\0')
        .take(MAX_MESSAGE)
        .collect()
}

impl Line {
    fn of(row: job_log::Model) -> Line {
        Line {
            id: row.id,
            at: row.created_at,
            level: row.level,
            message: row.message,
            trace: row
                .trace_id
                .zip(row.span_id)
                .map(|(trace_id, span_id)| Trace { trace_id, span_id }),
        }
    }
}

impl Store {
    /// Appends lines to a job's log.
    ///
    /// # Errors
    /// Errors of the database; of a deleted job, [`StoreError::NotFound`].
    pub async fn write_log(&self, job: i64, lines: &[(Level, String)]) -> StoreResult<()> {
        let tx = self.write().await?;
        insert(&*tx, job, lines).await.map_err(missing_job)?;
        tx.commit().await
    }

    /// Appends lines, each with the span in which it was said.
    ///
    /// # Errors
    /// As [`Store::write_log`].
    pub async fn write_lines(&self, job: i64, lines: &[NewLine]) -> StoreResult<()> {
        let tx = self.write().await?;
        insert_lines(&*tx, job, lines).await.map_err(missing_job)?;
        tx.commit().await
    }

    /// Lines of a job after the one with this id, oldest first: a piece of its whole log.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn job_log_after(
        &self,
        job: i64,
        filter: &LogFilter,
        after: i64,
        limit: u64,
    ) -> StoreResult<Vec<Line>> {
        let rows = filtered(job, filter)
            .filter(job_log::Column::Id.gt(after))
            .order_by_asc(job_log::Column::Id)
            .limit(limit)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(Line::of).collect())
    }

    /// The newest `limit` lines of a job, newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn job_log(&self, job: i64, limit: u64) -> StoreResult<Vec<Line>> {
        let rows = job_log::Entity::find()
            .filter(job_log::Column::JobId.eq(job))
            .order_by_desc(job_log::Column::Id)
            .limit(limit)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(Line::of).collect())
    }

    /// How many lines a job's log has, counted no further than one more than `most`.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn job_log_up_to(&self, job: i64, most: u64) -> StoreResult<u64> {
        let ids = filtered(job, &LogFilter::default())
            .select_only()
            .column(job_log::Column::Id)
            .limit(most + 1);
        self.count_all(QueryTrait::into_query(ids)).await
    }

    /// A page of a job's log, newest first, and how many lines the filter lets through.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn job_log_page(
        &self,
        job: i64,
        filter: &LogFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Line>, u64)> {
        let select = filtered(job, filter);
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_desc(job_log::Column::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((rows.into_iter().map(Line::of).collect(), count))
    }
}

fn filtered(job: i64, filter: &LogFilter) -> Select<job_log::Entity> {
    use job_log::Column as C;
    let mut select = job_log::Entity::find().filter(C::JobId.eq(job));
    if let Some(least) = filter.least {
        let all = [Level::Debug, Level::Info, Level::Warning, Level::Error];
        let words = all
            .into_iter()
            .filter(|level| *level >= least)
            .map(Level::word);
        select = select.filter(C::Level.is_in(words));
    }
    for word in &filter.search {
        select = select.filter(crate::job::list::holds((job_log::Entity, C::Message), word));
    }
    select
}

/// A line whose job is gone.
fn missing_job(error: StoreError) -> StoreError {
    let StoreError::Database(cause) = &error else {
        return error;
    };
    match cause.sql_err() {
        Some(sea_orm::SqlErr::ForeignKeyConstraintViolation(_)) => StoreError::NotFound("job"),
        _ => error,
    }
}
