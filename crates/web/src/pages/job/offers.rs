//! What can be done with a job, as its page offers it. The idea: which acts are there follows from
//! where the job stands, which changes while people watch, and from who looks, which does not; so
//! the live stream tells everybody where it stands, and each viewer gets its own buttons.

use askama::Template;
use domain::job::ML;
use domain::permission::{Action, JobAction, JobFacts};
use domain::state::{Event, JobState};
use store::job::Job;
use store::progress::Counts;

use super::failures::FailureList;
use crate::live::Fragment;
use crate::pages::at::At;
use crate::pages::columns::counted;
use crate::pages::top::Top;

/// What each viewer sees in its own way.
#[derive(Clone, Debug, PartialEq)]
pub enum Personal {
    /// What can be done.
    Acts(Standing),
    /// What failed, and what can be done about it.
    Failures(FailureList),
}

/// Where a job stands, as far as it decides what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    state: JobState,
    paused: bool,
    ml: bool,
    known: bool,
    failed: i64,
}

impl Standing {
    /// Where this job stands.
    pub fn of(job: &Job, counts: Counts) -> Standing {
        Standing {
            state: job.job_state(),
            paused: job.paused,
            ml: job.kind == ML,
            known: domain::job::kind(&job.kind).is_some_and(|kind| !kind.stages.is_empty()),
            failed: counts.failed,
        }
    }

    /// Whether it stands at its end.
    pub fn is_over(&self) -> bool {
        self.state.is_final()
    }
}

/// Who looks at a job, and from where.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    run: bool,
    remove: bool,
    /// Whether jobs of this kind may be made.
    pub make: bool,
    /// What forms must send back.
    pub word: String,
    /// Address of the job's page.
    pub job: String,
    /// Address of the captures of the project.
    pub captures: String,
    /// Address of the page that makes jobs.
    pub new: String,
    id: i64,
}

impl Viewer {
    /// The person of the present request.
    pub fn of(at: &At, job: &Job) -> Viewer {
        let facts = JobFacts {
            kind: &job.kind,
            single_capture: job.capture_id.is_some(),
        };
        let may = |action| at.may(Action::Job(action, facts));
        Viewer {
            run: may(JobAction::Run),
            remove: may(JobAction::Delete),
            make: may(JobAction::Create),
            word: Top::word(),
            job: at.path(&format!("/jobs/{}", job.id)),
            captures: at.path("/captures"),
            new: at.path("/jobs/new"),
            id: job.id,
        }
    }
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the form sends.
    pub act: &'static str,
    /// What stands on it.
    pub label: String,
    /// What will happen, where it asks before it acts.
    pub warning: Option<&'static str>,
    /// Whether something is lost or stopped by it.
    pub danger: bool,
}

impl Offer {
    fn at_once(act: &'static str, label: impl Into<String>) -> Offer {
        Offer {
            act,
            label: label.into(),
            warning: None,
            danger: false,
        }
    }

    fn asking(act: &'static str, label: &str, warning: &'static str) -> Offer {
        Offer {
            warning: Some(warning),
            ..Offer::at_once(act, label)
        }
    }

    fn dangerous(act: &'static str, label: &str, warning: &'static str) -> Offer {
        Offer {
            danger: true,
            ..Offer::asking(act, label, warning)
        }
    }
}

/// The buttons of a viewer.
pub struct Acts<'a> {
    pub viewer: &'a Viewer,
    pub offers: Vec<Offer>,
    /// Where the same is asked for with something changed.
    pub again: Option<String>,
}

impl Acts<'_> {
    /// What this viewer may do with a job that stands so.
    pub fn of<'a>(viewer: &'a Viewer, standing: &Standing) -> Acts<'a> {
        let mut offers = Vec::new();
        if viewer.run {
            offers.extend(begins(standing));
            offers.extend(steers(standing));
        }
        if viewer.remove && (standing.state.is_final() || standing.state == JobState::Created) {
            let warning = "The job goes with its log, its timeline and its list of failures. What \
                           it has saved (captures, detections, sets, exports) stays.";
            offers.push(Offer::dangerous("delete", "Delete", warning));
        }
        let again = viewer.make && standing.known;
        Acts {
            viewer,
            offers,
            again: again.then(|| format!("{}?from={}", viewer.new, viewer.id)),
        }
    }
}

