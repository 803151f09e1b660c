//! What a web process remembers of remote workers between their requests: when they polled and
//! for what, who they are, what they have saved. The idea: all of it may be lost at any moment
//! (the truth stands in the database); it spares writes and lets small jobs in beside huge ones.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::lease::LeaseTerms;
use store::job::Job;
use store::service::Heard;
use store::user::User;
use store::worker::{Did, Machine};
use store::{Store, StoreResult};

pub mod saver;
pub mod tally;

use crate::auth::scope;
use saver::Saver;
use tally::Tally;

/// Pull services are marked as seen this often at most (`processing-service.md` §12).
const BEAT: Duration = Duration::from_secs(30);
/// A machine is written down this often at most, unless it turns to another job.
const NOTE: Duration = Duration::from_secs(10);
/// So long a worker may stay with one job while another one starves.
const SLICE: Duration = Duration::from_secs(5);
/// Who does not poll within so long after being sent to do so does not poll at all.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is asked whether another job starves.
const ASK: Duration = Duration::from_secs(1);
/// Entries of one memory; names come from outside, so they are bounded.
const MOST: usize = 10_000;

/// What a pipeline sets is read again after so long.
const SETTINGS: Duration = Duration::from_secs(1);

/// What a pipeline sets for remote workers.
#[derive(Debug)]
pub struct Settings {
    /// How images are handed out.
    pub terms: LeaseTerms,
    /// Keys of the algorithms that its results may name.
    pub algorithms: BTreeSet<String>,
}

/// Settings, and when they were read.
type Read = (Instant, Arc<Settings>);

/// The memory.
#[derive(Default)]
pub struct Desk {
    /// By project and pipeline.
    settings: Mutex<HashMap<(i64, i64), Read>>,
    beats: Mutex<HashMap<String, Instant>>,
    machines: Mutex<HashMap<Machine, Known>>,
    polls: Mutex<HashMap<i64, Poll>>,
    /// What machines did since they were last written down.
    did: Mutex<HashMap<i64, Did>>,
    /// What is being saved.
    pub saver: Saver,
    /// What was saved and is not yet told.
    pub tally: Tally,
}

/// A machine as it was last written down.
#[derive(Clone, Copy)]
struct Known {
    id: i64,
    job: i64,
    at: Instant,
}

/// The last poll for jobs with somebody's token.
#[derive(Clone)]
struct Poll {
    slugs: Vec<String>,
    at: Instant,
    /// When it was last asked whether another job starves, and the answer.
    asked: Option<(Instant, bool)>,
    /// Since when its worker is being sent to poll again.
    sent: Option<Instant>,
}

fn locked<T>(memory: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    memory.lock().unwrap_or_else(|e| e.into_inner())
}

/// Puts an entry in; a memory that is full begins anew.
fn remember<K: Hash + Eq, V>(memory: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut memory = locked(memory);
    if memory.len() >= MOST {
        memory.clear();
    }
    memory.insert(key, value);
}

impl Desk {
    /// True once in a while for each key.
    fn is_due(&self, key: &str, every: Duration) -> bool {
        let fresh = |at: &Instant| at.elapsed() < every;
        if locked(&self.beats).get(key).is_some_and(fresh) {
            return false;
        }
        remember(&self.beats, key.to_owned(), Instant::now());
        true
    }

    /// What a pipeline sets in a project: as it was within the last second, or as it is now where
    /// that does not name these algorithms.
    ///
    /// # Errors
    /// Errors of the database; not found where the pipeline was deleted.
    pub async fn settings(
        &self,
        store: &Store,
        leases: &LeaseTerms,
        project: i64,
        pipeline: i64,
        named: &BTreeSet<&str>,
    ) -> StoreResult<Arc<Settings>> {
        let key = (project, pipeline);
        let known = locked(&self.settings).get(&key).cloned();
        let serves = |(at, known): &Read| {
            at.elapsed() < SETTINGS && named.iter().all(|key| known.algorithms.contains(*key))
        };
        if let Some((_, known)) = known.filter(serves) {
            return Ok(known);
        }
        let at = Instant::now();
        let row = store.pipeline(pipeline).await?;
        let config = store.pipeline_config(project, &row).await?;
        let algorithms = store.algorithms_of(pipeline).await?;
        let settings = Arc::new(Settings {
            terms: leases.overlaid(&config),
            algorithms: algorithms.into_iter().map(|a| a.key).collect(),
        });
        remember(&self.settings, key, (at, settings.clone()));
        Ok(settings)
    }

