//! Lists of a generated project: whichever way the database finds the rows, the list is the same,
//! and the same on both databases; and what is counted beside them.

use std::collections::HashMap;

use domain::permission::Permit;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{algorithm, project, taxon};
use crate::Store;
use crate::capture::{CaptureFilter, CaptureOrder};
use crate::capture_set::NewCaptureSet;
use crate::defaults::Defaults;
use crate::detection::{DetectionFilter, ResultOrder};
use crate::entity::{capture, occurrence, session, station, taxon as taxa};
use crate::occurrence::Occurrence;
use crate::occurrence::list::OccurrenceFilter;
use crate::project::{Project, ProjectChange};
use crate::session::{SessionFilter, SessionOrder};
use crate::taxon::seen::{counted, kept};
use crate::testing::{fresh, large::Large, recount_all};
use crate::user::NewUser;

const CAPTURES: i64 = 2000;

pub(super) async fn filled(store: &Store) -> Project {
    let project = project(store).await;
    let user = NewUser {
        email: "somebody@example.org".to_owned(),
        password: "secret".to_owned(),
        ..Default::default()
    };
    let mut sets = Vec::new();
    for name in ["Everything", "Sample"] {
        let new = NewCaptureSet {
            project_id: project.id,
            name: name.to_owned(),
            ..Default::default()
        };
        sets.push(store.create_capture_set(new).await.unwrap().id);
    }
    let large = Large {
        project: project.id,
        user: store.create_user(user).await.unwrap().id,
        algorithm: algorithm(store, "d", "detection").await.id,
        everything: sets[0],
        sample: sets[1],
        captures: CAPTURES,
        jobs: 1,
    };
    store.fill(large).await.unwrap();
    project
}

fn of(project: &Project) -> OccurrenceFilter {
    OccurrenceFilter {
        project_id: Some(project.id),
        defaults: Defaults::of(project),
        ..Default::default()
    }
}

/// What occurrences are ordered by, as text that sorts alike.
struct Values {
    occurrences: HashMap<i64, Occurrence>,
    starts: HashMap<i64, String>,
    stations: HashMap<i64, String>,
    taxa: HashMap<i64, String>,
}

impl Values {
    async fn read(store: &Store) -> Values {
        let db = &store.db;
        let occurrences = occurrence::Entity::find().all(db).await.unwrap();
        let sessions = session::Entity::find().all(db).await.unwrap();
        let stations = station::Entity::find().all(db).await.unwrap();
        let taxa = taxa::Entity::find().all(db).await.unwrap();
        let start = |s: session::Model| (s.id, s.start_at.to_string());
        Values {
            occurrences: occurrences.into_iter().map(|o| (o.id, o)).collect(),
            starts: sessions.into_iter().map(start).collect(),
            stations: stations.into_iter().map(|s| (s.id, s.name)).collect(),
            taxa: taxa.into_iter().map(|t| (t.id, t.name)).collect(),
        }
    }

    fn of(&self, name: &str, id: i64) -> Option<String> {
        let o = &self.occurrences[&id];
        let named = |names: &HashMap<i64, String>, id: Option<i64>| names.get(&id?).cloned();
        match name {
            "id" => Some(format!("{:09}", o.id)),
            "created_at" => Some(o.created_at.to_string()),
            "updated_at" => Some(o.updated_at.to_string()),
            "detections_count" => Some(format!("{:09}", o.boxes_count)),
            "determination_score" => o.determination_score.map(|score| format!("{score:.9}")),
            "first_appearance_timestamp" => o.first_seen_at.map(|at| at.to_string()),
            "duration" => Some(format!(
                "{:012}",
                (o.last_seen_at? - o.first_seen_at?).num_seconds()
            )),
            "event" | "event__start" => named(&self.starts, o.session_id),
            "deployment" | "deployment__name" => named(&self.stations, o.station_id),
            _ => named(&self.taxa, o.determination_id),
        }
    }
}

