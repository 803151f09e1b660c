//! Captures: writing what a storage holds, walking a scope page by page, and which of a page
//! still need processing (`domain-rules.md` §3, §6).

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::capture::{AlgorithmRole, DetectionFacts, needs_processing};
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, again, now};
use crate::entity::{capture, capture_set_member, classification, detection};
use crate::pipeline::Algorithm;
use crate::station::Station;

pub mod ahead;
mod any;
mod change;
mod detections;
mod drawn;
mod labels;
mod list;
mod location;
pub(crate) mod lock;
mod neighbours;
mod touched;

pub use crate::entity::capture::Model as Capture;
pub use change::CaptureChange;
pub use detections::{Detection, Found, Seen};
pub use drawn::DrawnBox;
pub use labels::{BoxLabel, LabelledBox};
pub use list::{CaptureFilter, CaptureOrder};
pub use neighbours::{Beside, Neighbours};
pub use touched::{Touch, Touched};

/// A photograph found in a storage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewCapture {
    /// Path within the storage.
    pub path: String,
    /// Local time of the station.
    pub taken_at: Option<NaiveDateTime>,
    /// Bytes.
    pub size: Option<i64>,
    /// When the file was written.
    pub last_modified_at: Option<DateTime<Utc>>,
    /// Checksum as the storage gives it.
    pub checksum: Option<String>,
    /// What kind of checksum.
    pub checksum_algorithm: Option<String>,
    /// Pixels.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
}

/// Which captures a job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of a capture set.
    Set(i64),
    /// One.
    Single(i64),
    /// Those of a station.
    Station(i64),
}

impl Store {
    /// Writes what a station's storage holds. A capture that is known keeps what people may
    /// have set; only what describes the file is overwritten, and one whose file is as before is
    /// not written at all. Of a path that stands twice the last counts. Returns how many are new,
    /// and how many the station has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn upsert_captures(
        &self,
        station: &Station,
        found: &[NewCapture],
    ) -> StoreResult<(u64, u64)> {
        let before = self.count_station(station.id).await?;
        self.write_captures(station, found).await?;
        let after = self.count_station(station.id).await?;
        self.refresh_station(station.id).await?;
        Ok((after.saturating_sub(before), after))
    }

    /// The same, and counts nothing: a sync of millions counts once, at its end.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn write_captures(&self, station: &Station, found: &[NewCapture]) -> StoreResult<()> {
        for chunk in found.chunks(1000) {
            again(|| self.write_chunk(station, chunk)).await?;
        }
        Ok(())
    }

    async fn write_chunk(&self, station: &Station, chunk: &[NewCapture]) -> StoreResult<()> {
        let tx = self.write().await?;
        let (at, found) = (now(), once_each(chunk));
        // The statement locks what it knows in the order of the listing.
        let known = Condition::all()
            .add(capture::Column::StationId.eq(station.id))
            .add(capture::Column::Path.is_in(found.iter().map(|c| c.path.as_str())));
        lock::lock_those(&tx, known).await?;
        let rows = found.into_iter().map(|c| row(station, c, at));
        capture::Entity::insert_many(rows)
            .on_conflict(refresh_file())
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await
    }

    async fn count_station(&self, station: i64) -> StoreResult<u64> {
        Ok(capture::Entity::find()
            .filter(capture::Column::StationId.eq(station))
            .count(&self.db)
            .await?)
    }

    /// The capture with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn capture(&self, id: i64) -> StoreResult<Capture> {
        capture::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("capture"))
    }

    /// Captures by id, in no order; those that do not exist are left out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn captures_by_id(&self, ids: &[i64]) -> StoreResult<Vec<Capture>> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(1000) {
            found.extend(
                capture::Entity::find()
                    .filter(capture::Column::Id.is_in(chunk.iter().copied()))
                    .all(&self.db)
                    .await?,
            );
        }
        Ok(found)
    }

    /// Width and height of these captures in pixels, where they are known.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn capture_sizes(
        &self,
        ids: &[i64],
    ) -> StoreResult<Vec<(i64, Option<i32>, Option<i32>)>> {
        use capture::Column as C;
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(1000) {
            let sizes = capture::Entity::find()
                .select_only()
                .columns([C::Id, C::Width, C::Height])
                .filter(C::Id.is_in(chunk.iter().copied()))
                .into_tuple::<(i64, Option<i32>, Option<i32>)>()
                .all(&self.db);
            found.extend(sizes.await?);
        }
        Ok(found)
    }

    /// Writes down the size of a capture in pixels, read from its file.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn set_dimensions(&self, id: i64, width: i32, height: i32) -> StoreResult<()> {
        let tx = self.write().await?;
        capture::Entity::update_many()
            .col_expr(capture::Column::Width, Expr::value(width))
            .col_expr(capture::Column::Height, Expr::value(height))
            .filter(capture::Column::Id.eq(id))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// How many captures a scope holds.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn count_captures(&self, scope: &Scope) -> StoreResult<i64> {
        let count = match scope {
            Scope::Set(set) => self.count_members(*set).await?,
            Scope::Station(station) => self.count_station(*station).await?,
            Scope::Single(id) => capture::Entity::find_by_id(*id).count(&self.db).await?,
        };
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The next ids of a scope after `after`, ascending.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn capture_ids_after(
        &self,
        scope: &Scope,
        after: i64,
        limit: u64,
    ) -> StoreResult<Vec<i64>> {
        if let Scope::Set(set) = scope {
            use capture_set_member::Column as M;
            return Ok(capture_set_member::Entity::find()
                .select_only()
                .column(M::CaptureId)
                .filter(M::CaptureSetId.eq(*set))
                .filter(M::CaptureId.gt(after))
                .order_by_asc(M::CaptureId)
                .limit(limit)
                .into_tuple()
                .all(&self.db)
                .await?);
        }
        use capture::Column as C;
        let select = capture::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::Id.gt(after))
            .order_by_asc(C::Id)
            .limit(limit);
        let select = match scope {
            Scope::Station(station) => select.filter(C::StationId.eq(*station)),
            Scope::Single(id) | Scope::Set(id) => select.filter(C::Id.eq(*id)),
        };
        Ok(select.into_tuple().all(&self.db).await?)
    }

    /// Those of `captures` that a pipeline with these algorithms has not fully processed, in
    /// the same order (`domain-rules.md` §6).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn needing_processing(
        &self,
        captures: &[i64],
        algorithms: &[Algorithm],
    ) -> StoreResult<Vec<i64>> {
        let roles: Vec<AlgorithmRole<'_>> = algorithms
            .iter()
            .map(|a| AlgorithmRole {
                id: a.id,
                task_type: a.task_type.as_deref(),
            })
            .collect();
        let facts = self.detection_facts(captures, algorithms).await?;
        let none = Vec::new();
        let wanted = |id: &i64| needs_processing(&roles, facts.get(id).unwrap_or(&none));
        Ok(captures.iter().copied().filter(wanted).collect())
    }

    async fn detection_facts(
        &self,
        captures: &[i64],
        algorithms: &[Algorithm],
    ) -> StoreResult<HashMap<i64, Vec<DetectionFacts>>> {
        use detection::Column as D;
        let own: Vec<i64> = algorithms.iter().map(|a| a.id).collect();
        let mut facts: HashMap<i64, Vec<DetectionFacts>> = HashMap::new();
        for chunk in captures.chunks(1000) {
            let rows: Vec<(i64, i64, Option<i64>, Option<f64>)> = detection::Entity::find()
                .select_only()
                .columns([D::Id, D::CaptureId, D::AlgorithmId, D::X1])
                .filter(D::CaptureId.is_in(chunk.iter().copied()))
                // By their captures: an algorithm has as many as there are boxes.
                .filter(Expr::cust("+detection.algorithm_id").is_in(own.iter().copied()))
                .into_tuple()
                .all(&self.db)
                .await?;
            let ids: Vec<i64> = rows.iter().map(|r| r.0).collect();
            let classified = self.classified_by(&ids).await?;
            for (id, capture, algorithm, x1) in rows {
                facts.entry(capture).or_default().push(DetectionFacts {
                    algorithm,
                    is_null_marker: x1.is_none(),
                    classified_by: classified.get(&id).cloned().unwrap_or_default(),
                });
            }
        }
        Ok(facts)
    }

    async fn classified_by(&self, detections: &[i64]) -> StoreResult<HashMap<i64, BTreeSet<i64>>> {
        use classification::Column as C;
        let mut by: HashMap<i64, BTreeSet<i64>> = HashMap::new();
        for chunk in detections.chunks(1000) {
            let rows: Vec<(i64, Option<i64>)> = classification::Entity::find()
                .select_only()
                .columns([C::DetectionId, C::AlgorithmId])
                .filter(C::DetectionId.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.db)
                .await?;
            for (detection, algorithm) in rows {
                by.entry(detection).or_default().extend(algorithm);
            }
        }
        Ok(by)
    }
}

