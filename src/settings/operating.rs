//! Settings for those who run the server: what it says about itself, and where it is looked at.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, for programs
    Json,
}

/// What the program says about itself.
#[derive(Args, Clone, Debug)]
pub struct Telemetry {
    /// What is written to standard error: error, warn, info, debug, or a filter such as
    /// "info,jobs=debug"
    #[arg(long, global = true, env = "HAWKMOTH_LOG", default_value = "warn")]
    pub log: String,
    /// How it is written
    #[arg(
        long,
        global = true,
        env = "HAWKMOTH_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Address of a collector of OpenTelemetry (OTLP over HTTP), for example
    /// http://127.0.0.1:4318: spans of requests and jobs are sent there
    #[arg(
        long,
        global = true,
        env = "HAWKMOTH_OTLP_ENDPOINT",
        value_name = "URL"
    )]
    pub otlp_endpoint: Option<url::Url>,
    /// Which share of all traces is sent, from 0 to 1; each is sent whole or not at all
    #[arg(
        long,
        global = true,
        env = "HAWKMOTH_OTLP_SHARE",
        default_value_t = 1.0,
        value_name = "SHARE",
        value_parser = share
    )]
    pub otlp_share: f64,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1".to_owned()),
    }
}

/// Where health and metrics are asked for.
#[derive(Args, Clone, Debug)]
pub struct Looked {
    /// Address and port for /livez, /readyz and /metrics alone. Whoever reaches it may read the
    /// metrics, so it should be a private one
    #[arg(long, env = "HAWKMOTH_OPS_ADDRESS", value_name = "ADDR")]
    pub ops_address: Option<SocketAddr>,
    /// Who asks for /metrics must send this as "Authorization: Bearer …"
    #[arg(
        long,
        env = "HAWKMOTH_METRICS_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub metrics_token: Option<String>,
}

/// `hawkmoth health`: it asks where the process with the same settings answers.
#[derive(Args, Clone, Copy, Debug)]
pub struct Health {
    /// Address and port for health and metrics that the process has; without it, it is asked at
    /// --bind
    #[arg(long, env = "HAWKMOTH_OPS_ADDRESS", value_name = "ADDR")]
    pub ops_address: Option<SocketAddr>,
    /// Address and port on which it serves
    #[arg(
        long,
        env = "HAWKMOTH_BIND",
        default_value = "127.0.0.1:8000",
        value_name = "ADDR"
    )]
    pub bind: SocketAddr,
}
