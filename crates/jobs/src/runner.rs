//! The runner: claim, run, beat, end. The idea: everything a runner does to a job's state is one
//! guarded call of the store, so a runner that dies, hangs or comes back late can never do harm;
//! a panic in a job is its FAILURE, not the end of the process (`architecture.md` §5, 6).

use std::sync::Arc;
use std::time::Duration;

use files::Files;
use futures_util::StreamExt;
use queue::{Changed, QueueError};
use store::StoreError;
use store::job::{
    Job,
    life::{Beat, Fence},
};
use store::origin::{Origin, SPANS, Trace};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::context::{JobContext, Stopped};
use crate::crops::Cutter;
use crate::kind::{self, Outcome};
use crate::{Tools, caretaker, counters, deliveries, sweep, upkeep};

/// How long a cancelled job may take to stop by itself.
const CANCEL: Duration = Duration::from_millis(500);

/// Runs jobs until it is told to stop.
pub struct Runner {
    tools: Tools,
    owner: String,
    /// Where crops are kept that are cut ahead of time.
    crops: Option<Files>,
}

/// Why a running job is being stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// A person cancelled it.
    Cancel,
    /// The process shuts down.
    HandBack,
    /// It belongs to somebody else.
    Lost,
}

impl Runner {
    /// A runner with a name of its own.
    pub fn new(tools: Tools) -> Runner {
        let owner = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
        Runner {
            tools,
            owner,
            crops: None,
        }
    }

    /// With a name that begins with this word: by it, what it leaves when it is killed can be told
    /// from the jobs of others.
    #[must_use]
    pub fn named(mut self, word: &str) -> Runner {
        self.owner = format!("{word}{}", self.owner);
        self
    }

    /// Cuts crops of detections ahead of time, into these files.
    #[must_use]
    pub fn cutting(mut self, crops: Option<Files>) -> Runner {
        self.crops = crops;
        self
    }

    /// Runs jobs, with the caretaker, upkeep, counters, deliveries and the sweep of files beside
    /// them, until `stop` fires; then hands back what runs.
    pub async fn run(self, stop: CancellationToken) {
        let runner = Arc::new(self);
        let care = tokio::spawn(caretaker::run(runner.tools.clone(), stop.clone()));
        let upkeep = tokio::spawn(upkeep::run(runner.tools.clone(), stop.clone()));
        let counters = tokio::spawn(counters::run(runner.tools.clone(), stop.clone()));
        let told = tokio::spawn(deliveries::run(runner.tools.clone(), stop.clone()));
        let swept = tokio::spawn(sweep::run(runner.tools.clone(), stop.clone()));
        let cutter = runner.crops.clone().map(|kept| {
            let cutter = Cutter::new(runner.tools.clone(), kept);
            tokio::spawn(cutter.run(stop.clone()))
        });
        let slots = Arc::new(Semaphore::new(runner.tools.pace.jobs_at_once.max(1)));
        let running = TaskTracker::new();
        let mut events = runner.tools.bus.subscribe();
        while !stop.is_cancelled() {
            let slot = tokio::select! {
                () = stop.cancelled() => break,
                slot = slots.clone().acquire_owned() => slot,
            };
            let Ok(slot) = slot else { break };
            if let Some((job, fence)) = runner.claim().await {
                let span = span(&job);
                let origin = origin(&job, &span);
                let one = runner.clone().hold(job, fence, stop.clone(), slot);
                running.spawn(origin.around(one).instrument(span));
                continue;
            }
            drop(slot);
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(runner.tools.pace.poll) => {}
                () = woken(&mut events) => {}
            }
        }
        running.close();
        running.wait().await;
        let _ = tokio::join!(care, upkeep, counters, told, swept);
        if let Some(cutter) = cutter {
            let _ = cutter.await;
        }
    }

    async fn claim(&self) -> Option<(Job, Fence)> {
        match self.tools.store.claim_job(&self.owner).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "cannot look for waiting jobs");
                None
            }
        }
    }

    /// Runs one job to its end, whatever that is.
    async fn hold(
        self: Arc<Self>,
        job: Job,
        fence: Fence,
        stop: CancellationToken,
        _slot: OwnedSemaphorePermit,
    ) {
        tracing::info!(job.id = job.id, kind = job.kind, "running job");
        self.announce(job.id);
        let cx = Arc::new(JobContext::new(
            self.tools.clone(),
            job,
            fence.clone(),
            CancellationToken::new(),
        ));
        let mut work = start(cx.clone());
        let ended = tokio::select! {
            ended = &mut work => Ended::Work(ended),
            order = self.watch(&cx, &stop) => Ended::Order(order),
        };
        let result = match ended {
            Ended::Work(result) => self.conclude(&cx, result).await,
            Ended::Order(order) => self.obey(&cx, order, work).await,
        };
        match result {
            Ok(()) | Err(StoreError::FenceLost | StoreError::NotFound(_)) => {}
            // The row stays as it is and its beat grows old: the caretaker goes on with it.
            Err(error) => tracing::error!(job.id = fence.job, %error, "cannot end the job"),
        }
        if self.tools.queue.streams()
            && let Ok(job) = self.tools.store.job(fence.job).await
        {
            self.tools.let_go(&job).await;
        }
        self.announce(fence.job);
    }

    /// Beats until somebody wants the job to stop.
    async fn watch(&self, cx: &JobContext, stop: &CancellationToken) -> Order {
        let mut events = self.tools.bus.subscribe();
        loop {
            match self.tools.store.beat(&cx.fence).await {
                Ok(Beat::Working) => {}
                Ok(Beat::Cancelled) => return Order::Cancel,
                Ok(Beat::Lost) => return Order::Lost,
                Err(error) => tracing::warn!(job.id = cx.job.id, %error, "cannot beat"),
            }
            tokio::select! {
                () = stop.cancelled() => return Order::HandBack,
                () = tokio::time::sleep(self.tools.pace.beat) => {}
                () = cancelled(&mut events, &self.tools, cx.job.id) => {}
            }
        }
    }

    /// The work ended by itself.
    async fn conclude(
        &self,
        cx: &JobContext,
        result: Result<anyhow::Result<Outcome>, tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let store = &self.tools.store;
        let failure = match result {
            Ok(Ok(Outcome::Waiting)) => {
                cx.log.flush().await;
                store.finalise_job(cx.job.id).await?;
                return Ok(());
            }
            Ok(Ok(Outcome::Done)) => None,
            Ok(Err(error)) if lost(&error) => return Ok(()),
            // Nothing is wrong with the job. Its beat grows old, and it goes on where it was; what
            // takes the database down with it is ended by the bound of rescues.
            Ok(Err(error)) if away(&error) => {
                cx.warn(format!(
                    "The database went away ({error:#}): another runner goes on with the job"
                ));
                return Ok(());
            }
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(panic) => Some(format!("the program panicked: {}", words(panic))),
        };
        cx.log.flush().await;
        store.finish_job(&cx.fence, failure.as_deref()).await?;
        Ok(())
    }

    /// The job must stop: it gets a moment to do so by itself.
    async fn obey(
        &self,
        cx: &JobContext,
        order: Order,
        mut work: JoinHandle<anyhow::Result<Outcome>>,
    ) -> Result<(), StoreError> {
        cx.stop.cancel();
        let grace = match order {
            // Somebody waits for it; what is cut off in the middle is rolled back.
            Order::Cancel => self.tools.pace.grace.min(CANCEL),
            Order::HandBack | Order::Lost => self.tools.pace.grace,
        };
        match tokio::time::timeout(grace, &mut work).await {
            // It was faster than the order.
            Ok(Ok(Ok(outcome))) if order != Order::Lost => {
                let result = self.conclude(cx, Ok(Ok(outcome))).await;
                if !matches!(result, Err(StoreError::FenceLost)) {
                    return result;
                }
            }
            Ok(_) => {}
            Err(_) => work.abort(),
        }
        cx.log.flush().await;
        match order {
            Order::Cancel => self.tools.store.stopped(&cx.fence).await,
            Order::HandBack => self.tools.store.hand_back(&cx.fence).await,
            Order::Lost => Ok(()),
        }
    }

    fn announce(&self, job: i64) {
        self.tools.bus.publish(Changed {
            job,
            waiting: false,
        });
    }
}

