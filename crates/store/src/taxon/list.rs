//! Lists of taxa with what a project has seen of each (`ui.md` §A.9). With a project, the taxa are
//! those that its occurrences are determined as, counted after its default filters; without one,
//! those of all projects that the caller may see, uncounted.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Taxon;
use crate::connection::{Store, StoreResult};
use crate::entity::{identification, occurrence, taxon, taxon_project, taxon_tag};
use crate::job::list::holds;
use crate::occurrence::list::OccurrenceFilter;
use crate::order::{Orders, way};
use crate::taxa_list::{taxon_in, taxon_is_or_below};

/// Which taxa a list shows.
#[derive(Clone, Debug, Default)]
pub struct TaxonFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// What of a project is counted; `None` where no project is named.
    pub seen: Option<OccurrenceFilter>,
    /// With a project: also taxa that it works with but has not seen.
    pub unobserved: bool,
    /// Only taxa of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only with this name.
    pub name: Option<String>,
    /// Only of this rank.
    pub rank: Option<String>,
    /// Only right below this one.
    pub parent_id: Option<i64>,
    /// Only this one and those below it.
    pub below: Option<i64>,
    /// Only those of this list, and below them.
    pub taxa_list_id: Option<i64>,
    /// Only those not of this list, nor below.
    pub not_taxa_list_id: Option<i64>,
    /// Only those with this tag.
    pub tag_id: Option<i64>,
    /// Only those without this tag.
    pub not_tag_id: Option<i64>,
    /// Each of these words stands in the name.
    pub search: Vec<String>,
    /// In this order.
    pub order: Orders,
}

/// A taxon, and what was seen of it where a project was named.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenTaxon {
    /// The taxon.
    pub taxon: Taxon,
    /// What was seen.
    pub seen: Option<TaxonFacts>,
}

/// What a project has seen of a taxon.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TaxonFacts {
    /// Occurrences determined as it.
    pub occurrences: i64,
    /// Of them, those that somebody identified.
    pub verified: i64,
    /// The highest score.
    pub best_score: Option<f64>,
    /// When it was last seen.
    pub last_seen: Option<NaiveDateTime>,
}

const SEEN: &str = "seen";

impl TaxonFilter {
    /// The names in the API of what a list can be ordered by.
    pub const ORDERS: [&'static str; 9] = [
        "id",
        "name",
        "rank",
        "parent",
        "created_at",
        "updated_at",
        "occurrences_count",
        "last_detected",
        "best_determination_score",
    ];

    fn condition(&self) -> Condition {
        use taxon::Column as C;
        let tagged = |tag: i64| {
            Query::select()
                .column(taxon_tag::Column::TaxonId)
                .from(taxon_tag::Entity)
                .and_where(taxon_tag::Column::TagId.eq(tag))
                .to_owned()
        };
        let mut all = Condition::all()
            .add(C::Active.eq(true))
            .add_option(self.id.map(|id| C::Id.eq(id)))
            .add_option(self.name.as_ref().map(|name| C::Name.eq(name)))
            .add_option(self.rank.as_ref().map(|rank| C::Rank.eq(rank)))
            .add_option(self.parent_id.map(|id| C::ParentId.eq(id)))
            .add_option(self.below.map(|id| taxon_is_or_below(&[id])))
            .add_option(self.taxa_list_id.map(taxon_in))
            .add_option(self.not_taxa_list_id.map(|id| taxon_in(id).not()))
            .add_option(self.tag_id.map(|id| C::Id.in_subquery(tagged(id))))
            .add_option(self.not_tag_id.map(|id| C::Id.not_in_subquery(tagged(id))));
        for word in &self.search {
            all = all.add(holds((taxon::Entity, C::Name), word));
        }
        match (&self.seen, &self.visible) {
            (None, Some(projects)) => all.add(of_projects(projects)),
            _ => all,
        }
    }

    /// Numbers and facts of the taxa, unordered; `counted` holds the facts where some are asked
    /// for.
    fn statement(&self, counted: Option<&SelectStatement>) -> SelectStatement {
        let id = (taxon::Entity, taxon::Column::Id);
        let mut select = Query::select();
        select
            .column(id)
            .from(taxon::Entity)
            .cond_where(self.condition());
        if let (Some(seen), Some(counted)) = (&self.seen, counted) {
            let join = match self.unobserved {
                true => sea_orm::JoinType::LeftJoin,
                false => sea_orm::JoinType::InnerJoin,
            };
            let on = Expr::col((Alias::new(SEEN), Alias::new("taxon_id"))).equals(id);
            select.join_subquery(join, counted.clone(), Alias::new(SEEN), on);
            for column in ["occurrences", "best_score", "last_seen"] {
                select.column((Alias::new(SEEN), Alias::new(column)));
            }
            if let (true, Some(project)) = (self.unobserved, seen.project_id) {
                let known = Condition::any()
                    .add(Expr::col((Alias::new(SEEN), Alias::new("taxon_id"))).is_not_null())
                    .add(Expr::col(id).in_subquery(linked(&[project])));
                select.cond_where(known);
            }
        }
        select
    }

    fn ordered(&self, counted: Option<&SelectStatement>) -> SelectStatement {
        use taxon::Column as C;
        let mut select = self.statement(counted);
        for (name, descending) in &self.order {
            let column = |column: C| Expr::col((taxon::Entity, column));
            let fact = |name: &'static str| Expr::col((Alias::new(SEEN), Alias::new(name)));
            let what = match (*name, self.seen.is_some()) {
                ("id", _) => column(C::Id),
                ("name", _) => column(C::Name),
                ("rank", _) => column(C::Rank),
                ("parent", _) => column(C::ParentId),
                ("created_at", _) => column(C::CreatedAt),
                ("updated_at", _) => column(C::UpdatedAt),
                ("occurrences_count", true) => fact("occurrences"),
                ("last_detected", true) => fact("last_seen"),
                ("best_determination_score", true) => fact("best_score"),
                _ => continue,
            };
            select.order_by_expr_with_nulls(what, way(*descending), NullOrdering::Last);
        }
        if self.order.is_empty() {
            select.order_by((taxon::Entity, C::Name), sea_orm::Order::Asc);
        }
        select.order_by((taxon::Entity, C::Id), sea_orm::Order::Asc);
        select
    }
}