    /// Somebody asked for tasks of a job or posted results to it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn worked(&self, store: &Store, project: i64, pipeline: i64) -> StoreResult<()> {
        if !self.is_due(&format!("{pipeline} in {project}"), BEAT) {
            return Ok(());
        }
        let heard = Heard::Pipeline { project, pipeline };
        store.pull_services_seen(heard).await
    }

    /// Somebody polled for jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn polled(
        &self,
        store: &Store,
        user: &User,
        slugs: &[String],
        project: Option<i64>,
    ) -> StoreResult<()> {
        let poll = Poll {
            slugs: slugs.to_vec(),
            at: Instant::now(),
            asked: None,
            sent: None,
        };
        remember(&self.polls, user.id, poll);
        if self.is_due(&format!("user {}", user.id), NOTE) {
            store.worker_polled(user.id, &user.email).await?;
        }
        let heard = match project {
            _ if !slugs.is_empty() => Heard::Slugs(slugs),
            Some(project) => Heard::Project(project),
            None => return Ok(()),
        };
        if self.is_due(&format!("{heard:?}"), BEAT) {
            store.pull_services_seen(heard).await?;
        }
        Ok(())
    }

    /// Writes down who asks; returns the machine's id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn machine(
        &self,
        store: &Store,
        machine: Machine,
        pipeline: i64,
        job: i64,
    ) -> StoreResult<i64> {
        let known = locked(&self.machines).get(&machine).copied();
        let fresh = |known: &&Known| known.job == job && known.at.elapsed() < NOTE;
        if let Some(known) = known.as_ref().filter(fresh) {
            return Ok(known.id);
        }
        let at = Instant::now();
        let mut did = known
            .as_ref()
            .map_or(Did::default(), |known| self.taken(known.id));
        did.seconds = known.map(|known| known.at.elapsed().as_secs_f64());
        let id = store.worker_seen(&machine, pipeline, job, did).await?;
        remember(&self.machines, machine, Known { id, job, at });
        Ok(id)
    }

    /// A machine's images were saved or have failed: written down when it is next noted.
    pub fn did(&self, worker: i64, done: i64, failed: i64) {
        let mut all = locked(&self.did);
        if all.len() >= MOST {
            all.clear();
        }
        let did = all.entry(worker).or_default();
        did.done += done;
        did.failed += failed;
    }

    /// What a machine did since this was last asked.
    fn taken(&self, worker: i64) -> Did {
        locked(&self.did).remove(&worker).unwrap_or_default()
    }

    /// Whether the worker should be told that this job has nothing for it just now, so that it
    /// polls again and is offered a job that nobody works on. A worker stays with a job until it
    /// is told that its queue is empty, so without this a job of ten images would wait behind
    /// one of a hundred thousand. Those who do not poll are never sent away.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sends_away(
        &self,
        store: &Store,
        user: &User,
        only: Option<i64>,
        job: &Job,
    ) -> StoreResult<bool> {
        let Some(poll) = locked(&self.polls).get(&user.id).cloned() else {
            return Ok(false);
        };
        let deaf = poll.sent.is_some_and(|at| at.elapsed() > PATIENCE);
        if poll.at.elapsed() < SLICE || deaf || poll.slugs.is_empty() {
            return Ok(false);
        }
        if let Some((_, starves)) = poll.asked.filter(|(at, _)| at.elapsed() < ASK) {
            return Ok(starves);
        }
        let workable = store.workable_projects(Some(user)).await?;
        let workable = scope::within(workable, only);
        let starves = store.another_starves(job, &poll.slugs, &workable).await?;
        if let Some(known) = locked(&self.polls).get_mut(&user.id) {
            known.asked = Some((Instant::now(), starves));
            if starves && known.sent.is_none() {
                known.sent = Some(Instant::now());
            }
        }
        Ok(starves)
    }
}
