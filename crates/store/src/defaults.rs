//! A project's default filters: which occurrences its lists and counts show
//! (`domain-rules.md` §11). An occurrence without a score passes no threshold.

use sea_orm::Condition;
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::entity::occurrence;
use crate::project::Project;

/// The filters, or those that a request sets instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Least score of the determination; `None` lets everything pass.
    pub threshold: Option<f64>,
}

impl Defaults {
    /// Those of a project.
    pub fn of(project: &Project) -> Defaults {
        Defaults {
            threshold: Some(project.score_threshold),
        }
    }

    /// Whether an occurrence with this determination passes.
    pub fn pass(&self, score: Option<f64>) -> bool {
        self.threshold
            .is_none_or(|least| score.is_some_and(|score| score >= least))
    }

    /// The same in SQL.
    pub(crate) fn condition(&self) -> Condition {
        let score = Expr::col((occurrence::Entity, occurrence::Column::DeterminationScore));
        Condition::all().add_option(self.threshold.map(|least| score.gte(least)))
    }
}
