//! The pages of an export: one list in its order, whatever their size, on both databases.

use sea_orm::ConnectionTrait;

use super::lists::filled;
use crate::export::{ExportFile, Exported, Mark, NewExport};
use crate::job::life::Fence;
use crate::occurrence::Occurrence;
use crate::testing::fresh;
use crate::{Store, StoreError};

async fn all(store: &Store, which: Exported, limit: u64) -> Vec<Occurrence> {
    let (mut rows, mut mark) = (Vec::new(), None);
    loop {
        let page = store.export_page(which, mark, limit).await.unwrap();
        let Some(last) = page.last() else {
            return rows;
        };
        assert!(page.len() as u64 <= limit);
        mark = Some(Mark::behind(last));
        rows.extend(page);
    }
}

#[tokio::test]
async fn pages_of_any_size_are_one_list_in_the_order_of_scores() {
    for fresh in fresh().await {
        let store = &fresh.store;
        let project = filled(store).await;
        for change in [
            "UPDATE occurrence SET determination_score = NULL WHERE id % 7 = 0",
            "UPDATE occurrence SET determination_score = 0.5 WHERE id % 5 = 0",
            "UPDATE occurrence SET determination_id = NULL WHERE id % 11 = 0",
            "UPDATE occurrence SET boxes_count = 0 WHERE id % 13 = 0",
        ] {
            store.db.execute_unprepared(change).await.unwrap();
        }
        let which = Exported {
            project_id: project.id,
            capture_set_id: None,
        };
        let whole = all(store, which, 100_000).await;
        assert_eq!(whole.len() as u64, store.exportable(which).await.unwrap());
        assert!(whole.iter().all(|o| o.id % 11 != 0 && o.id % 13 != 0));
        let place = |o: &Occurrence| (o.determination_score.map_or(-9.0, |s| -s), o.id);
        assert!(
            whole.is_sorted_by(|a, b| place(a) < place(b)),
            "unscored first"
        );
        assert!(whole[0].determination_score.is_none());
        let ids = |rows: &[Occurrence]| rows.iter().map(|o| o.id).collect::<Vec<_>>();
        for limit in [97, 1000] {
            assert_eq!(ids(&all(store, which, limit).await), ids(&whole), "{limit}");
        }

        let mut sizes = Vec::new();
        for name in ["Everything", "Sample"] {
            let set = store.capture_set_by_name(project.id, name).await;
            let which = Exported {
                project_id: project.id,
                capture_set_id: Some(set.unwrap().unwrap().id),
            };
            let part = all(store, which, 97).await;
            assert_eq!(part.len() as u64, store.exportable(which).await.unwrap());
            assert!(part.is_sorted_by(|a, b| place(a) < place(b)));
            let known = ids(&whole);
            assert!(ids(&part).iter().all(|id| known.contains(id)));
            sizes.push(part.len());
        }
        assert!(sizes[0] == whole.len() && 0 < sizes[1] && sizes[1] < sizes[0]);
    }
}

#[tokio::test]
async fn a_file_is_noted_only_by_the_runner_that_holds_the_job() {
    for fresh in fresh().await {
        let store = &fresh.store;
        let project = super::project(store).await;
        let new = NewExport {
            project_id: project.id,
            format: "occurrences_simple_csv".to_owned(),
            filters: serde_json::json!({}),
            filters_display: serde_json::json!({}),
            job_name: "Export".to_owned(),
            ..Default::default()
        };
        let (export, job) = store.create_export(new).await.unwrap();
        let file = |url: &str| ExportFile {
            url: url.to_owned(),
            records: 3,
            size: 120,
        };
        let stranger = Fence {
            job: job.id,
            owner: "nobody".to_owned(),
            claim_no: 1,
        };
        let noted = store.note_export_file(&stranger, export.id, file("/a"));
        assert!(matches!(noted.await, Err(StoreError::FenceLost)));
        let (_, fence) = store.claim_job("runner").await.unwrap().unwrap();
        let note = async |url: &str| {
            let noted = store.note_export_file(&fence, export.id, file(url));
            noted.await.unwrap()
        };
        assert_eq!(note("/media/a.csv").await, None);
        assert_eq!(note("/media/b.csv").await.as_deref(), Some("/media/a.csv"));
        let export = store.export(export.id).await.unwrap();
        assert_eq!((export.record_count, export.file_size), (3, 120));
        store.delete_export(export.id).await.unwrap();
        let noted = store.note_export_file(&fence, export.id, file("/c")).await;
        assert!(matches!(noted, Err(StoreError::NotFound(_))), "{noted:?}");
    }
}