/// One statement may touch a row once only (PostgreSQL refuses it else): the last of each path.
fn once_each(chunk: &[NewCapture]) -> Vec<&NewCapture> {
    let mut seen = HashSet::new();
    let mut last: Vec<&NewCapture> = chunk
        .iter()
        .rev()
        .filter(|c| seen.insert(c.path.as_str()))
        .collect();
    last.reverse();
    last
}

/// What becomes of a known path: the columns that describe its file are overwritten where one of
/// them differs. A sync of an unchanged storage so writes nothing.
fn refresh_file() -> OnConflict {
    use capture::Column as C;
    let of_file = [
        C::LastModifiedAt,
        C::Size,
        C::Checksum,
        C::ChecksumAlgorithm,
    ];
    let differs = of_file.into_iter().fold(Condition::any(), |any, column| {
        let stored = Expr::col((capture::Entity, column));
        let given = Expr::col(("excluded", column));
        any.add(stored.binary(BinOper::Custom("IS DISTINCT FROM"), given))
    });
    OnConflict::columns([C::StationId, C::Path])
        .update_columns(of_file)
        .update_column(C::UpdatedAt)
        .action_cond_where(differs)
        .to_owned()
}

fn row(station: &Station, c: &NewCapture, at: DateTime<Utc>) -> capture::ActiveModel {
    capture::ActiveModel {
        project_id: Set(station.project_id),
        station_id: Set(Some(station.id)),
        session_id: Set(None),
        path: Set(c.path.clone()),
        public_base_url: Set(None),
        taken_at: Set(c.taken_at),
        width: Set(c.width),
        height: Set(c.height),
        size: Set(c.size),
        last_modified_at: Set(c.last_modified_at),
        checksum: Set(c.checksum.clone()),
        checksum_algorithm: Set(c.checksum_algorithm.clone()),
        test_image: Set(false),
        uploaded_by_id: Set(None),
        detections_count: Set(0),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
}
