//! The task queue within the database: tickets that the feed writes in its own transaction and
//! that a save deletes in its own. Nothing here can disagree with the job's row.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use store::ticket::{Handout, Leased, Terms};
use store::{Store, StoreError, StoreResult};

use crate::rounds::Rounds;
use crate::{Ask, Claim, Depth, Lease, QueueError, QueueResult, Receipt, Settle, TaskQueue};

/// Images that one transaction leases, about: others wait for it.
const MOST: usize = 500;

/// What leases of one transaction have in common: the job, how often an image may have been handed
/// out, and the claim by which a runner asks.
type Common = (i64, Option<i32>, Option<i64>);

/// Tasks as rows of the database.
#[derive(Clone)]
pub struct Embedded {
    store: Store,
    leases: Rounds<Common, Terms, StoreResult<Handout>>,
}

impl Embedded {
    /// The queue of this database.
    pub fn new(store: Store) -> Embedded {
        let weight = |terms: &Terms| usize::try_from(terms.max).unwrap_or(usize::MAX);
        Embedded {
            store,
            leases: Rounds::new(MOST, weight).forgetful(),
        }
    }

    /// Checks receipts and sorts them by job and generation.
    async fn open(&self, receipts: &[Receipt]) -> QueueResult<HashMap<(i64, i64), Vec<i64>>> {
        let mut keys: HashMap<i64, String> = HashMap::new();
        let mut sorted: HashMap<(i64, i64), Vec<i64>> = HashMap::new();
        for receipt in receipts {
            let job = receipt.claim().ok_or(QueueError::BadReceipt)?.job;
            if let std::collections::hash_map::Entry::Vacant(slot) = keys.entry(job) {
                match self.store.job(job).await {
                    Ok(row) => slot.insert(row.receipt_key),
                    Err(StoreError::NotFound(_)) => continue, // its tickets went with it
                    Err(other) => return Err(other.into()),
                };
            }
            let claim = keys.get(&job).and_then(|key| receipt.open(key));
            let claim = claim.ok_or(QueueError::BadReceipt)?;
            sorted
                .entry((claim.job, claim.generation))
                .or_default()
                .push(claim.capture);
        }
        Ok(sorted)
    }
}

/// Leases for each who asks, in one transaction if that is possible.
async fn lease_all(store: &Store, job: i64, asked: Vec<Terms>) -> Vec<StoreResult<Handout>> {
    match store.lease_together(job, &asked).await {
        Ok(handouts) => handouts.into_iter().map(Ok).collect(),
        Err(error) if asked.len() == 1 => vec![Err(error)],
        Err(_) => {
            let mut each = Vec::new();
            for terms in asked {
                each.push(store.lease_tickets(job, terms).await);
            }
            each
        }
    }
}

pub(crate) fn span(duration: Duration) -> chrono::Duration {
    chrono::Duration::from_std(duration).unwrap_or(chrono::Duration::days(365))
}

#[async_trait::async_trait]
impl TaskQueue for Embedded {
    async fn publish(&self, job: i64, generation: i64, captures: &[i64]) -> QueueResult<()> {
        Ok(self
            .store
            .publish_tickets(job, generation, captures)
            .await?)
    }

    async fn lease(&self, job: i64, ask: Ask) -> QueueResult<Vec<Lease>> {
        let terms = Terms {
            max: u64::try_from(ask.max).unwrap_or(u64::MAX).min(10_000),
            ttl: span(ask.ttl),
            max_deliveries: ask.max_deliveries,
            worker: ask.worker,
            claim: ask.claim,
        };
        let store = self.store.clone();
        let round = move |asked: Vec<Terms>| {
            let store = store.clone();
            async move { lease_all(&store, job, asked).await }
        };
        let common = (job, ask.max_deliveries, ask.claim);
        let handout = self.leases.ask(common, terms, round).await;
        let broken = || StoreError::Unreadable("the lease was broken off".to_owned());
        let handout = handout.ok_or_else(broken)??;
        let key = handout.receipt_key;
        let lease = |image: Leased| Lease {
            capture: image.capture,
            generation: image.generation,
            deliveries: image.deliveries,
            receipt: Receipt::sign(
                Claim {
                    job,
                    generation: image.generation,
                    capture: image.capture,
                },
                &key,
            ),
        };
        Ok(handout.images.into_iter().map(lease).collect())
    }

    async fn settle(&self, receipts: &[Receipt], how: Settle) -> QueueResult<()> {
        for ((job, generation), captures) in self.open(receipts).await? {
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
        Ok(())
    }

    async fn extend(&self, receipts: &[Receipt], ttl: Duration) -> QueueResult<Vec<Receipt>> {
        let mut kept = HashSet::new();
        for ((job, generation), captures) in self.open(receipts).await? {
            let moved = self
                .store
                .extend_tickets(job, generation, &captures, span(ttl))
                .await?;
            kept.extend(moved.into_iter().map(|capture| Claim {
                job,
                generation,
                capture,
            }));
        }
        let is_kept = |r: &&Receipt| r.claim().is_some_and(|claim| kept.contains(&claim));
        Ok(receipts.iter().filter(is_kept).cloned().collect())
    }

    async fn depth(&self, job: i64, max_deliveries: Option<i32>) -> QueueResult<Depth> {
        Ok(self.store.ticket_depth(job, max_deliveries).await?)
    }

    async fn standing(&self, jobs: &[i64], max_deliveries: i32) -> QueueResult<Depth> {
        Ok(self.store.standing_images(jobs, max_deliveries).await?)
    }

    async fn purge(&self, job: i64, generation: i64) -> QueueResult<()> {
        Ok(self.store.purge_tickets(job, generation).await?)
    }
}
