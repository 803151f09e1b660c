//! Reading of settings, and properties of the mathematics.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::json;

use super::mask::{mask, softmax};
use super::rollup::{Level, Tree, roll_up};
use super::size::relative_area;
use super::*;

fn faults(params: Value) -> Vec<(String, String)> {
    let faults = Request::read(&params).unwrap_err();
    faults.into_iter().map(|f| (f.field, f.words)).collect()
}

#[test]
fn each_task_is_read_with_what_is_left_out() {
    let read = |task: &str, config: Value| {
        Request::read(&json!({"task": task, "config": config})).unwrap()
    };
    let small = read(SMALL_SIZE, json!({"source_image_collection_id": 2}));
    assert_eq!(small.task, Task::SmallSize { threshold: 0.0008 });
    assert_eq!((small.scope, small.dry_run), (Scope::Set(2), false));
    let one = json!({"occurrence_id": 7, "source_image_collection_id": null,
                     "taxa_list_id": 3, "algorithm_id": 4, "dry_run": true});
    let masking = read(MASKING, one);
    let expected = Task::Masking {
        list: 3,
        algorithm: 4,
        reweight: true,
    };
    assert_eq!(masking.task, expected);
    assert_eq!(
        (masking.scope, masking.dry_run),
        (Scope::Occurrence(7), true)
    );
    let some = json!({"occurrence_id": 7, "algorithm_id": 4, "threshold": 0.8});
    let ranks = ["GENUS", "FAMILY"].map(str::to_owned).to_vec();
    let rolled = read(ROLL_UP, some);
    assert_eq!(rolled.task.spec().key, ROLL_UP);
    let expected = Task::RollUp {
        algorithm: 4,
        threshold: 0.8,
        ranks,
    };
    assert_eq!(rolled.task, expected);
}

#[test]
fn everything_wrong_is_named_with_its_place() {
    let wrong = |task: &str, config: Value| -> Vec<String> {
        let named = faults(json!({"task": task, "config": config}));
        named.into_iter().map(|(field, _)| field).collect()
    };
    assert_eq!(
        faults(json!({}))[0],
        ("task".into(), "This field is required.".into())
    );
    let unknown = faults(json!({"task": "sweep", "extra": 1}));
    assert_eq!(unknown[0].0, "extra");
    assert_eq!(unknown[1].1, "\"sweep\" is not a valid choice.");
    assert_eq!(wrong(SMALL_SIZE, json!([])), ["config"]);
    let set = "config.source_image_collection_id";
    assert_eq!(
        wrong(SMALL_SIZE, json!({"size_threshold": 5})),
        [set, "config.size_threshold"]
    );
    for bad in [json!(0), json!(1), json!("0.5"), json!(true)] {
        let config = json!({"source_image_collection_id": 1, "size_threshold": bad});
        assert_eq!(wrong(SMALL_SIZE, config), ["config.size_threshold"]);
    }
    let both = json!({"source_image_collection_id": 1, "occurrence_id": 1, "bogus": 1});
    assert_eq!(
        wrong(SMALL_SIZE, both),
        ["config.bogus", "config.occurrence_id"]
    );
    let config = json!({"occurrence_id": 1, "dry_run": "yes", "reweight": 1});
    let all = ["dry_run", "taxa_list_id", "algorithm_id", "reweight"];
    assert_eq!(wrong(MASKING, config), all.map(|s| format!("config.{s}")));
    for bad in [
        json!([]),
        json!("GENUS"),
        json!(["genus"]),
        json!(["GENUS", "GENUS"]),
    ] {
        let config = json!({"occurrence_id": 1, "algorithm_id": 1, "threshold": 0.5, "ranks": bad});
        assert_eq!(wrong(ROLL_UP, config), ["config.ranks"]);
    }
}

#[test]
fn specs_and_tasks_belong_together() {
    for spec in TASKS {
        assert_eq!(task(spec.key).unwrap().name, spec.name);
        for count in spec.counts {
            assert_eq!(crate::progress::key_of(count), *count);
        }
    }
}

#[test]
fn a_box_is_measured_whichever_way_it_is_written() {
    assert_eq!(relative_area([0.0, 0.0, 10.0, 20.0], 100, 200), Some(0.01));
    assert_eq!(relative_area([10.0, 20.0, 0.0, 0.0], 100, 200), Some(0.01));
    assert_eq!(relative_area([0.0, 0.0, 1.0, 1.0], 0, 200), None);
}

