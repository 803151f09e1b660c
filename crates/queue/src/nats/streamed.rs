//! The task queue whose tasks lie in JetStream. The idea: the server hands out fast, the database
//! says what may be handed out. After each fetch the job's row is read again, so what the server
//! delivers twice, too late or to nobody never does harm; tasks of jobs that were fed into the
//! database, and those that the server itself works on, stay there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use store::job::Job;
use store::job::stream::{Came, Fate};
use store::ticket::Terms;
use store::{Store, StoreError};

use super::Nats;
use super::message::{Fetched, Word};
use super::names::sequence;
use super::tasks::Tasks;
use crate::embedded::{Embedded, span};
use crate::{Ask, Claim, Depth, Lease, QueueError, QueueResult, Receipt, Settle, TaskQueue};

/// How long the next message of a fetch is waited for: a healthy server needs a hundredth of it.
const GUARD: Duration = Duration::from_millis(250);

/// How what the stream has lost is mended.
#[derive(Clone, Copy, Debug)]
pub struct Mending {
    /// How often the open images of a generation are sent again before they fail.
    pub most: i32,
    /// How long it is waited between.
    pub pause: Duration,
}

impl Default for Mending {
    fn default() -> Mending {
        Mending {
            most: 5,
            pause: Duration::from_secs(10),
        }
    }
}

/// Tasks in JetStream, with the database as their truth. Cheap to clone.
#[derive(Clone)]
pub struct Streamed {
    pub(super) store: Store,
    pub(super) tasks: Arc<Tasks>,
    pub(super) mending: Mending,
    embedded: Embedded,
}

impl Streamed {
    /// The queue of this database on this server. `owner` names the installation: a stream of
    /// another one is refused. `wait` is the usual length of a lease. Where the stream cannot be
    /// had now it is opened when it is first used, as after an outage.
    ///
    /// # Errors
    /// [`QueueError::Nats`] where the stream is another's.
    pub async fn open(
        store: Store,
        nats: Nats,
        owner: &str,
        wait: Duration,
    ) -> QueueResult<Streamed> {
        let tasks = Tasks::new(nats, owner, wait, GUARD);
        tasks.begin().await?;
        Ok(Streamed {
            embedded: Embedded::new(store.clone()),
            tasks: Arc::new(tasks),
            mending: Mending::default(),
            store,
        })
    }

    /// Mends in another way.
    #[must_use]
    pub fn mending(self, mending: Mending) -> Streamed {
        Streamed { mending, ..self }
    }

    async fn row(&self, job: i64) -> QueueResult<Option<Job>> {
        match self.store.job(job).await {
            Ok(row) => Ok(Some(row)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Those of the receipts that belong to the stream, with their claims and reply subjects, and
    /// the others. All must be good, but those of jobs that are gone.
    async fn sort(&self, receipts: &[Receipt]) -> QueueResult<(Vec<Delivered>, Vec<Receipt>)> {
        let mut keys: HashMap<i64, Option<String>> = HashMap::new();
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for receipt in receipts {
            let job = receipt.claim().ok_or(QueueError::BadReceipt)?.job;
            if let std::collections::hash_map::Entry::Vacant(slot) = keys.entry(job) {
                slot.insert(self.row(job).await?.map(|row| row.receipt_key));
            }
            let Some(Some(key)) = keys.get(&job) else {
                continue;
            };
            let claim = receipt.open(key).ok_or(QueueError::BadReceipt)?;
            match receipt.reply(key) {
                Some(reply) => ours.push(Delivered {
                    claim,
                    reply,
                    receipt: receipt.clone(),
                }),
                None => others.push(receipt.clone()),
            }
        }
        Ok((ours, others))
    }

    /// Hands out what was fetched, as the job's row says now, for a time of its own where one is
    /// given.
    async fn hand_out(
        &self,
        job: &Job,
        terms: &Terms,
        fetched: Vec<Fetched>,
        lease: Option<Duration>,
    ) -> QueueResult<Vec<Lease>> {
        let came: Vec<Came> = fetched.iter().map(|one| one.image).collect();
        let generation = job.generation;
        let read = self.store.hand_out(job.id, generation, terms, &came).await;
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                let all: Vec<String> = fetched.into_iter().map(|one| one.reply).collect();
                self.heard(&all, Word::After(Duration::ZERO)).await;
                return Err(error.into());
            }
        };
        let (mut leases, mut lent) = (Vec::new(), Vec::new());
        let (mut back, mut gone) = (Vec::new(), Vec::new());
        for (one, fate) in fetched.into_iter().zip(read.fates) {
            match fate {
                Fate::Task => {
                    let claim = Claim {
                        job: job.id,
                        generation,
                        capture: one.image.capture,
                    };
                    leases.push(Lease {
                        capture: claim.capture,
                        generation,
                        deliveries: one.image.deliveries,
                        receipt: Receipt::seal(claim, &one.reply, &read.receipt_key),
                    });
                    lent.push(one.reply);
                }
                Fate::Return => back.push(one.reply),
                Fate::Gone => gone.push(one.reply),
                Fate::Held(millis) => {
                    let rest = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
                    self.heard(&[one.reply], Word::After(rest)).await;
                }
            }
        }
        if let Some(lease) = lease {
            self.heard(&lent, Word::After(lease)).await;
        }
        self.heard(&back, Word::After(Duration::ZERO)).await;
        self.heard(&gone, Word::Term).await;
        Ok(leases)
    }

    /// Says what becomes of messages after the database has decided it. The decision stands: what
    /// the server does not hear comes again, and gets the same answer.
    async fn heard(&self, replies: &[String], word: Word) {
        if let Err(error) = self.tasks.say(replies, word).await {
            tracing::debug!(%error, "the queue did not hear what became of its tasks");
        }
    }
}

/// A receipt of the stream's.
struct Delivered {
    claim: Claim,
    reply: String,
    receipt: Receipt,
}

/// The captures of receipts, by job and generation.
fn grouped(delivered: &[Delivered]) -> HashMap<(i64, i64), Vec<i64>> {
    let mut all: HashMap<(i64, i64), Vec<i64>> = HashMap::new();
    for Delivered { claim, .. } in delivered {
        let key = (claim.job, claim.generation);
        all.entry(key).or_default().push(claim.capture);
    }
    all
}

#[async_trait::async_trait]
impl TaskQueue for Streamed {
    fn streams(&self) -> bool {
        true
    }

