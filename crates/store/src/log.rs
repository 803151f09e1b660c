//! The log of a job: lines with a level, written in batches, read newest first.
//! Text is cut at a bound, so that a service's endless answer cannot fill the database.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::job_log;

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
}

/// Longest text of one line, in characters.
const MAX_MESSAGE: usize = 4000;

pub(crate) async fn insert<C: ConnectionTrait>(
    db: &C,
    job: i64,
    lines: &[(Level, String)],
) -> StoreResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let at = now();
    let rows = lines.iter().map(|(level, message)| job_log::ActiveModel {
        job_id: Set(job),
        level: Set(level.word().to_owned()),
        message: Set(clean(message)),
        created_at: Set(at),
        ..Default::default()
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
        match insert(&*tx, job, lines).await {
            Err(StoreError::Database(error)) if is_missing_parent(&error) => {
                return Err(StoreError::NotFound("job"));
            }
            other => other?,
        }
        tx.commit().await
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
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_desc(C::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((rows.into_iter().map(Line::of).collect(), count))
    }
}

fn is_missing_parent(error: &sea_orm::DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(sea_orm::SqlErr::ForeignKeyConstraintViolation(_))
    )
}
