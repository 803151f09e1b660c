//! Log lines of jobs: those of the table of lines, those that an older Antenna kept in the job's
//! own row, and one for each job that was at work when it was brought over.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::Value;
use std::collections::HashSet;

use super::jobs::AT_WORK;
use super::line::{Line, Unfit};
use super::link::World;
use super::step::{About, Bring, Rows, Step, insert, lose};
use crate::connection::{StoreResult, Write, now};
use crate::entity::job_log;

pub(super) const LINES: Rows<job_log::Entity> = Rows {
    about: About {
        needs: &[("job_id", "job")],
        leaves: &["context"],
        ..About::new("jobs_joblog", "job_log")
    },
    row: |line, _| {
        Ok(job_log::Model {
            id: line.key,
            job_id: line.get("job_id")?,
            level: line.get("level")?,
            message: line.words("message")?,
            created_at: line.get("created_at")?,
            trace_id: None,
            span_id: None,
        })
    },
};

/// Lines that get numbers of their own.
pub(super) struct Made {
    about: About,
    lines: fn(&Line, &World) -> Result<Vec<Said>, Unfit>,
    /// Only for jobs that have no line yet.
    only_first: bool,
}

/// A line: when, level, message.
type Said = (DateTime<Utc>, String, String);

pub(super) const OLD_LINES: Made = Made {
    about: About {
        only: "logs::text LIKE '%[\"%'",
        needs: &[("id", "job")],
        counted: false,
        numbered: false,
        ..About::new("jobs_job", "job_log")
    },
    lines: old,
    only_first: true,
};

pub(super) const STOPPED: Made = Made {
    about: About {
        only: AT_WORK,
        needs: &[("id", "job")],
        counted: false,
        numbered: false,
        ..About::new("jobs_job", "job_log")
    },
    lines: |line, _| {
        let message = format!(
            "Brought over from Antenna, where it was {}. It begins anew when it is run.",
            line.get::<String>("status")?
        );
        Ok(vec![(now(), "WARNING".to_owned(), message)])
    },
    only_first: false,
};

#[async_trait]
impl Bring for Made {
    fn about(&self) -> &About {
        &self.about
    }

    async fn write(
        &self,
        tx: &Write,
        lines: &[Line],
        world: &World,
        step: &mut Step,
    ) -> StoreResult<()> {
        let ids = lines.iter().map(|line| line.key);
        let have: Vec<i64> = match self.only_first {
            false => Vec::new(),
            true => {
                let have = job_log::Entity::find()
                    .select_only()
                    .column(job_log::Column::JobId)
                    .distinct()
                    .filter(job_log::Column::JobId.is_in(ids));
                have.into_tuple().all(&**tx).await?
            }
        };
        let have: HashSet<i64> = have.into_iter().collect();
        let mut rows = Vec::new();
        for line in lines.iter().filter(|line| !have.contains(&line.key)) {
            match (self.lines)(line, world) {
                Ok(said) => {
                    rows.extend(said.into_iter().map(|said| (line.key, row(line.key, said))))
                }
                Err(reason) => lose(step, &format!("log left out: {reason}"), line.key),
            }
        }
        step.written += insert::<job_log::Entity>(tx, rows, step).await?;
        Ok(())
    }
}

fn row(job: i64, (at, level, message): Said) -> job_log::ActiveModel {
    job_log::ActiveModel {
        job_id: Set(job),
        level: Set(level),
        message: Set(message),
        created_at: Set(at),
        trace_id: Set(None),
        span_id: Set(None),
        ..Default::default()
    }
}

/// `{"stdout": ["[2026-11-23 08:17:09] INFO message", …], "stderr": [message, …]}`, newest first.
fn old(line: &Line, world: &World) -> Result<Vec<Said>, Unfit> {
    let made: DateTime<Utc> = line.get("created_at")?;
    let logs = line.object("logs")?;
    let texts = |key: &str| -> Vec<String> {
        let list = logs[key].as_array().cloned().unwrap_or_default();
        let texts = list.iter().filter_map(Value::as_str).map(str::to_owned);
        texts.collect()
    };
    let instant = |time| (world.terms.instant)(time);
    let read = |text: String| told(&text, &instant).unwrap_or((made, "INFO".to_owned(), text));
    let mut said: Vec<Said> = texts("stdout").into_iter().map(read).collect();
    for text in texts("stderr") {
        if !said.iter().any(|line| line.2 == text) {
            said.push((made, "ERROR".to_owned(), text));
        }
    }
    said.reverse();
    Ok(said)
}

/// A line that tells its time and level.
fn told(text: &str, instant: &dyn Fn(NaiveDateTime) -> DateTime<Utc>) -> Option<Said> {
    let (time, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").ok()?;
    let (level, message) = rest.split_once(' ')?;
    let known = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"].contains(&level);
    known.then(|| (instant(time), level.to_owned(), message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_its_time_and_level() {
        let utc = |time: NaiveDateTime| time.and_utc();
        let said = told("[2026-11-23 08:17:09] ERROR It broke: [1] x", &utc);
        let (at, level, message) = said.unwrap_or_default();
        assert_eq!(at.to_rfc3339(), "2026-11-23T08:17:09+00:00");
        assert_eq!(
            (level.as_str(), message.as_str()),
            ("ERROR", "It broke: [1] x")
        );
        for other in [
            "",
            "It broke",
            "[yesterday] INFO x",
            "[2026-11-23 08:17:09] loud x",
        ] {
            assert!(told(other, &utc).is_none(), "{other}");
        }
    }
}
