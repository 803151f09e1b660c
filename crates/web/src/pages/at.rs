//! Where a page is: a project and one of its parts. The idea: every page below a project begins
//! with [`At::open`], which refuses those who may not see it and knows the bar of parts.

use domain::permission::Decision;
use domain::permission::{Action, Caller, ProjectFacts, VIEW_PRIVATE, decide};
use rest::{ApiError, ApiResult};
use store::project::Project;

use super::top::Top;
use crate::AppState;
use crate::auth::{Who, allow};

/// The parts of a project, in the order of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is going on.
    Overview,
    /// Jobs of all kinds.
    Jobs,
    /// Photographs.
    Captures,
    /// Nights.
    Sessions,
    /// Services, pipelines, workers, queues.
    Processing,
    /// Sources, capture sets, schedules, exports.
    Data,
    /// Members and what is told to whom.
    People,
}

impl Part {
    const ALL: [Part; 7] = [
        Part::Overview,
        Part::Jobs,
        Part::Captures,
        Part::Sessions,
        Part::Processing,
        Part::Data,
        Part::People,
    ];

    /// Name in the bar.
    const fn name(self) -> &'static str {
        match self {
            Part::Overview => "Overview",
            Part::Jobs => "Jobs",
            Part::Captures => "Captures",
            Part::Sessions => "Sessions",
            Part::Processing => "Processing",
            Part::Data => "Data",
            Part::People => "People",
        }
    }

    /// Address below the project's.
    const fn path(self) -> &'static str {
        match self {
            Part::Overview => "",
            Part::Jobs => "/jobs",
            Part::Captures => "/captures",
            Part::Sessions => "/sessions",
            Part::Processing => "/processing",
            Part::Data => "/data",
            Part::People => "/people",
        }
    }

    /// Whether only members see it.
    const fn private(self) -> bool {
        matches!(self, Part::Data | Part::People)
    }
}

/// A link of the bar.
pub struct PartLink {
    /// Its name.
    pub name: &'static str,
    /// Where it leads.
    pub href: String,
    /// Whether the page is there.
    pub current: bool,
}

/// A project as the page of one of its parts sees it.
pub struct At {
    /// The project.
    pub project: Project,
    /// What the rules need to know of it.
    pub facts: ProjectFacts,
    /// Who looks.
    caller: Caller,
    here: Part,
}

impl At {
    /// The project under this number, when the caller may see this part of it.
    ///
    /// # Errors
    /// 404 where there is none for the caller; 401 or 403 for a part that is for members.
    pub async fn open(state: &AppState, who: &Who, project: i64, here: Part) -> ApiResult<At> {
        let project = super::projects::visible(state, who, project).await?;
        let facts = who.facts(state, &project).await?;
        let at = At {
            project,
            facts,
            caller: who.caller(),
            here,
        };
        if here.private() {
            at.must(Action::Change(VIEW_PRIVATE))?;
        }
        Ok(at)
    }

    /// Name of the project.
    pub fn name(&self) -> &str {
        &self.project.name
    }

    /// Who looks.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Whether the person may do this here: buttons that they may not use are not there.
    pub fn may(&self, action: Action<'_>) -> bool {
        decide(self.caller, &self.facts, action) == Decision::Allowed
    }

    /// Whether the person holds the permission with this codename to change what exists.
    pub fn may_change(&self, codename: &str) -> bool {
        self.may(Action::Change(codename))
    }

    /// Whether the person holds the permission with this codename to make something.
    pub fn may_make(&self, codename: &str) -> bool {
        self.may(Action::Create(codename))
    }

    /// Goes on where the person may do this.
    ///
    /// # Errors
    /// 404, 401 or 403, as the rules word the refusal.
    pub fn must(&self, action: Action<'_>) -> ApiResult<()> {
        allow(decide(self.caller, &self.facts, action))
    }

    /// Goes on where what was found is of this project: an address names the project, and a row of it.
    ///
    /// # Errors
    /// 404.
    pub fn must_own(&self, project: impl Into<Option<i64>>) -> ApiResult<()> {
        match project.into() == Some(self.project.id) {
            true => Ok(()),
            false => Err(ApiError::NotFound),
        }
    }

    /// The address of something below the project: `at.path("/jobs/7")`.
    pub fn path(&self, rest: &str) -> String {
        format!("{}/projects/{}{rest}", Top::root(), self.project.id)
    }

    /// The bar of parts, without those that the person may not see.
    pub fn parts(&self) -> Vec<PartLink> {
        let member = self.may(Action::Change(VIEW_PRIVATE));
        let seen = Part::ALL
            .into_iter()
            .filter(|part| member || !part.private());
        let link = |part: Part| PartLink {
            name: part.name(),
            href: self.path(part.path()),
            current: part == self.here,
        };
        seen.map(link).collect()
    }
}
