//! Tests of the permissions against what the platform was recorded to answer, role by role.
//! The idea: one table per question, one column per person of the recording.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod listed;
mod properties;

use super::*;

const OWNER: i64 = 5;

const fn person(id: i64, superuser: bool, staff: bool) -> Caller {
    Caller::User {
        id,
        superuser,
        staff,
    }
}

const fn user(id: i64) -> Caller {
    person(id, false, false)
}

/// The people of the recording in the order of its table, with their role in the open project.
fn people() -> [(&'static str, Caller, Option<Role>); 10] {
    [
        ("superuser", person(3, true, true), None),
        ("owner", user(OWNER), None),
        ("manager", user(6), Some(Role::ProjectManager)),
        ("mlmanager", user(7), Some(Role::MlDataManager)),
        ("researcher", user(9), Some(Role::Researcher)),
        ("identifier", user(8), Some(Role::Identifier)),
        ("basic", user(10), Some(Role::BasicMember)),
        ("nonmember", user(11), None),
        ("staff", person(12, false, true), None),
        ("anonymous", Caller::Anonymous, None),
    ]
}

fn open(role: Option<Role>) -> ProjectFacts {
    ProjectFacts {
        draft: false,
        owner: Some(OWNER),
        role,
    }
}

fn job(kind: &str) -> JobFacts<'_> {
    JobFacts {
        kind,
        single_capture: false,
    }
}

const SINGLE: JobFacts<'_> = JobFacts {
    kind: "ml",
    single_capture: true,
};

/// One letter per person: A allowed, F 403, U 401, H 404.
fn letters(project: impl Fn(Option<Role>) -> ProjectFacts, action: Action<'_>) -> String {
    let letter = |(_, caller, role)| match decide(caller, &project(role), action) {
        Decision::Allowed => 'A',
        Decision::Forbidden => 'F',
        Decision::Unauthenticated => 'U',
        Decision::Hidden => 'H',
    };
    people().map(letter).iter().collect()
}

#[test]
fn the_recorded_matrix_of_jobs() {
    use JobAction::{Create, CreateAndStart, Delete, Run, Update, View};
    for kind in [
        "ml",
        "data_storage_sync",
        "populate_captures_collection",
        "regroup_events",
        "data_export",
    ] {
        assert_eq!(
            letters(open, Action::Job(View, job(kind))),
            "AAAAAAAAAA",
            "{kind}"
        );
        assert_eq!(
            letters(open, Action::Job(Create, job(kind))),
            "AAAAAAAFFU",
            "{kind}"
        );
        assert_eq!(
            letters(open, Action::Job(Run, job(kind))),
            "AAAAFFFFFU",
            "{kind}"
        );
    }
    for kind in ["post_processing", "unknown"] {
        assert_eq!(
            letters(open, Action::Job(Create, job(kind))),
            "AAAAAAAFFU",
            "{kind}"
        );
        assert_eq!(
            letters(open, Action::Job(Run, job(kind))),
            "AFFFFFFFFU",
            "{kind}"
        );
    }
    let ml = job("ml");
    assert_eq!(letters(open, Action::Job(Run, SINGLE)), "AAAAAAAFFU");
    assert_eq!(letters(open, Action::Job(CreateAndStart, ml)), "AAAAFFFFFU");
    assert_eq!(
        letters(open, Action::Job(CreateAndStart, SINGLE)),
        "AAAAAAAFFU"
    );
    assert_eq!(letters(open, Action::Job(Update, ml)), "AAAAFFFFFU");
    assert_eq!(letters(open, Action::Job(Delete, ml)), "AFFFFFFFFU");
}

#[test]
fn workers_need_no_superuser() {
    assert_eq!(
        letters(open, Action::Job(JobAction::Work, job("ml"))),
        "AAAAFFFFFU"
    );
    assert_eq!(
        letters(open, Action::Job(JobAction::Work, SINGLE)),
        "AAAAAAAFFU"
    );
}

