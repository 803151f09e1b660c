//! Kind `post_processing`: one of the [`TASKS`] is applied to what is saved (`domain-rules.md` §8).
//! The idea: a task only says what it works with and how it speaks of it; walking through the
//! scope, page by page behind the runner's fence, is the same for all.

use anyhow::bail;
use domain::job::POST_PROCESSING;
use domain::post::{Fault, Request, Scope, Task};
use domain::state::JobState;
use store::post::{Tally, Work};

use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};

mod masking;
mod rollup;
mod size;

/// Classifications that are named in the log, of those that cannot be used.
const NAMED: usize = 10;

/// Something that can be done to what is saved.
#[async_trait::async_trait]
trait PostTask: Send + Sync {
    /// Its key, as in `domain::post::TASKS`.
    fn key(&self) -> &'static str;

    /// Reads what it works with. An error says what a person must change.
    async fn prepare(&self, cx: &JobContext, request: &Request) -> anyhow::Result<Work>;

    /// What the figures of its stage say, as a sentence.
    fn told(&self, counts: &[u64]) -> String;
}

/// The tasks that can be done.
static TASKS: &[&dyn PostTask] = &[&size::SmallSize, &masking::Masking, &rollup::RankRollup];

/// Kind `post_processing`.
pub struct PostProcessing;

#[async_trait::async_trait]
impl JobKind for PostProcessing {
    fn key(&self) -> &'static str {
        POST_PROCESSING
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        cx.stage(POST_PROCESSING, |s| s.advance(0.0)).await?;
        let (task, request) = read(cx)?;
        let faults = cx.tools.store.post_faults(cx.job.project_id, &request);
        refuse(&faults.await?)?;
        let name = request.task.spec().name;
        let dry = if request.dry_run { ", dry run" } else { "" };
        cx.info(format!("=== Starting {name}{dry} ==="));
        let work = task.prepare(cx, &request).await?;
        let counts = walk(cx, &request, &work).await?;
        if !request.dry_run {
            cx.tools.store.recount_scope(request.scope).await?;
        }
        let told = task.told(&counts);
        cx.info(match request.dry_run {
            false => format!("=== Completed {name}: {told} ==="),
            true => format!("=== Completed {name}, dry run: {told}; nothing was written ==="),
        });
        cx.stage(POST_PROCESSING, |s| s.end(JobState::Success))
            .await?;
        Ok(Outcome::Done)
    }
}

/// The task and its settings, from the job's `params`.
fn read(cx: &JobContext) -> anyhow::Result<(&'static dyn PostTask, Request)> {
    let params = &cx.job.params;
    let key = params.get("task").and_then(|key| key.as_str());
    let key = key.unwrap_or_default();
    let Some(task) = TASKS.iter().find(|task| task.key() == key) else {
        let known: Vec<&str> = TASKS.iter().map(|task| task.key()).collect();
        let known = known.join(", ");
        bail!("Unknown post-processing task '{key}'. The tasks are {known}.");
    };
    cx.info(format!("Post-processing task: {key} with params: {params}"));
    match Request::read(params) {
        Ok(request) => Ok((*task, request)),
        Err(faults) => Err(refusal(&faults)),
    }
}

fn refuse(faults: &[Fault]) -> anyhow::Result<()> {
    match faults {
        [] => Ok(()),
        faults => Err(refusal(faults)),
    }
}

fn refusal(faults: &[Fault]) -> anyhow::Error {
    let words: Vec<String> = faults.iter().map(Fault::to_string).collect();
    anyhow::anyhow!("The settings cannot be used: {}", words.join(" "))
}

/// Goes through everything in scope, on from where an earlier run was cut off. Returns the
/// figures of the whole job.
async fn walk(cx: &JobContext, request: &Request, work: &Work) -> anyhow::Result<Vec<u64>> {
    let store = &cx.tools.store;
    let names = request.task.spec().counts;
    cx.stage(POST_PROCESSING, |stage| {
        for name in names {
            if !stage.params.iter().any(|p| p.key == *name) {
                stage.set(name, 0);
            }
        }
        if request.dry_run {
            stage.set("dry_run", true);
        }
    })
    .await?;
    cx.write_stages().await?;
    let all = store.post_total(cx.job.project_id, request.scope).await?;
    let mut told = 0;
    loop {
        cx.check()?;
        let page = store.post_page(&cx.fence, request, work, all).await?;
        let Some(page) = page else { break };
        tell(cx, &page.tally, &mut told);
        cx.adopt_stages(page.stages);
    }
    let mut counts = Vec::new();
    cx.stage(POST_PROCESSING, |stage| {
        let value = |name: &&str| {
            stage
                .params
                .iter()
                .find(|p| p.key == **name)?
                .value
                .as_u64()
        };
        counts = names.iter().map(|name| value(name).unwrap_or(0)).collect();
    })
    .await?;
    Ok(counts)
}

/// Names what a page could not use; the first ones only.
fn tell(cx: &JobContext, tally: &Tally, told: &mut usize) {
    if tally.skipped == 0 || *told >= NAMED {
        return;
    }
    *told += tally.unreadable.len();
    let ids: Vec<String> = tally.unreadable.iter().map(i64::to_string).collect();
    cx.warn(format!(
        "{} classifications were left out, for they do not have as many scores as the algorithm \
         has labels, among them {}",
        tally.skipped,
        ids.join(", ")
    ));
}

/// Fails where the algorithm has said nothing in scope that could be worked on.
async fn must_have_scores(
    cx: &JobContext,
    scope: Scope,
    algorithm: i64,
    logits: bool,
) -> anyhow::Result<()> {
    let store = &cx.tools.store;
    if store.has_scores(algorithm, scope, logits).await? {
        return Ok(());
    }
    let name = store.algorithm(algorithm).await?.name;
    let place = match scope {
        Scope::Set(id) => format!("capture set {id}"),
        Scope::Occurrence(id) => format!("occurrence {id}"),
    };
    let what = if logits {
        "scores and logits"
    } else {
        "scores"
    };
    bail!(
        "The algorithm \"{name}\" has said nothing with {what} about the detections of {place}. \
         Process its captures with a pipeline of this algorithm first, or choose another one."
    );
}

/// A task was given another one's settings: a fault of this program.
fn mixed_up(task: &Task) -> anyhow::Error {
    anyhow::anyhow!(
        "the settings of {} were read for another task",
        task.spec().key
    )
}

#[cfg(test)]
mod tests {
    use super::TASKS;

    #[test]
    fn every_task_that_can_be_asked_for_can_be_done() {
        let keys: Vec<&str> = TASKS.iter().map(|task| task.key()).collect();
        let known: Vec<&str> = domain::post::TASKS.iter().map(|task| task.key).collect();
        assert_eq!(keys, known);
    }
}
