//! Settings of how the program runs: what it does with an older database, leases of remote workers,
//! when a silent runner is given up, how much is asked of push services at once, and how long logs
//! are kept.

use std::path::PathBuf;

use clap::Args;

/// What happens to the database of an older version.
#[derive(Args, Clone, Copy, Debug)]
pub struct Schema {
    /// Bring the database to this version at the start, as `hawkmoth migrate` does; without it a
    /// database that is behind is refused
    #[arg(long, env = "HAWKMOTH_MIGRATE")]
    pub migrate: bool,
}

/// On which terms images are handed out to remote workers, where a pipeline's settings say
/// nothing else.
#[derive(Args, Clone, Copy, Debug)]
pub struct Leases {
    /// Seconds that a remote worker may keep an image without an answer; then it is handed out
    /// again
    #[arg(
        long,
        env = "HAWKMOTH_LEASE_SECONDS",
        default_value_t = 300,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=86_400)
    )]
    pub lease_seconds: u32,
    /// How often an image is handed out before it counts as failed
    #[arg(
        long,
        env = "HAWKMOTH_MAX_DELIVERIES",
        default_value_t = 2,
        value_name = "N",
        value_parser = clap::value_parser!(i32).range(1..=100)
    )]
    pub max_deliveries: i32,
}

impl From<Leases> for domain::lease::LeaseTerms {
    fn from(leases: Leases) -> domain::lease::LeaseTerms {
        domain::lease::LeaseTerms {
            seconds: leases.lease_seconds,
            deliveries: leases.max_deliveries,
        }
    }
}

/// Where tasks and events go beside the database.
#[derive(Args, Clone, Debug)]
pub struct Nats {
    /// Address of a NATS server with JetStream, for example nats://user:password@host:4222,
    /// nats://token@host:4222, or tls://…; several with commas between them. Images for remote workers are then handed out by it, and
    /// processes tell each other there what changes. All processes need the same; by default both
    /// are in the database
    #[arg(
        long,
        env = "HAWKMOTH_NATS_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub nats_url: Option<String>,
    /// What all names on that server begin with: another one for each installation that shares it
    #[arg(
        long,
        env = "HAWKMOTH_NATS_PREFIX",
        default_value = "hawkmoth",
        value_name = "NAME"
    )]
    pub nats_prefix: String,
    /// File of credentials that opens that server, as nsc writes it, where it is not a user and a
    /// password or a token in its address
    #[arg(
        long,
        env = "HAWKMOTH_NATS_CREDENTIALS",
        value_name = "FILE",
        requires = "nats_url"
    )]
    pub nats_credentials: Option<PathBuf>,
    /// File of certificates (PEM) by which that server is known, instead of those of the system;
    /// connections without TLS are refused then
    #[arg(
        long,
        env = "HAWKMOTH_NATS_CA",
        value_name = "FILE",
        requires = "nats_url"
    )]
    pub nats_ca: Option<PathBuf>,
}

impl Nats {
    /// What opens the server.
    pub fn access(&self) -> queue::Access {
        queue::Access {
            credentials: self.nats_credentials.clone(),
            authorities: self.nats_ca.clone(),
        }
    }
}

/// When the work of a process that died is taken up by another one.
#[derive(Args, Clone, Copy, Debug)]
pub struct Rescue {
    /// Seconds of silence after which whoever runs a job is taken for dead, and another one goes
    /// on with it
    #[arg(
        long,
        env = "HAWKMOTH_SILENCE_SECONDS",
        default_value_t = 30,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(5..=3600)
    )]
    pub silence_seconds: u32,
}

impl Rescue {
    /// As a span of time.
    pub fn silence(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.silence_seconds.into())
    }
}

/// How much those who run jobs do at once, and beside them.
#[derive(Args, Clone, Copy, Debug)]
pub struct Requests {
    /// Requests that are with one push service at once, over all jobs and processes
    #[arg(
        long,
        env = "HAWKMOTH_SERVICE_REQUESTS",
        default_value_t = 4,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub service_requests: u32,
    /// Cut crops of detections ahead of time, when no results come in, instead of when they are
    /// first looked at
    #[arg(
        long,
        env = "HAWKMOTH_CUT_CROPS",
        default_value_t = true,
        action = clap::ArgAction::Set,
        value_name = "true|false"
    )]
    pub cut_crops: bool,
}

/// What the server does for itself.
#[derive(Args, Clone, Copy, Debug)]
pub struct Upkeep {
    /// Days for which the log of a job that has ended is kept; by default for ever. The job stays
    /// with its counts, failures and timeline
    #[arg(
        long,
        env = "HAWKMOTH_LOG_DAYS",
        value_name = "DAYS",
        value_parser = clap::value_parser!(u32).range(1..=36_500)
    )]
    pub log_days: Option<u32>,
}

/// How jobs are run, by whichever process.
#[derive(Args, Clone, Copy, Debug)]
pub struct Running {
    #[command(flatten)]
    pub leases: Leases,
    #[command(flatten)]
    pub rescue: Rescue,
    #[command(flatten)]
    pub requests: Requests,
    #[command(flatten)]
    pub upkeep: Upkeep,
}

impl Running {
    /// At which pace.
    pub fn pace(self) -> jobs::Pace {
        jobs::Pace {
            leases: self.leases.into(),
            silence: self.rescue.silence(),
            requests_per_service: self.requests.service_requests,
            log_days: self.upkeep.log_days,
            ..jobs::Pace::default()
        }
    }
}
