//! Permits: the proof that a change is allowed, as a value. The idea: what changes something that
//! people keep takes a permit of its verb, and a permit is made only by deciding; so a change
//! without its question does not compile, and neither does one after another question.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::{Action, Caller, Decision, JobAction, JobFacts, ProjectFacts, decide};

/// What can be permitted.
pub trait Verb: Copy + Debug + Send + Sync + 'static {
    /// How codenames of permissions for it begin.
    const WORD: &'static str;
    /// What it means for a job.
    const JOB: JobAction;
}

/// Making something.
#[derive(Clone, Copy, Debug)]
pub struct Create;
/// Changing something.
#[derive(Clone, Copy, Debug)]
pub struct Update;
/// Removing something.
#[derive(Clone, Copy, Debug)]
pub struct Delete;
/// Running, cancelling, retrying, pausing.
#[derive(Clone, Copy, Debug)]
pub struct Run;

impl Verb for Create {
    const WORD: &'static str = "create";
    const JOB: JobAction = JobAction::Create;
}

impl Verb for Update {
    const WORD: &'static str = "update";
    const JOB: JobAction = JobAction::Update;
}

impl Verb for Delete {
    const WORD: &'static str = "delete";
    const JOB: JobAction = JobAction::Delete;
}

impl Verb for Run {
    const WORD: &'static str = "run";
    const JOB: JobAction = JobAction::Run;
}

/// Proof that a change was allowed. It is used up by the change.
#[must_use]
#[derive(Debug)]
pub struct Permit<V: Verb>(PhantomData<V>);

impl<V: Verb> Permit<V> {
    /// What the program does by itself, or a person at its command line. Never for what somebody
    /// asks over the network.
    pub const BY_PROGRAM: Permit<V> = Permit(PhantomData);

    fn of(decision: Decision) -> Result<Permit<V>, Decision> {
        match decision {
            Decision::Allowed => Ok(Permit(PhantomData)),
            refusal => Err(refusal),
        }
    }

    /// The permit for a row of a model (`site`, `project` …) in a project.
    ///
    /// # Errors
    /// How to refuse.
    pub fn ask(caller: Caller, project: &ProjectFacts, model: &str) -> Result<Permit<V>, Decision> {
        let name = format!("{}_{model}", V::WORD);
        let action = match V::JOB {
            JobAction::Create => Action::Create(&name),
            _ => Action::Change(&name),
        };
        Permit::of(decide(caller, project, action))
    }

    /// The permit for a job.
    ///
    /// # Errors
    /// How to refuse.
    pub fn ask_job(
        caller: Caller,
        project: &ProjectFacts,
        job: JobFacts<'_>,
    ) -> Result<Permit<V>, Decision> {
        Permit::of(decide(caller, project, Action::Job(V::JOB, job)))
    }
}

impl Permit<Run> {
    /// The permit for a schedule, to make, change, run or remove it: whoever has it may make and
    /// start a job of each of these kinds in the project.
    ///
    /// # Errors
    /// How to refuse.
    pub fn ask_chain<'a>(
        caller: Caller,
        project: &ProjectFacts,
        kinds: impl IntoIterator<Item = &'a str>,
    ) -> Result<Permit<Run>, Decision> {
        Permit::of(decide_chain(caller, project, kinds))
    }
}

/// Whether somebody may make and start jobs of all these kinds. As with single jobs, who names a
/// project that is hidden from them is refused openly.
pub(super) fn decide_chain<'a>(
    caller: Caller,
    project: &ProjectFacts,
    kinds: impl IntoIterator<Item = &'a str>,
) -> Decision {
    let start = |kind| {
        let job = JobFacts {
            kind,
            single_capture: false,
        };
        decide(caller, project, Action::Job(JobAction::CreateAndStart, job))
    };
    let mut decisions = kinds.into_iter().map(start);
    let refusal = decisions.find(|decision| *decision != Decision::Allowed);
    refusal.unwrap_or(Decision::Allowed)
}

impl Permit<Delete> {
    /// The permit to end the membership of a person: everybody may end their own.
    ///
    /// # Errors
    /// How to refuse.
    pub fn ask_leave(
        caller: Caller,
        project: &ProjectFacts,
        member: i64,
    ) -> Result<Permit<Delete>, Decision> {
        if caller.id() == Some(member) && project.visible_to(caller) {
            return Ok(Permit(PhantomData));
        }
        Permit::ask(caller, project, "userprojectmembership")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::permission::Role;

    fn member(role: Role) -> (Caller, ProjectFacts) {
        let caller = Caller::User {
            id: 7,
            superuser: false,
            staff: false,
        };
        let project = ProjectFacts {
            role: Some(role),
            ..Default::default()
        };
        (caller, project)
    }

    #[test]
    fn a_permit_is_as_hard_to_get_as_the_permission() {
        let (caller, project) = member(Role::MlDataManager);
        let ml = JobFacts {
            kind: "ml",
            single_capture: false,
        };
        assert!(Permit::<Run>::ask_job(caller, &project, ml).is_ok());
        assert!(Permit::<Update>::ask_job(caller, &project, ml).is_ok());
        let refused = Permit::<Delete>::ask_job(caller, &project, ml);
        assert_eq!(refused.unwrap_err(), Decision::Forbidden);
        let refused = Permit::<Create>::ask(caller, &project, "site");
        assert_eq!(refused.unwrap_err(), Decision::Forbidden);
        let refused = Permit::<Update>::ask(Caller::Anonymous, &project, "site");
        assert_eq!(refused.unwrap_err(), Decision::Unauthenticated);
        let (manager, project) = member(Role::ProjectManager);
        assert!(Permit::<Delete>::ask(manager, &project, "site").is_ok());
    }

    #[test]
    fn a_chain_is_for_those_who_may_run_every_step() {
        let ask = |role, kinds: &[&'static str]| {
            let (caller, project) = member(role);
            Permit::ask_chain(caller, &project, kinds.iter().copied()).map(|_| ())
        };
        let chain = &["data_storage_sync", "ml"][..];
        assert_eq!(ask(Role::MlDataManager, chain), Ok(()));
        assert_eq!(ask(Role::Identifier, chain), Err(Decision::Forbidden));
        // No role may run post-processing.
        let refused = ask(Role::ProjectManager, &["ml", "post_processing"]);
        assert_eq!(refused, Err(Decision::Forbidden));
        let nobody = Permit::ask_chain(Caller::Anonymous, &ProjectFacts::default(), ["ml"]);
        assert_eq!(nobody.unwrap_err(), Decision::Unauthenticated);
    }

    #[test]
    fn everybody_may_leave() {
        let (caller, project) = member(Role::BasicMember);
        assert!(Permit::ask_leave(caller, &project, 7).is_ok());
        assert!(Permit::ask_leave(caller, &project, 8).is_err());
        assert!(Permit::ask_leave(Caller::Anonymous, &project, 7).is_err());
    }
}
