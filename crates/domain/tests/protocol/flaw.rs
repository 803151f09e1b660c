//! Guards of the protocol that can be left out, one at a time (`protocol.md` §3): without each
//! of them a promise breaks. So it is known that the model would find a missing one.

use super::state::Budget;

/// A guard left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Counterexample 1: a failed row stays failed, also when a good result comes.
    FailureIsLast,
    /// 2: results are taken while the job is STARTED only, not while it waits for a new runner.
    SavesOnlyWhenStarted,
    /// 4: a job whose runner died while it was being cancelled is not rescued.
    RescueForgetsCancels,
    /// 5: a cancel always waits for the runner, also where there is none.
    CancelWaitsForNobody,
    /// 6: the end of the feed is written without looking at the job's state.
    FeedEndUnguarded,
    /// 8: an image that failed keeps its row, so that a retry does not open it.
    RetryKeepsOldRows,
    /// 7: what was fetched from the stream is handed out without a further look at the job.
    LeaseReadsOnce,
    /// 17: what the stream has lost is not looked for.
    NoSweep,
    /// Feed end: the feed ends before all that it opened is sent.
    FeedEndsUnsent,
    /// 9: the count of failed images stays at a retry.
    RetryKeepsCounts,
}

/// Nothing goes wrong, and nobody asks for anything.
pub const NOTHING: Budget = Budget {
    crashes: 0,
    duplicates: 0,
    cancels: 0,
    retries: 0,
    errors: 0,
    deletions: 0,
    losses: 0,
};

const LOSS: Budget = Budget {
    losses: 1,
    ..NOTHING
};

const CRASH: Budget = Budget {
    crashes: 1,
    ..NOTHING
};

const CANCEL: Budget = Budget {
    cancels: 1,
    ..NOTHING
};

const RETRY: Budget = Budget {
    retries: 1,
    errors: 2,
    ..NOTHING
};

/// Each of those that hold wherever tasks lie, with the least that must go wrong.
pub const ALL: &[(Flaw, Budget)] = &[
    (Flaw::FailureIsLast, NOTHING),
    (Flaw::SavesOnlyWhenStarted, CRASH),
    (
        Flaw::RescueForgetsCancels,
        Budget {
            crashes: 1,
            ..CANCEL
        },
    ),
    (Flaw::CancelWaitsForNobody, CANCEL),
    (Flaw::FeedEndUnguarded, CANCEL),
    (Flaw::RetryKeepsOldRows, RETRY),
    (Flaw::RetryKeepsCounts, RETRY),
];

/// The same of tasks in a stream.
pub const OF_STREAMS: &[(Flaw, Budget)] = &[
    (Flaw::LeaseReadsOnce, CANCEL),
    (Flaw::NoSweep, LOSS),
    (Flaw::FeedEndsUnsent, NOTHING),
];
