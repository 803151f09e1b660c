//! What a kind of job is, and the one list of those that this program can run. Names and stages
//! stand in `domain::job::KINDS`, because the API needs them without running anything.

use crate::context::JobContext;
use crate::kinds::{
    export::DataExport, ml::Ml, populate::Populate, post::PostProcessing, regroup::Regroup,
    sync::StorageSync,
};

/// How a run ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done: the job becomes SUCCESS.
    Done,
    /// The job was released; it ends when all its results are counted.
    Waiting,
}

/// A kind of job.
#[async_trait::async_trait]
pub trait JobKind: Send + Sync {
    /// Its key, as in `domain::job::KINDS`.
    fn key(&self) -> &'static str;

    /// Does the work. Must be able to go on where an earlier run of the same generation was
    /// cut off. An error makes the job a FAILURE with its words in the log.
    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome>;
}

/// The kinds that can be run.
pub static KINDS: &[&dyn JobKind] = &[
    &Ml,
    &Populate,
    &Regroup,
    &StorageSync,
    &DataExport,
    &PostProcessing,
];

/// The kind with this key, if this program can run it.
pub fn find(key: &str) -> Option<&'static dyn JobKind> {
    KINDS.iter().copied().find(|k| k.key() == key)
}

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn every_kind_that_runs_is_a_kind_that_exists() {
        for kind in KINDS {
            assert!(domain::job::kind(kind.key()).is_some(), "{}", kind.key());
        }
    }
}