/// The taxa that these projects work with.
fn linked(projects: &[i64]) -> SelectStatement {
    Query::select()
        .column(taxon_project::Column::TaxonId)
        .from(taxon_project::Entity)
        .and_where(taxon_project::Column::ProjectId.is_in(projects.iter().copied()))
        .to_owned()
}

/// The taxa that these projects work with or have seen.
fn of_projects(projects: &[i64]) -> Condition {
    let seen = Query::select()
        .expr(Expr::val(1))
        .from(occurrence::Entity)
        .and_where(
            Expr::col((occurrence::Entity, occurrence::Column::DeterminationId))
                .equals((taxon::Entity, taxon::Column::Id)),
        )
        .and_where(occurrence::Column::ProjectId.is_in(projects.iter().copied()))
        .to_owned();
    Condition::any()
        .add(taxon::Column::Id.in_subquery(linked(projects)))
        .add(Expr::exists(seen))
}

impl Store {
    /// One page of taxa, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxa_page(
        &self,
        filter: &TaxonFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<SeenTaxon>, u64)> {
        let counted = match &filter.seen {
            Some(seen) => Some(self.counted_taxa(seen).await?),
            None => None,
        };
        let mut all = filter.statement(counted.as_ref());
        all.clear_selects().expr_as(Expr::val(1), Alias::new("one"));
        let count = self.count_list(all).await?;
        let page = filter.ordered(counted.as_ref());
        let page = page.clone().limit(limit).offset(offset).to_owned();
        let mut facts = Vec::new();
        for row in self.db.query_all(&page).await? {
            let id: i64 = row.try_get_by_index(0)?;
            let seen = match filter.seen.is_some() {
                false => None,
                true => Some(TaxonFacts {
                    occurrences: row.try_get_by_index::<Option<i64>>(1)?.unwrap_or(0),
                    verified: 0,
                    best_score: row.try_get_by_index(2)?,
                    last_seen: row.try_get_by_index(3)?,
                }),
            };
            facts.push((id, seen));
        }
        let ids: Vec<i64> = facts.iter().map(|(id, _)| *id).collect();
        let mut taxa = self.taxa_by_id(&ids).await?;
        let verified = match filter.seen.as_ref().and_then(|seen| seen.project_id) {
            Some(project) => self.verified(project, &ids).await?,
            None => HashMap::new(),
        };
        let rows = facts.into_iter().filter_map(|(id, seen)| {
            let seen = seen.map(|facts| TaxonFacts {
                verified: verified.get(&id).copied().unwrap_or(0),
                ..facts
            });
            let taxon = taxa.remove(&id)?;
            Some(SeenTaxon { taxon, seen })
        });
        Ok((rows.collect(), count))
    }

    /// How many occurrences of a project, determined as each of these taxa, somebody identified.
    async fn verified(&self, project: i64, taxa: &[i64]) -> StoreResult<HashMap<i64, i64>> {
        use identification::Column as I;
        use occurrence::Column as O;
        let own = |column: O| Expr::col((occurrence::Entity, column));
        // From the identifications, which people made: they are few.
        let join = match self.is_sqlite() {
            true => JoinType::CrossJoin,
            false => JoinType::InnerJoin,
        };
        let same = own(O::Id).equals((identification::Entity, I::OccurrenceId));
        let mut select = Query::select();
        select
            .column((occurrence::Entity, O::DeterminationId))
            .expr(Func::count_distinct(own(O::Id)))
            .from(identification::Entity)
            .join(join, occurrence::Entity, Condition::all())
            .and_where(same)
            .and_where(I::Withdrawn.eq(false))
            .and_where(O::ProjectId.eq(project))
            .and_where(O::DeterminationId.is_in(taxa.iter().copied()))
            .group_by_col((occurrence::Entity, O::DeterminationId));
        let mut verified = HashMap::new();
        for row in self.db.query_all(&select).await? {
            verified.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
        Ok(verified)
    }

    /// In how many sessions a filter's occurrences were seen.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sessions_seen(&self, filter: &OccurrenceFilter) -> StoreResult<i64> {
        let sessions = Func::count_distinct(Expr::col((
            occurrence::Entity,
            occurrence::Column::SessionId,
        )));
        let count: Option<i64> = occurrence::Entity::find()
            .select_only()
            .expr(sessions)
            .filter(filter.condition())
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// Taxa whose name holds a text: those whose name begins with it first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn suggest_taxa(&self, text: &str, limit: u64) -> StoreResult<Vec<Taxon>> {
        use taxon::Column as C;
        let name = Func::lower(Expr::col((taxon::Entity, C::Name)));
        let text = text.to_lowercase();
        let begins = Func::cust(Alias::new("substr"))
            .arg(name)
            .arg(Expr::val(1))
            .arg(Expr::val(
                i32::try_from(text.chars().count()).unwrap_or(i32::MAX),
            ));
        let rows = taxon::Entity::find()
            .filter(C::Active.eq(true))
            .filter(holds((taxon::Entity, C::Name), &text))
            .order_by_desc(Expr::expr(begins).eq(text))
            .order_by_asc(C::Id)
            .limit(limit)
            .all(&self.db);
        Ok(rows.await?)
    }
}