    async fn publish(&self, job: i64, generation: i64, captures: &[i64]) -> QueueResult<()> {
        match self.row(job).await? {
            Some(row) if row.in_stream => self.tasks.publish(job, generation, 0, captures).await,
            _ => self.embedded.publish(job, generation, captures).await,
        }
    }

    async fn lease(&self, job: i64, ask: Ask) -> QueueResult<Vec<Lease>> {
        let Some(row) = self.row(job).await? else {
            self.tasks.forget(job);
            return Ok(Vec::new());
        };
        if !row.in_stream {
            return self.embedded.lease(job, ask).await;
        }
        if !row.job_state().is_active() {
            self.tasks.forget(job);
            return Ok(Vec::new());
        }
        if row.paused || ask.max == 0 {
            return Ok(Vec::new());
        }
        let max = ask.max.min(1000);
        let terms = Terms {
            max: u64::try_from(max).unwrap_or(u64::MAX),
            ttl: span(ask.ttl),
            max_deliveries: ask.max_deliveries,
            worker: ask.worker,
            claim: ask.claim,
        };
        // What nobody needs any more takes room in a fetch: then once more.
        loop {
            let (fetched, wait) = self.tasks.fetch(job, row.generation, max).await?;
            if fetched.is_empty() {
                return Ok(Vec::new());
            }
            let all = fetched.len();
            let lease = (ask.ttl != wait).then_some(ask.ttl);
            let leases = self.hand_out(&row, &terms, fetched, lease).await?;
            if !leases.is_empty() || all < max {
                return Ok(leases);
            }
            let now = self.row(job).await?;
            let same = now.is_some_and(|now| {
                let held = |claim| now.owner.is_some() && now.claim_no == claim;
                now.generation == row.generation
                    && now.job_state().is_active()
                    && !now.paused
                    && ask.claim.is_none_or(held)
            });
            if !same {
                return Ok(Vec::new());
            }
        }
    }

    async fn settle(&self, receipts: &[Receipt], how: Settle) -> QueueResult<()> {
        let (ours, others) = self.sort(receipts).await?;
        self.embedded.settle(&others, how).await?;
        for ((job, generation), captures) in grouped(&ours) {
            match how {
                Settle::Ack | Settle::Term => {
                    self.store.drop_tickets(job, generation, &captures).await?;
                }
                Settle::Nak(wait) => {
                    self.store
                        .return_tickets(job, generation, &captures, span(wait))
                        .await?;
                }
            }
        }
        let replies: Vec<String> = ours.into_iter().map(|one| one.reply).collect();
        let word = match how {
            Settle::Ack => Word::Ack,
            Settle::Term => Word::Term,
            Settle::Nak(wait) => Word::After(wait),
        };
        self.tasks.say(&replies, word).await
    }

