//! Post-processing: what is marked, masked and rolled up, once, whatever happens on the way.

use std::collections::BTreeMap;

use domain::job::POST_PROCESSING;
use domain::post::Request;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use super::world::{World, detection};
use crate::StoreError;
use crate::entity::{algorithm, classification, occurrence, taxon};
use crate::job::life::Fence;
use crate::job::{Job, NewJob};
use crate::post::Work;
use crate::result::{Batch, Outcome};
use crate::taxon::change::TaxonChange;
use crate::testing;

/// Captures with a box each, every third with one that is small; `scores` by place.
async fn seen(store: &crate::Store, captures: usize, scores: impl Fn(usize) -> [f64; 2]) -> World {
    let world = World::new(store, captures).await;
    let (job, fence) = world.fed().await;
    let mut images = Vec::new();
    for (i, id) in world.captures().await.into_iter().enumerate() {
        let side = if i % 3 == 0 { 4000 } else { 100 };
        store.set_dimensions(id, side, side).await.unwrap();
        images.push((id, Outcome::Done(vec![detection(id, 1.0, scores(i))])));
    }
    let batch = Batch {
        job: job.id,
        generation: job.generation,
        pipeline: world.pipeline,
        images,
    };
    store.save_results(batch).await.unwrap();
    store.finish_job(&fence, None).await.unwrap();
    world
}

async fn started(world: &World, task: &str, config: Value) -> (Job, Fence, Request) {
    let mut config = config;
    config["source_image_collection_id"] = json!(world.set);
    let params = json!({"task": task, "config": config});
    let request = Request::read(&params).unwrap();
    let new = NewJob {
        kind: POST_PROCESSING,
        params: Some(params),
        pipeline_id: None,
        dispatch_mode: None,
        ..world.new_job()
    };
    let (job, fence) = world.claimed(new).await;
    open(world, &fence).await;
    (job, fence, request)
}

/// Its stage stands in the row from the beginning, as a runner writes it.
async fn open(world: &World, fence: &Fence) {
    let kind = domain::job::kind(POST_PROCESSING).unwrap();
    let stages = domain::job::opening_stages(kind, 0, false);
    world.store.write_stages(fence, &stages).await.unwrap();
}

/// Goes on to the end; the figures of the stage.
async fn finish(world: &World, fence: &Fence, request: &Request, work: &Work) -> Vec<u64> {
    let store = &world.store;
    let all = store.post_total(world.project.id, request.scope).await;
    let all = all.unwrap();
    while let Some(page) = store.post_page(fence, request, work, all).await.unwrap() {
        assert!(page.stages[0].progress <= 0.99);
    }
    store.recount_scope(request.scope).await.unwrap();
    let job = store.finish_job(fence, None).await.unwrap();
    let params = job.own_stages().remove(0).params;
    params.iter().map(|p| p.value.as_u64().unwrap()).collect()
}

async fn whole(world: &World, task: &str, config: Value, work: &Work) -> Vec<u64> {
    let (_, fence, request) = started(world, task, config).await;
    finish(world, &fence, &request, work).await
}

/// All that is said and determined.
async fn said(world: &World) -> (Vec<String>, Vec<String>) {
    let db = &world.store.db;
    let names = |rows: Vec<(i64, String)>| rows.into_iter().collect::<BTreeMap<_, _>>();
    let taxa = taxon::Entity::find().all(db).await.unwrap();
    let taxa = names(taxa.into_iter().map(|t| (t.id, t.name)).collect());
    let keys = algorithm::Entity::find().all(db).await.unwrap();
    let keys = names(keys.into_iter().map(|a| (a.id, a.key)).collect());
    let rows = classification::Entity::find()
        .order_by_asc(classification::Column::DetectionId)
        .order_by_asc(classification::Column::Id)
        .all(db)
        .await
        .unwrap();
    let line = |c: classification::Model| {
        let taxon = &taxa[&c.taxon_id.unwrap()];
        let by = &keys[&c.algorithm_id.unwrap()];
        let (score, last) = (c.score.unwrap(), c.terminal);
        let derived = c.applied_to_id.is_some();
        format!(
            "{} {taxon} {by} {score:.3} {last} {derived}",
            c.detection_id
        )
    };
    let said = rows.into_iter().map(line).collect();
    let rows = occurrence::Entity::find()
        .order_by_asc(occurrence::Column::Id)
        .all(db)
        .await
        .unwrap();
    let line = |o: occurrence::Model| {
        let taxon = &taxa[&o.determination_id.unwrap()];
        format!("{taxon} {:.3}", o.determination_score.unwrap())
    };
    (said, rows.into_iter().map(line).collect())
}

