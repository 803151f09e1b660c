//! Post-processing by a real runner: what it says, and how it fails.

use domain::job::POST_PROCESSING;
use domain::state::JobState;
use serde_json::{Value, json};
use store::capture::Found;
use store::defaults::Defaults;
use store::job::{Job, NewJob};
use store::taxon::change::TaxonChange;
use store::testing;
use wiremock::ResponseTemplate;

use super::world::{World, detections, ids, results, state};

/// Four captures with a moth each, of which nobody is very sure.
async fn processed(store: &store::Store) -> World {
    let world = World::new(store, 4, 2).await;
    world
        .answers(|request| {
            let ids = ids(request);
            let mut answer = results(&ids);
            let mut found = detections(&ids);
            for one in &mut found {
                one["classifications"][0]["logits"] = json!([1.0986, 0.0]);
            }
            answer["detections"] = json!(found);
            ResponseTemplate::new(200).set_body_json(answer)
        })
        .await;
    let job = world.run(world.ml()).await;
    assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
    world
}

async fn run(world: &World, params: Value) -> Job {
    let new = NewJob {
        kind: POST_PROCESSING,
        params: Some(params),
        pipeline_id: None,
        dispatch_mode: None,
        ..world.ml()
    };
    world.run(new).await
}

/// Names and values of the stage's figures.
fn figures(job: &Job) -> Vec<(String, Value)> {
    let stage = job.own_stages().remove(0);
    let params = stage.params.into_iter();
    params.map(|p| (p.name, p.value)).collect()
}

fn named(figures: &[(&str, Value)]) -> Vec<(String, Value)> {
    let named = figures.iter();
    named
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// What the occurrences of the project are determined as.
async fn determined(world: &World) -> Vec<String> {
    let captures = world.captures().await;
    let found = world.store.found_on(&captures, &Defaults::default()).await;
    let found = found.unwrap();
    let boxes = captures.iter().flat_map(|id| &found[id]);
    let taxon = |f: &Found| f.seen.as_ref().unwrap().determination.clone().unwrap().name;
    boxes.map(taxon).collect()
}

#[tokio::test]
async fn small_boxes_are_flagged_as_recorded() {
    for fresh in testing::fresh().await {
        let world = processed(&fresh.store).await;
        let params = |dry: bool| {
            json!({"task": "small_size_filter", "config": {
                "size_threshold": 0.1, "source_image_collection_id": world.set, "dry_run": dry,
            }})
        };
        let dry = run(&world, params(true)).await;
        assert_eq!(state(&dry), JobState::Success, "{}", world.log(&dry).await);
        let log = world.log(&dry).await;
        assert!(log.contains("4 of 4 detections modified"), "{log}");
        assert!(log.contains("nothing was written"), "{log}");
        assert_eq!(determined(&world).await, ["Moth"; 4]);
        let job = run(&world, params(false)).await;
        let expected = named(&[
            ("detections_checked", json!(4)),
            ("detections_flagged", json!(4)),
            ("occurrences_updated", json!(4)),
        ]);
        assert_eq!(figures(&job), expected);
        assert_eq!(figures(&dry)[..3], expected);
        let stage = &job.own_stages()[0];
        assert_eq!((stage.status, stage.progress), (JobState::Success, 1.0));
        assert_eq!(determined(&world).await, ["Not identifiable"; 4]);
    }
}

#[tokio::test]
async fn a_list_masks_what_cannot_be_here() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let world = processed(store).await;
        let list = store.create_taxa_list(world.project, "Here", "").await;
        let list = list.unwrap().id;
        let algorithm = store.algorithm_by_key("names").await.unwrap().unwrap().id;
        let params = json!({"task": "class_masking", "config": {
            "taxa_list_id": list, "algorithm_id": algorithm,
            "source_image_collection_id": world.set,
        }});
        let none = run(&world, params.clone()).await;
        assert_eq!(state(&none), JobState::Failure);
        let log = world.log(&none).await;
        assert!(log.contains("None of the 2 labels of \"Names\""), "{log}");
        let other = testing::taxon(store, "Other").await;
        store.list_taxon(list, other).await.unwrap();
        let job = run(&world, params).await;
        assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
        let expected = named(&[
            ("classifications_total", json!(4)),
            ("classifications_checked", json!(4)),
            ("classifications_masked", json!(4)),
            ("occurrences_updated", json!(4)),
        ]);
        assert_eq!(figures(&job), expected);
        assert_eq!(determined(&world).await, ["Other"; 4]);
    }
}

