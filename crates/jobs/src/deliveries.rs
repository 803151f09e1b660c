//! Deliveries: sends what is to be told about jobs, beside everything else. The idea: each is taken
//! by one guarded update, so every worker process may look; a webhook has one at a time, so that one
//! that is slow takes one place of many and never a job's.

use std::collections::HashMap;

use store::StoreResult;
use store::webhook::Due;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::Tools;

/// Deliveries that one process sends at once.
const AT_ONCE: usize = 32;

/// Due deliveries that are looked at in one round: of a webhook with many, one is taken.
const LOOKED_AT: u64 = 200;

/// What one process sends at the moment.
pub struct Deliveries {
    tools: Tools,
    tasks: JoinSet<()>,
    /// The webhook of each.
    busy: HashMap<Id, i64>,
}

/// Sends what is due, until `stop` fires. An error is traced, and the next round tries again.
pub async fn run(tools: Tools, stop: CancellationToken) {
    let (care, grace) = (tools.pace.care, tools.pace.grace);
    let mut deliveries = Deliveries::new(tools);
    while !stop.is_cancelled() {
        if let Err(error) = deliveries.begin().await {
            tracing::warn!(%error, "cannot look for what is to be told");
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(care) => {}
            // The next one of the same webhook need not wait.
            () = deliveries.one_ended(), if deliveries.any() => {}
        }
    }
    // What is cut off here is sent again by another process.
    let _ = tokio::time::timeout(grace, deliveries.all_ended()).await;
}

impl Deliveries {
    /// None yet.
    pub fn new(tools: Tools) -> Deliveries {
        Deliveries {
            tools,
            tasks: JoinSet::new(),
            busy: HashMap::new(),
        }
    }

    fn any(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Begins to send what is due, as far as there is room; returns how many that were.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn begin(&mut self) -> StoreResult<usize> {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
        let mut room = AT_ONCE.saturating_sub(self.tasks.len());
        if room == 0 {
            return Ok(0);
        }
        let mut busy: Vec<i64> = self.busy.values().copied().collect();
        let letters = self.tools.teller.mailer().is_some();
        let store = &self.tools.store;
        let all = store.due_deliveries(&busy, letters, LOOKED_AT).await?;
        let mut begun = 0;
        for due in all {
            if room == 0 || busy.contains(&due.webhook.id) {
                continue;
            }
            busy.push(due.webhook.id);
            if self.take(due).await? {
                (room, begun) = (room - 1, begun + 1);
            }
        }
        Ok(begun)
    }

    async fn take(&mut self, due: Due) -> StoreResult<bool> {
        let Some(taken) = self.tools.store.claim_delivery(&due.delivery).await? else {
            return Ok(false); // another process was faster
        };
        let (tools, webhook) = (self.tools.clone(), due.webhook);
        let id = webhook.id;
        let task = self.tasks.spawn(async move {
            let done = tools.teller.deliver(&tools.store, &webhook, &taken).await;
            if let Err(error) = done {
                tracing::warn!(delivery = taken.id, %error, "cannot write down what became of it");
            }
        });
        self.busy.insert(task.id(), id);
        Ok(true)
    }

    async fn one_ended(&mut self) {
        if let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
        }
    }

    /// Waits until everything that was begun has ended.
    pub async fn all_ended(&mut self) {
        while self.any() {
            self.one_ended().await;
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.busy.remove(&id);
    }
}
