//! How the program ends, as its exit status tells. The idea: [`STATUSES`] is the one table; man
//! pages print it, and a test holds the documentation against it.

use std::process::ExitCode;

use domain::state::JobState;

/// Every exit status, and what it means.
pub const STATUSES: &[(u8, &str)] = &[
    (
        0,
        "what was asked for is done; a job that was watched ended as SUCCESS",
    ),
    (
        1,
        "the command failed; one sentence on standard error says why",
    ),
    (2, "the command line cannot be read"),
    (3, "the job that was watched ended as FAILURE"),
    (
        4,
        "the job that was watched ended as REVOKED: somebody cancelled it",
    ),
    (
        130,
        "interrupted with Ctrl-C; a job that was watched goes on",
    ),
];

/// How a command that asks a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did what was asked.
    Done,
    /// The job failed.
    Failure,
    /// The job was cancelled.
    Revoked,
    /// The person went away.
    Interrupted,
}

impl Ending {
    /// What the end of a job means for whoever watched it.
    pub fn of(state: JobState) -> Ending {
        match state {
            JobState::Failure => Ending::Failure,
            JobState::Revoked => Ending::Revoked,
            _ => Ending::Done,
        }
    }

    /// Its status.
    pub const fn code(self) -> u8 {
        match self {
            Ending::Done => 0,
            Ending::Failure => 3,
            Ending::Revoked => 4,
            Ending::Interrupted => 130,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        ExitCode::from(ending.code())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_status_stands_in_the_table_and_in_the_documentation() {
        for ending in [
            Ending::Done,
            Ending::Failure,
            Ending::Revoked,
            Ending::Interrupted,
        ] {
            assert!(STATUSES.iter().any(|(code, _)| *code == ending.code()));
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/command-line.md");
        let text = std::fs::read_to_string(file).unwrap();
        for (code, means) in STATUSES {
            let row = format!("| {code} | {means} |");
            assert!(text.contains(&row), "docs/command-line.md lacks: {row}");
        }
    }

    #[test]
    fn the_end_of_a_job_is_told() {
        assert_eq!(Ending::of(JobState::Success), Ending::Done);
        assert_eq!(Ending::of(JobState::Failure), Ending::Failure);
        assert_eq!(Ending::of(JobState::Revoked), Ending::Revoked);
    }
}
