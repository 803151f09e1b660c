//! Commands that ask a server, and the words of their `--help`. The idea: they take no variables but
//! those of [`Asking`], for what is asked is no setting; completions and man pages are made of
//! this same definition.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use domain::export::{CSV, DARWIN_CORE, FORMATS, JSON, PARQUET};
use domain::job::{KINDS, KindSpec};
use domain::state::JobState;

use super::asking::{Asking, address};

/// `hawkmoth jobs …`.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first
    List(ListJobs),
    /// Show one job with its stages and its end
    Show(OneJob),
    /// Make a job
    Create(CreateJob),
    /// Put a job into the queue
    Run(RunJob),
    /// Show how a job goes until it has ended; the exit status tells how
    Watch(OneJob),
    /// Cancel a job; what it has saved stays
    Cancel(OneJob),
    /// Do again what is missing of a job
    Retry(RetryJob),
    /// Print the log of a job, oldest line first
    Logs(JobLogs),
    /// List the captures that failed in a job, and why
    Failures(JobFailures),
}

/// `hawkmoth jobs show`, `watch` and `cancel`.
#[derive(Args, Debug)]
pub struct OneJob {
    /// Number of the job
    pub job: i64,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth jobs list`.
#[derive(Args, Debug)]
pub struct ListJobs {
    /// Only jobs of this project, by number or name
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// Only jobs in this state
    #[arg(long, value_parser = state(), ignore_case = true)]
    pub state: Option<String>,
    /// Only jobs of this kind
    #[arg(long, value_parser = kind())]
    pub kind: Option<String>,
    /// Only jobs with these words
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
    /// So many at most
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth jobs create`.
#[derive(Args, Debug)]
pub struct CreateJob {
    /// Project of the job, by number or name
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// What kind of job
    #[arg(long, default_value = domain::job::ML, value_parser = able())]
    pub kind: String,
    /// Name of the job
    #[arg(long)]
    pub name: Option<String>,
    /// Pipeline that processes the captures, by number, slug or name
    #[arg(long, value_name = "PIPELINE")]
    pub pipeline: Option<String>,
    /// Station whose captures are taken, by number or name
    #[arg(long, value_name = "STATION")]
    pub station: Option<String>,
    /// Capture set that is taken, by number or name
    #[arg(long, value_name = "SET")]
    pub capture_set: Option<String>,
    /// The one capture that is taken, by number
    #[arg(long, value_name = "CAPTURE")]
    pub capture: Option<i64>,
    /// What a job of post-processing does, as the API takes it: {"task": …, "config": {…}}
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub params: Option<serde_json::Value>,
    /// Process so many captures at most
    #[arg(long, value_name = "N")]
    pub max: Option<i64>,
    /// Process captures in their order instead of a random one
    #[arg(long)]
    pub in_order: bool,
    /// Do nothing for so many seconds: a job to try things with
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub delay: i64,
    /// Put it into the queue at once
    #[arg(long)]
    pub start: bool,
    /// Put it into the queue and show how it goes until it has ended
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth jobs run`.
#[derive(Args, Debug)]
pub struct RunJob {
    /// Number of the job
    pub job: i64,
    /// Show how it goes until it has ended
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth jobs retry`.
#[derive(Args, Debug)]
pub struct RetryJob {
    /// Number of the job
    pub job: i64,
    /// Only what failed, not what was never tried
    #[arg(long)]
    pub failed_only: bool,
    /// Show how it goes until it has ended
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth jobs logs`.
#[derive(Args, Debug)]
pub struct JobLogs {
    /// Number of the job
    pub job: i64,
    /// Only lines of this level and above
    #[arg(long, value_parser = ["DEBUG", "INFO", "WARNING", "ERROR"], ignore_case = true)]
    pub level: Option<String>,
    /// Only lines with these words
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
    /// The newest so many lines
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth jobs failures`.
#[derive(Args, Debug)]
pub struct JobFailures {
    /// Number of the job
    pub job: i64,
    /// So many at most
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth captures …`.
#[derive(Debug, Subcommand)]
pub enum CapturesCommand {
    /// Look into the storage of a station for new photographs
    Sync(SyncStation),
}

/// `hawkmoth captures sync`.
#[derive(Args, Debug)]
pub struct SyncStation {
    /// The station, by number or name
    pub station: String,
    /// Project of the station, by number or name; needed where several have one of that name
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// Show how it goes until it has ended
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth export`.
#[derive(Args, Debug)]
pub struct ExportWhat {
    /// Project whose occurrences are written, by number or name
    #[arg(long, value_name = "PROJECT")]
    pub project: String,
    /// How they are written
    #[arg(long, value_parser = format(), default_value = "csv")]
    pub format: String,
    /// Only occurrences on captures of this set, by number or name
    #[arg(long, value_name = "SET")]
    pub capture_set: Option<String>,
    /// A filter as the API takes it; may be given several times
    #[arg(long = "filter", value_name = "NAME=VALUE", value_parser = filter)]
    pub filters: Vec<(String, serde_json::Value)>,
    /// File to write; by default the server's name for it, in this folder
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth tokens …`.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// List your tokens, newest first
    List(ListTokens),
    /// Make a token and print it; it is not shown again
    Create(CreateToken),
    /// End a token at once
    Revoke(RevokeToken),
}

/// `hawkmoth tokens list`.
#[derive(Args, Debug)]
pub struct ListTokens {
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth tokens create`.
#[derive(Args, Debug)]
pub struct CreateToken {
    /// What the token is for
    pub name: String,
    /// Make it a worker's, which may work on the jobs of this project, by number or name, and do
    /// nothing else
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth tokens revoke`.
#[derive(Args, Debug)]
pub struct RevokeToken {
    /// Number of the token
    pub token_id: i64,
    #[command(flatten)]
    pub at: Asking,
}

/// `hawkmoth login`.
#[derive(Args, Debug)]
pub struct SignIn {
    /// Address of the server
    #[arg(long, env = "HAWKMOTH_SERVER", value_name = "URL", value_parser = address)]
    pub server: String,
    /// Token to remember instead of signing in; better given in the variable
    #[arg(
        long,
        env = "HAWKMOTH_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// E-mail address; asked for where it is not given
    #[arg(long, env = "HAWKMOTH_EMAIL")]
    pub email: Option<String>,
    /// Password; asked for where it is not given, and better not given on the command line
    #[arg(long, env = "HAWKMOTH_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
}

/// `hawkmoth completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `hawkmoth man`.
#[derive(Args, Debug)]
pub struct ManPages {
    /// Folder to write them into; made if it does not exist
    pub folder: PathBuf,
}

/// States by their codes, or by the words of the tables.
fn state() -> impl TypedValueParser<Value = String> {
    let values = JobState::ALL.map(|state| PossibleValue::new(state.code()).alias(state.word()));
    PossibleValuesParser::new(values).map(|text| {
        let named = |state: &JobState| {
            text.eq_ignore_ascii_case(state.code()) || text.eq_ignore_ascii_case(state.word())
        };
        let state = JobState::ALL.into_iter().find(named);
        state.map_or(text.clone(), |state| state.code().to_owned())
    })
}

fn kind() -> PossibleValuesParser {
    kinds(|_| true)
}

/// Kinds that do something: the API knows one more, for what another server's jobs may be.
fn able() -> PossibleValuesParser {
    kinds(|kind| !kind.stages.is_empty())
}

fn kinds(which: impl Fn(&KindSpec) -> bool) -> PossibleValuesParser {
    let kinds = KINDS.iter().filter(|kind| which(kind));
    PossibleValuesParser::new(kinds.map(|kind| PossibleValue::new(kind.key).help(kind.name)))
}

/// Short names of formats.
const SHORT: &[(&str, &str)] = &[
    ("csv", CSV),
    ("json", JSON),
    ("darwin-core", DARWIN_CORE),
    ("parquet", PARQUET),
];

/// Formats by their short names, or as the API calls them.
fn format() -> impl TypedValueParser<Value = String> {
    let values = FORMATS.iter().map(|format| {
        let short = SHORT.iter().find(|(_, key)| *key == format.key);
        match short {
            Some((short, key)) => PossibleValue::new(*short).alias(*key),
            None => PossibleValue::new(format.key),
        }
    });
    PossibleValuesParser::new(values).map(|text| {
        let named = SHORT.iter().find(|(short, _)| *short == text);
        named.map_or(text.clone(), |(_, key)| (*key).to_owned())
    })
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))
}

/// `name=value`; a value that is JSON counts as that, anything else as text.
fn filter(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("a filter is NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::super::{Command, Hawkmoth};
    use super::*;

    fn listed(arguments: &[&str]) -> ListJobs {
        let line = ["hawkmoth", "jobs", "list"].iter().chain(arguments);
        match Hawkmoth::try_parse_from(line).unwrap().command {
            Command::Jobs(JobsCommand::List(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn states_are_named_by_code_or_by_word() {
        for text in ["STARTED", "started", "Running"] {
            let list = listed(&["--state", text]);
            assert_eq!(list.state.as_deref(), Some("STARTED"));
        }
    }

    #[test]
    fn every_format_has_a_short_name() {
        for format in FORMATS {
            assert!(SHORT.iter().any(|(_, key)| *key == format.key));
        }
    }

    #[test]
    fn a_filter_is_a_name_and_a_value() {
        assert_eq!(filter("taxon=7").unwrap(), ("taxon".to_owned(), 7.into()));
        assert_eq!(filter("q=a=b").unwrap(), ("q".to_owned(), "a=b".into()));
        assert!(filter("=7").is_err());
        assert!(filter("taxon").is_err());
    }
}