/// What makes it run, or run again.
fn begins(standing: &Standing) -> Vec<Offer> {
    let state = standing.state;
    if state == JobState::Created {
        return vec![Offer::at_once("run", "Start")];
    }
    if state.after(Event::Enqueue).is_none() {
        return Vec::new();
    }
    let mut offers = Vec::new();
    if standing.ml && state.after(Event::Retry).is_some() {
        if standing.failed > 0 {
            let failed = standing.failed.unsigned_abs();
            let failed = counted(failed, "failed capture", "failed captures");
            let label = format!("Retry the {failed}");
            offers.push(Offer::at_once("retry-failed", label));
        }
        if state != JobState::Success {
            offers.push(Offer::at_once("retry", "Retry all that is missing"));
        }
    }
    let warning = match standing.ml {
        true => {
            "A new run begins, with the captures that its pipeline has not processed yet, or with \
             all where the project processes them again. What is saved stays; the figures of this \
             run are replaced."
        }
        false => "The job is done again from its beginning. The figures of this run are replaced.",
    };
    offers.push(Offer::asking("run", "Run again", warning));
    offers
}

/// What holds it up or stops it.
fn steers(standing: &Standing) -> Vec<Offer> {
    let state = standing.state;
    let at_work = matches!(state, JobState::Pending | JobState::Started);
    let mut offers = Vec::new();
    if at_work && standing.ml {
        offers.push(match standing.paused {
            true => Offer::at_once("resume", "Resume"),
            false => Offer::at_once("pause", "Pause"),
        });
    }
    let warning = match (state, standing.ml) {
        (JobState::Canceling, _) => return offers,
        (state, _) if state.is_final() => return offers,
        (JobState::Created, _) => {
            "It ends as cancelled without having run; it can still be run later."
        }
        (_, true) => {
            "What is saved stays; captures without a result get none. The job can be retried later."
        }
        (_, false) => {
            "It stops as soon as its runner has heard of it. What it has finished by then stays; \
             it can be run again later."
        }
    };
    offers.push(Offer::dangerous("cancel", "Cancel", warning));
    offers
}

#[derive(Template)]
#[template(path = "job/actions.html")]
struct ActsPart<'a> {
    acts: Acts<'a>,
}

#[derive(Template)]
#[template(path = "job/failures.html")]
struct FailuresPart<'a> {
    list: &'a FailureList,
    viewer: &'a Viewer,
}

impl Personal {
    /// Name of the element that it fills.
    pub fn id(&self) -> &'static str {
        match self {
            Personal::Acts(_) => "actions",
            Personal::Failures(_) => "failures",
        }
    }

    /// What this viewer sees of it.
    ///
    /// # Errors
    /// A template that fails.
    pub fn rendered(&self, viewer: &Viewer) -> Result<Fragment, askama::Error> {
        let html = match self {
            Personal::Acts(standing) => ActsPart {
                acts: Acts::of(viewer, standing),
            }
            .render()?,
            Personal::Failures(list) => FailuresPart { list, viewer }.render()?,
        };
        Ok(Fragment::new(self.id(), html))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(state: JobState, ml: bool, failed: i64) -> Vec<&'static str> {
        let standing = Standing {
            state,
            paused: false,
            ml,
            known: true,
            failed,
        };
        let viewer = Viewer {
            run: true,
            remove: true,
            ..Viewer::default()
        };
        let acts = Acts::of(&viewer, &standing);
        acts.offers.iter().map(|offer| offer.act).collect()
    }

    #[test]
    fn what_is_offered_is_legal_where_the_job_stands() {
        use JobState as S;
        assert_eq!(offered(S::Created, true, 0), ["run", "cancel", "delete"]);
        assert_eq!(offered(S::Started, true, 3), ["pause", "cancel"]);
        assert_eq!(offered(S::Started, false, 0), ["cancel"]);
        assert!(offered(S::Canceling, true, 0).is_empty());
        assert_eq!(offered(S::Success, true, 0), ["run", "delete"]);
        let failed = ["retry-failed", "run", "delete"];
        assert_eq!(offered(S::Success, true, 2), failed);
        let all = ["retry-failed", "retry", "run", "delete"];
        assert_eq!(offered(S::Failure, true, 2), all);
        assert_eq!(offered(S::Revoked, false, 0), ["run", "delete"]);
    }

    #[test]
    fn who_may_nothing_is_offered_nothing() {
        for state in JobState::ALL {
            let standing = Standing {
                state,
                paused: true,
                ml: true,
                known: true,
                failed: 1,
            };
            let nobody = Viewer::default();
            let acts = Acts::of(&nobody, &standing);
            assert!(acts.offers.is_empty() && acts.again.is_none(), "{state}");
        }
    }
}
