//! Settings of projects, and the recount that new default filters ask for.

use domain::permission::Permit;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{algorithm, all, detection, occurrence, photo, project, station, taxon};
use crate::entity::occurrence as occurrences;
use crate::project::ProjectChange;
use crate::source::SourceChange;
use crate::testing::{fresh, recount_all};

#[tokio::test]
async fn new_filters_count_everything_again() {
    for fresh in fresh().await {
        let store = &fresh.store;
        let project = project(store).await;
        let station = station(store, &project).await;
        let photos = [photo("a.jpg", Some("2022-08-10 22:00:00"))];
        store.upsert_captures(&station, &photos).await.unwrap();
        let gap = chrono::Duration::hours(2);
        store.regroup(station.id, gap, |_| ()).await.unwrap();
        let capture = all(store, &station).await.remove(0);
        let detector = algorithm(store, "d", "localization").await;
        let seen = occurrence(store, &station, capture.session_id).await;
        occurrences::Entity::update_many()
            .col_expr(occurrences::Column::DeterminationScore, Expr::value(0.6))
            .filter(occurrences::Column::Id.eq(seen))
            .exec(&store.db)
            .await
            .unwrap();
        let edges = Some([0.0, 0.0, 1.0, 1.0]);
        detection(store, capture.id, detector.id, edges, Some(seen)).await;
        let counts = async || {
            let pages = recount_all(store).await;
            let capture = store.capture(capture.id).await.unwrap();
            let station = store.station(station.id).await.unwrap();
            let session = store.session(capture.session_id.unwrap()).await.unwrap();
            let counted = [
                capture.detections_count,
                session.occurrences_count,
                station.occurrences_count,
            ];
            (pages, counted)
        };
        for (threshold, expected) in [(0.5, [0, 0, 0]), (0.4, [1, 1, 1]), (0.9, [0, 0, 0])] {
            let change = ProjectChange {
                score_threshold: Some(threshold),
                ..Default::default()
            };
            store
                .change_project(Permit::BY_PROGRAM, project.id, change)
                .await
                .unwrap();
            let (pages, counted) = counts().await;
            assert_eq!(counted, expected, "{threshold}");
            // One of captures, of sessions and of stations; nothing where nothing changed.
            assert_eq!(pages, if threshold == 0.5 { 0 } else { 3 });
        }
    }
}

#[tokio::test]
async fn taxa_of_filters_are_replaced() {
    for fresh in fresh().await {
        let store = &fresh.store;
        let project = project(store).await;
        let (moth, fly) = (taxon(store, "Moth").await, taxon(store, "Fly").await);
        let set = async |include: Option<Vec<i64>>, exclude: Option<Vec<i64>>| {
            let change = ProjectChange {
                include_taxa: include,
                exclude_taxa: exclude,
                ..Default::default()
            };
            store
                .change_project(Permit::BY_PROGRAM, project.id, change)
                .await
                .unwrap();
            let taxa = store.filter_taxa(project.id).await.unwrap();
            let names = |list: Vec<crate::taxon::Taxon>| -> Vec<String> {
                list.into_iter().map(|taxon| taxon.name).collect()
            };
            (names(taxa.include), names(taxa.exclude))
        };
        let named = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let both = Some(vec![moth, fly, moth]);
        assert_eq!(set(both, None).await, (named(&["Fly", "Moth"]), vec![]));
        let fly_only = Some(vec![fly]);
        let expected = (named(&["Fly", "Moth"]), named(&["Fly"]));
        assert_eq!(set(None, fly_only).await, expected);
        assert_eq!(set(Some(vec![]), None).await, (vec![], named(&["Fly"])));
        assert_eq!(store.unknown_taxa(&[moth, -1]).await.unwrap(), [-1]);
    }
}

#[tokio::test]
async fn captures_follow_a_new_public_address() {
    for fresh in fresh().await {
        let store = &fresh.store;
        let project = project(store).await;
        let values = SourceChange {
            public_base_url: Some(Some("http://old/".to_owned())),
            ..Default::default()
        };
        let source = store
            .create_bucket_source(Permit::BY_PROGRAM, project.id, values)
            .await
            .unwrap();
        let new = crate::station::NewStation {
            project_id: project.id,
            source_id: Some(source.id),
            ..Default::default()
        };
        let station = store.create_station(new).await.unwrap();
        let photos = [photo("a.jpg", None), photo("b.jpg", None)];
        store.upsert_captures(&station, &photos).await.unwrap();
        use crate::entity::capture;
        for (path, own) in [("a.jpg", "http://old/"), ("b.jpg", "http://own/")] {
            capture::Entity::update_many()
                .col_expr(capture::Column::PublicBaseUrl, Expr::value(own))
                .filter(capture::Column::Path.eq(path))
                .exec(&store.db)
                .await
                .unwrap();
        }
        let change = SourceChange {
            public_base_url: Some(Some("http://new/".to_owned())),
            ..Default::default()
        };
        store
            .change_source(Permit::BY_PROGRAM, source.id, change)
            .await
            .unwrap();
        let captures = all(store, &station).await;
        let places = store.locations(&captures).await.unwrap();
        let place = |at: usize| format!("{:?}", places[&captures[at].id]);
        assert!(place(0).contains("http://new/a.jpg"), "{}", place(0));
        assert!(place(1).contains("http://own/b.jpg"), "{}", place(1));
    }
}
