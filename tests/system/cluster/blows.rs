//! What is taken away, one after another: before each blow some jobs are under way and one has just
//! been started, and after it the next saved images are waited for.

use std::time::{Duration, Instant};

use super::world::Cluster;

/// Nothing may take longer until the next image is saved or the next job ends.
const PATIENCE: Duration = Duration::from_secs(240);
/// For how long a process is away that somebody starts again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    Web,
    Work,
    Nats,
    Postgres,
    /// Everybody who works: both worker processes and all clients.
    Workers,
}

const BLOWS: [Blow; 5] = [
    Blow::Web,
    Blow::Work,
    Blow::Nats,
    Blow::Postgres,
    Blow::Workers,
];

/// A blow, and how it went on.
#[derive(Clone, Copy, Debug)]
pub struct Struck {
    pub blow: Blow,
    /// From the kill to when it was started again.
    pub down: Duration,
    /// Images saved while it was away, as far as can be known.
    pub meanwhile: Option<i64>,
    /// From the start to the next saved image; `None` where all were saved.
    pub next: Option<Duration>,
    /// From the start to the first saved image of the job that was started just before the blow.
    pub started: Option<Duration>,
}

/// A run.
pub struct Course {
    pub struck: Vec<Struck>,
    pub took: Duration,
}

/// Starts all jobs, a share before each blow and the rest after the last one, and waits until all
/// have ended.
pub async fn run(cluster: &mut Cluster) -> Course {
    let began = Instant::now();
    let mut struck = Vec::new();
    let all = cluster.size.jobs;
    let until = |turn: usize| all * turn / (BLOWS.len() + 1);
    for (turn, blow) in BLOWS.into_iter().enumerate() {
        let share = until(turn + 1) - until(turn);
        let first = share.div_ceil(2).min(share.saturating_sub(1));
        under_way(cluster, first).await;
        cluster.start_jobs(share - first).await;
        struck.push(strike(cluster, blow).await);
    }
    cluster.start_jobs(all - until(BLOWS.len())).await;
    ended(cluster).await;
    let took = began.elapsed();
    for which in 0..cluster.web.len() {
        cluster.note_metrics(which).await;
    }
    cluster.note_memory();
    Course { struck, took }
}

/// Starts so many jobs and waits until a quarter of their images is saved.
async fn under_way(cluster: &mut Cluster, jobs: usize) {
    let before: i64 = cluster.saved().await.iter().sum();
    cluster.start_jobs(jobs).await;
    let quarter = i64::try_from(jobs * cluster.size.images / 4).unwrap();
    let mut watch = Watch::new();
    while watch.saved(cluster).await < before + quarter {}
}

async fn strike(cluster: &mut Cluster, blow: Blow) -> Struck {
    cluster.must_live();
    cluster.note_memory();
    if blow == Blow::Web {
        cluster.note_metrics(0).await;
    }
    let before: i64 = cluster.saved().await.iter().sum();
    let killed = Instant::now();
    take_away(cluster, blow);
    let down = match blow {
        Blow::Nats | Blow::Postgres => cluster.size.down,
        Blow::Web | Blow::Work | Blow::Workers => PAUSE,
    };
    tokio::time::sleep(down).await;
    let meanwhile = match blow {
        Blow::Postgres => None,
        _ => Some(cluster.saved().await.iter().sum::<i64>() - before),
    };
    let back = Instant::now();
    bring_back(cluster, blow).await;
    let (next, started) = goes_on(cluster, back).await;
    Struck {
        blow,
        down: back - killed,
        meanwhile,
        next,
        started,
    }
}

fn take_away(cluster: &mut Cluster, blow: Blow) {
    match blow {
        Blow::Web => cluster.web[0].kill(),
        Blow::Work => cluster.work[0].kill(),
        Blow::Nats => cluster.nats.kill(),
        Blow::Postgres => cluster.postgres.stop(),
        Blow::Workers => {
            let all = cluster.work.iter_mut().chain(&mut cluster.clients);
            all.for_each(|process| process.kill());
        }
    }
}

async fn bring_back(cluster: &mut Cluster, blow: Blow) {
    match blow {
        Blow::Web => {
            cluster.web[0].start();
            let address = cluster.addresses[0].clone();
            cluster.web[0].up(&address).await;
        }
        Blow::Work => cluster.work[0].start(),
        Blow::Nats => cluster.nats.start_again().await,
        Blow::Postgres => cluster.postgres.start_again().await,
        Blow::Workers => {
            let all = cluster.work.iter_mut().chain(&mut cluster.clients);
            all.for_each(|process| process.start());
        }
    }
}

/// When the next image is saved, and when the first one of the newest job is.
async fn goes_on(cluster: &mut Cluster, back: Instant) -> (Option<Duration>, Option<Duration>) {
    let mut watch = Watch::new();
    let before = cluster.saved().await;
    let (all, newest) = (
        i64::try_from(cluster.size.images * cluster.jobs.len()).unwrap(),
        before.len() - 1,
    );
    let sum: i64 = before.iter().sum();
    let (mut next, mut started) = (None, None);
    loop {
        let now = watch.saved(cluster).await;
        if now > sum {
            next.get_or_insert_with(|| back.elapsed());
        }
        if watch.last[newest] > 0 && before[newest] == 0 {
            started.get_or_insert_with(|| back.elapsed());
        }
        if now == all || next.is_some() && (started.is_some() || before[newest] > 0) {
            return (next, started);
        }
    }
}

/// Waits until every job has ended.
async fn ended(cluster: &mut Cluster) {
    let mut watch = Watch::new();
    loop {
        watch.saved(cluster).await;
        let mut waits = 0;
        for job in &cluster.jobs {
            let job = cluster.store.job(job.id).await.unwrap();
            waits += usize::from(!job.job_state().is_final());
        }
        if waits == 0 {
            return;
        }
        watch.waits(waits);
    }
}

/// Looks again and again, and loses patience where nothing changes.
struct Watch {
    last: Vec<i64>,
    waits: usize,
    changed: Instant,
}

impl Watch {
    fn new() -> Watch {
        Watch {
            last: Vec::new(),
            waits: 0,
            changed: Instant::now(),
        }
    }

    /// All that is saved, a moment later.
    async fn saved(&mut self, cluster: &mut Cluster) -> i64 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cluster.must_live();
        let now = cluster.saved().await;
        if now != self.last {
            self.changed = Instant::now();
        }
        assert!(
            self.changed.elapsed() < PATIENCE,
            "nothing goes on; saved of each job: {now:?}"
        );
        self.last = now;
        self.last.iter().sum()
    }

    fn waits(&mut self, jobs: usize) {
        if jobs != self.waits {
            self.changed = Instant::now();
        }
        self.waits = jobs;
    }
}