#[test]
fn a_machine_may_work_and_nothing_else() {
    let machine = user(20);
    let draft = ProjectFacts {
        draft: true,
        ..open(Some(Role::Worker))
    };
    let decided = |action| decide(machine, &draft, action);
    for allowed in [
        Action::View,
        Action::Register,
        Action::Job(JobAction::View, job("ml")),
        Action::Job(JobAction::Work, job("ml")),
        Action::Job(JobAction::Work, SINGLE),
    ] {
        assert_eq!(decided(allowed), Decision::Allowed, "{allowed:?}");
    }
    use JobAction::{Create, CreateAndStart, Delete, Run, Update};
    for act in [Create, CreateAndStart, Update, Delete, Run] {
        for facts in [job("ml"), SINGLE] {
            assert_eq!(decided(Action::Job(act, facts)), Decision::Forbidden);
        }
    }
    for permission in Role::ProjectManager.permissions() {
        assert_eq!(decided(Action::Change(permission)), Decision::Forbidden);
        assert_eq!(decided(Action::Create(permission)), Decision::Forbidden);
    }
    assert!(job_permissions(machine, &draft, job("ml")).is_empty());
    assert!(project_permissions(machine, &draft).is_empty());
    // Elsewhere it is nobody.
    let elsewhere = ProjectFacts {
        draft: true,
        ..open(None)
    };
    let there = decide(machine, &elsewhere, Action::Job(JobAction::Work, job("ml")));
    assert_eq!(there, Decision::Hidden);
}

#[test]
fn who_registers_pipelines_as_recorded() {
    assert_eq!(letters(open, Action::Register), "AAAAFFFFFU");
}

#[test]
fn the_machines_role_is_not_among_those_of_people() {
    assert!(!Role::ALL.contains(&Role::Worker));
    assert_eq!(Role::from_key("Worker"), Some(Role::Worker));
    assert_eq!(Role::Worker.permissions().count(), 0);
}

#[test]
fn drafts_and_foreign_projects() {
    let draft = |_| ProjectFacts {
        draft: true,
        owner: Some(OWNER),
        role: None,
    };
    let foreign = |_| ProjectFacts {
        draft: false,
        owner: Some(4),
        role: None,
    };
    let (view, create) = (JobAction::View, JobAction::Create);
    assert_eq!(letters(draft, Action::View), "AAHHHHHHHH");
    assert_eq!(letters(draft, Action::Job(view, job("ml"))), "AAHHHHHHHH");
    assert_eq!(
        letters(draft, Action::Change("update_project")),
        "AAHHHHHHHH"
    );
    assert_eq!(letters(draft, Action::Job(create, job("ml"))), "AAFFFFFFFU");
    assert_eq!(
        letters(foreign, Action::Job(create, job("ml"))),
        "AFFFFFFFFU"
    );
    let member = ProjectFacts {
        draft: true,
        owner: None,
        role: Some(Role::BasicMember),
    };
    assert!(may(user(10), &member, Action::View));
    assert!(
        !may(Caller::Anonymous, &member, Action::View),
        "a role is nothing without a user"
    );
}

#[test]
fn other_actions_by_role() {
    for (name, expected) in [
        ("create_dataexport", "AAAFAFFFFU"),
        ("delete_identification", "AAAFFAFFFU"),
        ("populate_sourceimagecollection", "AAAAFFFFFU"),
        ("create_projectpipelineconfig", "AAAAFFFFFU"),
        ("sync_deployment", "AAAAFFFFFU"),
        ("regroup_sessions_deployment", "AAAFFFFFFU"),
        ("update_project", "AAAFFFFFFU"),
        ("star_sourceimage", "AAAAAAAFFU"),
        ("update_dataexport", "AFFFFFFFFU"),
        ("create_project", "AFFFFFFFFU"),
        ("no_such_permission", "AFFFFFFFFU"),
    ] {
        assert_eq!(letters(open, Action::Create(name)), expected, "{name}");
        assert_eq!(letters(open, Action::Change(name)), expected, "{name}");
    }
}

#[test]
fn the_grants_have_the_recorded_sizes_and_no_name_twice() {
    let sizes = Role::ALL.map(|r| r.permissions().count());
    assert_eq!(sizes, [6, 8, 9, 21, 55]);
    let mut names: Vec<_> = Role::ProjectManager.permissions().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 55);
}

#[test]
fn roles_round_trip() {
    for role in Role::ALL {
        assert_eq!(Role::from_key(role.key()), Some(role));
        assert_eq!(serde_json::to_value(role).unwrap(), role.key());
        assert!(role.description().ends_with('.') && !role.display_name().is_empty());
    }
    assert_eq!(Role::from_key("basicmember"), None);
}

#[test]
fn staff_write_what_belongs_to_no_project() {
    let may: Vec<_> = people()
        .into_iter()
        .filter(|p| p.1.may_write_shared())
        .map(|p| p.0)
        .collect();
    assert_eq!(may, ["superuser", "staff"]);
}
