//! Crops cut ahead of time: behind the results, each once, from where the last one stopped.

use chrono::Duration;
use files::Files;
use jobs::crops::Cutter;
use store::capture::NewCapture;
use store::station::NewStation;
use store::testing;

use super::world::{World, good, state};

#[tokio::test]
async fn crops_are_cut_behind_the_results_each_once() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0, 9).await;
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().canonicalize().unwrap();
        let source = source.to_str().unwrap();
        let source = world
            .store
            .create_local_source(world.project, "Here", source)
            .await;
        let new = NewStation {
            project_id: world.project,
            name: "Here".to_owned(),
            source_id: Some(source.unwrap().id),
            ..Default::default()
        };
        let station = world.store.create_station(new).await.unwrap();
        let names = ["a.png", "broken.png", "missing.png", "b.png"];
        for name in ["a.png", "b.png"] {
            let picture = image::DynamicImage::new_rgb8(25, 100);
            picture.save(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("broken.png"), b"no picture").unwrap();
        let captures = names.map(|path| NewCapture {
            path: path.to_owned(),
            ..Default::default()
        });
        world
            .store
            .upsert_captures(&station, &captures)
            .await
            .unwrap();
        world.answers(good).await;
        let job = world
            .run(store::job::NewJob {
                capture_set_id: None,
                station_id: Some(station.id),
                ..world.ml()
            })
            .await;
        assert_eq!(state(&job).code(), "SUCCESS", "{}", world.log(&job).await);

        let kept = tempfile::tempdir().unwrap();
        let crops = || -> Vec<String> {
            let Ok(list) = std::fs::read_dir(kept.path().join("crops")) else {
                return Vec::new();
            };
            let names = list.map(|file| file.unwrap().file_name().into_string().unwrap());
            names.collect()
        };
        let files = Files::local(kept.path()).unwrap();
        let cutter = |lag| Cutter::new(world.tools.clone(), files.clone()).behind(lag);
        assert!(!cutter(Duration::hours(1)).step().await.unwrap());
        assert_eq!(crops().len(), 0, "results come first");
        // The turn that found nothing rests; its end is not waited for here.
        testing::duty_due(&world.store, "detection_crops").await;
        let now = cutter(Duration::seconds(-60));
        assert!(now.step().await.unwrap());
        assert_eq!(
            crops().len(),
            2,
            "one for each box on a photograph that can be read"
        );
        let first = kept.path().join("crops").join(&crops()[0]);
        let crop = image::open(first).unwrap();
        // From x 1 to the frame's 25, from y 2 to 40.
        assert_eq!((crop.width(), crop.height()), (24, 38));

        // Nothing is cut twice: the position stands in the database.
        std::fs::remove_dir_all(kept.path().join("crops")).unwrap();
        assert!(!now.step().await.unwrap());
        assert_eq!(crops().len(), 0);
    }
}