#[test]
fn the_genus_is_named_where_two_species_share_the_score() {
    let tree: Tree = [
        (1, (Some(10), "SPECIES")),
        (2, (Some(10), "SPECIES")),
        (3, (Some(11), "SPECIES")),
        (10, (Some(20), "GENUS")),
        (11, (Some(20), "GENUS")),
        (20, (None, "FAMILY")),
        (8, (Some(9), "SPECIES")),
        (9, (Some(8), "TRIBE")),
    ]
    .into_iter()
    .map(|(id, (parent, rank))| (id, (parent, rank.to_owned())))
    .collect();
    let classes = [Some(1), Some(2), Some(3), Some(8), None];
    let level = |rank| Level::new(&classes, &tree, rank);
    let levels = [level("GENUS"), level("FAMILY")];
    let named = |scores: [f64; 5]| roll_up(&scores, 0.6, &levels).map(|r| r.taxon);
    assert_eq!(named([0.4, 0.3, 0.1, 0.1, 0.1]), Some(10));
    assert_eq!(named([0.3, 0.2, 0.3, 0.1, 0.1]), Some(20));
    assert_eq!(
        named([0.6, 0.1, 0.1, 0.1, 0.1]),
        None,
        "the species is sure"
    );
    assert_eq!(named([0.1, 0.1, 0.1, 0.4, 0.3]), None, "nothing is");
    assert!(level("KINGDOM").is_empty());
}

fn logits() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-800.0..800.0, 1..40)
}

proptest! {
    #[test]
    fn probabilities_add_up_and_keep_their_order(logits in logits()) {
        let p = softmax(&logits);
        prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(p.iter().all(|p| (0.0..=1.0).contains(p)));
        for (i, a) in logits.iter().enumerate() {
            for (j, b) in logits.iter().enumerate() {
                prop_assert!(a < b || p[i] >= p[j]);
            }
        }
    }

    #[test]
    fn masking_leaves_only_what_is_included(
        logits in logits(), bits in any::<u64>(), reweight in any::<bool>(),
    ) {
        let p = softmax(&logits);
        let included: Vec<bool> = (0..p.len()).map(|i| bits >> (i % 64) & 1 == 1).collect();
        let Some(masked) = mask(&p, &included, reweight) else {
            // Nothing to change: nothing included, or nothing of any weight excluded.
            let weight: f64 = p.iter().zip(&included).filter(|(_, on)| !**on)
                .map(|(p, _)| p).sum();
            prop_assert!(weight < 1e-3 || !included.contains(&true));
            return Ok(());
        };
        prop_assert!(included[masked.top]);
        prop_assert_eq!(masked.score, masked.scores[masked.top]);
        for (i, score) in masked.scores.iter().enumerate() {
            prop_assert!(included[i] || *score == 0.0);
            prop_assert!(!included[i] || *score <= masked.score);
        }
        let sum: f64 = masked.scores.iter().sum();
        prop_assert!(sum <= 1.0 + 1e-9);
        prop_assert!(!reweight || sum == 0.0 || (sum - 1.0).abs() < 1e-9);
        // Masked once is masked for ever.
        prop_assert_eq!(mask(&masked.scores, &included, reweight), None);
    }

    #[test]
    fn what_is_rolled_up_passes_and_nothing_narrower_did(
        logits in logits(), threshold in 0.01..0.99f64, genera in 1i64..6,
    ) {
        let scores = softmax(&logits);
        let classes: Vec<Option<i64>> = (0..scores.len()).map(|i| Some(i as i64)).collect();
        let mut tree: Tree = (0..scores.len() as i64)
            .map(|i| (i, (Some(1000 + i % genera), "SPECIES".to_owned()))).collect();
        tree.extend((0..genera).map(|g| (1000 + g, (Some(2000), "GENUS".to_owned()))));
        tree.insert(2000, (None, "FAMILY".to_owned()));
        let levels = [Level::new(&classes, &tree, "GENUS"), Level::new(&classes, &tree, "FAMILY")];
        let top = scores.iter().copied().fold(0.0, f64::max);
        let genus = |g: i64| -> f64 {
            scores.iter().enumerate().filter(|(i, _)| *i as i64 % genera == g)
                .map(|(_, s)| s).sum()
        };
        match roll_up(&scores, threshold, &levels) {
            None => prop_assert!(top >= threshold || scores.iter().sum::<f64>() < threshold),
            Some(up) => {
                prop_assert!(top < threshold && up.score >= threshold && up.score <= 1.0);
                let passing = (0..genera).filter(|g| genus(*g) >= threshold).count();
                prop_assert_eq!(up.taxon == 2000, passing == 0);
            }
        }
    }
}
