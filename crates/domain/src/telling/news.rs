//! What is told: facts of a job as they were when it happened, made into the body of a webhook or
//! into a letter. The idea: facts are kept, and addresses are put in when it is sent, for only who
//! sends knows under which one the server is reached.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Event;

/// Longest name in the subject of a letter, in characters.
const LONGEST: usize = 80;

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A job as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobNews {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Key of its kind.
    pub kind: String,
    /// Code of its state.
    pub status: String,
    /// Captures in all, where it has such and they were counted.
    pub total: Option<i64>,
    /// Captures that are done.
    pub done: i64,
    /// Captures that failed.
    pub failed: i64,
    /// When its present run began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// For how long no worker was heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// After how many minutes it is told.
    pub minutes: u32,
    /// When one was last heard of, or the job last changed.
    pub since: DateTime<Utc>,
}

/// What happened, and to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Where.
    pub project: Named,
    /// The job; a test is about none.
    pub job: Option<JobNews>,
    /// Why a job failed, where its own words say so.
    pub detail: Option<String>,
    /// Where it is about missing workers.
    pub silence: Option<Silence>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// On one line, and not longer than anybody reads.
fn short(name: &str) -> String {
    let line = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: Vec<char> = line.collect();
    if line.len() > LONGEST {
        line.truncate(LONGEST - 1);
        line.push('…');
    }
    line.into_iter().collect()
}

impl JobNews {
    fn counts(&self) -> Value {
        json!({"total": self.total, "done": self.done, "failed": self.failed})
    }

    fn label(&self) -> String {
        format!("Job #{} \"{}\"", self.id, short(&self.name))
    }
}

impl News {
    /// The address of the page about it, of a server that is reached at `root`.
    pub fn page(&self, root: &str) -> String {
        let project = self.project.id;
        match &self.job {
            Some(job) => format!("{root}/projects/{project}/jobs/{}", job.id),
            None => format!("{root}/projects/{project}/jobs"),
        }
    }

    /// The body of a webhook. The same for every try, so that receivers can tell what they have.
    pub fn body(&self, event: Event, delivery: &str, root: &str) -> Value {
        let job = self.job.as_ref().map(|job| {
            json!({
                "id": job.id,
                "name": job.name,
                "kind": job.kind,
                "status": job.status,
                "url": self.page(root),
                "counts": job.counts(),
                "started_at": job.started_at.map(time),
                "finished_at": job.finished_at.map(time),
            })
        });
        let silence = self.silence.as_ref().map(
            |silence| json!({"minutes": silence.minutes, "last_sign_at": time(silence.since)}),
        );
        json!({
            "event": event.word(),
            "delivery": delivery,
            "created_at": time(self.at),
            "project": {"id": self.project.id, "name": self.project.name},
            "job": job,
            "detail": self.detail,
            "no_worker": silence,
        })
    }

    /// The subject of a letter.
    pub fn subject(&self, event: Event) -> String {
        let project = short(&self.project.name);
        match (&self.job, event) {
            (Some(job), Event::JobNoWorker) => {
                format!("[{project}] {}: no worker", job.label())
            }
            (Some(job), _) => format!("[{project}] {}: {}", job.label(), job.status),
            (None, _) => format!("[{project}] A test"),
        }
    }

    /// The text of a letter.
    pub fn letter(&self, event: Event, root: &str) -> String {
        let mut lines = vec![self.first_line(event)];
        if let Some(job) = &self.job {
            if let Some(total) = job.total {
                lines.push(format!(
                    "Captures: {total}, done: {}, failed: {}",
                    job.done, job.failed
                ));
            }
            let times = [("Started", job.started_at), ("Ended", job.finished_at)];
            for (what, at) in times {
                lines.extend(at.map(|at| format!("{what}: {}", at.format("%Y-%m-%d %H:%M UTC"))));
            }
        }
        lines.extend(self.detail.clone());
        lines.push(String::new());
        lines.push(self.page(root));
        lines.push(String::new());
        lines.push(
            "You get this because a manager of the project set it up. They can end it there."
                .to_owned(),
        );
        lines.join("\n")
    }

    fn first_line(&self, event: Event) -> String {
        let project = &self.project.name;
        match (&self.job, &self.silence) {
            (Some(job), Some(silence)) if event == Event::JobNoWorker => format!(
                "{} in project {project} waits for workers: none was heard of since {}.",
                job.label(),
                silence.since.format("%Y-%m-%d %H:%M UTC")
            ),
            (Some(job), _) => {
                let ended = match job.status.as_str() {
                    "SUCCESS" => "has succeeded",
                    "FAILURE" => "has failed",
                    "REVOKED" => "was cancelled",
                    _ => "has changed",
                };
                format!("{} in project {project} {ended}.", job.label())
            }
            (None, _) => format!("Letters about jobs of project {project} arrive here."),
        }
    }
}