#[tokio::test]
async fn occurrences_are_in_order_however_they_are_found() {
    for db in fresh().await {
        let store = &db.store;
        let project = filled(store).await;
        let values = Values::read(store).await;
        let all = OccurrenceFilter {
            defaults: Defaults::default(),
            ..of(&project)
        };
        for (filter, name, descending) in [of(&project), all].iter().flat_map(|filter| {
            let names = OccurrenceFilter::ORDERS.iter();
            names.flat_map(move |name| [(filter, *name, false), (filter, *name, true)])
        }) {
            let filter = OccurrenceFilter {
                order: vec![(name, descending)],
                ..filter.clone()
            };
            let what = format!("{name} {descending} {}", db.url);
            let expected = store.count_occurrences(&filter).await.unwrap();
            assert!(expected > 500, "{what}: {expected}");
            for few in [true, false] {
                let parts = || filter.parts(few, store.is_sqlite());
                let ids = store.page_ids(parts(), 10_000, 0).await.unwrap();
                let mut found: Vec<_> = ids.iter().map(|id| values.of(name, *id)).collect();
                assert_eq!(ids.len() as u64, expected, "{what}");
                // Each number once, and those without a value at the end.
                let first_null = found.iter().position(Option::is_none);
                let nulls = found.split_off(first_null.unwrap_or(found.len()));
                assert!(nulls.iter().all(Option::is_none), "{what} {few}");
                let in_order = |pair: &[Option<String>]| match descending {
                    true => pair[0] >= pair[1],
                    false => pair[0] <= pair[1],
                };
                assert!(found.windows(2).all(in_order), "{what} {few}");
                let mut distinct = ids.clone();
                distinct.sort_unstable();
                distinct.dedup();
                assert_eq!(distinct.len(), ids.len(), "{what} {few}");
                // Pages follow each other, also from one part to the next.
                let from = found.len().saturating_sub(3).min(ids.len() - 5);
                let page = store.page_ids(parts(), 5, from as u64).await.unwrap();
                assert_eq!(page, ids[from..from + 5], "{what} {few}");
            }
        }
    }
}

#[tokio::test]
async fn captures_and_detections_are_in_the_same_order_on_both_databases() {
    let mut lists: HashMap<String, Vec<i64>> = HashMap::new();
    for db in fresh().await {
        let store = &db.store;
        let project = filled(store).await;
        for (processed, name, descending) in [None, Some(true), Some(false)]
            .into_iter()
            .flat_map(|processed| CaptureOrder::NAMES.map(|name| (processed, name)))
            .flat_map(|(processed, name)| [(processed, name, false), (processed, name, true)])
            // How texts with punctuation are ordered is the server's own affair.
            .filter(|(_, name, _)| *name != "path")
        {
            let filter = CaptureFilter {
                project_id: project.id,
                processed,
                ..Default::default()
            };
            let order = [(CaptureOrder::from_name(name).unwrap(), descending)];
            let page = store.captures_page(&filter, &order, 10_000, 0).await;
            let (rows, count) = page.unwrap();
            assert_eq!(rows.len() as u64, count, "{name}");
            let ids: Vec<i64> = rows.iter().map(|capture| capture.id).collect();
            let key = format!("{processed:?} {name} {descending}");
            let before = lists.entry(key.clone()).or_insert_with(|| ids.clone());
            assert_eq!(*before, ids, "{key} {}", db.url);
        }
        for descending in [false, true] {
            let filter = DetectionFilter {
                project_id: project.id,
                ..Default::default()
            };
            let order = Some(ResultOrder::Taken(descending));
            let page = store.detections_page(&filter, order, 10_000, 0).await;
            let rows = page.unwrap().0;
            let dated = rows.iter().position(|row| row.taken_at.is_none());
            assert!(dated.is_some_and(|at| at > rows.len() / 2), "undated last");
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let key = format!("detections {descending}");
            let before = lists.entry(key.clone()).or_insert_with(|| ids.clone());
            assert_eq!(*before, ids, "{key} {}", db.url);
        }
        for name in SessionOrder::NAMES {
            let filter = SessionFilter {
                project_id: Some(project.id),
                ..Default::default()
            };
            for descending in [false, true] {
                let order = [(SessionOrder::from_name(name).unwrap(), descending)];
                let page = store.sessions_page(&filter, &order, 100, 0).await;
                let ids: Vec<i64> = page.unwrap().0.iter().map(|session| session.id).collect();
                let key = format!("sessions {name} {descending}");
                let before = lists.entry(key.clone()).or_insert_with(|| ids.clone());
                assert_eq!(*before, ids, "{key} {}", db.url);
            }
        }
    }
}

