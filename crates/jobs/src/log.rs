//! The writer of one job's log: lines are gathered for a moment and written in one insert.
//! A line that cannot be written is traced and dropped: a log must not stop the work.

use std::time::Duration;

use store::Store;
use store::log::{Level, NewLine};
use tokio::sync::{mpsc, oneshot};

/// Lines written at once, at most.
const MOST: usize = 100;
/// How long a line waits for company.
const WAIT: Duration = Duration::from_millis(200);

enum Message {
    Line(NewLine),
    Flush(oneshot::Sender<()>),
}

/// Hands lines of one job to its writer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct JobLog {
    job: i64,
    sender: mpsc::UnboundedSender<Message>,
}

impl JobLog {
    /// Starts the writer; it ends when the last handle is gone.
    pub(crate) fn start(store: Store, job: i64) -> JobLog {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(write(store, job, receiver));
        JobLog { job, sender }
    }

    /// Appends a line.
    pub(crate) fn line(&self, level: Level, text: String) {
        match level {
            Level::Error => tracing::error!(job.id = self.job, "{text}"),
            Level::Warning => tracing::warn!(job.id = self.job, "{text}"),
            _ => tracing::debug!(job.id = self.job, "{text}"),
        }
        let _ = self.sender.send(Message::Line(NewLine::now(level, text)));
    }

    /// Waits until all lines so far are written.
    pub(crate) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.sender.send(Message::Flush(done)).is_ok() {
            let _ = wait.await;
        }
    }
}

async fn write(store: Store, job: i64, mut receiver: mpsc::UnboundedReceiver<Message>) {
    let mut lines = Vec::new();
    let mut waiting = Vec::new();
    while let Some(first) = receiver.recv().await {
        take(first, &mut lines, &mut waiting);
        let until = tokio::time::Instant::now() + WAIT;
        while lines.len() < MOST && waiting.is_empty() {
            match tokio::time::timeout_at(until, receiver.recv()).await {
                Ok(Some(message)) => take(message, &mut lines, &mut waiting),
                Ok(None) | Err(_) => break,
            }
        }
        if !lines.is_empty() {
            if let Err(error) = store.write_lines(job, &lines).await {
                tracing::warn!(job.id = job, %error, "lines of the job's log are lost");
            }
            lines.clear();
        }
        for done in waiting.drain(..) {
            let _ = done.send(());
        }
    }
}

fn take(message: Message, lines: &mut Vec<NewLine>, waiting: &mut Vec<oneshot::Sender<()>>) {
    match message {
        Message::Line(line) => lines.push(line),
        Message::Flush(done) => waiting.push(done),
    }
}
