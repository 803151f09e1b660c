//! What this process remembers of a job's generations, to save a question to the server. The idea:
//! other processes end jobs and tell nobody, so it is bounded: of too many, that goes which nobody
//! has asked for the longest. What is forgotten is asked for again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// Remembers one thing for each generation of a job.
pub(super) struct Known<T> {
    most: usize,
    all: Mutex<Entries<T>>,
}

/// Under job and generation, when it was last asked for, and what it is.
struct Entries<T> {
    turn: u64,
    kept: HashMap<(i64, i64), (u64, T)>,
}

impl<T: Clone> Known<T> {
    /// Remembers so many, at least one.
    pub(super) fn new(most: usize) -> Known<T> {
        Known {
            most: most.max(1),
            all: Mutex::new(Entries {
                turn: 0,
                kept: HashMap::new(),
            }),
        }
    }

    fn all(&self) -> MutexGuard<'_, Entries<T>> {
        self.all.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn get(&self, job: i64, generation: i64) -> Option<T> {
        let mut all = self.all();
        let Entries { turn, kept } = &mut *all;
        let (asked, value) = kept.get_mut(&(job, generation))?;
        *turn += 1;
        *asked = *turn;
        Some(value.clone())
    }

    /// Remembers it in the place of older generations of the job, which nobody asks for any more.
    pub(super) fn put(&self, job: i64, generation: i64, value: T) {
        let mut all = self.all();
        let Entries { turn, kept } = &mut *all;
        *turn += 1;
        kept.retain(|(of, number), _| *of != job || *number >= generation);
        kept.insert((job, generation), (*turn, value));
        if kept.len() > self.most {
            let oldest = kept.iter().min_by_key(|(_, (asked, _))| *asked);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                kept.remove(&key);
            }
        }
    }

    pub(super) fn forget(&self, job: i64, generation: i64) {
        self.all().kept.remove(&(job, generation));
    }

    /// Forgets all generations of a job.
    pub(super) fn forget_job(&self, job: i64) {
        self.all().kept.retain(|(of, _), _| *of != job);
    }

    /// The generations that are remembered of a job.
    pub(super) fn generations(&self, job: i64) -> Vec<i64> {
        let all = self.all();
        let of_job = all.kept.keys().filter(|(of, _)| *of == job);
        of_job.map(|(_, generation)| *generation).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn of_too_many_that_goes_which_nobody_asks_for() {
        let known = Known::new(3);
        for job in 1..=3 {
            known.put(job, 0, job * 10);
        }
        assert_eq!(known.get(1, 0), Some(10));
        // As many as ever there are, whoever has ended their jobs.
        for job in 4..=1000 {
            known.put(job, 0, job * 10);
            assert_eq!(known.get(1, 0), Some(10));
        }
        assert_eq!(known.get(2, 0), None);
        assert_eq!(known.get(1000, 0), Some(10_000));
        assert_eq!(known.all().kept.len(), 3);
    }

    #[test]
    fn of_a_job_the_newest_generation_is_remembered() {
        let known = Known::new(9);
        known.put(1, 0, "old");
        known.put(2, 0, "other");
        known.put(1, 1, "new");
        assert_eq!(known.generations(1), [1]);
        assert_eq!((known.get(1, 0), known.get(1, 1)), (None, Some("new")));
        known.put(2, 1, "again");
        known.forget(2, 0);
        assert_eq!(known.get(2, 1), Some("again"));
        known.forget_job(1);
        assert!(known.generations(1).is_empty());
        known.forget(2, 1);
        assert_eq!(known.get(2, 1), None);
    }
}