#[tokio::test]
async fn a_generated_project_has_true_counters() {
    for db in fresh().await {
        let store = &db.store;
        filled(store).await;
        let rows = async || {
            let all = capture::Entity::find().order_by_asc(capture::Column::Id);
            all.all(&store.db).await.unwrap()
        };
        let before = rows().await;
        assert_eq!(before.len() as i64, CAPTURES);
        assert_eq!(
            before.iter().map(|c| c.boxes_count).sum::<i64>(),
            CAPTURES * 3
        );
        let ids: Vec<i64> = before.iter().map(|capture| capture.id).collect();
        store.recount_captures(&ids).await.unwrap();
        for (before, after) in before.iter().zip(rows().await) {
            assert_eq!(*before, after);
        }
    }
}

#[tokio::test]
async fn counters_look_at_the_chosen_taxa() {
    for db in fresh().await {
        let store = &db.store;
        let project = filled(store).await;
        let mut seen: Vec<(i64, i64)> = occurrence::Entity::find()
            .select_only()
            .column(occurrence::Column::DeterminationId)
            .expr(occurrence::Column::Id.count())
            .filter(occurrence::Column::DeterminationScore.gte(0.5))
            .group_by(occurrence::Column::DeterminationId)
            .order_by_asc(occurrence::Column::DeterminationId)
            .into_tuple()
            .all(&store.db)
            .await
            .unwrap();
        let all = occurrence::Entity::find().all(&store.db).await.unwrap();
        let total: i64 = seen.iter().map(|(_, count)| count).sum();
        let (chosen, count) = seen.remove(0);
        let kinds = seen.len() as i64;
        for (include, exclude, expected) in [
            (vec![chosen], vec![], (count, 1)),
            (vec![], vec![chosen], (total - count, kinds)),
            (vec![chosen], vec![chosen], (0, 0)),
            (vec![], vec![], (total, kinds + 1)),
        ] {
            let change = ProjectChange {
                include_taxa: Some(include.clone()),
                exclude_taxa: Some(exclude.clone()),
                ..Default::default()
            };
            let changed = store.change_project(Permit::BY_PROGRAM, project.id, change);
            let project = changed.await.unwrap();
            recount_all(store).await;
            let what = format!("{include:?} {exclude:?} {}", db.url);
            let sum = async |table: &str, column: &str| {
                let sql = format!("SELECT CAST(SUM({column}) AS BIGINT) FROM {table}");
                let backend = store.db.get_database_backend();
                let statement = sea_orm::Statement::from_string(backend, sql);
                let row = store.db.query_one_raw(statement).await.unwrap().unwrap();
                row.try_get_by_index::<i64>(0).unwrap()
            };
            assert_eq!(
                sum("station", "occurrences_count").await,
                expected.0,
                "{what}"
            );
            // Three boxes each.
            assert_eq!(
                sum("capture", "detections_count").await,
                expected.0 * 3,
                "{what}"
            );
            let of_sessions = all.iter().filter(|o| {
                let taxon = o.determination_id.unwrap_or_default();
                o.session_id.is_some()
                    && o.determination_score >= Some(0.5)
                    && (include.is_empty() || include.contains(&taxon))
                    && !exclude.contains(&taxon)
            });
            let of_sessions = of_sessions.count() as i64;
            assert_eq!(
                sum("session", "occurrences_count").await,
                of_sessions,
                "{what}"
            );
            let summary = store.summary(&project, None).await.unwrap();
            assert_eq!((summary.occurrences, summary.taxa), expected, "{what}");
            let captures = capture::Entity::find().all(&store.db).await.unwrap();
            let ids: Vec<i64> = captures.iter().map(|capture| capture.id).collect();
            let found = store.found_on(&ids, &Defaults::of(&project)).await.unwrap();
            let passing = found
                .values()
                .flatten()
                .filter_map(|found| found.seen.as_ref());
            let passing = passing.filter(|seen| seen.passes).count() as i64;
            assert_eq!(passing, expected.0 * 3, "{what}");
        }
    }
}

