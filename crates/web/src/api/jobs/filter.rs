//! The filters of the list of jobs, as its clients send them (`processing-service.md` §7.1).

use domain::job::DispatchMode;
use domain::state::JobState;
use rest::ApiResult;
use store::job::JobFilter;

use super::super::choice::{exists, row};
use crate::call::Call;

/// Reads the filter. Every named row must exist; `project_id`, which other lists share, is the
/// exception: an unknown project has no jobs.
///
/// # Errors
/// 400 names the parameter.
pub async fn read(call: &Call) -> ApiResult<JobFilter> {
    let (store, query) = (call.store(), &call.query);
    let slugs = query.get("pipeline__slug__in").filter(|s| !s.is_empty());
    let slug = query.get("pipeline__slug").filter(|s| !s.is_empty());
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let kinds: Vec<&'static str> = domain::job::KINDS.iter().map(|kind| kind.key).collect();
    let hours = query.integer("cutoff_hours", 0)?;
    let filter = JobFilter {
        id: None,
        project_id: query.integer("project_id", 0)?,
        visible: call.visible().await?,
        state: query
            .choice("status", &JobState::ALL.map(JobState::code))?
            .and_then(JobState::from_code),
        kind: query.choice("job_type_key", &kinds)?.map(str::to_owned),
        dispatch: query
            .choice("dispatch_mode", &DispatchMode::ALL.map(DispatchMode::code))?
            .and_then(DispatchMode::from_code),
        station_id: match row(query, "deployment")? {
            Some(id) => Some(exists("deployment", id, store.station(id).await)?),
            None => None,
        },
        capture_set_id: match row(query, "source_image_collection")? {
            Some(id) => Some(exists(
                "source_image_collection",
                id,
                store.capture_set(id).await,
            )?),
            None => None,
        },
        capture_id: match row(query, "source_image_single")? {
            Some(id) => Some(exists("source_image_single", id, store.capture(id).await)?),
            None => None,
        },
        pipeline_id: match row(query, "pipeline")? {
            Some(id) => Some(exists("pipeline", id, store.pipeline(id).await)?),
            None => None,
        },
        created_by_id: None,
        slugs: slugs.map(list).or(slug.map(|one| vec![one.to_owned()])),
        search: query.search(),
        incomplete: query.flag("incomplete_only"),
        ready: false,
        no_failures_before: hours.and_then(|hours| {
            let span = chrono::Duration::try_hours(hours)?;
            let edge = store::now().checked_sub_signed(span)?;
            // Before all jobs, and perhaps before what a database can say: no edge at all.
            (edge.timestamp() > 0).then_some(edge)
        }),
    };
    let project = match row(query, "project")? {
        Some(id) => Some(exists("project", id, store.project(id).await)?),
        None => None,
    };
    Ok(narrowed(filter, project))
}

/// `project` and `project_id` together: a job of both is a job of one only where they agree.
fn narrowed(filter: JobFilter, project: Option<i64>) -> JobFilter {
    match (project, filter.project_id) {
        (None, _) => filter,
        (Some(project), Some(other)) if project != other => JobFilter {
            visible: Some(Vec::new()),
            ..filter
        },
        (Some(project), _) => JobFilter {
            project_id: Some(project),
            ..filter
        },
    }
}
