//! How a measurement went over time: when each tenth was done, and the server's memory then.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::bench::cost::Cost;

/// What all workers add to.
pub struct Course {
    images: u32,
    processes: Vec<u32>,
    began: Instant,
    done: AtomicU32,
    tenths: Mutex<Vec<(Duration, u64)>>,
}

impl Course {
    /// Begins now.
    pub fn new(images: u32, processes: Vec<u32>) -> Course {
        Course {
            images,
            processes,
            began: Instant::now(),
            done: AtomicU32::new(0),
            tenths: Mutex::default(),
        }
    }

    /// So many more are saved.
    pub fn add(&self, images: u32) {
        let before = self.done.fetch_add(images, Ordering::Relaxed);
        let tenth = |n: u32| u64::from(n) * 10 / u64::from(self.images);
        if tenth(before + images) > tenth(before) {
            let memory = Cost::of_all(&self.processes).unwrap_or_default().memory;
            let mut tenths = self.tenths.lock().unwrap_or_else(|e| e.into_inner());
            tenths.push((self.began.elapsed(), memory));
        }
    }

    fn tenths(&self) -> Vec<(Duration, u64)> {
        let mut tenths = self
            .tenths
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .clone();
        tenths.sort_unstable();
        tenths
    }

    /// From the beginning to the last image.
    pub fn took(&self) -> Duration {
        self.tenths()
            .last()
            .map_or(self.began.elapsed(), |last| last.0)
    }

    /// Images a second in each tenth.
    pub fn rates(&self) -> String {
        let mut before = Duration::ZERO;
        let rates = self.tenths().into_iter().map(|(at, _)| {
            let took = at.saturating_sub(before).as_secs_f64();
            before = at;
            format!("{:.0}", f64::from(self.images) / 10.0 / took.max(1e-6))
        });
        rates.collect::<Vec<_>>().join(" ")
    }

    /// The server's memory at each tenth.
    pub fn memory(&self) -> String {
        let memory = self.tenths().into_iter();
        let memory = memory.map(|(_, bytes)| format!("{:.0}", bytes as f64 / 1e6));
        format!("{} MB", memory.collect::<Vec<_>>().join(" "))
    }
}
