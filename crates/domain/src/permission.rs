//! Roles, permissions, and who may do what (`domain-rules.md` §10).
//! The idea: roles are a table ([`GRANTS`]), and every question is answered by [`decide`] from
//! facts about the caller and the project; its answer also says how to refuse (404, 401, 403).
//!
//! Three deliberate differences from the platform: the owner of a project holds the project
//! manager's permissions even if the role was taken away; `tasks` and `result` of a job are open
//! to whoever may run it; and there is a role for machines, which may work and nothing else, so
//! that a worker needs no superuser's token.

use serde::{Deserialize, Serialize};

mod listing;
mod permit;
#[cfg(test)]
mod tests;

pub use listing::{
    capture_permissions, capture_set_permissions, deployment_permissions, job_permissions,
    list_permissions, member_permissions, object_permissions, pipeline_permissions,
    project_permissions, schedule_list_permissions, schedule_permissions, storage_permissions,
    webhook_list_permissions, webhook_permissions,
};

/// Codename of the permission of all members to see what is not for everybody.
pub const VIEW_PRIVATE: &str = "view_private_data";

/// Codename of the permission to say who is told of a project's jobs: the one for its settings.
pub const WEBHOOKS: &str = "update_project";

pub use permit::{Create, Delete, Permit, Run, Update, Verb};

/// What a member of a project is, from the least to the most permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Reads, stars captures, processes single captures.
    BasicMember,
    /// Also exports.
    Researcher,
    /// Also identifies.
    Identifier,
    /// Also runs jobs and keeps capture sets.
    #[serde(rename = "MLDataManager")]
    MlDataManager,
    /// Everything within the project.
    ProjectManager,
    /// A machine: fetches tasks, posts results and registers its pipelines. It holds none of the
    /// permissions of people, so its token is worth little to a thief.
    Worker,
}

impl Role {
    /// The roles of people, in the order in which the API lists them.
    pub const ALL: [Role; 5] = [
        Role::BasicMember,
        Role::Researcher,
        Role::Identifier,
        Role::MlDataManager,
        Role::ProjectManager,
    ];

    /// The id in the API and in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Role::BasicMember => "BasicMember",
            Role::Researcher => "Researcher",
            Role::Identifier => "Identifier",
            Role::MlDataManager => "MLDataManager",
            Role::ProjectManager => "ProjectManager",
            Role::Worker => "Worker",
        }
    }

    /// The role with this id, if there is one.
    pub fn from_key(key: &str) -> Option<Role> {
        let mut all = Role::ALL.into_iter().chain([Role::Worker]);
        all.find(|r| r.key() == key)
    }

    /// Name for people.
    pub const fn display_name(self) -> &'static str {
        match self {
            Role::BasicMember => "Basic member",
            Role::Researcher => "Researcher",
            Role::Identifier => "Identifier",
            Role::MlDataManager => "ML data manager",
            Role::ProjectManager => "Project manager",
            Role::Worker => "Worker",
        }
    }

    /// What the role may do, in a sentence or two.
    pub const fn description(self) -> &'static str {
        match self {
            Role::BasicMember => {
                "Basic project members have read access to projects. They can also process single captures."
            }
            Role::Researcher => {
                "Researchers have all basic member permissions, plus the ability to create and delete data exports."
            }
            Role::Identifier => {
                "Identifiers have all basic member permissions, plus the ability to create, update, and delete occurrence identifications."
            }
            Role::MlDataManager => {
                "Machine learning data managers have all basic member permissions, plus the ability to manage jobs and export data."
            }
            Role::ProjectManager => {
                "Project managers have full administrative access. This includes all permissions from other roles, plus the ability to manage project settings, members, stations, capture sets, storage, and all other project resources."
            }
            Role::Worker => {
                "Workers are machines. They can fetch tasks of jobs, post results and register pipelines, and nothing else."
            }
        }
    }

    /// The permissions of the role, in the order of [`GRANTS`].
    pub fn permissions(self) -> impl Iterator<Item = &'static str> {
        let held = move |(role, _): &&(Role, &[&str])| includes(self, *role);
        GRANTS
            .iter()
            .filter(held)
            .flat_map(|(_, names)| names.iter().copied())
    }
}

