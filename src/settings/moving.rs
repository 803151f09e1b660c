//! Settings of the commands that fill a database from another one: `copy` and `import`.

use clap::{Args, Subcommand};
use files::Home;

use super::{BucketKeys, Place};

/// `hawkmoth copy`.
#[derive(Args, Clone, Debug)]
pub struct Copy {
    /// Address of the database that is copied, for example sqlite:///srv/hawkmoth/hawkmoth.db
    #[arg(
        long,
        env = "HAWKMOTH_COPY_FROM",
        value_name = "URL",
        hide_env_values = true,
        requires = "to",
        required_unless_present = "files_from"
    )]
    pub from: Option<String>,
    /// Address of the database that is filled, for example postgres://user@host/name. It is
    /// empty, or holds the beginning of the same copy
    #[arg(
        long,
        env = "HAWKMOTH_COPY_TO",
        value_name = "URL",
        hide_env_values = true,
        requires = "from"
    )]
    pub to: Option<String>,
    /// Copy although a process works on the source, for a trial: what is written meanwhile is not
    /// copied, and where there is such this fails in the end
    #[arg(long, env = "HAWKMOTH_COPY_WHILE_RUNNING")]
    pub while_running: bool,
    /// Where the files are that are copied, for example /srv/hawkmoth/files, or
    /// s3://bucket/prefix?endpoint=https://host&region=name
    #[arg(
        long,
        env = "HAWKMOTH_COPY_FILES_FROM",
        value_name = "PLACE",
        requires = "files_to"
    )]
    pub files_from: Option<Home>,
    /// Where they are copied to. It is empty, or holds the beginning of the same copy
    #[arg(
        long,
        env = "HAWKMOTH_COPY_FILES_TO",
        value_name = "PLACE",
        requires = "files_from"
    )]
    pub files_to: Option<Home>,
    #[command(flatten)]
    pub opened: BucketKeys,
}

/// `hawkmoth import …`.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// Bring everything over from a database of Antenna's, with the ids it has
    Antenna(Antenna),
}

/// `hawkmoth import antenna`.
#[derive(Args, Clone, Debug)]
pub struct Antenna {
    #[command(flatten)]
    pub place: Place,
    /// Address of Antenna's database, postgres://user@host/name; it is only read
    #[arg(value_name = "URL")]
    pub url: String,
    /// Time zone of that Antenna (TIME_ZONE in its settings), on whose clock the times of
    /// captures are told
    #[arg(
        long,
        env = "HAWKMOTH_ANTENNA_TIME_ZONE",
        default_value = "America/New_York",
        value_name = "ZONE"
    )]
    pub antenna_time_zone: String,
}
