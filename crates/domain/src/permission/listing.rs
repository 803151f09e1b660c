//! The `user_permissions` lists that the API puts beside objects and lists, from which clients
//! decide which buttons to show (`domain-rules.md` §10, confirmed by recorded answers).
//! The idea: a list is a row of pairs (word, permission); a word is there when the caller holds
//! the permission.

use super::permit::decide_chain;
use super::{Caller, Decision, JobFacts, ProjectFacts, WEBHOOKS};

/// The words whose permission the caller holds, in the given order.
fn held(
    caller: Caller,
    project: &ProjectFacts,
    words: &[(&'static str, &str)],
) -> Vec<&'static str> {
    let held = words
        .iter()
        .filter(|(_, name)| project.grants(caller, name));
    held.map(|(word, _)| *word).collect()
}

/// For objects that only superusers change (pipelines, algorithms, sessions, taxa …), whatever
/// their project: `update`, `delete`.
pub fn pipeline_permissions(caller: Caller) -> Vec<&'static str> {
    if caller.is_superuser() {
        vec!["update", "delete"]
    } else {
        Vec::new()
    }
}

/// For objects of a project without actions of their own: `update` and `delete` where
/// `update_<model>` and `delete_<model>` are held.
pub fn object_permissions(
    caller: Caller,
    project: &ProjectFacts,
    model: &str,
) -> Vec<&'static str> {
    let (update, delete) = (format!("update_{model}"), format!("delete_{model}"));
    held(caller, project, &[("update", &update), ("delete", &delete)])
}

/// For a project. Superusers also get the two words of the framework's own permissions.
pub fn project_permissions(caller: Caller, project: &ProjectFacts) -> Vec<&'static str> {
    if caller.is_superuser() {
        return vec!["add", "update", "delete", "change"];
    }
    object_permissions(caller, project, "project")
}

/// For a job: `run_single_image` (ML jobs only), `update`, `delete`, `run`.
pub fn job_permissions(
    caller: Caller,
    project: &ProjectFacts,
    job: JobFacts<'_>,
) -> Vec<&'static str> {
    let run = format!("run_{}_job", job.kind);
    let single = format!("run_single_image_{}_job", job.kind);
    let words = [
        ("run_single_image", single.as_str()),
        ("update", "update_job"),
        ("delete", "delete_job"),
        ("run", run.as_str()),
    ];
    // A superuser may do all, but is shown only what exists for this kind.
    let exists = |name: &str| match name {
        "run_single_image" => job.kind == crate::job::ML,
        "run" => crate::job::kind(job.kind).is_some_and(|k| k.key != "unknown"),
        _ => true,
    };
    let mut list = held(caller, project, &words);
    list.retain(|word| exists(word));
    list
}

/// For a capture set: `update`, `delete` and `populate`, or `star` where the set holds the
/// starred captures.
pub fn capture_set_permissions(
    caller: Caller,
    project: &ProjectFacts,
    starred: bool,
) -> Vec<&'static str> {
    let mut list = object_permissions(caller, project, "sourceimagecollection");
    let own = if starred {
        ("star", "star_sourceimage")
    } else {
        ("populate", "populate_sourceimagecollection")
    };
    list.extend(held(caller, project, &[own]));
    list
}

/// For a station: `update`, `delete`, `sync`, `regroup`.
pub fn deployment_permissions(caller: Caller, project: &ProjectFacts) -> Vec<&'static str> {
    let words = [
        ("update", "update_deployment"),
        ("delete", "delete_deployment"),
        ("sync", "sync_deployment"),
        ("regroup", "regroup_sessions_deployment"),
    ];
    held(caller, project, &words)
}

/// For a capture: `star`, `update`, `delete`, `run_single_image_ml_job`.
pub fn capture_permissions(caller: Caller, project: &ProjectFacts) -> Vec<&'static str> {
    let words = [
        ("star", "star_sourceimage"),
        ("update", "update_sourceimage"),
        ("delete", "delete_sourceimage"),
        ("run_single_image_ml_job", "run_single_image_ml_job"),
    ];
    held(caller, project, &words)
}

/// For a storage source: `test`, `update`, `delete`.
pub fn storage_permissions(caller: Caller, project: &ProjectFacts) -> Vec<&'static str> {
    let words = [
        ("test", "test_s3storagesource"),
        ("update", "update_s3storagesource"),
        ("delete", "delete_s3storagesource"),
    ];
    held(caller, project, &words)
}

/// For a schedule: `update`, `delete`, `run` where every kind of its steps may be run.
pub fn schedule_permissions<'a>(
    caller: Caller,
    project: &ProjectFacts,
    kinds: impl IntoIterator<Item = &'a str>,
) -> Vec<&'static str> {
    match decide_chain(caller, project, kinds) {
        Decision::Allowed => vec!["update", "delete", "run"],
        _ => Vec::new(),
    }
}

/// For a list of schedules: `create` where some kind of job may be run in the project that the
/// list is narrowed to.
pub fn schedule_list_permissions(
    caller: Caller,
    project: Option<&ProjectFacts>,
) -> Vec<&'static str> {
    let may = |facts: &ProjectFacts| {
        let kinds = crate::job::KINDS.iter().map(|kind| kind.key);
        kinds
            .into_iter()
            .any(|kind| decide_chain(caller, facts, [kind]) == Decision::Allowed)
    };
    if caller.is_superuser() || project.is_some_and(may) {
        vec!["create"]
    } else {
        Vec::new()
    }
}

/// For a webhook: `test`, `update`, `delete` for those who may change the project's settings.
pub fn webhook_permissions(caller: Caller, project: &ProjectFacts) -> Vec<&'static str> {
    let words = ["test", "update", "delete"].map(|word| (word, WEBHOOKS));
    held(caller, project, &words)
}

/// For a list of webhooks: `create` for superusers, and for those who may change the settings of
/// the project that the list is narrowed to.
pub fn webhook_list_permissions(
    caller: Caller,
    project: Option<&ProjectFacts>,
) -> Vec<&'static str> {
    let may = caller.is_superuser() || project.is_some_and(|p| p.grants(caller, WEBHOOKS));
    if may { vec!["create"] } else { Vec::new() }
}

/// For a membership: `update`, `delete`; everybody may give up their own.
pub fn member_permissions(caller: Caller, project: &ProjectFacts, own: bool) -> Vec<&'static str> {
    let mut list = object_permissions(caller, project, "userprojectmembership");
    if own && !list.contains(&"delete") {
        list.push("delete");
    }
    list
}

/// For a list: `create` for superusers, and for those who hold `create_<model>` in the project
/// that the list is narrowed to.
pub fn list_permissions(
    caller: Caller,
    project: Option<&ProjectFacts>,
    model: &str,
) -> Vec<&'static str> {
    let name = format!("create_{model}");
    let may = caller.is_superuser() || project.is_some_and(|p| p.grants(caller, &name));
    if may { vec!["create"] } else { Vec::new() }
}
