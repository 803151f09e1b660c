//! Detections and their classifications, listed in bounded work. The idea: detections follow the
//! order of their captures, which an index of the project has; and of a small project's rows all
//! are looked at, of a large one's only the newest.

use std::collections::HashMap;

use sea_orm::sea_query::{
    Expr, ExprTrait, Func, IntoColumnRef, NullOrdering, Query, SelectStatement,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder};

use crate::connection::{Store, StoreError, StoreResult};
use crate::entity::{capture, capture_set_member, classification, detection};

mod ahead;
mod label;

pub use crate::entity::classification::Model as Classification;
pub use crate::entity::detection::Model as Detection;
pub use label::Label;

/// Up to so many rows are sorted; of more, those in the order of their numbers are walked.
const SORTED: u64 = 10_000;

/// Which detections a list shows.
#[derive(Clone, Debug, Default)]
pub struct DetectionFilter {
    /// The project.
    pub project_id: i64,
    /// Only of this capture.
    pub capture_id: Option<i64>,
    /// Only of this algorithm.
    pub algorithm_id: Option<i64>,
}

/// Which classifications a list shows.
#[derive(Clone, Debug, Default)]
pub struct ClassificationFilter {
    /// The project.
    pub project_id: i64,
    /// Only of this detection.
    pub detection_id: Option<i64>,
    /// Only of this algorithm.
    pub algorithm_id: Option<i64>,
    /// Only of this taxon.
    pub taxon_id: Option<i64>,
    /// Only of captures in one of these sets.
    pub sets: Vec<i64>,
}

/// What a list of detections or classifications is ordered by; true means descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultOrder {
    /// By when the capture was taken.
    Taken(bool),
    /// By when it was made.
    Created(bool),
    /// By score.
    Score(bool),
}

impl ResultOrder {
    /// The names in the API.
    pub const NAMES: [&'static str; 5] = [
        "created_at",
        "updated_at",
        "timestamp",
        "score",
        "detection_score",
    ];

    /// The order with this name in the API.
    pub fn from_name(name: &str, descending: bool) -> Option<ResultOrder> {
        match name {
            "created_at" | "updated_at" => Some(ResultOrder::Created(descending)),
            "timestamp" => Some(ResultOrder::Taken(descending)),
            "score" | "detection_score" => Some(ResultOrder::Score(descending)),
            _ => None,
        }
    }
}

const fn direction(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}

/// A list of results in order, by its own number and score and the times of its captures; those
/// of undated captures come last, as a part of their own.
fn sorted<T: IntoColumnRef + Copy>(
    mut list: SelectStatement,
    order: ResultOrder,
    id: T,
    score: T,
) -> Vec<SelectStatement> {
    match order {
        ResultOrder::Taken(descending) => {
            let taken = Expr::col((capture::Entity, capture::Column::TakenAt));
            let mut undated = list.clone();
            undated.and_where(taken.clone().is_null());
            list.and_where(taken.is_not_null());
            for part in [&mut list, &mut undated] {
                for column in [capture::Column::TakenAt, capture::Column::Id] {
                    part.order_by((capture::Entity, column), direction(descending));
                }
                part.order_by(id, direction(descending));
            }
            vec![list, undated]
        }
        ResultOrder::Created(descending) => {
            list.order_by(id, direction(descending));
            vec![list]
        }
        ResultOrder::Score(descending) => {
            list.order_by_with_nulls(score, direction(descending), NullOrdering::Last)
                .order_by(id, Order::Asc);
            vec![list]
        }
    }
}

/// How many boxes a project's captures have, as they have counted them.
fn boxes_counted(project: i64) -> SelectStatement {
    let boxes = Func::sum(Expr::col(capture::Column::BoxesCount)).cast_as("BIGINT");
    Query::select()
        .expr(Func::coalesce([boxes, Expr::value(0i64)]))
        .from(capture::Entity)
        .and_where(capture::Column::ProjectId.eq(project))
        .to_owned()
}