/// What each role adds. Everybody but a worker has the basic member's; a project manager has all
/// of them.
pub const GRANTS: &[(Role, &[&str])] = &[
    (
        Role::BasicMember,
        &[
            "view_project",
            "view_private_data",
            "view_userprojectmembership",
            "star_sourceimage",
            "create_job",
            "run_single_image_ml_job",
        ],
    ),
    (
        Role::Researcher,
        &["create_dataexport", "delete_dataexport"],
    ),
    (
        Role::Identifier,
        &[
            "create_identification",
            "update_identification",
            "delete_identification",
        ],
    ),
    (
        Role::MlDataManager,
        &[
            "update_job",
            "run_ml_job",
            "run_populate_captures_collection_job",
            "run_data_storage_sync_job",
            "run_regroup_events_job",
            "run_data_export_job",
            "sync_deployment",
            "delete_occurrences",
            "create_projectpipelineconfig",
            "update_projectpipelineconfig",
            "delete_projectpipelineconfig",
            "create_sourceimagecollection",
            "update_sourceimagecollection",
            "delete_sourceimagecollection",
            "populate_sourceimagecollection",
        ],
    ),
    (
        Role::ProjectManager,
        &[
            "update_project",
            "delete_project",
            "import_data",
            "create_s3storagesource",
            "update_s3storagesource",
            "delete_s3storagesource",
            "test_s3storagesource",
            "create_deployment",
            "update_deployment",
            "delete_deployment",
            "regroup_sessions_deployment",
            "create_site",
            "update_site",
            "delete_site",
            "create_device",
            "update_device",
            "delete_device",
            "create_sourceimage",
            "update_sourceimage",
            "delete_sourceimage",
            "create_sourceimageupload",
            "update_sourceimageupload",
            "delete_sourceimageupload",
            "create_userprojectmembership",
            "update_userprojectmembership",
            "delete_userprojectmembership",
            "create_taxalist",
            "update_taxalist",
            "delete_taxalist",
        ],
    ),
];

const fn includes(role: Role, other: Role) -> bool {
    if matches!(role, Role::Worker) {
        return false;
    }
    matches!(other, Role::BasicMember)
        || matches!(role, Role::ProjectManager)
        || role as u8 == other as u8
}

/// True when the role carries the permission with this codename.
pub fn role_has(role: Role, permission: &str) -> bool {
    role.permissions().any(|p| p == permission)
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a valid token or session.
    Anonymous,
    /// A signed-in user.
    User {
        /// Primary key.
        id: i64,
        /// May do everything.
        superuser: bool,
        /// May write what belongs to no project.
        staff: bool,
    },
}

impl Caller {
    /// True for superusers.
    pub const fn is_superuser(self) -> bool {
        matches!(
            self,
            Caller::User {
                superuser: true,
                ..
            }
        )
    }

    /// True for those who may write what belongs to no single project (taxa, algorithms,
    /// pipelines, processing services …).
    pub const fn may_write_shared(self) -> bool {
        matches!(self, Caller::User { superuser, staff, .. } if superuser || staff)
    }

    /// The user's primary key.
    pub const fn id(self) -> Option<i64> {
        match self {
            Caller::Anonymous => None,
            Caller::User { id, .. } => Some(id),
        }
    }
}

/// What a decision needs to know about a project, seen from one caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProjectFacts {
    /// Hidden from all but members, owner and superusers.
    pub draft: bool,
    /// Primary key of the owner.
    pub owner: Option<i64>,
    /// The role of the caller, if any.
    pub role: Option<Role>,
}

impl ProjectFacts {
    /// The role whose permissions the caller has; an owner is a project manager.
    pub fn role_of(&self, caller: Caller) -> Option<Role> {
        let id = caller.id()?;
        if self.owner == Some(id) {
            Some(Role::ProjectManager)
        } else {
            self.role
        }
    }

