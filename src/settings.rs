//! Every setting of the program, in one place: flags, their `HAWKMOTH_…` variables and the words
//! of `--help`. Nothing is read from anywhere else.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod asking;
mod bench;
mod commands;
#[cfg(test)]
mod deploy;
mod files;
mod limits;
mod mail;
mod moving;
mod operating;
mod running;

pub use asking::{Asked, Asking};
pub use bench::{BenchCommand, BenchCrowd, BenchDrain, BenchLists, BenchPull, Ground};
pub use commands::{
    CapturesCommand, Completions, CreateJob, CreateToken, ExportWhat, JobFailures, JobLogs,
    JobsCommand, ListJobs, ListTokens, ManPages, OneJob, RetryJob, RevokeToken, RunJob, SignIn,
    SyncStation, TokensCommand,
};
pub use files::{BucketKeys, Kept};
pub use limits::{Limits, Outgoing};
pub use mail::Mail;
pub use moving::{Antenna, Copy, ImportCommand};
pub use operating::{Health, LogFormat, Looked, Telemetry};
pub use running::{Leases, Nats, Running, Schema};

/// The job server for automated insect monitoring.
///
/// Camera traps photograph moths on lit sheets; Hawkmoth holds projects, stations and captures,
/// has machine-learning services turn them into detections, and shows truthful progress. Without
/// any setting it keeps everything in one folder, ./hawkmoth-data. Try it: hawkmoth demo
#[derive(Debug, Parser)]
#[command(name = "hawkmoth", version, max_term_width = 90)]
pub struct Hawkmoth {
    #[command(flatten)]
    pub telemetry: Telemetry,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what Hawkmoth does: a folder of photographs becomes sessions and detections
    Demo(Demo),
    /// Serve the API and the pages, and run jobs, in one process
    Serve(Serve),
    /// Serve the API and the pages only; jobs are run by `hawkmoth work`
    Web(Serve),
    /// Run jobs only
    Work(Work),
    /// Ask a process of this machine whether it is ready; where it is not, the status is 1
    Health(Health),
    /// Bring the database to this version of the program
    Migrate(Place),
    /// Copy a whole installation into another database, of either kind
    Copy(Copy),
    /// Bring the data of another program over
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print the OpenAPI document of the API, as in openapi.json
    Schema,
    /// People who may sign in
    #[command(subcommand)]
    User(UserCommand),
    /// Jobs of a server or a data folder: list, make, run and watch them
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Captures of a server or a data folder
    #[command(subcommand)]
    Captures(CapturesCommand),
    /// Write a project's occurrences to a file
    Export(ExportWhat),
    /// Your tokens, which programs sign in with
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Sign in to a server and remember it
    Login(SignIn),
    /// End the remembered token and forget the server
    Logout,
    /// Print what completes commands in a shell
    Completions(Completions),
    /// Write the man pages
    Man(ManPages),
    /// The built-in processing service for photographs of insects on a lit sheet
    Detector(Detector),
    /// Measure Hawkmoth on this machine
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// Where everything is kept.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Folder for the database and the files, as far as they are nowhere else; made if it does not
    /// exist
    #[arg(
        long,
        env = "HAWKMOTH_DATA",
        default_value = "./hawkmoth-data",
        value_name = "DIR"
    )]
    pub data: PathBuf,
    /// Address of the database; by default a SQLite file in the data folder.
    /// For example postgres://user@host/name
    #[arg(
        long,
        env = "HAWKMOTH_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// 64 hexadecimal digits that sign links and seal the keys of sources; by default made at the
    /// first start and kept in the data folder. Processes on several machines need the same
    #[arg(
        long,
        env = "HAWKMOTH_SECRET_KEY",
        value_name = "HEX",
        hide_env_values = true
    )]
    pub secret_key: Option<String>,
}

/// On which clock times are told.
#[derive(Args, Clone, Debug)]
pub struct Clock {
    /// Time zone of all times that are shown and logged, by its name in the IANA database, for
    /// example America/New_York
    #[arg(
        long,
        env = "HAWKMOTH_TIME_ZONE",
        default_value = "UTC",
        value_name = "ZONE"
    )]
    pub time_zone: String,
}

/// Where traces are looked at.
#[derive(Args, Clone, Debug, Default)]
pub struct Traces {
    /// GUID of this server's entity in New Relic: requests and jobs are traced, and each line of
    /// a job's log ends with a link to its trace
    #[arg(
        long,
        env = "HAWKMOTH_NEW_RELIC_ENTITY",
        value_name = "GUID",
        requires = "new_relic_name"
    )]
    pub new_relic_entity: Option<String>,
    /// Name of that entity
    #[arg(
        long,
        env = "HAWKMOTH_NEW_RELIC_NAME",
        value_name = "NAME",
        requires = "new_relic_entity"
    )]
    pub new_relic_name: Option<String>,
}

impl Command {
    /// The clock of a command that has one.
    pub fn clock(&self) -> Option<&Clock> {
        match self {
            Command::Demo(demo) => Some(&demo.clock),
            Command::Serve(serve) | Command::Web(serve) => Some(&serve.clock),
            Command::Work(work) => Some(&work.clock),
            _ => None,
        }
    }
}

/// `hawkmoth serve` and `hawkmoth web`.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub kept: Kept,
    #[command(flatten)]
    pub schema: Schema,
    /// Address and port to listen on
    #[arg(
        long,
        env = "HAWKMOTH_BIND",
        default_value = "127.0.0.1:8000",
        value_name = "ADDR"
    )]
    pub bind: SocketAddr,
    #[command(flatten)]
    pub public: Public,
    #[command(flatten)]
    pub nats: Nats,
    #[command(flatten)]
    pub running: Running,
    #[command(flatten)]
    pub clock: Clock,
    #[command(flatten)]
    pub traces: Traces,
    #[command(flatten)]
    pub looked: Looked,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub outgoing: Outgoing,
    #[command(flatten)]
    pub mail: Mail,
    /// Folder of a built web client, such as Antenna's: it is served at /, and the pages of
    /// Hawkmoth at /hawkmoth/
    #[arg(long, env = "HAWKMOTH_UI", value_name = "DIR")]
    pub ui: Option<PathBuf>,
}