enum Ended {
    Work(Result<anyhow::Result<Outcome>, tokio::task::JoinError>),
    Order(Order),
}

/// Starts the work in a task of its own, so that a panic stays there.
fn start(cx: Arc<JobContext>) -> JoinHandle<anyhow::Result<Outcome>> {
    let span = tracing::info_span!(target: SPANS, "work", job.id = cx.job.id);
    tokio::spawn(Origin::within(span, async move {
        cx.info(format!("Running job {} ({})", cx.job.label(), cx.job.state));
        cx.open_stages().await?;
        let Some(kind) = kind::find(&cx.job.kind) else {
            let name = domain::job::kind(&cx.job.kind).map_or(cx.job.kind.as_str(), |k| k.name);
            anyhow::bail!("jobs of the kind \"{name}\" cannot be run by this version of Hawkmoth");
        };
        kind.run(&cx).await
    }))
}

/// A run belongs to the trace of the request that asked for it, where traces are kept.
fn origin(job: &Job, span: &Span) -> Origin {
    let drawn = || job.trace_id.as_deref().map(Trace::within);
    Origin {
        user: None,
        trace: Trace::of(span).or_else(drawn),
    }
}

/// The span of a run, a step of that request.
fn span(job: &Job) -> Span {
    let span = tracing::info_span!(
        target: SPANS, parent: None, "run", job.id = job.id, job.kind = job.kind
    );
    if let Some(trace) = job.trace() {
        trace.leads_to(&span);
    }
    span
}

/// Waits for the hint that some job waits.
async fn woken(events: &mut queue::EventStream) {
    loop {
        match events.next().await {
            Some(event) if event.waiting => return,
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

/// Waits for the hint that this job is being cancelled.
async fn cancelled(events: &mut queue::EventStream, tools: &Tools, job: i64) {
    use domain::state::JobState;
    loop {
        match events.next().await {
            Some(event) if event.job == job => {
                let state = tools.store.job(job).await.map(|j| j.job_state());
                if !matches!(state, Ok(JobState::Started)) {
                    return;
                }
            }
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

/// True for errors that only say that the job must stop or is somebody else's.
fn lost(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Stopped>().is_some()
        || matches!(error.downcast_ref(), Some(StoreError::FenceLost))
}

/// True for errors that only say that the database was away.
fn away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let queued = match cause.downcast_ref() {
            Some(QueueError::Store(error)) => Some(error),
            _ => None,
        };
        let stored = cause.downcast_ref::<StoreError>().or(queued);
        stored.is_some_and(StoreError::is_away)
    })
}

fn words(panic: tokio::task::JoinError) -> String {
    let Ok(payload) = panic.try_into_panic() else {
        return "the task was aborted".to_owned();
    };
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
