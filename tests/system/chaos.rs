//! Real processes killed in the middle, and a network that cuts, delays and repeats: whatever is
//! done to them, each job ends, each image is saved once, and the counters are true.

mod demo;
mod kinds;
mod luck;
mod network;
pub mod process;
mod project;
mod torn;
mod world;

use std::time::Instant;

use torn::Totals;

/// `scripts/chaos` sets how many runs there are, and the first of their seeds.
fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Each database in turn: the seed says which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torn_at_random_every_image_is_saved_once() {
    let (runs, first) = (
        number("HAWKMOTH_CHAOS_RUNS", 2),
        number("HAWKMOTH_CHAOS_SEED", 1),
    );
    let mut totals = Totals::default();
    let began = Instant::now();
    for seed in first..first + runs {
        torn::run(seed, &mut totals).await;
    }
    println!("{totals}, {:.0} s", began.elapsed().as_secs_f64());
}

/// Both databases: what jobs leave that were killed is what others leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_killed_in_the_middle_ends_as_if_it_had_not_been() {
    let (runs, first) = (
        number("HAWKMOTH_CHAOS_RUNS", 2),
        number("HAWKMOTH_CHAOS_SEED", 1),
    );
    for seed in first..first + runs {
        kinds::run(seed).await;
    }
}
