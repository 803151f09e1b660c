//! Lists of stations, and what a page of them shows beside each: a fixed number of statements
//! however long the page is.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query, WindowStatement};
use sea_orm::{
    ColumnTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::Station;
use crate::capture::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::{capture, job, station};
use crate::job::Job;
use crate::job::list::holds;

/// Which stations a list shows, and in which order.
#[derive(Clone, Debug, Default)]
pub struct StationFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Each of these words stands in the name.
    pub search: Vec<String>,
    /// By which of [`STATION_ORDERS`]; true means descending. Without an order: by name.
    pub order: Vec<(&'static str, bool)>,
}

/// What a list of stations can be ordered by.
pub const STATION_ORDERS: &[&str] = &[
    "name",
    "captures_count",
    "events_count",
    "occurrences_count",
    "taxa_count",
    "first_capture_timestamp",
    "last_capture_timestamp",
    "created_at",
    "updated_at",
];

fn column(name: &str) -> station::Column {
    use station::Column as C;
    match name {
        "captures_count" => C::CapturesCount,
        "events_count" => C::SessionsCount,
        "occurrences_count" => C::OccurrencesCount,
        "taxa_count" => C::TaxaCount,
        "first_capture_timestamp" => C::FirstCaptureAt,
        "last_capture_timestamp" => C::LastCaptureAt,
        "created_at" => C::CreatedAt,
        "updated_at" => C::UpdatedAt,
        _ => C::Name,
    }
}

impl Store {
    /// A page of stations, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn stations_page(
        &self,
        filter: &StationFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Station>, u64)> {
        use station::Column as C;
        let mut select = station::Entity::find();
        if let Some(id) = filter.project_id {
            select = select.filter(C::ProjectId.eq(id));
        }
        if let Some(ids) = &filter.visible {
            select = select.filter(C::ProjectId.is_in(ids.iter().copied()));
        }
        for word in &filter.search {
            select = select.filter(holds((station::Entity, C::Name), word));
        }
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in &filter.order {
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by_with_nulls(column(name), order, NullOrdering::Last);
        }
        if filter.order.is_empty() {
            select = select.order_by_asc(C::Name);
        }
        let page = select.order_by_asc(C::Id).limit(limit).offset(offset);
        Ok((page.all(&self.db).await?, count))
    }

    /// The newest jobs of each of these stations, at most so many of each.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_of_stations(
        &self,
        stations: &[i64],
        most: i64,
    ) -> StoreResult<HashMap<i64, Vec<Job>>> {
        let newest_first = WindowStatement::partition_by(job::Column::StationId)
            .order_by(job::Column::Id, Order::Desc)
            .take();
        let numbered = Query::select()
            .column(job::Column::Id)
            .expr_window_as(Func::cust("ROW_NUMBER"), newest_first, "place")
            .from(job::Entity)
            .and_where(Expr::col(job::Column::StationId).is_in(stations.iter().copied()))
            .to_owned();
        let first = Query::select()
            .column("id")
            .from_subquery(numbered, "numbered")
            .and_where(Expr::col("place").lte(most))
            .to_owned();
        let rows = job::Entity::find()
            .filter(job::Column::Id.in_subquery(first))
            .order_by_desc(job::Column::Id)
            .all(&self.db)
            .await?;
        let mut by: HashMap<i64, Vec<Job>> = HashMap::new();
        for job in rows {
            if let Some(station) = job.station_id {
                by.entry(station).or_default().push(job);
            }
        }
        Ok(by)
    }

    /// The captures of a station with the largest files: those that show most.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn largest_captures(&self, station: i64, most: u64) -> StoreResult<Vec<Capture>> {
        use capture::Column as C;
        Ok(capture::Entity::find()
            .filter(C::StationId.eq(station))
            .filter(C::Size.is_not_null())
            .order_by_desc(C::Size)
            .limit(most)
            .all(&self.db)
            .await?)
    }

    /// The newest captures of a station that people sent by hand.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn uploaded_captures(&self, station: i64, most: u64) -> StoreResult<Vec<Capture>> {
        use capture::Column as C;
        Ok(capture::Entity::find()
            .filter(C::StationId.eq(station))
            .filter(C::UploadedById.is_not_null())
            .order_by_desc(C::Id)
            .limit(most)
            .all(&self.db)
            .await?)
    }
}