    /// True when the caller may know that the project exists.
    pub fn visible_to(&self, caller: Caller) -> bool {
        !self.draft || caller.is_superuser() || self.role_of(caller).is_some()
    }

    /// True when the caller is one of the project's machines.
    pub fn is_worker(&self, caller: Caller) -> bool {
        self.role_of(caller) == Some(Role::Worker)
    }

    /// True when the caller may work on the project's ML jobs as a whole.
    pub fn works_here(&self, caller: Caller) -> bool {
        let job = JobFacts {
            kind: crate::job::ML,
            single_capture: false,
        };
        may_with_job(caller, self, JobAction::Work, job)
    }

    /// True when the caller holds the permission with this codename here.
    pub fn grants(&self, caller: Caller, permission: &str) -> bool {
        caller.is_superuser()
            || self
                .role_of(caller)
                .is_some_and(|r| role_has(r, permission))
    }
}

/// What a decision needs to know about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobFacts<'a> {
    /// Key of its kind.
    pub kind: &'a str,
    /// True when it is about a single capture.
    pub single_capture: bool,
}

/// What can be done with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAction {
    /// See it.
    View,
    /// Make it.
    Create,
    /// Make and run it at once (`start_now`).
    CreateAndStart,
    /// Change its fields.
    Update,
    /// Remove it.
    Delete,
    /// Run, cancel or retry it.
    Run,
    /// Fetch its tasks, keep them or post their results.
    Work,
}

/// What somebody wants to do in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// See the project and what is in it.
    View,
    /// Make something, for which the permission with this codename is needed.
    Create(&'a str),
    /// Change something that exists, for which the permission with this codename is needed.
    Change(&'a str),
    /// Register pipelines of a processing service for it.
    Register,
    /// Something about a job.
    Job(JobAction, JobFacts<'a>),
}

/// The answer, and how to word a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allowed,
    /// Pretend that it does not exist: 404.
    Hidden,
    /// Sign in first: 401.
    Unauthenticated,
    /// No: 403.
    Forbidden,
}

/// Codename of the permission to run a job. Cancel and retry need the same one.
pub fn run_permission(job: JobFacts<'_>) -> String {
    if job.single_capture {
        format!("run_single_image_{}_job", job.kind)
    } else {
        format!("run_{}_job", job.kind)
    }
}

/// Decides. What exists in a project that the caller may not see is hidden; making something
/// there is refused openly, because the caller named the project.
pub fn decide(caller: Caller, project: &ProjectFacts, action: Action<'_>) -> Decision {
    let makes = matches!(
        action,
        Action::Create(_)
            | Action::Register
            | Action::Job(JobAction::Create | JobAction::CreateAndStart, _)
    );
    if !makes && !project.visible_to(caller) {
        return Decision::Hidden;
    }
    let allowed = match action {
        Action::View | Action::Job(JobAction::View, _) => true,
        Action::Create(name) | Action::Change(name) => project.grants(caller, name),
        Action::Register => {
            project.is_worker(caller) || project.grants(caller, "create_projectpipelineconfig")
        }
        Action::Job(act, job) => may_with_job(caller, project, act, job),
    };
    match (allowed, caller) {
        (true, _) => Decision::Allowed,
        (false, Caller::Anonymous) => Decision::Unauthenticated,
        (false, Caller::User { .. }) => Decision::Forbidden,
    }
}

fn may_with_job(
    caller: Caller,
    project: &ProjectFacts,
    action: JobAction,
    job: JobFacts<'_>,
) -> bool {
    let holds = |name: &str| project.grants(caller, name);
    let may_run = || holds(&run_permission(job));
    match action {
        JobAction::View => true,
        JobAction::Create => holds("create_job"),
        JobAction::CreateAndStart => holds("create_job") && may_run(),
        JobAction::Update => holds("update_job"),
        JobAction::Delete => holds("delete_job"),
        JobAction::Run => may_run(),
        JobAction::Work => may_run() || project.is_worker(caller),
    }
}

/// True when [`decide`] allows it.
pub fn may(caller: Caller, project: &ProjectFacts, action: Action<'_>) -> bool {
    decide(caller, project, action) == Decision::Allowed
}
