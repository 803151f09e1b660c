//! Where photographs lie (`domain-rules.md` §14): below the folder of a station's storage source,
//! among the files that the server keeps, at a public address, or in a bucket that its keys open.

use std::collections::{HashMap, HashSet};

use domain::storage::{KEPT, LOCAL, Location, public_url};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::{project, station, storage_source};

impl Store {
    /// Where the photographs of these captures lie; captures without an address are left out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn locations(&self, captures: &[Capture]) -> StoreResult<HashMap<i64, Location>> {
        if captures.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: HashSet<i64> = captures.iter().filter_map(|c| c.station_id).collect();
        let stations: Vec<(i64, Option<i64>, Option<bool>)> = station::Entity::find()
            .join(JoinType::LeftJoin, station::Relation::Project.def())
            .select_only()
            .columns([station::Column::Id, station::Column::SourceId])
            .column(project::Column::Draft)
            .filter(station::Column::Id.is_in(ids))
            .into_tuple()
            .all(&self.db)
            .await?;
        let by_id: HashMap<i64, storage_source::Model> = storage_source::Entity::find()
            .filter(storage_source::Column::Id.is_in(stations.iter().filter_map(|s| s.1)))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|source| (source.id, source))
            .collect();
        let open: HashSet<i64> = stations
            .iter()
            .filter(|(_, _, draft)| *draft == Some(false))
            .map(|station| station.0)
            .collect();
        let sources: HashMap<i64, &storage_source::Model> = stations
            .iter()
            .filter_map(|(station, source, _)| Some((*station, by_id.get(&(*source)?)?)))
            .collect();
        let place = |capture: &Capture| {
            if capture.public_base_url.as_deref() == Some(KEPT) {
                return Some(Location::Kept {
                    key: capture.path.clone(),
                    open: capture.station_id.is_some_and(|id| open.contains(&id)),
                });
            }
            let source = capture.station_id.and_then(|id| sources.get(&id));
            match source {
                Some(source) if source.kind == LOCAL => Some(Location::Folder {
                    source: source.id,
                    root: source.bucket.clone(),
                    key: capture.path.clone(),
                }),
                _ => {
                    let own = capture.public_base_url.as_deref();
                    match own.or_else(|| source?.public_base_url.as_deref()) {
                        Some(base) => {
                            let url = public_url(base, &capture.path)?;
                            Some(Location::Web { url })
                        }
                        None => in_bucket(source?, capture),
                    }
                }
            }
        };
        Ok(captures
            .iter()
            .filter_map(|c| Some((c.id, place(c)?)))
            .collect())
    }
}

/// The place of a photograph in a bucket without a public address; none where it has no keys.
fn in_bucket(source: &storage_source::Model, capture: &Capture) -> Option<Location> {
    let opens = !source.access_key.is_empty() && !source.secret_key.is_empty();
    opens.then(|| Location::Bucket {
        source: source.id,
        key: capture.path.clone(),
    })
}
