//! Choosing the captures of an ML job: its scope, less those that this pipeline has processed,
//! shuffled and limited as asked (`domain-rules.md` §6). The idea: each capture has a place that
//! depends on nothing but the job and its id, so a feed that was cut off goes on behind its
//! cursor even though the list has changed meanwhile.

use anyhow::Context;
use domain::chance::mix;
use domain::job::COLLECT_STAGE;
use domain::state::JobState;
use store::capture::Scope;
use store::job::feed::START;
use store::pipeline::Pipeline;

use crate::context::JobContext;

/// Captures looked at by one query.
const PAGE: u64 = 1000;

/// A capture with its place in the order of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    pub place: i64,
    pub id: i64,
}

/// What is to be fed now.
pub(super) struct Chosen {
    /// In order, without what an earlier run of this generation has fed.
    pub captures: Vec<Placed>,
    /// How many the job works on in all.
    pub total: i64,
    /// The limit, where it cut something off.
    pub limited: Option<i32>,
}

pub(super) async fn choose(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<Chosen> {
    let store = &cx.tools.store;
    let job = &cx.job;
    // Before anything can go wrong: what fails here fails while collecting.
    cx.stage(COLLECT_STAGE, |s| s.status = JobState::Started)
        .await?;
    let scope = scope(job)?;
    let expected = store.count_captures(&scope).await?;
    store.expect_captures(&cx.fence, expected).await?;

    let project = store.project(job.project_id).await?;
    let everything = store::project::flag(&project, "reprocess_all_images");
    let algorithms = store.algorithms_of(pipeline.id).await?;
    let mut captures = Vec::new();
    let mut looked_at: i64 = 0;
    let mut after = i64::MIN;
    loop {
        cx.check()?;
        let ids = store.capture_ids_after(&scope, after, PAGE).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        looked_at += ids.len() as i64;
        let wanted = if everything {
            ids
        } else {
            store.needing_processing(&ids, &algorithms).await?
        };
        captures.extend(wanted.into_iter().map(|id| Placed {
            place: place(job, id),
            id,
        }));
        let share = looked_at as f64 / expected.max(1) as f64;
        cx.stage(COLLECT_STAGE, |s| s.advance(share.min(0.99)))
            .await?;
    }
    cx.info(format!(
        "Found {} out of {looked_at} images to process",
        captures.len()
    ));
    Ok(limit(job, captures))
}

fn scope(job: &store::job::Job) -> anyhow::Result<Scope> {
    let set = job.capture_set_id.map(Scope::Set);
    let one = job.capture_id.map(Scope::Single);
    let station = job.station_id.map(Scope::Station);
    set.or(one)
        .or(station)
        .context("the job has neither a capture set nor a capture nor a station")
}

/// Sorts, drops what is fed already, and cuts at the limit what earlier runs have left of it.
fn limit(job: &store::job::Job, mut captures: Vec<Placed>) -> Chosen {
    captures.retain(|c| c.place > job.feed_cursor);
    captures.sort_unstable();
    let before = job.kept + job.fed;
    let mut limited = None;
    if let Some(limit) = job.limit {
        let room = usize::try_from(i64::from(limit) - before).unwrap_or(0);
        if captures.len() > room {
            captures.truncate(room);
            limited = Some(limit);
        }
    }
    Chosen {
        total: before + captures.len() as i64,
        captures,
        limited,
    }
}

/// The place of a capture: its id, or, shuffled, a number mixed from it. The mix is one to one,
/// so no two captures of a job share a place.
pub(super) fn place(job: &store::job::Job, capture: i64) -> i64 {
    if !job.shuffle {
        return capture;
    }
    let seed = (job.id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ job.run_no as u64;
    let mixed = mix(capture as u64 ^ mix(seed)) as i64;
    // The lowest number of all means "before the first".
    if mixed == START { capture } else { mixed }
}
