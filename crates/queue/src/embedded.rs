//! The task queue within the database: tickets that the feed writes in its own transaction and
//! that a save deletes in its own. Nothing here can disagree with the job's row.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use store::{Store, StoreError};

use crate::{Ask, Claim, Depth, Lease, QueueError, QueueResult, Receipt, Settle, TaskQueue};

/// Tasks as rows of the database.
#[derive(Clone)]
pub struct Embedded {
    store: Store,
}

impl Embedded {
    /// The queue of this database.
    pub fn new(store: Store) -> Embedded {
        Embedded { store }
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

fn span(duration: Duration) -> chrono::Duration {
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
        let terms = store::ticket::Terms {
            max: u64::try_from(ask.max).unwrap_or(u64::MAX).min(10_000),
            ttl: span(ask.ttl),
            max_deliveries: ask.max_deliveries,
            worker: ask.worker,
            claim: ask.claim,
        };
        let handout = self.store.lease_tickets(job, terms).await?;
        let key = handout.receipt_key;
        let lease = |image: store::ticket::Leased| Lease {
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

    async fn purge(&self, job: i64, generation: i64) -> QueueResult<()> {
        Ok(self.store.purge_tickets(job, generation).await?)
    }
}
