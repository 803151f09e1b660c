//! How a chain of steps goes on. The idea: a step may be several jobs, one for each station; it
//! has succeeded when all of them have, and one that has not ends the chain.

use crate::state::JobState;

/// What happens to a chain now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A job of the present step is still to end.
    Wait,
    /// The step with this place begins.
    Begin(usize),
    /// All steps have succeeded.
    Done,
    /// The present step has failed, or somebody has cancelled or deleted one of its jobs: nothing
    /// more is begun.
    Broken,
}

/// The next move of a chain of so many steps whose present one stands at `step`.
///
/// `jobs` are the states of its jobs, of which `gone` were deleted since they were made. A step
/// that made no job at all, because the project has no station for it, has nothing to wait for.
pub fn next_move(steps: usize, step: usize, jobs: &[JobState], gone: usize) -> Move {
    let ended = |state: &&JobState| state.is_final();
    if jobs.iter().filter(ended).count() < jobs.len() {
        return Move::Wait;
    }
    let succeeded = jobs.iter().all(|state| *state == JobState::Success);
    if gone > 0 || !succeeded {
        Move::Broken
    } else if step + 1 < steps {
        Move::Begin(step + 1)
    } else {
        Move::Done
    }
}