#[tokio::test]
async fn small_boxes_are_marked_once_and_a_dry_run_says_so_before() {
    for fresh in testing::fresh().await {
        let world = seen(&fresh.store, 7, |_| [0.75, 0.25]).await;
        let before = said(&world).await;
        let work = Work::SmallSize(0.001);
        let config = || json!({"size_threshold": 0.001});
        let dry = json!({"size_threshold": 0.001, "dry_run": true});
        let told = whole(&world, "small_size_filter", dry, &work).await;
        assert_eq!(told, [7, 3, 3]);
        assert_eq!(said(&world).await, before, "a dry run writes nothing");
        let keys = algorithm::Entity::find()
            .all(&fresh.store.db)
            .await
            .unwrap();
        assert_eq!(keys.len(), 2, "not even an algorithm");
        let done = whole(&world, "small_size_filter", config(), &work).await;
        assert_eq!(done, told);
        let after = said(&world).await;
        assert_eq!(after.1[0], "Not identifiable 1.000");
        assert_eq!(after.1[1], "Moth 0.750");
        let again = whole(&world, "small_size_filter", config(), &work).await;
        assert_eq!(again, [7, 0, 0]);
        assert_eq!(said(&world).await, after, "a second run changes nothing");
        let station = fresh.store.station(world.station.id).await.unwrap();
        assert_eq!(station.taxa_count, 2);
    }
}

#[tokio::test]
async fn a_job_that_was_killed_between_two_pages_ends_like_any_other() {
    let mut outcomes = Vec::new();
    for killed in [false, true] {
        for fresh in testing::fresh().await {
            let store = &fresh.store;
            let world = seen(store, 600, |_| [0.75, 0.25]).await;
            let work = Work::SmallSize(0.001);
            let (job, first, request) = started(
                &world,
                "small_size_filter",
                json!({"size_threshold": 0.001}),
            )
            .await;
            let page = store.post_page(&first, &request, &work, 600).await;
            assert_eq!(page.unwrap().unwrap().tally.counts, [500, 167, 167]);
            let mut fence = first.clone();
            if killed {
                let touched = store.rescue_jobs(chrono::Duration::zero()).await;
                assert_eq!(touched.unwrap().len(), 1);
                fence = store.claim_job("second").await.unwrap().unwrap().1;
                let late = store.post_page(&first, &request, &work, 600).await;
                assert!(matches!(late, Err(StoreError::FenceLost)));
            }
            let counts = finish(&world, &fence, &request, &work).await;
            assert_eq!(counts, [600, 200, 200], "job {}", job.id);
            outcomes.push(said(&world).await);
        }
    }
    assert!(outcomes.windows(2).all(|two| two[0] == two[1]));
}

#[tokio::test]
async fn masking_decides_anew_among_the_taxa_of_a_list() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let scores = |i| {
            if i % 2 == 0 {
                [0.75, 0.25]
            } else {
                [-40.0, 0.9]
            }
        };
        let world = seen(store, 4, scores).await;
        let names = store.algorithm_by_key("names").await.unwrap().unwrap();
        let list = |name: &str| {
            let name = name.to_owned();
            let project = world.project.id;
            async move { store.create_taxa_list(project, &name, "").await.unwrap().id }
        };
        let (listed, empty) = (list("Others").await, list("Nothing").await);
        let other = store.taxon_named("Other").await.unwrap().unwrap();
        assert!(store.list_taxon(listed, other.id).await.unwrap());
        let refused = store.mask(empty, names.id, true).await.unwrap_err();
        let words = refused.to_string();
        assert!(
            words.contains("None of the 2 labels of \"Names\""),
            "{words}"
        );

        let config = json!({"taxa_list_id": listed, "algorithm_id": names.id});
        let work = Work::Masking(store.mask(listed, names.id, true).await.unwrap());
        let mut dry = config.clone();
        dry["dry_run"] = json!(true);
        let before = said(&world).await;
        let told = whole(&world, "class_masking", dry, &work).await;
        assert_eq!(said(&world).await, before);
        let done = whole(&world, "class_masking", config.clone(), &work).await;
        assert_eq!(done, [4, 4, 2, 2]);
        assert_eq!(told, done);
        let after = said(&world).await;
        let moths = |lines: &[String]| lines.iter().filter(|l| l.starts_with("Moth")).count();
        assert_eq!((moths(&before.1), moths(&after.1)), (2, 0));
        let key = format!("names_filtered_by_taxa_list_{listed}_reweighted");
        let derived: Vec<&String> = after.0.iter().filter(|l| l.contains(&key)).collect();
        assert_eq!(derived.len(), 2);
        assert!(derived[0].ends_with("1.000 true true"), "{}", derived[0]);
        let originals = after.0.iter().filter(|l| l.ends_with("false false"));
        assert_eq!(originals.count(), 2);
        let output = store.algorithm_by_key(&key).await.unwrap().unwrap();
        assert_eq!(output.category_map_id, names.category_map_id);
        let again = whole(&world, "class_masking", config, &work).await;
        assert_eq!(
            again,
            [2, 2, 0, 0],
            "what was masked is not looked at again"
        );
        assert_eq!(said(&world).await, after);
    }
}

