//! What buses between processes have in common: one is heard here at once and elsewhere a moment
//! later. The idea: who publishes only leaves a note; a task sends the notes of one moment
//! together, so a thousand changes of a job are one word, and a carrier that is down holds up
//! nobody.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{Changed, EventBus, EventStream, LocalBus};

/// Notes are gathered for so long after some were sent.
const GATHER: Duration = Duration::from_millis(50);
/// A word that cannot be sent within this is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Jobs that are noted at once; more are dropped, as hints may be.
const MOST: usize = 10_000;
/// Jobs of one word: it stays below what PostgreSQL takes, however large their numbers are.
const TOGETHER: usize = 350;

/// Notes that wait to be sent: jobs, and whether they wait for a runner.
#[derive(Default)]
struct Outbox {
    notes: Mutex<BTreeMap<i64, bool>>,
    more: Notify,
}

impl Outbox {
    fn add(&self, event: Changed) {
        let mut notes = self.notes.lock().unwrap_or_else(|e| e.into_inner());
        if notes.len() < MOST || notes.contains_key(&event.job) {
            *notes.entry(event.job).or_default() |= event.waiting;
            self.more.notify_one();
        }
    }

    fn take(&self) -> Vec<Changed> {
        let mut notes = self.notes.lock().unwrap_or_else(|e| e.into_inner());
        let changed = |(job, waiting)| Changed { job, waiting };
        std::mem::take(&mut *notes)
            .into_iter()
            .map(changed)
            .collect()
    }
}

/// A bus that some carrier joins to those of other processes.
pub struct SharedBus {
    local: Arc<LocalBus>,
    outbox: Arc<Outbox>,
    tasks: [JoinHandle<()>; 2],
}

impl SharedBus {
    /// Joins this process to the others: `send` carries a word away, `words` are those that come,
    /// one's own among them.
    pub(super) fn joined<S, F, E>(
        send: S,
        words: impl Stream<Item = String> + Send + 'static,
    ) -> SharedBus
    where
        S: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let me = format!("{:016x}", rand::random::<u64>());
        let local = Arc::new(LocalBus::new());
        let outbox = Arc::new(Outbox::default());
        let hear = hear(me.clone(), local.clone(), words);
        SharedBus {
            tasks: [
                tokio::spawn(tell(me, outbox.clone(), send)),
                tokio::spawn(hear),
            ],
            local,
            outbox,
        }
    }
}

impl EventBus for SharedBus {
    fn publish(&self, event: Changed) {
        self.local.publish(event);
        self.outbox.add(event);
    }

    fn subscribe(&self) -> EventStream {
        self.local.subscribe()
    }
}

impl Drop for SharedBus {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn tell<S, F, E>(me: String, outbox: Arc<Outbox>, send: S)
where
    S: Fn(String) -> F,
    F: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    loop {
        outbox.more.notified().await;
        for together in outbox.take().chunks(TOGETHER) {
            let sent = tokio::time::timeout(PATIENCE, send(word(&me, together))).await;
            match sent {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "other processes were not told"),
                Err(_) => tracing::debug!("other processes were not told in time"),
            }
        }
        tokio::time::sleep(GATHER).await;
    }
}

async fn hear(me: String, local: Arc<LocalBus>, words: impl Stream<Item = String>) {
    let mut words = std::pin::pin!(words);
    while let Some(word) = words.next().await {
        read(&me, &word).for_each(|event| local.publish(event));
    }
}

/// Who says it, then the jobs; those that wait for a runner carry a `w`.
fn word(me: &str, events: &[Changed]) -> String {
    let mut word = me.to_owned();
    for event in events {
        let waits = if event.waiting { "w" } else { "" };
        word.push_str(&format!(" {}{waits}", event.job));
    }
    word
}

/// What others say; what one said oneself was heard at once, and nonsense says nothing.
fn read<'a>(me: &str, word: &'a str) -> impl Iterator<Item = Changed> + use<'a> {
    let mut parts = word.split(' ');
    let foreign = parts.next().is_some_and(|who| who != me);
    parts.filter(move |_| foreign).filter_map(|part| {
        let (number, waiting) = match part.strip_suffix('w') {
            Some(number) => (number, true),
            None => (part, false),
        };
        let job = number.parse().ok()?;
        Some(Changed { job, waiting })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(job: i64, waiting: bool) -> Changed {
        Changed { job, waiting }
    }

    #[test]
    fn a_word_says_what_was_noted_to_all_but_oneself() {
        let events = [event(3, false), event(i64::MAX, true)];
        let said = word("me", &events);
        assert_eq!(read("you", &said).collect::<Vec<_>>(), events);
        assert_eq!(read("me", &said).count(), 0);
        for nonsense in ["", "you", "you w", "you 1.5 x9"] {
            assert_eq!(read("me", nonsense).count(), 0, "{nonsense:?}");
        }
    }

    #[test]
    fn the_longest_word_fits_into_a_notice() {
        let longest = vec![event(i64::MIN, true); TOGETHER];
        let said = word("0123456789abcdef", &longest);
        assert!(said.len() <= store::notice::LONGEST, "{}", said.len());
    }

    #[test]
    fn notes_of_one_job_are_one_and_remember_that_it_waits() {
        let outbox = Outbox::default();
        for n in 0..5000 {
            outbox.add(event(n % 2, n == 7));
        }
        assert_eq!(outbox.take(), [event(0, false), event(1, true)]);
        assert_eq!(outbox.take(), []);
    }
}
