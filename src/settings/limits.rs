//! Settings of what protects the server: how large, how long and how many requests may be, and
//! where requests of its own may go.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::{ArgAction, Args};
use outgoing::Reach;

/// Bytes of a MiB.
const MIB: usize = 1024 * 1024;
/// What holds where nothing is set.
const USUAL: web::Limits = web::Limits::USUAL;

fn mib(bytes: usize) -> u16 {
    u16::try_from(bytes / MIB).unwrap_or(u16::MAX)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn whole(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// How much the server takes on.
#[derive(Args, Clone, Copy, Debug)]
pub struct Limits {
    /// Largest body of a request
    #[arg(
        long,
        env = "HAWKMOTH_MAX_BODY_MIB",
        default_value_t = mib(USUAL.body),
        value_name = "MIB",
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub max_body_mib: u16,
    /// Largest body of an upload of captures
    #[arg(
        long,
        env = "HAWKMOTH_MAX_UPLOAD_MIB",
        default_value_t = mib(USUAL.upload),
        value_name = "MIB",
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub max_upload_mib: u16,
    /// All bodies together that are on their way or worked on; more are refused with 503. Bodies of
    /// up to 64 KiB do not count
    #[arg(
        long,
        env = "HAWKMOTH_MAX_BODIES_MIB",
        default_value_t = number(USUAL.bodies / MIB),
        value_name = "MIB",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000)
    )]
    pub max_bodies_mib: u32,
    /// Seconds within which a request is answered. Live streams and downloads go on for as long as
    /// they need; what waits for a processing service has ten minutes more
    #[arg(
        long,
        env = "HAWKMOTH_REQUEST_SECONDS",
        default_value_t = whole(USUAL.request),
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=86_400)
    )]
    pub request_seconds: u32,
    /// The same for uploads of captures
    #[arg(
        long,
        env = "HAWKMOTH_UPLOAD_SECONDS",
        default_value_t = whole(USUAL.uploading),
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=86_400)
    )]
    pub upload_seconds: u32,
    /// Seconds that a client may take for the head of a request, and be silent between two
    #[arg(
        long,
        env = "HAWKMOTH_HEADER_SECONDS",
        default_value_t = whole(USUAL.head),
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    pub header_seconds: u32,
    /// Seconds in which at least something of a body arrives, and in which a client takes at least
    /// something of an answer
    #[arg(
        long,
        env = "HAWKMOTH_STALL_SECONDS",
        default_value_t = whole(USUAL.stall),
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    pub stall_seconds: u32,
    /// Connections of clients at the same time; others wait until one ends
    #[arg(
        long,
        env = "HAWKMOTH_CONNECTIONS",
        default_value_t = number(USUAL.connections),
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub connections: u32,
    /// Requests that are answered at the same time; more are refused with 503. Live streams and
    /// downloads do not count once they have begun, and those whose body is still coming not yet:
    /// of these there may be four times as many
    #[arg(
        long,
        env = "HAWKMOTH_CONCURRENT_REQUESTS",
        default_value_t = number(USUAL.requests),
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub concurrent_requests: u32,
    /// Requests a second that one token or cookie may send; more are refused with 429. By default
    /// there is no bound, since workers fetch and post as fast as they are served
    #[arg(long, env = "HAWKMOTH_RATE_LIMIT", value_name = "N")]
    pub rate_limit: Option<NonZeroU32>,
    /// Requests a second from one address without a token or cookie; by default without bound
    #[arg(long, env = "HAWKMOTH_RATE_LIMIT_ANONYMOUS", value_name = "N")]
    pub rate_limit_anonymous: Option<NonZeroU32>,
    /// Seconds that the database may take for one statement of a request. Jobs and migrations take
    /// their time
    #[arg(
        long,
        env = "HAWKMOTH_STATEMENT_SECONDS",
        default_value_t = 60,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=86_400)
    )]
    pub statement_seconds: u32,
    /// Seconds that requests under way have at the end of the process
    #[arg(
        long,
        env = "HAWKMOTH_STOP_SECONDS",
        default_value_t = whole(USUAL.stop),
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(0..=3600)
    )]
    pub stop_seconds: u32,
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

impl Limits {
    /// For one statement of a request.
    pub fn statement(&self) -> Duration {
        seconds(self.statement_seconds)
    }
}

impl From<Limits> for web::Limits {
    fn from(limits: Limits) -> web::Limits {
        web::Limits {
            body: usize::from(limits.max_body_mib) * MIB,
            upload: usize::from(limits.max_upload_mib) * MIB,
            bodies: (limits.max_bodies_mib as usize).saturating_mul(MIB),
            request: seconds(limits.request_seconds),
            uploading: seconds(limits.upload_seconds),
            head: seconds(limits.header_seconds),
            stall: seconds(limits.stall_seconds),
            live: USUAL.live,
            connections: limits.connections as usize,
            requests: limits.concurrent_requests as usize,
            per_token: limits.rate_limit,
            per_address: limits.rate_limit_anonymous,
            stop: seconds(limits.stop_seconds),
        }
    }
}

/// Where requests of the server's own may go.
#[derive(Args, Clone, Copy, Debug)]
pub struct Outgoing {
    /// Whether processing services, storages and photographs may have addresses of a private
    /// network or of this machine
    #[arg(
        long,
        env = "HAWKMOTH_OUTGOING_PRIVATE",
        default_value_t = true,
        action = ArgAction::Set,
        value_name = "true|false"
    )]
    pub outgoing_private: bool,
    /// Whether they may have link-local addresses, and those under which clouds tell their
    /// machines secrets
    #[arg(
        long,
        env = "HAWKMOTH_OUTGOING_LINK_LOCAL",
        default_value_t = false,
        action = ArgAction::Set,
        value_name = "true|false"
    )]
    pub outgoing_link_local: bool,
}

impl From<Outgoing> for Reach {
    fn from(outgoing: Outgoing) -> Reach {
        Reach {
            link_local: outgoing.outgoing_link_local,
            private: outgoing.outgoing_private,
        }
    }
}
