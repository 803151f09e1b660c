//! What a process has cost so far, as the kernel counts it. Where there is no /proc, nothing is
//! known and nothing is printed.

use std::time::Duration;

/// Ticks of a second in /proc; the same on every Linux that Hawkmoth runs on.
const TICKS: u64 = 100;

/// Processor time and memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Processor time, of all its threads.
    pub cpu: Duration,
    /// Memory now, in bytes.
    pub memory: u64,
    /// The most it ever had.
    pub peak: u64,
}

impl Cost {
    /// Of the process with this number.
    pub fn of(process: u32) -> Option<Cost> {
        Cost::read(&process.to_string())
    }

    /// Of several processes together.
    pub fn of_all(processes: &[u32]) -> Option<Cost> {
        processes.iter().try_fold(Cost::default(), |sum, process| {
            let cost = Cost::of(*process)?;
            Some(Cost {
                cpu: sum.cpu + cost.cpu,
                memory: sum.memory + cost.memory,
                peak: sum.peak + cost.peak,
            })
        })
    }

    /// Of this process.
    pub fn own() -> Option<Cost> {
        Cost::read("self")
    }

    fn read(process: &str) -> Option<Cost> {
        let read = |file| std::fs::read_to_string(format!("/proc/{process}/{file}")).ok();
        let stat = read("stat")?;
        // The name of the program may hold spaces; it ends with the last bracket.
        let (_, numbers) = stat.rsplit_once(')')?;
        let mut numbers = numbers.split_whitespace().skip(11);
        let mut ticks = || numbers.next()?.parse::<u64>().ok();
        let cpu = ticks()? + ticks()?;
        let status = read("status")?;
        let kilobytes = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        Some(Cost {
            cpu: Duration::from_millis(cpu * 1000 / TICKS),
            memory: kilobytes("VmRSS:")? * 1024,
            peak: kilobytes("VmHWM:")? * 1024,
        })
    }
}
