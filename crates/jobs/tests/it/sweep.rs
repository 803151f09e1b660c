//! Files without rows are found and deleted, whoever left them, and no others.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jobs::sweep;
use store::capture::NewCapture;
use store::testing;

use super::world::{World, good};

/// Puts a file that was written so many days ago.
fn put(folder: &Path, key: &str, days: u64) {
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"x").unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    let at = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
    file.set_modified(at).unwrap();
}

#[tokio::test]
async fn what_belongs_to_no_row_is_swept() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1, 9).await;
        let (store, folder) = (&world.store, world.folder.path());
        assert_eq!(
            sweep::round(&world.tools).await.unwrap(),
            0,
            "no folder yet"
        );
        world.answers(good).await;
        world.run(world.ml()).await;
        let capture = world.captures().await[0];
        let later = store::now() + chrono::Duration::hours(1);
        let found = store.detections_after(0, later, 9).await.unwrap();
        let station = store.station(world.station).await.unwrap();
        let sent = NewCapture {
            path: format!("example_captures/{}/a.jpg", station.id),
            ..Default::default()
        };
        store.create_upload(&station, None, sent).await.unwrap();

        let stay = [
            (format!("thumbnails/capture_{capture}/small.jpg"), 40),
            (format!("crops/detection_{}.jpg", found[0].id), 40),
            (format!("example_captures/{}/a.jpg", station.id), 40),
            // Too young, or nobody knows whose.
            ("thumbnails/capture_999998/small.jpg".to_owned(), 0),
            ("example_captures/999999/b.jpg".to_owned(), 20),
            ("exports/moths_export-999999.csv".to_owned(), 20),
            ("exports/read me.txt".to_owned(), 40),
            ("crops/moth.jpg".to_owned(), 40),
            ("pictures/projects/999999/a.jpg".to_owned(), 40),
        ];
        let gone = [
            "thumbnails/capture_999999/small.jpg".to_owned(),
            "thumbnails/capture_999999/page.jpg".to_owned(),
            "crops/detection_999999.jpg".to_owned(),
            format!("example_captures/{}/b.jpg", station.id),
            "example_captures/999999/c.jpg".to_owned(),
            "exports/moths_export-999998.csv".to_owned(),
        ];
        for (key, days) in &stay {
            put(folder, key, *days);
        }
        for key in &gone {
            put(folder, key, 40);
        }
        assert_eq!(sweep::round(&world.tools).await.unwrap(), 0, "it rests");
        let due = || async {
            for duty in ["thumbnails", "crops", "exports", "uploads"] {
                testing::duty_due(store, &format!("sweep_{duty}")).await;
            }
        };
        due().await;
        // The database may be the wrong one: only what can be made again goes.
        assert_eq!(sweep::round(&world.tools).await.unwrap(), 3);
        testing::make_old(store).await;
        for key in &gone {
            put(folder, key, 40);
        }
        due().await;
        let swept = sweep::round(&world.tools).await.unwrap();
        for (key, _) in &stay {
            assert!(folder.join(key).exists(), "{key} is gone");
        }
        for key in &gone {
            assert!(!folder.join(key).exists(), "{key} is left");
        }
        assert_eq!(swept, gone.len() as u64);
    }
}
