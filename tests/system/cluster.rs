//! An installation of many processes, of which each kind is taken away in the middle of work: two
//! web and two worker processes, PostgreSQL, NATS and a bucket. Whatever is killed, each job ends,
//! each image is saved once, and nothing stays behind in the queue.

mod away;
mod blows;
mod books;
pub mod nats;
mod postgres;
mod table;
mod world;

use std::time::Duration;

use nats::Nats;
use postgres::Postgres;
use world::Cluster;

/// How large a run is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub jobs: usize,
    /// Of each job.
    pub images: usize,
    pub clients: usize,
    /// For how long NATS and PostgreSQL are away.
    pub down: Duration,
    /// After so many seconds an image is handed out again.
    pub lease: u32,
    /// After so many seconds a runner is taken for dead.
    pub silence: u32,
}

/// What every run of the tests does: two jobs for each blow.
const SHORT: Size = Size {
    jobs: 12,
    images: 20,
    clients: 3,
    down: Duration::from_secs(2),
    lease: 4,
    silence: 5,
};

/// One for each blow, and one after the last.
const LEAST: usize = 6;

/// `scripts/cluster` sets how large it is.
fn size() -> Size {
    let number = |variable: &str| std::env::var(variable).ok()?.parse::<usize>().ok();
    let Some(jobs) = number("HAWKMOTH_CLUSTER_JOBS") else {
        return SHORT;
    };
    assert!(
        jobs >= LEAST,
        "a run needs {LEAST} jobs: one for each blow and one after the last"
    );
    Size {
        jobs,
        images: number("HAWKMOTH_CLUSTER_IMAGES").unwrap_or(500),
        clients: number("HAWKMOTH_CLUSTER_CLIENTS").unwrap_or(8),
        down: Duration::from_secs(10),
        lease: 15,
        silence: 10,
    }
}

/// PostgreSQL and NATS of the test's own, where tests of both are wanted and they can be had.
async fn services() -> Option<(Postgres, Nats)> {
    let wanted = std::env::var(store::testing::VARIABLE).is_ok_and(|url| !url.is_empty());
    if !wanted {
        let variable = store::testing::VARIABLE;
        store::testing::left_out(&format!("{variable} is not set: the cluster is LEFT OUT"));
    }
    store::testing::nats().filter(|_| wanted)?;
    let both = Postgres::start().await.zip(Nats::start().await);
    if both.is_none() {
        store::testing::left_out(
            "the programs of PostgreSQL (below /usr/lib/postgresql) or nats-server are not on \
             this machine: the cluster is LEFT OUT",
        );
    }
    both
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_taken_away_every_image_is_saved_once() {
    let Some(mut cluster) = Cluster::start(size()).await else {
        return;
    };
    cluster.clients();
    let course = blows::run(&mut cluster).await;
    books::agree(&cluster).await;
    table::print(&cluster, &course);
}
