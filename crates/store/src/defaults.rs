//! A project's default filters: which occurrences its lists and counts show
//! (`domain-rules.md` §11). An occurrence without a score passes no threshold.

use sea_orm::Condition;
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::entity::occurrence;
use crate::project::Project;
use crate::taxa_list::walk;

/// The filters, or those that a request sets instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Least score of the determination; `None` lets everything pass.
    pub threshold: Option<f64>,
    /// The project whose chosen and excluded taxa count, with all below them.
    pub taxa_of: Option<i64>,
}

impl Defaults {
    /// Those of a project.
    pub fn of(project: &Project) -> Defaults {
        Defaults {
            threshold: Some(project.score_threshold),
            taxa_of: Some(project.id),
        }
    }

    /// Whether an occurrence passes, in SQL.
    pub(crate) fn condition(&self) -> Condition {
        let score = Expr::col((occurrence::Entity, occurrence::Column::DeterminationScore));
        self.condition_on(score)
    }

    /// The same, with what stands for an occurrence's score.
    pub(crate) fn condition_on(&self, score: Expr) -> Condition {
        Condition::all()
            .add_option(self.threshold.map(|least| score.gte(least)))
            .add_option(self.taxa_of.map(chosen_taxa))
    }
}

/// The determination is one of a project's chosen taxa or below one, where it has chosen any, and
/// none of its excluded ones nor below.
fn chosen_taxa(project: i64) -> Expr {
    let taxa = |excluded: &str| {
        format!(
            "SELECT f.taxon_id FROM project_filter_taxon f \
             WHERE f.project_id = {project} AND {excluded} f.excluded"
        )
    };
    let (include, exclude) = (taxa("NOT"), taxa(""));
    Expr::cust(format!(
        "((NOT EXISTS ({include}) OR occurrence.determination_id IN {}) \
         AND (occurrence.determination_id IN {}) IS NOT TRUE)",
        walk(&include),
        walk(&exclude),
    ))
}
