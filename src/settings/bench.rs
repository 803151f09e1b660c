//! Settings of `hawkmoth bench …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `hawkmoth bench …`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// How long the first page of each list takes, by each order, in a small and a large project
    Lists(BenchLists),
    /// How fast remote workers empty a job, beside what the bare database does
    Drain(BenchDrain),
    /// What many workers without work cost, and how many waiting jobs are begun and ended
    Crowd(BenchCrowd),
    /// Work as a remote worker, or start a server of one's own and have workers empty a job
    Pull(BenchPull),
}

/// Where a measurement keeps what it makes.
#[derive(Args, Clone, Debug)]
pub struct Ground {
    /// Folder for what is made; it must not exist yet
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_DATA",
        default_value = "./hawkmoth-bench",
        value_name = "DIR"
    )]
    pub data: PathBuf,
    /// An empty PostgreSQL database, instead of a SQLite file in the folder
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Web processes, and as many worker processes, on that PostgreSQL; 1: one process is both
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_PROCESSES",
        default_value_t = 1,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=32)
    )]
    pub processes: u32,
    /// A NATS server with JetStream for the tasks, instead of the database
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_NATS_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub nats_url: Option<String>,
    /// Leave what was made where it is
    #[arg(long, env = "HAWKMOTH_BENCH_KEEP")]
    pub keep: bool,
}

/// `hawkmoth bench crowd`.
#[derive(Args, Clone, Debug)]
pub struct BenchCrowd {
    #[command(flatten)]
    pub ground: Ground,
    /// Workers that have nothing to do and ask for jobs all the time
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_POLLERS",
        default_value_t = 1000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=20_000)
    )]
    pub pollers: u32,
    /// Seconds between two polls of one of them
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_POLL_SECONDS",
        default_value_t = 5,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=600)
    )]
    pub poll_seconds: u32,
    /// Seconds that each measurement takes
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_SECONDS",
        default_value_t = 30,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    pub seconds: u32,
    /// Jobs of one image each that then wait at the same time
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_WAITING",
        default_value_t = 10_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub waiting: u32,
    /// Workers that empty them
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_CLIENTS",
        default_value_t = 8,
        value_name = "C",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub clients: u32,
}

/// `hawkmoth bench drain`.
#[derive(Args, Clone, Debug)]
pub struct BenchDrain {
    #[command(flatten)]
    pub ground: Ground,
    /// Images of the job
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_IMAGES",
        default_value_t = 100_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(100..=10_000_000)
    )]
    pub images: u32,
    /// Workers at the same time
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_CLIENTS",
        default_value_t = 8,
        value_name = "C",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub clients: u32,
    /// Images that a worker fetches at once
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_BATCH",
        default_value_t = 8,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub batch: u32,
    /// Images for the rate of the bare database, before the job and again after it
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_BARE",
        default_value_t = 10_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(100..=1_000_000)
    )]
    pub bare: u32,
}

/// `hawkmoth bench pull`.
#[derive(Args, Clone, Debug)]
pub struct BenchPull {
    #[command(flatten)]
    pub ground: Ground,
    /// Address of a server to work for; without it, one is started with a job of its own. Of
    /// several web processes with commas between them, each worker asks one, and the next one when
    /// that does not answer
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_SERVER",
        value_delimiter = ',',
        value_name = "URL",
        requires = "token"
    )]
    pub server: Vec<url::Url>,
    /// Token of a worker on that server
    #[arg(long, env = "HAWKMOTH_BENCH_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Pipelines to work for on that server, by their slugs
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_PIPELINES",
        value_delimiter = ',',
        default_value = "bench",
        value_name = "SLUG"
    )]
    pub pipelines: Vec<String>,
    /// Images of the job
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_IMAGES",
        default_value_t = 5_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub images: u32,
    /// Of a hundred photographs, so many that cannot be downloaded or read
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_BROKEN",
        default_value_t = 5,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(0..=100)
    )]
    pub broken: u32,
    /// Of a hundred posts, so many whose answer is lost, and so many that are sent twice
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_LOST",
        default_value_t = 5,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(0..=50)
    )]
    pub lost: u32,
    /// Workers at the same time
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_CLIENTS",
        default_value_t = 4,
        value_name = "C",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub clients: u32,
    /// Images that a worker fetches at once
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_BATCH",
        default_value_t = 24,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub batch: u32,
    /// End after so many polls in a row that brought nothing; 0: never
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_IDLE",
        default_value_t = 3,
        value_name = "POLLS"
    )]
    pub idle: u32,
    /// Milliseconds to wait after a poll that brought nothing
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_PAUSE_MS",
        default_value_t = 5_000,
        value_name = "MS",
        value_parser = clap::value_parser!(u32).range(1..=600_000)
    )]
    pub pause_ms: u32,
    /// What is lost, sent twice and dropped follows from this number
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    pub seed: u64,
}

/// `hawkmoth bench lists`.
#[derive(Args, Clone, Debug)]
pub struct BenchLists {
    /// Captures of the projects that are made; each has three times as many detections and as
    /// many occurrences. The large ones need some GB of disk
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_CAPTURES",
        value_delimiter = ',',
        default_value = "1000,1000000",
        value_parser = clap::value_parser!(i64).range(100..=100_000_000)
    )]
    pub captures: Vec<i64>,
    /// Jobs of each project
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_JOBS",
        default_value_t = 50,
        value_name = "N",
        value_parser = clap::value_parser!(i64).range(50..=10_000_000)
    )]
    pub jobs: i64,
    /// A PostgreSQL database whose user may create databases: the lists are measured there too
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_POSTGRES",
        value_name = "URL",
        hide_env_values = true
    )]
    pub postgres: Option<String>,
    /// Not on SQLite
    #[arg(long, env = "HAWKMOTH_BENCH_ONLY_POSTGRES", requires = "postgres")]
    pub only_postgres: bool,
    /// Folder for what is made
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_DATA",
        default_value = "./hawkmoth-bench",
        value_name = "DIR"
    )]
    pub data: PathBuf,
    /// Leave what is made where it is, and use what an earlier run left
    #[arg(long, env = "HAWKMOTH_BENCH_KEEP")]
    pub keep: bool,
    /// Requests of each kind
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_REQUESTS",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub requests: u32,
    /// Only addresses that hold this text
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_ONLY",
        value_name = "TEXT",
        default_value = ""
    )]
    pub only: String,
    /// Query plans that are shown: those of the slowest lists
    #[arg(
        long,
        env = "HAWKMOTH_BENCH_PLANS",
        default_value_t = 0,
        value_name = "N"
    )]
    pub plans: usize,
}