#[tokio::test]
async fn what_is_kept_of_taxa_is_what_is_counted() {
    for db in fresh().await {
        let store = &db.store;
        let project = filled(store).await;
        taxon(store, "Never seen").await;
        type Row = (i64, i64, Option<f64>, Option<chrono::NaiveDateTime>);
        let rows = async |statement| {
            let rows = store.db.query_all(&statement).await.unwrap();
            let row = |row: &sea_orm::QueryResult| -> Row {
                let get = "four columns";
                (
                    row.try_get_by_index(0).expect(get),
                    row.try_get_by_index(1).expect(get),
                    row.try_get_by_index(2).expect(get),
                    row.try_get_by_index(3).expect(get),
                )
            };
            let mut rows: Vec<Row> = rows.iter().map(row).collect();
            rows.sort_by_key(|row| row.0);
            rows
        };
        assert!(store.count_taxa(&project).await.unwrap());
        let expected = rows(counted(&of(&project), store.is_sqlite())).await;
        assert!(expected.len() > 100);
        assert_eq!(rows(kept(project.id)).await, expected);
        let change = ProjectChange {
            score_threshold: Some(0.9),
            ..Default::default()
        };
        let changed = store.change_project(Permit::BY_PROGRAM, project.id, change);
        let changed = changed.await.unwrap();
        assert_eq!(changed.taxa_counted_at, None);
        // Counted by filters that are no longer the project's: not kept.
        assert!(!store.count_taxa(&project).await.unwrap());
        assert!(store.count_taxa(&changed).await.unwrap());
        let fewer = rows(kept(project.id)).await;
        assert_eq!(fewer, rows(counted(&of(&changed), store.is_sqlite())).await);
        assert!(fewer.len() < expected.len());
    }
}

#[tokio::test]
async fn a_set_is_counted_before_it_is_shown_for_the_first_time() {
    for db in fresh().await {
        let store = &db.store;
        let project = filled(store).await;
        let set = store.capture_set_by_name(project.id, "Everything").await;
        let set = set.unwrap().unwrap();
        let filters = Defaults::of(&project);
        let counts = store.set_counts(std::slice::from_ref(&set), Some(&filters));
        let counts = counts.await.unwrap()[&set.id];
        assert_eq!(counts.captures, CAPTURES);
        assert_eq!(counts.found, CAPTURES / 10 * 9);
        assert_eq!(counts.processed, CAPTURES / 10 * 9);
        let expected = occurrence::Entity::find()
            .select_only()
            .expr(occurrence::Column::Id.count())
            .expr(Expr::cust("COUNT(DISTINCT determination_id)"))
            .filter(occurrence::Column::DeterminationScore.gte(0.5))
            .into_tuple::<(i64, i64)>()
            .one(&store.db)
            .await
            .unwrap();
        assert_eq!(Some((counts.occurrences, counts.taxa)), expected);
        let set = store.capture_set(set.id).await.unwrap();
        let again = store.set_counts(std::slice::from_ref(&set), Some(&filters));
        assert_eq!(again.await.unwrap()[&set.id], counts, "as it was kept");
    }
}
