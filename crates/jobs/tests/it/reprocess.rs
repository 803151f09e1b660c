//! Known boxes are sent to be classified again where project and pipeline say so, and what comes
//! back belongs to the boxes that were there.

use domain::permission::Permit;
use jobs::Runner;
use serde_json::{Map, Value, json};
use store::testing;
use tokio_util::sync::CancellationToken;

use super::world::{World, good, state};

async fn sent(world: &World) -> Vec<Value> {
    let all = world.service.received_requests().await.unwrap();
    let bodies = all.iter().filter(|r| r.url.path().ends_with("/process"));
    let bodies = bodies.map(|r| r.body_json::<Value>().unwrap());
    bodies.map(|body| body["detections"].clone()).collect()
}

async fn configure(world: &World, config: Value) {
    let mut all: Map<String, Value> = config.as_object().unwrap().clone();
    all.insert("request_source_image_batch_size".to_owned(), json!(9));
    let (project, pipeline) = (world.project, world.pipeline);
    let done = world.store.configure_pipeline(project, pipeline, all);
    done.await.unwrap();
}

#[tokio::test]
async fn known_boxes_are_sent_where_that_is_wanted() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2, 9).await;
        world.answers(good).await;
        world.run(world.ml()).await;
        let captures = world.captures().await;
        let found = world
            .store
            .found_on(&captures, &Default::default())
            .await
            .unwrap();
        let first = &found[&captures[0]][0].detection;
        let set = |name: &'static str, on| world.store.set_flag(world.project, name, on);

        // Everything once more: the boxes go with it, whatever the pipeline's settings say.
        set("reprocess_all_images", true).await.unwrap();
        configure(&world, json!({"reprocess_existing_detections": false})).await;
        let again = world.run(world.ml()).await;
        assert_eq!(state(&again).code(), "SUCCESS");
        let bodies = sent(&world).await;
        assert_eq!(bodies[0], json!([]), "the first run knew none");
        let boxes = bodies[1].as_array().unwrap();
        assert_eq!(boxes.len(), 2);
        let image = captures[0].to_string();
        let one = boxes.iter().find(|b| b["source_image"]["id"] == image);
        let one = one.unwrap();
        assert_eq!(
            one["bbox"],
            json!({"x1": 1.0, "y1": 2.0, "x2": 30.0, "y2": 40.0})
        );
        assert_eq!(one["algorithm"], json!({"name": "Boxes", "key": "boxes"}));
        let crop = one["crop_image_url"].as_str().unwrap();
        let name = format!("http://127.0.0.1:9/media/crops/detection_{}.jpg?", first.id);
        assert!(crop.starts_with(&name), "{crop}");
        assert!(
            one["source_image"]["url"]
                .as_str()
                .unwrap()
                .starts_with("http")
        );

        // The same boxes came back: nothing is doubled.
        let after = world
            .store
            .found_on(&captures, &Default::default())
            .await
            .unwrap();
        assert_eq!(after[&captures[0]].len(), 1);
        assert_eq!(after[&captures[0]][0].detection.id, first.id);

        // By its own flag only where the pipeline's settings do not say no.
        set("reprocess_all_images", false).await.unwrap();
        set("reprocess_existing_detections", true).await.unwrap();
        for (setting, wanted) in [
            (json!({}), true),
            (json!({"reprocess_existing_detections": 1}), true),
            (json!({"reprocess_existing_detections": 0}), false),
            (json!({"reprocess_existing_detections": null}), false),
        ] {
            configure(&world, setting.clone()).await;
            // A classifier that came later: the boxes lack its word, so they are processed again.
            let name = format!("later-{}", sent(&world).await.len());
            let offered = serde_json::from_value(json!({
                "name": "Test", "slug": "test", "version": 1, "algorithms": [
                    {"name": name, "key": name, "task_type": "classification",
                     "category_map": {"data": [{"index": 0, "label": "A"}], "labels": ["A"]}}],
            }));
            let url = format!("{}/prefix/", world.service.uri());
            let service = world.move_service(&url).await;
            world.register(service, offered.unwrap()).await;
            let before = sent(&world).await.len();
            world.run(world.ml()).await;
            let bodies = sent(&world).await;
            assert_eq!(bodies.len(), before + 1, "{setting}");
            let boxes = bodies[before].as_array().unwrap().len();
            assert_eq!(boxes == 2, wanted, "{setting}: {boxes} boxes");
        }
    }
}

#[tokio::test]
async fn what_another_job_was_faster_with_is_not_asked_again() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3, 2).await;
        world.answers(good).await;
        let slow = world.store.create_job(world.ml()).await.unwrap().id;
        let pause = |on| world.store.pause_job(Permit::BY_PROGRAM, slow, on);
        pause(true).await.unwrap();
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        world.until(slow, |job| job.total == Some(3)).await;
        let fast = world.store.create_job(world.ml()).await.unwrap().id;
        let fast = world.until(fast, |job| job.job_state().is_final()).await;
        assert_eq!(
            (state(&fast).code(), world.counts(&fast).await.done),
            ("SUCCESS", 3)
        );
        let asked = world.asked().await;

        pause(false).await.unwrap();
        let slow = world.until(slow, |job| job.job_state().is_final()).await;
        stop.cancel();
        runner.await.unwrap();
        assert_eq!(state(&slow).code(), "SUCCESS", "{}", world.log(&slow).await);
        let counts = world.counts(&slow).await;
        assert_eq!((counts.done, counts.failed, counts.detections), (3, 0, 0));
        assert_eq!(world.asked().await, asked, "nothing was left to ask");
        let audit = world.store.audit(&slow).await.unwrap();
        assert_eq!((audit.done, audit.known), (3, 3));
        let faults = audit.faults(Some(3));
        assert!(faults.is_empty(), "{faults:?}");
        let audit = world.store.audit(&fast).await.unwrap();
        assert_eq!((audit.done, audit.known, audit.detections), (3, 0, 3));
        let faults = audit.faults(Some(3));
        assert!(faults.is_empty(), "{faults:?}");
        let depth = world.store.ticket_depth(slow.id, None).await.unwrap();
        assert_eq!(
            depth.waiting + depth.leased,
            0,
            "a test ends with an empty queue"
        );
    }
}