/// How others reach the server.
#[derive(Args, Clone, Debug)]
pub struct Public {
    /// Address under which services and browsers reach this server; by default http:// and
    /// the address it listens on
    #[arg(long, env = "HAWKMOTH_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<url::Url>,
}

/// `hawkmoth work`.
#[derive(Args, Clone, Debug)]
pub struct Work {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub kept: Kept,
    #[command(flatten)]
    pub schema: Schema,
    /// Address under which processing services reach `hawkmoth web`, for the photographs
    #[arg(
        long,
        env = "HAWKMOTH_PUBLIC_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000"
    )]
    pub public_url: url::Url,
    #[command(flatten)]
    pub nats: Nats,
    #[command(flatten)]
    pub running: Running,
    #[command(flatten)]
    pub clock: Clock,
    #[command(flatten)]
    pub looked: Looked,
    #[command(flatten)]
    pub outgoing: Outgoing,
    #[command(flatten)]
    pub mail: Mail,
}

/// `hawkmoth demo`.
#[derive(Args, Clone, Debug)]
pub struct Demo {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub kept: Kept,
    /// Address and port to listen on
    #[arg(
        long,
        env = "HAWKMOTH_BIND",
        default_value = "127.0.0.1:8000",
        value_name = "ADDR"
    )]
    pub bind: SocketAddr,
    /// Folder of JPEG and PNG photographs, searched with all its sub-folders; their times are
    /// read from their names, such as 20220810231507-00-07.jpg. Without it, sheets are drawn
    #[arg(long, env = "HAWKMOTH_CAPTURES", value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// End when the job has ended: status 0 if it succeeded, 1 otherwise
    #[arg(long, env = "HAWKMOTH_EXIT")]
    pub exit: bool,
    #[command(flatten)]
    pub clock: Clock,
}

/// `hawkmoth user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a person who may sign in
    Create(NewUser),
    /// Make a further token for a person and print it; it is not shown again
    Token(TokenOf),
}

/// `hawkmoth user create`.
#[derive(Args, Debug)]
pub struct NewUser {
    #[command(flatten)]
    pub place: Place,
    /// E-mail address, with which the person signs in
    #[arg(long, env = "HAWKMOTH_EMAIL")]
    pub email: String,
    /// Password; better given in the variable than on the command line
    #[arg(long, env = "HAWKMOTH_PASSWORD", hide_env_values = true)]
    pub password: String,
    /// Name shown to others
    #[arg(long, env = "HAWKMOTH_NAME", default_value = "")]
    pub name: String,
    /// May see and do everything
    #[arg(long, env = "HAWKMOTH_SUPERUSER")]
    pub superuser: bool,
}

/// `hawkmoth user token`.
#[derive(Args, Debug)]
pub struct TokenOf {
    #[command(flatten)]
    pub place: Place,
    /// E-mail address of the person
    #[arg(long, env = "HAWKMOTH_EMAIL")]
    pub email: String,
}

/// `hawkmoth detector …`; without a further word, serves.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Detector {
    /// Address and port to listen on
    #[arg(
        long,
        env = "HAWKMOTH_DETECTOR_BIND",
        default_value = "127.0.0.1:2000",
        value_name = "ADDR"
    )]
    pub bind: SocketAddr,
    #[command(subcommand)]
    pub command: Option<DetectorCommand>,
}

/// What else the detector can do.
#[derive(Debug, Subcommand)]
pub enum DetectorCommand {
    /// Measure the detector against boxes that people drew
    Evaluate(Evaluate),
    /// Draw what the detector finds on a photograph
    Preview(Preview),
}

/// `hawkmoth detector evaluate`.
#[derive(Args, Debug)]
pub struct Evaluate {
    /// Folder of the photographs
    #[arg(long, env = "HAWKMOTH_CAPTURES", value_name = "DIR")]
    pub captures: PathBuf,
    /// JSON file with the boxes, as in crates/detector/tests/data/annotations.json; without it,
    /// only the time that each photograph takes is measured
    #[arg(long, env = "HAWKMOTH_ANNOTATIONS", value_name = "FILE")]
    pub annotations: Option<PathBuf>,
}

/// `hawkmoth detector preview`.
#[derive(Args, Debug)]
pub struct Preview {
    /// The photograph, JPEG or PNG
    pub image: PathBuf,
    /// The PNG to write
    #[arg(short, long, value_name = "OUT.png")]
    pub output: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::Hawkmoth;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Hawkmoth::command().debug_assert();
    }

    #[test]
    fn every_setting_has_a_variable() {
        // What is asked of a server is no setting; where it is asked is.
        const ASKING: [&str; 7] = [
            "jobs",
            "captures",
            "export",
            "tokens",
            "login",
            "completions",
            "man",
        ];
        const WHERE: [&str; 3] = ["server", "token", "data"];
        fn check(command: &clap::Command, asks: bool) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let exempt = argument.is_positional()
                    || ["help", "version", "output"].contains(&name)
                    || asks && !WHERE.contains(&name);
                assert!(
                    exempt || argument.get_env().is_some(),
                    "{} --{name} has no variable",
                    command.get_name()
                );
            }
            for sub in command.get_subcommands() {
                check(sub, asks || ASKING.contains(&sub.get_name()));
            }
        }
        check(&Hawkmoth::command(), false);
    }
}