impl Store {
    /// The detection with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn detection(&self, id: i64) -> StoreResult<Detection> {
        detection::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("detection"))
    }

    /// The classification with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn classification(&self, id: i64) -> StoreResult<Classification> {
        classification::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("classification"))
    }

    /// The classifications of these detections, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn classifications_of(
        &self,
        detections: &[i64],
    ) -> StoreResult<HashMap<i64, Vec<Classification>>> {
        let mut of: HashMap<i64, Vec<Classification>> = HashMap::new();
        for chunk in detections.chunks(1000) {
            let rows = classification::Entity::find()
                .filter(classification::Column::DetectionId.is_in(chunk.iter().copied()))
                .order_by_desc(classification::Column::Id)
                .all(&self.db)
                .await?;
            for row in rows {
                of.entry(row.detection_id).or_default().push(row);
            }
        }
        Ok(of)
    }

    /// A page of a project's detections with a box, by the time of their captures where no other
    /// order is asked for; and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn detections_page(
        &self,
        filter: &DetectionFilter,
        order: Option<ResultOrder>,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Detection>, u64)> {
        use detection::Column as D;
        let about = filter.is_all().then(|| boxes_counted(filter.project_id));
        let count = self.count_list_about(filter.select(false), about).await?;
        let id = (detection::Entity, D::Id);
        let order = order.unwrap_or(ResultOrder::Taken(false));
        let list = filter.select(is_walked(order) && count > SORTED);
        let parts = sorted(list, order, id, (detection::Entity, D::Score));
        let ids = self.page_ids(parts, limit, offset).await?;
        let rows = detection::Entity::find()
            .filter(D::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        let mut by_id: HashMap<i64, Detection> = rows.into_iter().map(|d| (d.id, d)).collect();
        Ok((
            ids.iter().filter_map(|id| by_id.remove(id)).collect(),
            count,
        ))
    }

    /// A page of a project's classifications, the newest first where no other order is asked for;
    /// and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn classifications_page(
        &self,
        filter: &ClassificationFilter,
        order: Option<ResultOrder>,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Classification>, u64)> {
        use classification::Column as C;
        // There is about one for each box.
        let about = filter.is_all().then(|| boxes_counted(filter.project_id));
        let count = self.count_list_about(filter.select(false), about).await?;
        let id = (classification::Entity, C::Id);
        let order = order.unwrap_or(ResultOrder::Created(true));
        let list = filter.select(is_walked(order) && count > SORTED);
        let parts = sorted(list, order, id, (classification::Entity, C::Score));
        let ids = self.page_ids(parts, limit, offset).await?;
        let rows = classification::Entity::find()
            .filter(C::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        let rows = rows.into_iter().map(|c| (c.id, c));
        let mut by_id: HashMap<i64, Classification> = rows.collect();
        Ok((
            ids.iter().filter_map(|id| by_id.remove(id)).collect(),
            count,
        ))
    }
}

/// Whether the rows have this order by their numbers.
const fn is_walked(order: ResultOrder) -> bool {
    matches!(order, ResultOrder::Created(_))
}

/// The project's captures; `walked` keeps their index from being used, so that the rows of the
/// other table are read in the order of their numbers.
fn of_project(project: i64, walked: bool) -> Expr {
    let column = Expr::col((capture::Entity, capture::Column::ProjectId));
    let column = if walked { column.add(0) } else { column };
    column.eq(project)
}

impl DetectionFilter {
    /// Whether nothing narrows it but the project.
    const fn is_all(&self) -> bool {
        self.capture_id.is_none() && self.algorithm_id.is_none()
    }

    fn select(&self, walked: bool) -> SelectStatement {
        use detection::Column as D;
        let capture = (detection::Entity, D::CaptureId);
        let all = Condition::all()
            .add(of_project(self.project_id, walked))
            .add(Expr::col((capture::Entity, capture::Column::Id)).equals(capture))
            .add(D::X1.is_not_null())
            .add_option(self.capture_id.map(|id| D::CaptureId.eq(id)))
            .add_option(self.algorithm_id.map(|id| D::AlgorithmId.eq(id)));
        Query::select()
            .column((detection::Entity, D::Id))
            .from(capture::Entity)
            .from(detection::Entity)
            .cond_where(all)
            .to_owned()
    }
}

impl ClassificationFilter {
    /// Whether nothing narrows it but the project.
    const fn is_all(&self) -> bool {
        self.detection_id.is_none()
            && self.algorithm_id.is_none()
            && self.taxon_id.is_none()
            && self.sets.is_empty()
    }

    fn select(&self, walked: bool) -> SelectStatement {
        use classification::Column as C;
        let capture = (detection::Entity, detection::Column::CaptureId);
        let of = (classification::Entity, C::DetectionId);
        let mut all = Condition::all()
            .add(of_project(self.project_id, walked))
            .add(Expr::col((capture::Entity, capture::Column::Id)).equals(capture))
            .add(Expr::col((detection::Entity, detection::Column::Id)).equals(of))
            .add_option(self.detection_id.map(|id| C::DetectionId.eq(id)))
            .add_option(self.algorithm_id.map(|id| C::AlgorithmId.eq(id)))
            .add_option(self.taxon_id.map(|id| C::TaxonId.eq(id)));
        if !self.sets.is_empty() {
            use capture_set_member::Column as M;
            let members = Query::select()
                .column(M::CaptureId)
                .from(capture_set_member::Entity)
                .and_where(Expr::col(M::CaptureSetId).is_in(self.sets.clone()))
                .to_owned();
            all = all.add(capture::Column::Id.in_subquery(members));
        }
        Query::select()
            .column((classification::Entity, C::Id))
            .from(capture::Entity)
            .from(detection::Entity)
            .from(classification::Entity)
            .cond_where(all)
            .to_owned()
    }
}
