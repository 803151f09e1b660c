//! What a running job may touch: its row, its stages, its log, and the word that it must stop.
//! Stages are written at most twice a second; what matters (the end of a stage) at once.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::job::opening_stages;
use domain::progress::Stage;
use domain::state::JobState;
use queue::Changed;
use store::job::{Job, life::Fence};
use store::log::Level;
use tokio_util::sync::CancellationToken;

use crate::Tools;
use crate::log::JobLog;

/// How often stages are written at most.
const WRITE_EVERY: Duration = Duration::from_millis(500);

/// The job must stop: cancelled, handed back, or taken over. Not a failure.
#[derive(Debug, thiserror::Error)]
#[error("the job was told to stop")]
pub struct Stopped;

/// A running job.
pub struct JobContext {
    /// What it works with.
    pub tools: Tools,
    /// Its row when it was claimed.
    pub job: Job,
    /// Its right to write.
    pub fence: Fence,
    /// Fires when it must stop.
    pub stop: CancellationToken,
    pub(crate) log: JobLog,
    stages: Mutex<Stages>,
}

struct Stages {
    list: Vec<Stage>,
    written: Instant,
}

impl JobContext {
    pub(crate) fn new(tools: Tools, job: Job, fence: Fence, stop: CancellationToken) -> JobContext {
        let stages = Stages {
            list: job.own_stages(),
            written: Instant::now(),
        };
        JobContext {
            log: JobLog::start(tools.store.clone(), job.id),
            tools,
            fence,
            stop,
            stages: Mutex::new(stages),
            job,
        }
    }

    /// Appends a line to the job's log.
    pub fn info(&self, text: impl Into<String>) {
        self.log.line(Level::Info, text.into());
    }

    /// Appends a warning to the job's log.
    pub fn warn(&self, text: impl Into<String>) {
        self.log.line(Level::Warning, text.into());
    }

    /// Appends an error to the job's log.
    pub fn error(&self, text: impl Into<String>) {
        self.log.line(Level::Error, text.into());
    }

    /// Fails when the job must stop.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Waits, unless the job must stop meanwhile.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn sleep(&self, time: Duration) -> Result<(), Stopped> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Stopped),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// Shows the stages of a run that begins; one that goes on keeps what it has.
    ///
    /// # Errors
    /// As [`JobContext::stage`].
    pub(crate) async fn open_stages(&self) -> anyhow::Result<()> {
        let Some(kind) = domain::job::kind(&self.job.kind) else {
            return Ok(());
        };
        let has_pipeline = self.job.pipeline_id.is_some();
        let opening = opening_stages(kind, self.job.delay, has_pipeline);
        {
            let mut stages = self.stages.lock().unwrap_or_else(|e| e.into_inner());
            let begun = stages.list.iter().any(|s| s.status != JobState::Created);
            if begun || stages.list == opening {
                return Ok(());
            }
            stages.list = opening;
        }
        self.write_stages().await
    }

    /// Changes a stage; written now and then. One that the job's kind does not have is left out.
    ///
    /// # Errors
    /// Errors of the store, above all that the job is no longer this runner's.
    pub async fn stage(&self, key: &str, change: impl FnOnce(&mut Stage)) -> anyhow::Result<()> {
        let due = {
            let mut stages = self.stages.lock().unwrap_or_else(|e| e.into_inner());
            if !stages.list.iter().any(|s| s.key == key) {
                let kind = domain::job::kind(&self.job.kind);
                let late = kind.and_then(|kind| domain::job::stage(kind, key));
                stages.list.extend(late);
            }
            let Some(stage) = stages.list.iter_mut().find(|s| s.key == key) else {
                return Ok(());
            };
            let before = stage.status;
            change(stage);
            let ended = stage.status != before;
            ended || stages.written.elapsed() >= WRITE_EVERY
        };
        if due {
            self.write_stages().await
        } else {
            Ok(())
        }
    }

    /// Takes over stages that were written with something else, in its transaction.
    pub(crate) fn adopt_stages(&self, list: Vec<Stage>) {
        let mut stages = self.stages.lock().unwrap_or_else(|e| e.into_inner());
        stages.list = list;
        let due = stages.written.elapsed() >= WRITE_EVERY;
        if due {
            stages.written = Instant::now();
        }
        drop(stages);
        if due {
            self.changed();
        }
    }

    /// Writes the stages as they are.
    ///
    /// # Errors
    /// As [`JobContext::stage`].
    pub async fn write_stages(&self) -> anyhow::Result<()> {
        let list = {
            let mut stages = self.stages.lock().unwrap_or_else(|e| e.into_inner());
            stages.written = Instant::now();
            stages.list.clone()
        };
        self.tools.store.write_stages(&self.fence, &list).await?;
        self.changed();
        Ok(())
    }

    /// Tells pages that something of this job changed.
    pub fn changed(&self) {
        self.tools.bus.publish(Changed {
            job: self.job.id,
            waiting: false,
        });
    }
}
