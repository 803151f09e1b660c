//! The counterexamples of `protocol.md` §3, by their numbers: each was the shortest way to break a
//! promise while one guard was missing. Those of an outside queue (15 to 17) have nothing to show
//! where tickets live in the job's own database; 1, 4 and 5 are tested in `results` and `lives`.

mod counted;
mod moved;

use chrono::Duration;
use domain::job::DispatchMode;
use domain::state::JobState;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::world::{World, detection};
use crate::entity::task_result;
use crate::job::feed::{DONE, FAILED};
use crate::job::{Job, NewJob, life::Fence};
use crate::progress::Counts;
use crate::result::{Batch, Outcome, Saved};

const NOW: Duration = Duration::zero();

/// A pull job, claimed.
async fn claimed(world: &World) -> (Job, Fence) {
    let new = NewJob {
        dispatch_mode: Some(DispatchMode::AsyncApi),
        ..world.new_job()
    };
    world.claimed(new).await
}

/// Feeds these captures to a job and ends its feed; it waits for workers then.
async fn feed(world: &World, fence: &Fence, captures: &[i64]) {
    let last = captures.last().copied().unwrap_or(0);
    let store = &world.store;
    store.feed_page(fence, captures, last).await.unwrap();
    store.feed_end(fence, true).await.unwrap();
}

fn done(id: i64) -> (i64, Outcome) {
    (id, Outcome::Done(vec![detection(id, 5.0, [0.9, 0.1])]))
}

fn failed(id: i64) -> (i64, Outcome) {
    (id, Outcome::Failed("no answer".to_owned()))
}

async fn save(world: &World, job: i64, generation: i64, images: Vec<(i64, Outcome)>) -> Saved {
    let batch = Batch {
        job,
        generation,
        pipeline: world.pipeline,
        images,
    };
    world.store.save_results(batch).await.unwrap()
}

/// The counts of a job, which must be those of its rows.
async fn counts(world: &World, job: i64) -> Counts {
    use task_result::Column as C;
    let row = world.store.job(job).await.unwrap();
    let counts = world
        .store
        .counts(std::slice::from_ref(&row))
        .await
        .unwrap();
    let counts = counts.get(&job).copied().unwrap_or_default();
    let number = async |outcome: i32| {
        task_result::Entity::find()
            .filter(C::JobId.eq(job))
            .filter(C::RunNo.eq(row.run_no))
            .filter(C::Outcome.eq(outcome))
            .count(&world.store.db)
            .await
            .unwrap() as i64
    };
    assert_eq!(
        counts.done,
        number(DONE).await,
        "progress is what the rows say"
    );
    assert_eq!(
        counts.failed,
        number(FAILED).await,
        "progress is what the rows say"
    );
    counts
}

async fn state(world: &World, job: i64) -> JobState {
    world.store.job(job).await.unwrap().job_state()
}
