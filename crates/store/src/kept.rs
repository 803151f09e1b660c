//! Which of the files that the server keeps still belong to a row. The idea: a file is named by a
//! number or its whole key, so whoever walks the files asks for a page of them at once, and whoever
//! shows one asks for its row first.

use std::collections::HashSet;

use domain::storage::KEPT;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::capture::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::{capture, detection, export, upload};

/// Numbers or keys that one query is asked for.
const AT_ONCE: usize = 1000;

/// The station that a key of an upload names: `example_captures/<station>/<name>`.
fn station(key: &str) -> Option<i64> {
    key.split('/').nth(1)?.parse().ok()
}

impl Store {
    /// Those of these captures that there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn known_captures(&self, ids: &[i64]) -> StoreResult<HashSet<i64>> {
        self.known::<capture::Entity>(capture::Column::Id, ids)
            .await
    }

    /// Those of these detections that there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn known_detections(&self, ids: &[i64]) -> StoreResult<HashSet<i64>> {
        self.known::<detection::Entity>(detection::Column::Id, ids)
            .await
    }

    /// Those of these exports that there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn known_exports(&self, ids: &[i64]) -> StoreResult<HashSet<i64>> {
        self.known::<export::Entity>(export::Column::Id, ids).await
    }

    async fn known<E: EntityTrait>(&self, id: E::Column, ids: &[i64]) -> StoreResult<HashSet<i64>> {
        let mut known = HashSet::with_capacity(ids.len());
        for chunk in ids.chunks(AT_ONCE) {
            let rows: Vec<i64> = E::find()
                .select_only()
                .column(id)
                .filter(id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.db)
                .await?;
            known.extend(rows);
        }
        Ok(known)
    }

    /// Those of these keys at which a person's upload lies.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn known_uploads(&self, keys: &[&str]) -> StoreResult<HashSet<String>> {
        use capture::Column as C;
        let mut known = HashSet::with_capacity(keys.len());
        for chunk in keys.chunks(AT_ONCE) {
            let sent: Vec<String> = upload::Entity::find()
                .select_only()
                .column(upload::Column::Path)
                .filter(upload::Column::Path.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.db)
                .await?;
            let stations: HashSet<i64> = chunk.iter().filter_map(|key| station(key)).collect();
            let shown: Vec<String> = capture::Entity::find()
                .select_only()
                .column(C::Path)
                .filter(C::StationId.is_in(stations))
                .filter(C::Path.is_in(chunk.iter().copied()))
                .filter(C::PublicBaseUrl.eq(KEPT))
                .into_tuple()
                .all(&self.db)
                .await?;
            known.extend(sent.into_iter().chain(shown));
        }
        Ok(known)
    }

    /// The capture whose photograph is the upload with this key, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn capture_of_upload(&self, key: &str) -> StoreResult<Option<Capture>> {
        use capture::Column as C;
        if let Some(station) = station(key) {
            let found = capture::Entity::find()
                .filter(C::StationId.eq(station))
                .filter(C::Path.eq(key))
                .filter(C::PublicBaseUrl.eq(KEPT))
                .one(&self.db)
                .await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        // What came from another server may have been sent to another station.
        let sent = upload::Entity::find()
            .filter(upload::Column::Path.eq(key))
            .one(&self.db)
            .await?;
        let Some(sent) = sent else { return Ok(None) };
        Ok(capture::Entity::find_by_id(sent.capture_id)
            .one(&self.db)
            .await?)
    }

    /// The numbers of all detections on a capture.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn detections_on(&self, capture: i64) -> StoreResult<Vec<i64>> {
        Ok(detection::Entity::find()
            .select_only()
            .column(detection::Column::Id)
            .filter(detection::Column::CaptureId.eq(capture))
            .into_tuple()
            .all(&self.db)
            .await?)
    }
}