#[tokio::test]
async fn what_is_not_sure_is_named_by_its_genus() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let scores = |i| if i % 2 == 0 { [0.6, 0.4] } else { [0.95, 0.05] };
        let world = seen(store, 4, scores).await;
        let names = store.algorithm_by_key("names").await.unwrap().unwrap().id;
        let ranks = ["GENUS", "FAMILY"].map(str::to_owned);
        let refused = store.roll_up(names, 0.9, &ranks).await.unwrap_err();
        let words = refused.to_string();
        assert!(words.contains("of the rank genus, family"), "{words}");
        let new = TaxonChange {
            name: Some("Catocala".to_owned()),
            rank: Some("GENUS".to_owned()),
            ..Default::default()
        };
        let genus = store.create_taxon(new, None).await.unwrap().id;
        for label in ["Moth", "Other"] {
            let id = store.taxon_named(label).await.unwrap();
            let id = id.map_or(0, |taxon| taxon.id);
            let below = TaxonChange {
                parent_id: Some(Some(genus)),
                ..Default::default()
            };
            if id > 0 {
                store.change_taxon(id, below).await.unwrap();
            } else {
                let new = TaxonChange {
                    name: Some(label.to_owned()),
                    ..below
                };
                store.create_taxon(new, None).await.unwrap();
            }
        }
        let config = json!({"algorithm_id": names, "threshold": 0.9});
        let work = Work::RollUp(store.roll_up(names, 0.9, &ranks).await.unwrap());
        let mut dry = config.clone();
        dry["dry_run"] = json!(true);
        let before = said(&world).await;
        let told = whole(&world, "rank_rollup", dry, &work).await;
        assert_eq!(said(&world).await, before);
        let done = whole(&world, "rank_rollup", config.clone(), &work).await;
        assert_eq!((&done, &told), (&vec![4, 4, 2, 2], &done));
        let after = said(&world).await;
        assert_eq!(after.1[0], "Catocala 1.000");
        assert_eq!(after.1[1], "Moth 0.950");
        let again = whole(&world, "rank_rollup", config, &work).await;
        assert_eq!(again, [2, 2, 0, 0]);
        assert_eq!(said(&world).await, after);
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_by_its_setting() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let world = World::new(store, 1).await;
        let boxes = store.algorithm_by_key("boxes").await.unwrap().unwrap().id;
        let faults = |task: &str, config: Value, project: i64| {
            let params = json!({"task": task, "config": config});
            let request = Request::read(&params).unwrap();
            async move {
                let faults = store.post_faults(project, &request).await.unwrap();
                let fields = faults.into_iter().map(|f| f.field);
                fields.collect::<Vec<_>>().join(" ")
            }
        };
        let project = world.project.id;
        let set = json!({"source_image_collection_id": world.set});
        assert_eq!(faults("small_size_filter", set.clone(), project).await, "");
        let elsewhere = faults("small_size_filter", set, project + 1).await;
        assert_eq!(elsewhere, "config.source_image_collection_id");
        let none = json!({"occurrence_id": 9, "taxa_list_id": 9, "algorithm_id": 999});
        let all = "config.occurrence_id config.taxa_list_id config.algorithm_id";
        assert_eq!(faults("class_masking", none, project).await, all);
        let unnamed = json!({"occurrence_id": 9, "algorithm_id": boxes, "threshold": 0.5});
        let some = "config.occurrence_id config.algorithm_id";
        assert_eq!(faults("rank_rollup", unnamed, project).await, some);
    }
}
