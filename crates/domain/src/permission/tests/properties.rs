//! What holds for any caller, any project and any act: a superuser may everything, who may not see a
//! project may do nothing in it, and what is listed may be done.

use super::*;
use proptest::prelude::*;

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