#[tokio::test]
async fn a_genus_is_named_where_the_species_is_not_sure() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let world = processed(store).await;
        let new = TaxonChange {
            name: Some("Catocala".to_owned()),
            rank: Some("GENUS".to_owned()),
            ..TaxonChange::default()
        };
        let genus = store.create_taxon(new, None).await.unwrap().id;
        for label in ["Moth", "Other"] {
            let below = TaxonChange {
                parent_id: Some(Some(genus)),
                ..TaxonChange::default()
            };
            let id = testing::taxon(store, label).await;
            store.change_taxon(id, below).await.unwrap();
        }
        let algorithm = store.algorithm_by_key("names").await.unwrap().unwrap().id;
        let params = json!({"task": "rank_rollup", "config": {
            "algorithm_id": algorithm, "threshold": 0.9, "source_image_collection_id": world.set,
        }});
        let job = run(&world, params).await;
        assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
        assert_eq!(
            figures(&job)[2],
            ("classifications_rolled_up".to_owned(), json!(4))
        );
        assert_eq!(determined(&world).await, ["Catocala"; 4]);
    }
}

#[tokio::test]
async fn what_cannot_be_done_fails_with_a_sentence() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1, 1).await;
        let names = fresh
            .store
            .algorithm_by_key("names")
            .await
            .unwrap()
            .unwrap();
        let set = world.set;
        let cases = [
            (json!({}), "Unknown post-processing task ''"),
            (
                json!({"task": "sweep"}),
                "Unknown post-processing task 'sweep'",
            ),
            (
                json!({"task": "small_size_filter", "config": {"size_threshold": 5}}),
                "config.size_threshold: It must be greater than 0 and less than 1.",
            ),
            (
                json!({"task": "small_size_filter", "config": {"occurrence_id": 99}}),
                "There is no occurrence 99 in this project.",
            ),
            (
                json!({"task": "class_masking", "config": {"taxa_list_id": 99,
                       "algorithm_id": names.id, "source_image_collection_id": set}}),
                "There is no taxa list 99.",
            ),
            (
                json!({"task": "rank_rollup", "config": {"algorithm_id": 99, "threshold": 0.5,
                       "source_image_collection_id": set}}),
                "There is no algorithm 99.",
            ),
            (
                json!({"task": "rank_rollup", "config": {"algorithm_id": names.id,
                       "threshold": 0.5, "source_image_collection_id": set}}),
                "stands below a taxon of the rank genus, family",
            ),
        ];
        for (params, sentence) in cases {
            let job = run(&world, params).await;
            assert_eq!(state(&job), JobState::Failure);
            let log = world.log(&job).await;
            assert!(log.contains(sentence), "{sentence} is not in {log}");
        }
        let moth = testing::taxon(&fresh.store, "Moth").await;
        let list = fresh
            .store
            .create_taxa_list(world.project, "Here", "")
            .await;
        let list = list.unwrap().id;
        fresh.store.list_taxon(list, moth).await.unwrap();
        let params = json!({"task": "class_masking", "config": {"taxa_list_id": list,
                            "algorithm_id": names.id, "source_image_collection_id": set}});
        let job = run(&world, params).await;
        assert_eq!(state(&job), JobState::Failure);
        let log = world.log(&job).await;
        let sentence = "\"Names\" has said nothing with scores and logits";
        assert!(log.contains(sentence), "{log}");
    }
}
