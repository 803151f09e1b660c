//! What is counted when somebody asks: jobs, images, deliveries, connections. The idea: the database
//! is asked at most every few seconds, however many scrape, and one that does not answer holds
//! nobody up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::metric;
use queue::QueueError;
use store::standing::Standing;
use tokio::sync::Mutex;

use crate::Parts;
use crate::health::PATIENCE;

/// For how long what was counted holds.
const FRESH: Duration = Duration::from_secs(5);

/// Counts on demand.
pub(crate) struct Gauges {
    parts: Parts,
    /// When it was last counted, and what was there: what is gone is shown as none.
    last: Mutex<(Option<Instant>, Known)>,
}

/// Kinds and states of jobs that have been shown.
type Known = BTreeSet<(String, &'static str)>;

impl Gauges {
    pub(crate) fn new(parts: Parts) -> Gauges {
        Gauges {
            parts,
            last: Mutex::default(),
        }
    }

    /// Counts what is not fresh any more. What cannot be counted in time stays as it was.
    pub(crate) async fn refresh(&self) {
        self.pools();
        let mut last = self.last.lock().await;
        if last.0.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        let counted = tokio::time::timeout(PATIENCE, self.count(&mut last.1)).await;
        match counted {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "jobs could not be counted"),
            Err(_) => tracing::warn!("jobs could not be counted in time"),
        }
        last.0 = Some(Instant::now());
    }

    fn pools(&self) {
        for pool in self.parts.store.pools() {
            let gauge = |state, n: u32| {
                let gauge =
                    metrics::gauge!(metric::POOL.name, "pool" => pool.name, "state" => state);
                gauge.set(f64::from(n));
            };
            gauge("idle", pool.idle);
            gauge("used", pool.open - pool.idle);
            metrics::gauge!(metric::POOL_MOST.name, "pool" => pool.name).set(f64::from(pool.most));
        }
    }

    async fn count(&self, known: &mut Known) -> Result<(), QueueError> {
        let Parts { store, queue, .. } = &self.parts;
        let jobs = store.standing_jobs().await?;
        self.jobs(&jobs, known);
        let asked = store.oldest_waiting_job().await?;
        set(metric::OLDEST_JOB.name, asked.map_or(0.0, since));
        let told = store.standing_deliveries().await?;
        set(metric::DELIVERIES_WAITING.name, number(told));
        let running = store.running_jobs().await?;
        let ids: Vec<i64> = running.iter().map(|(id, _)| *id).collect();
        let depth = queue.standing(&ids, self.parts.leases.deliveries).await?;
        for (state, images) in [
            ("waiting", depth.waiting),
            ("leased", depth.leased),
            ("dead", depth.dead),
        ] {
            metrics::gauge!(metric::TASKS.name, "state" => state).set(number(images));
        }
        let most = self.parts.leases.deliveries;
        let oldest = match depth.waiting {
            0 => None,
            _ => store.oldest_waiting_image(&running, most).await?,
        };
        set(metric::OLDEST_TASK.name, oldest.map_or(0.0, since));
        Ok(())
    }

    fn jobs(&self, jobs: &[Standing], known: &mut Known) {
        let gauge = |kind: &str, state: &'static str, jobs: u64| {
            let kind = kind.to_owned();
            let gauge = metrics::gauge!(metric::JOBS.name, "kind" => kind, "state" => state);
            gauge.set(number(jobs));
        };
        for (kind, state) in known.iter() {
            let still = |standing: &Standing| standing.kind == *kind && standing.state == *state;
            if !jobs.iter().any(still) {
                gauge(kind, state, 0);
            }
        }
        for standing in jobs {
            gauge(&standing.kind, standing.state, standing.jobs);
            known.insert((standing.kind.clone(), standing.state));
        }
    }
}

fn set(name: &'static str, value: f64) {
    metrics::gauge!(name).set(value);
}

fn since(at: chrono::DateTime<chrono::Utc>) -> f64 {
    (store::now() - at)
        .to_std()
        .unwrap_or_default()
        .as_secs_f64()
}

/// Counts are far below where a float loses one.
fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