    /// As the interface says; and who holds an image whose lease is over, but which nobody else
    /// has been given, keeps it.
    async fn extend(&self, receipts: &[Receipt], ttl: Duration) -> QueueResult<Vec<Receipt>> {
        let (ours, others) = self.sort(receipts).await?;
        let mut kept = self.embedded.extend(&others, ttl).await?;
        if ours.is_empty() {
            return Ok(kept);
        }
        let mut lost: Vec<(i64, i64, i64)> = Vec::new();
        for ((job, generation), captures) in grouped(&ours) {
            let over = self.store.over_among(job, generation, &captures).await?;
            lost.extend(over.into_iter().map(|capture| (job, generation, capture)));
            let last = self.store.last_handed(job, generation, &captures).await?;
            let last: Vec<i64> = last.into_iter().collect();
            let held = self
                .store
                .extend_tickets(job, generation, &last, span(ttl))
                .await?;
            let over = last.into_iter().filter(|capture| !held.contains(capture));
            lost.extend(over.map(|capture| (job, generation, capture)));
        }
        let is_held = |one: &Delivered| {
            let claim = one.claim;
            !lost.contains(&(claim.job, claim.generation, claim.capture))
        };
        let stream = self.tasks.stream().await?;
        let mut stored = Vec::new();
        for one in ours.iter().filter(|one| is_held(one)) {
            if let Some(place) = sequence(&one.reply)
                && self.tasks.is_stored(&stream, place).await?
            {
                stored.push(one);
            }
        }
        let replies: Vec<String> = stored.iter().map(|one| one.reply.clone()).collect();
        self.tasks.say(&replies, Word::After(ttl)).await?;
        kept.extend(stored.into_iter().map(|one| one.receipt.clone()));
        kept.sort_by_key(|receipt| receipts.iter().position(|one| one == receipt));
        Ok(kept)
    }

    async fn depth(&self, job: i64, max_deliveries: Option<i32>) -> QueueResult<Depth> {
        let Some(row) = self.row(job).await?.filter(|row| row.in_stream) else {
            return self.embedded.depth(job, max_deliveries).await;
        };
        let seen = self.store.stream_depth(&row, max_deliveries).await?;
        match self.tasks.depth(job, row.generation).await {
            Ok(found) => {
                let (waiting, leased) = found.unwrap_or_default();
                Ok(Depth {
                    waiting,
                    // The dead are still somebody's on the server until they are fetched again.
                    leased: leased.saturating_sub(seen.dead),
                    dead: seen.dead,
                })
            }
            Err(error) => {
                tracing::debug!(job.id = job, %error, "the queue is shown as it was last seen");
                Ok(seen)
            }
        }
    }

    /// Of the stream as the caretaker last saw it.
    async fn standing(&self, jobs: &[i64], max_deliveries: i32) -> QueueResult<Depth> {
        let seen = self.store.standing_streams(jobs).await?;
        let (streamed, others): (Vec<i64>, Vec<i64>) = jobs
            .iter()
            .partition(|job| seen.iter().any(|(of, ..)| of == *job));
        let mut sum = self.embedded.standing(&others, max_deliveries).await?;
        // Tickets of these are last hand-outs, which the stream counts as well.
        let last = self.embedded.standing(&streamed, max_deliveries).await?;
        let leased: u64 = seen.iter().map(|(_, _, leased)| leased).sum();
        sum.waiting += seen.iter().map(|(_, waiting, _)| waiting).sum::<u64>();
        sum.leased += leased.saturating_sub(last.dead);
        sum.dead += last.dead;
        Ok(sum)
    }

    async fn purge(&self, job: i64, generation: i64) -> QueueResult<()> {
        self.embedded.purge(job, generation).await?;
        self.tasks.clear(job, generation).await
    }

    async fn saved(&self, key: &str, receipts: &[Receipt]) {
        let replies: Vec<String> = receipts.iter().filter_map(|one| one.reply(key)).collect();
        if replies.is_empty() {
            return;
        }
        if let Err(error) = self.tasks.acknowledge(&replies).await {
            tracing::debug!(%error, "saved images stay in the queue until they come again");
        }
    }

    async fn ended(&self, job: i64, generation: i64) {
        if let Err(error) = self.tasks.clear(job, generation).await {
            tracing::debug!(job.id = job, %error, "the queue of a job is left for the caretaker");
        }
    }

    async fn care(&self) -> QueueResult<Vec<i64>> {
        self.look_after().await
    }
}
