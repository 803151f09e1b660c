//! What several callers ask of the database at the same time is done together. The idea: what
//! comes while a round is under way waits and is done in the next one, so a busy queue costs few
//! transactions, and a quiet one makes nobody wait.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

/// A question and who waits for its answer.
struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<A>,
}

/// Those who wait, by what they must have in common. A key is there while a round is under way.
type All<K, Q, A> = HashMap<K, Vec<Waiting<Q, A>>>;

/// Rounds of questions `Q`, answered by `A`; those of one key are done together.
pub struct Rounds<K, Q, A> {
    all: Arc<Mutex<All<K, Q, A>>>,
    most: usize,
    weight: fn(&Q) -> usize,
    forgets: bool,
}

impl<K, Q, A> Clone for Rounds<K, Q, A> {
    fn clone(&self) -> Self {
        Rounds {
            all: self.all.clone(),
            ..*self
        }
    }
}

impl<K, Q, A> Rounds<K, Q, A>
where
    K: Clone + Eq + Hash + Send + 'static,
    Q: Send + 'static,
    A: Send + 'static,
{
    /// Rounds of questions that weigh `most` together, or of a single heavier one.
    pub fn new(most: usize, weight: fn(&Q) -> usize) -> Rounds<K, Q, A> {
        Rounds {
            all: Arc::default(),
            most,
            weight,
            forgets: false,
        }
    }

    /// Leaves out who is gone before the round begins: nobody would get what is handed out.
    pub fn forgetful(self) -> Rounds<K, Q, A> {
        Rounds {
            forgets: true,
            ..self
        }
    }

    /// Asks, and waits for the answer. `round` answers each of its questions, in their order; it
    /// is that of the first who asked. `None` where the round broke off.
    ///
    /// What was asked is done also when who asked is gone, unless the rounds are forgetful.
    pub async fn ask<F, R>(&self, key: K, question: Q, round: F) -> Option<A>
    where
        F: Fn(Vec<Q>) -> R + Send + 'static,
        R: Future<Output = Vec<A>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let first = {
            let mut all = self.locked();
            let first = !all.contains_key(&key);
            let waiting = Waiting { question, answer };
            all.entry(key.clone()).or_default().push(waiting);
            first
        };
        if first {
            let turn = Turn {
                rounds: self.clone(),
                key,
                over: false,
            };
            tokio::spawn(turn.run(round));
        }
        answered.await.ok()
    }
}

impl<K, Q, A> Rounds<K, Q, A> {
    fn locked(&self) -> MutexGuard<'_, All<K, Q, A>> {
        self.all.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Somebody does the rounds of this key, until nobody waits.
struct Turn<K: Eq + Hash, Q, A> {
    rounds: Rounds<K, Q, A>,
    key: K,
    over: bool,
}

impl<K: Eq + Hash, Q, A> Drop for Turn<K, Q, A> {
    /// Ended before its time, it must not keep the key: those who wait are told.
    fn drop(&mut self) {
        if !self.over {
            self.rounds.locked().remove(&self.key);
        }
    }
}

impl<K, Q, A> Turn<K, Q, A>
where
    K: Clone + Eq + Hash + Send + 'static,
    Q: Send + 'static,
    A: Send + 'static,
{
    async fn run<F, R>(mut self, round: F)
    where
        F: Fn(Vec<Q>) -> R + Send + 'static,
        R: Future<Output = Vec<A>> + Send + 'static,
    {
        while let Some(group) = self.next() {
            let (questions, answers): (Vec<Q>, Vec<_>) = group
                .into_iter()
                .map(|one| (one.question, one.answer))
                .unzip();
            for (waiting, answer) in answers.into_iter().zip(round(questions).await) {
                waiting.send(answer).ok(); // it may have hung up
            }
        }
    }

    /// Those of the next round; `None`, and the key is free, where nobody waits.
    fn next(&mut self) -> Option<Vec<Waiting<Q, A>>> {
        let rounds = self.rounds.clone();
        let mut all = rounds.locked();
        let waiting = all.entry(self.key.clone()).or_default();
        waiting.retain(|one| !rounds.forgets || !one.answer.is_closed());
        if waiting.is_empty() {
            all.remove(&self.key);
            self.over = true;
            return None;
        }
        let mut weight = 0;
        let fits = |one: &&Waiting<Q, A>| {
            weight += (rounds.weight)(&one.question);
            weight <= rounds.most
        };
        let count = waiting.iter().take_while(fits).count().max(1);
        Some(waiting.drain(..count).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_comes_meanwhile_is_done_together() {
        let rounds: Rounds<&str, usize, usize> = Rounds::new(10, |n| *n);
        let done = Arc::new(AtomicUsize::new(0));
        let ask = |n: usize| {
            let done = done.clone();
            rounds.ask("key", n, move |questions: Vec<usize>| {
                done.fetch_add(1, Ordering::SeqCst);
                async move {
                    tokio::task::yield_now().await;
                    questions.into_iter().map(|n| n * 2).collect()
                }
            })
        };
        // All four wait before the first round begins; 9 and 2 are too heavy for one round.
        let answers = tokio::join!(ask(1), ask(9), ask(2), ask(20));
        assert_eq!(answers, (Some(2), Some(18), Some(4), Some(40)));
        assert_eq!(done.load(Ordering::SeqCst), 3);
        assert_eq!(ask(3).await, Some(6), "the key is free again");
    }

    #[tokio::test]
    async fn who_is_gone_is_forgotten_where_that_is_wanted() {
        for (forgets, expected) in [(false, 2), (true, 1)] {
            let rounds: Rounds<u8, u8, usize> = Rounds::new(10, |_| 1);
            let rounds = if forgets { rounds.forgetful() } else { rounds };
            let count = |questions: Vec<u8>| async move { vec![questions.len(); questions.len()] };
            let gone = rounds.ask(1, 1, count).now_or_never();
            assert_eq!(gone, None);
            assert_eq!(rounds.ask(1, 2, count).await, Some(expected));
        }
    }

    #[tokio::test]
    async fn a_round_that_breaks_off_tells_and_frees_its_key() {
        let rounds: Rounds<u8, u8, u8> = Rounds::new(10, |_| 1);
        let broken = rounds.ask(1, 1, |questions: Vec<u8>| async move {
            assert!(questions.is_empty(), "broken off on purpose");
            questions
        });
        assert_eq!(broken.await, None);
        let whole = rounds.ask(1, 7, |questions: Vec<u8>| async move { questions });
        assert_eq!(whole.await, Some(7));
    }
}
