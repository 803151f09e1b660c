//! Settings of the commands that fill a database from another one: `copy` and `import`.

use clap::{Args, Subcommand};

use super::Place;

/// `hawkmoth copy`.
#[derive(Args, Clone, Debug)]
pub struct Copy {
    /// Address of the database that is copied, for example sqlite:///srv/hawkmoth/hawkmoth.db
    #[arg(
        long,
        env = "HAWKMOTH_COPY_FROM",
        value_name = "URL",
        hide_env_values = true
    )]
    pub from: String,
    /// Address of the database that is filled, for example postgres://user@host/name. It is
    /// empty, or holds the beginning of the same copy
    #[arg(
        long,
        env = "HAWKMOTH_COPY_TO",
        value_name = "URL",
        hide_env_values = true
    )]
    pub to: String,
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
