//! The pages of this server: as a manager sees them, and the server's own as a superuser does. Each
//! is asked for as a link of another page leads to it, with the filters and orders it offers.

use super::addresses::{List, list};

/// All pages that show rows.
pub const PAGES: &[List] = &[
    list("/", &["", "name", "last_capture_timestamp"]),
    list("/me", &[""]),
    list("/projects/{project}", &[""]),
    list(
        "/projects/{project}/captures",
        &[
            "",
            "timestamp",
            "deployment__name",
            "event__start",
            "boxes",
            "last_processed",
            "path",
        ],
    ),
    list("/projects/{project}/captures?view=table", &["", "boxes"]),
    list("/projects/{project}/captures?page=20", &[""]),
    list(
        "/projects/{project}/captures?station={station}",
        &["", "boxes"],
    ),
    list("/projects/{project}/captures?session={session}", &[""]),
    list("/projects/{project}/captures?set={everything}", &[""]),
    list("/projects/{project}/captures?set={sample}", &["", "path"]),
    list(
        "/projects/{project}/captures?from=2020-02-01&to=2020-02-10",
        &["", "boxes"],
    ),
    list("/projects/{project}/captures?processed=no", &["", "path"]),
    list("/projects/{project}/captures?processed=yes", &[""]),
    list("/projects/{project}/captures?detections=yes", &[""]),
    list("/projects/{project}/captures?detections=no", &["", "path"]),
    list("/projects/{project}/captures?starred=1", &[""]),
    list("/projects/{project}/captures/{capture}", &[""]),
    list(
        "/projects/{project}/sessions",
        &[
            "",
            "start",
            "deployment",
            "captures_count",
            "detections_count",
        ],
    ),
    list("/projects/{project}/sessions?station={station}", &[""]),
    list("/projects/{project}/sessions/{session}", &[""]),
    list(
        "/projects/{project}/jobs",
        &[
            "",
            "name",
            "status",
            "created_at",
            "started_at",
            "finished_at",
        ],
    ),
    list("/projects/{project}/jobs?state=unfinished", &[""]),
    list("/projects/{project}/jobs?state=FAILURE", &["", "name"]),
    list("/projects/{project}/jobs?kind=data_export", &[""]),
    list("/projects/{project}/jobs?pipeline={pipeline}", &[""]),
    list("/projects/{project}/jobs?station={station}", &[""]),
    list("/projects/{project}/jobs?mine=1", &[""]),
    list("/projects/{project}/jobs?search=77", &["", "finished_at"]),
    list("/projects/{project}/jobs?search=nothing", &[""]),
    list("/projects/{project}/jobs/{job}", &[""]),
    list("/projects/{project}/jobs/{job}?level=ERROR", &[""]),
    list("/projects/{project}/jobs/{job}/failures", &[""]),
    list("/projects/{project}/jobs/new?kind=ml", &[""]),
    list(
        "/projects/{project}/jobs/new?kind=ml&pipeline_id={pipeline}&scope=set\
         &source_image_collection_id={everything}",
        &[""],
    ),
    list("/projects/{project}/jobs/new?kind=data_storage_sync", &[""]),
    list("/projects/{project}/jobs/new?kind=regroup_events", &[""]),
    list(
        "/projects/{project}/jobs/new?kind=populate_captures_collection",
        &[""],
    ),
    list("/projects/{project}/jobs/new?kind=data_export", &[""]),
    list("/projects/{project}/jobs/new?kind=post_processing", &[""]),
    list(
        "/projects/{project}/jobs/new?kind=post_processing&task=class_masking",
        &[""],
    ),
    list(
        "/projects/{project}/jobs/new?kind=post_processing&task=rank_rollup",
        &[""],
    ),
    list("/projects/{project}/processing", &[""]),
    list("/projects/{project}/processing/pipelines/{pipeline}", &[""]),
    list("/projects/{project}/data", &[""]),
    list("/projects/{project}/data/sources/new", &[""]),
    list("/projects/{project}/data/sets/new", &[""]),
    list("/projects/{project}/data/sets/{everything}", &[""]),
    list("/projects/{project}/schedules", &[""]),
    list("/projects/{project}/schedules/new", &[""]),
    list("/projects/{project}/people", &[""]),
    list("/server", &[""]),
    list("/server/jobs", &[""]),
    list("/server/jobs?status=FAILURE", &[""]),
    list("/server/jobs?search=77", &[""]),
    list("/server/users", &[""]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_project_is_measured() {
        let parts = [
            "",
            "captures",
            "sessions",
            "jobs",
            "processing",
            "data",
            "schedules",
            "people",
        ];
        for part in parts {
            let path = format!("/projects/{{project}}/{part}");
            let path = path.trim_end_matches('/');
            assert!(PAGES.iter().any(|list| list.address == path), "{path}");
        }
        for kind in domain::job::KINDS
            .iter()
            .filter(|kind| !kind.stages.is_empty())
        {
            let form = format!("jobs/new?kind={}", kind.key);
            let asked = PAGES.iter().any(|list| list.address.ends_with(&form));
            assert!(asked, "{form}");
        }
        for task in domain::post::TASKS.iter().skip(1) {
            let form = format!("task={}", task.key);
            let asked = PAGES.iter().any(|list| list.address.ends_with(&form));
            assert!(asked, "{form}");
        }
    }
}
