//! A running pull job in a fresh database, and a queue for it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::job::DispatchMode;
use domain::permission::Permit;
use queue::{Access, Ask, Lease, Mending, Nats, QueueResult, Receipt, Streamed, TaskQueue};
use store::Store;
use store::job::life::Fence;
use store::job::{Job, NewJob};
use store::project::NewProject;
use store::result::{Batch, Outcome, Saved};

/// Long enough not to end within a test.
pub const LONG: Duration = Duration::from_secs(300);

/// A pull job that was just claimed.
pub async fn claimed(store: &Store) -> (Job, Fence) {
    let new = NewProject {
        name: "Queue".to_owned(),
        ..Default::default()
    };
    let project = store.create_project(new).await.unwrap();
    let new = NewJob {
        name: "Job".to_owned(),
        project_id: project.id,
        kind: domain::job::ML,
        dispatch_mode: Some(DispatchMode::AsyncApi),
        start_now: true,
        ..Default::default()
    };
    store.create_job(new).await.unwrap();
    store.claim_job("runner").await.unwrap().unwrap()
}

/// A queue in NATS under a prefix of its own; dropped with its server or by [`Queue::forget`].
pub struct Queue {
    pub store: Store,
    pub nats: Nats,
    pub queue: Streamed,
    pub prefix: String,
    pub url: String,
}

impl Queue {
    pub async fn new(store: &Store, url: &str) -> Queue {
        let prefix = format!("test-{:016x}", rand::random::<u64>());
        let nats = Nats::connect(url, &prefix).await.unwrap();
        Queue::over(store, url, prefix, nats).await
    }

    /// The same as a process has it that starts while no server need be there.
    pub async fn reach(store: &Store, url: &str) -> Queue {
        let prefix = format!("test-{:016x}", rand::random::<u64>());
        let access = Access::default();
        let nats = Nats::reach(url, &prefix, &access).await.unwrap();
        Queue::over(store, url, prefix, nats).await
    }

    async fn over(store: &Store, url: &str, prefix: String, nats: Nats) -> Queue {
        let queue = Streamed::open(store.clone(), nats.clone(), "test", LONG).await;
        Queue {
            store: store.clone(),
            nats,
            queue: queue.unwrap().mending(Mending {
                most: 2,
                pause: Duration::ZERO,
            }),
            prefix,
            url: url.to_owned(),
        }
    }

    /// The same queue as another process has it.
    pub async fn as_another(&self) -> Streamed {
        let nats = Nats::connect(&self.url, &self.prefix).await.unwrap();
        let queue = Streamed::open(self.store.clone(), nats, "test", LONG).await;
        queue.unwrap()
    }

    /// A job whose images are fed and sent, and that nobody owns any more.
    pub async fn fed(&self, captures: &[i64]) -> Job {
        let (job, fence) = claimed(&self.store).await;
        self.feed(&job, &fence, captures).await
    }

    /// Feeds all of a claimed job.
    pub async fn feed(&self, job: &Job, fence: &Fence, captures: &[i64]) -> Job {
        let store = &self.store;
        let row = store.place_tasks(fence, true).await.unwrap();
        assert!(row.in_stream);
        let last = captures.last().copied().unwrap();
        store.feed_page(fence, captures, last).await.unwrap();
        let sent = self.queue.publish(job.id, row.generation, captures).await;
        sent.unwrap();
        store.tasks_sent(fence, last).await.unwrap();
        store.feed_end(fence, true).await.unwrap();
        store.job(job.id).await.unwrap()
    }

    /// A further generation of an ended job, fed.
    pub async fn again(&self, job: i64, captures: &[i64]) -> Job {
        self.store
            .enqueue_job(Permit::BY_PROGRAM, job)
            .await
            .unwrap();
        let (job, fence) = self.store.claim_job("runner").await.unwrap().unwrap();
        self.feed(&job, &fence, captures).await
    }

    pub async fn lease(&self, job: i64, max: usize) -> Vec<Lease> {
        self.queue.lease(job, ask(max, LONG, None)).await.unwrap()
    }

    /// Saves images as done, with or without telling the queue.
    pub async fn save(&self, job: &Job, leases: &[Lease], tell: bool) -> Saved {
        let images = leases.iter().map(|l| (l.capture, Outcome::Known));
        let batch = Batch {
            job: job.id,
            generation: job.generation,
            pipeline: 0,
            images: images.collect(),
        };
        let saved = self.store.save_results(batch).await.unwrap();
        if tell {
            self.queue.saved(&job.receipt_key, &receipts(leases)).await;
        }
        saved
    }

    /// Leases and saves until nothing comes any more; the captures that were handed out.
    pub async fn drain(&self, job: &Job) -> Vec<i64> {
        let mut all = Vec::new();
        loop {
            let leases = self.lease(job.id, 8).await;
            if leases.is_empty() {
                all.sort_unstable();
                return all;
            }
            self.save(job, &leases, true).await;
            all.extend(leases.iter().map(|l| l.capture));
        }
    }

    /// How many wait, are in somebody's hands, and are dead.
    pub async fn depth(&self, job: i64) -> (u64, u64, u64) {
        let depth = self.queue.depth(job, Some(2)).await.unwrap();
        (depth.waiting, depth.leased, depth.dead)
    }

    pub async fn forget(&self) {
        self.nats.forget().await.unwrap();
    }
}

pub fn ask(max: usize, ttl: Duration, max_deliveries: Option<i32>) -> Ask {
    Ask {
        max,
        ttl,
        max_deliveries,
        worker: None,
        claim: None,
    }
}

pub fn captures(leases: &[Lease]) -> BTreeSet<i64> {
    leases.iter().map(|l| l.capture).collect()
}

pub fn receipts(leases: &[Lease]) -> Vec<Receipt> {
    leases.iter().map(|l| l.receipt.clone()).collect()
}

/// Asks again until it is answered, as a server comes back in its own time.
pub async fn at_last<T, F, Fut>(mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = QueueResult<T>>,
{
    for _ in 0..600 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("NATS does not come back");
}
