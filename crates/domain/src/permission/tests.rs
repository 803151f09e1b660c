//! Tests of the permissions against what the platform was recorded to answer, role by role.
//! The idea: one table per question, one column per person of the recording.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

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

/// The sets of words of everybody, joined by spaces, in the order of [`people`].
fn words(list: impl Fn(Caller, &ProjectFacts) -> Vec<&'static str>) -> [String; 10] {
    people().map(|(_, caller, role)| list(caller, &open(role)).join(" "))
}

#[test]
fn the_recorded_lists_of_jobs() {
    let of = |kind| words(move |c, p| job_permissions(c, p, job(kind)));
    let (all, manager, basic) = (
        "run_single_image update delete run",
        "run_single_image update run",
        "run_single_image",
    );
    let ml = [
        all, manager, manager, manager, basic, basic, basic, "", "", "",
    ];
    assert_eq!(of("ml"), ml);
    assert_eq!(words(|c, p| job_permissions(c, p, SINGLE)), ml);
    for kind in [
        "data_storage_sync",
        "populate_captures_collection",
        "regroup_events",
        "data_export",
    ] {
        let (all, some) = ("update delete run", "update run");
        assert_eq!(
            of(kind),
            [all, some, some, some, "", "", "", "", "", ""],
            "{kind}"
        );
    }
    let some = "update";
    assert_eq!(
        of("post_processing"),
        [
            "update delete run",
            some,
            some,
            some,
            "",
            "",
            "",
            "",
            "",
            ""
        ]
    );
    assert_eq!(
        of("unknown"),
        ["update delete", some, some, some, "", "", "", "", "", ""]
    );
    assert_eq!(of("bogus"), of("unknown"));
}

#[test]
fn the_recorded_lists_of_what_hangs_on_jobs() {
    let none = "";
    let (ud, udp) = ("update delete", "update delete populate");
    assert_eq!(
        words(project_permissions),
        [
            "add update delete change",
            ud,
            ud,
            none,
            none,
            none,
            none,
            none,
            none,
            none
        ]
    );
    assert_eq!(
        words(|c, p| capture_set_permissions(c, p, false)),
        [udp, udp, udp, udp, none, none, none, none, none, none]
    );
    let starred = words(|c, p| capture_set_permissions(c, p, true));
    assert_eq!(
        (starred[0].as_str(), starred[6].as_str()),
        ("update delete star", "star")
    );
    assert_eq!(words(|c, _| pipeline_permissions(c))[..3], [ud, none, none]);
    let station = "update delete sync regroup";
    assert_eq!(
        words(deployment_permissions)[..5],
        [station, station, station, "sync", none]
    );
    let (all, some) = (
        "star update delete run_single_image_ml_job",
        "star run_single_image_ml_job",
    );
    assert_eq!(
        words(capture_permissions),
        [all, all, all, some, some, some, some, none, none, none]
    );
    assert_eq!(
        words(storage_permissions)[..4],
        [
            "test update delete",
            "test update delete",
            "test update delete",
            none
        ]
    );
    assert_eq!(
        words(|c, p| member_permissions(c, p, true))[5..7],
        ["delete", "delete"]
    );
    assert_eq!(
        words(|c, p| member_permissions(c, p, false))[1..4],
        [ud, ud, none]
    );
    let export = words(|c, p| object_permissions(c, p, "dataexport"));
    assert_eq!((export[0].as_str(), export[4].as_str()), (ud, "delete"));
}

#[test]
fn webhooks_are_the_managers_business() {
    let all = "test update delete";
    let of_row = words(webhook_permissions);
    assert_eq!(of_row, [all, all, all, "", "", "", "", "", "", ""]);
    let of_list = words(|c, p| webhook_list_permissions(c, Some(p)));
    assert_eq!(of_list.map(|w| w.len()), [6, 6, 6, 0, 0, 0, 0, 0, 0, 0]);
    let unscoped = words(|c, _| webhook_list_permissions(c, None));
    assert_eq!(unscoped.map(|w| w.len()), [6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn create_is_listed_for_holders_in_the_active_project() {
    let create = words(|c, p| list_permissions(c, Some(p), "job"));
    assert_eq!(create.map(|w| w.len()), [6, 6, 6, 6, 6, 6, 6, 0, 0, 0]);
    let unscoped = words(|c, _| list_permissions(c, None, "job"));
    assert_eq!(unscoped.map(|w| w.len()), [6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
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

fn any_role() -> impl Strategy<Value = Option<Role>> {
    prop::option::of(prop::sample::select(Role::ALL.to_vec()))
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let user = (1i64..9, any::<bool>(), any::<bool>());
    prop::option::of(user).prop_map(|u| match u {
        None => Caller::Anonymous,
        Some((id, superuser, staff)) => person(id, superuser, staff),
    })
}

fn any_project() -> impl Strategy<Value = ProjectFacts> {
    (any::<bool>(), prop::option::of(1i64..9), any_role())
        .prop_map(|(draft, owner, role)| ProjectFacts { draft, owner, role })
}

proptest! {
    #[test]
    fn superusers_may_everything_and_anonymous_only_looks(project in any_project(), name in "[a-z_]{1,20}") {
        let boss = Caller::User { id: 1, superuser: true, staff: false };
        let actions = [Action::View, Action::Create(&name), Action::Change(&name),
            Action::Job(JobAction::Delete, job(&name)), Action::Job(JobAction::Work, SINGLE)];
        for action in actions {
            prop_assert!(may(boss, &project, action));
            let looked = matches!(action, Action::View) && !project.draft;
            prop_assert_eq!(may(Caller::Anonymous, &project, action), looked);
        }
    }

    #[test]
    fn whoever_may_not_see_a_project_may_do_nothing_in_it(
        caller in any_caller(), project in any_project(), permission in prop::sample::select(Role::ProjectManager.permissions().collect::<Vec<_>>()),
    ) {
        if !may(caller, &project, Action::View) {
            prop_assert!(!may(caller, &project, Action::Change(permission)));
            prop_assert!(!may(caller, &project, Action::Create(permission)));
            prop_assert!(project_permissions(caller, &project).is_empty());
        }
    }

    #[test]
    fn a_listed_word_is_a_thing_one_may_do(caller in any_caller(), project in any_project(), single in any::<bool>()) {
        let facts = JobFacts { kind: "ml", single_capture: single };
        let listed = job_permissions(caller, &project, facts);
        let can = |action| may(caller, &project, Action::Job(action, facts));
        prop_assert_eq!(listed.contains(&"update"), can(JobAction::Update));
        prop_assert_eq!(listed.contains(&"delete"), can(JobAction::Delete));
        let runs = if single { "run_single_image" } else { "run" };
        prop_assert_eq!(listed.contains(&runs), can(JobAction::Run));
    }
}
