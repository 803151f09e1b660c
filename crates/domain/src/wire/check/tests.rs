//! Tests of what the check lets through and what it names.
//! The idea: one good answer, broken in one place at a time, must lead to exactly one fault.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{answer, detection, good_box, read};
use super::*;

fn asked(ids: &[i64]) -> BTreeMap<i64, Option<Frame>> {
    let frame = Frame {
        width: 100,
        height: 80,
    };
    ids.iter().map(|id| (*id, Some(frame))).collect()
}

fn algorithms() -> BTreeSet<String> {
    ["detector", "classifier"].map(String::from).into()
}

fn check(value: Value, ids: &[i64]) -> Checked {
    read(value).check(&asked(ids), &algorithms())
}

#[test]
fn a_clean_answer_is_all_good() {
    let checked = check(
        answer(&[1, 2], vec![detection(json!("1"), good_box())]),
        &[1, 2],
    );
    assert!(checked.is_clean());
    assert_eq!(checked.reason(), None);
    let counts: Vec<_> = checked
        .good
        .iter()
        .map(|g| (g.image_id, g.detections.len()))
        .collect();
    assert_eq!(counts, [(1, 1), (2, 0)]);
}

#[test]
fn captures_only_named_by_detections_count_as_answered_and_others_as_missing() {
    let checked = check(
        answer(&[], vec![detection(json!("1"), good_box())]),
        &[1, 2],
    );
    assert_eq!(checked.good.len(), 1);
    assert_eq!(checked.missing, [2]);
    let (good, missing) = checked.all_or_nothing().unwrap();
    assert_eq!((good.len(), missing), (1, vec![2]));
}

#[test]
fn strangers_spoil_a_batch_but_not_the_good_captures_of_a_pull_result() {
    let strange = vec![
        detection(json!("999"), good_box()),
        detection(json!("999"), good_box()),
        detection(json!("abc"), good_box()),
    ];
    let checked = check(answer(&[1], strange), &[1]);
    assert_eq!(checked.good.len(), 1);
    assert_eq!(
        checked.strangers,
        [Fault::UnknownImage(999), Fault::BadId("abc".into())]
    );
    assert!(checked.failures().is_empty());
    assert!(checked.all_or_nothing().unwrap_err().contains("999"));
}

/// One change of a good detection, and the fault that it must lead to.
fn faults() -> Vec<(&'static str, Value, Fault)> {
    let c = || "classifier".to_owned();
    vec![
        (
            "/algorithm/key",
            json!("nope"),
            Fault::UnknownAlgorithm("nope".into()),
        ),
        ("/bbox/x1", json!("nan"), Fault::BoxNotFinite),
        ("/bbox/x2", json!("inf"), Fault::BoxNotFinite),
        (
            "/bbox/x2",
            json!(0),
            Fault::BoxWithoutArea([0.0, 5.5, 0.0, 60.0]),
        ),
        (
            "/bbox/y2",
            json!(-1),
            Fault::BoxWithoutArea([0.0, 5.5, 50.0, -1.0]),
        ),
        (
            "/bbox",
            json!({"x1": 100, "y1": 0, "x2": 120, "y2": 9}),
            Fault::BoxOutside([100.0, 0.0, 120.0, 9.0], 100, 80),
        ),
        (
            "/bbox",
            json!({"x1": -9, "y1": 0, "x2": 0, "y2": 9}),
            Fault::BoxOutside([-9.0, 0.0, 0.0, 9.0], 100, 80),
        ),
        ("/bbox", Value::Null, Fault::ClassifiedNothing),
        (
            "/classifications/0/algorithm/key",
            json!("x"),
            Fault::UnknownAlgorithm("x".into()),
        ),
        (
            "/classifications/0/classification",
            json!(" "),
            Fault::NoLabel(c()),
        ),
        ("/classifications/0/scores", json!([]), Fault::NoScores(c())),
        (
            "/classifications/0/scores",
            json!(null),
            Fault::NoScores(c()),
        ),
        (
            "/classifications/0/scores/1",
            json!(1.01),
            Fault::BadScore(c(), 1.01),
        ),
        (
            "/classifications/0/scores/1",
            json!(-0.01),
            Fault::BadScore(c(), -0.01),
        ),
        (
            "/classifications/0/scores/1",
            json!("inf"),
            Fault::BadScore(c(), f64::INFINITY),
        ),
        (
            "/classifications/0/logits/0",
            json!("nan"),
            Fault::BadLogit(c()),
        ),
    ]
}

#[test]
fn every_fault_is_found_and_named_and_spares_the_others() {
    for (pointer, value, fault) in faults() {
        let mut broken = detection(json!("1"), good_box());
        *broken.pointer_mut(pointer).unwrap() = value;
        let good = detection(json!("2"), good_box());
        let checked = check(answer(&[1, 2], vec![broken, good]), &[1, 2]);
        assert_eq!(checked.bad, [(1, fault.clone())], "{pointer}");
        assert_eq!(checked.good.len(), 1);
        assert_eq!(checked.failures(), [(1, fault.to_string())]);
        assert!(checked.all_or_nothing().is_err());
    }
}

#[test]
fn a_score_that_is_not_a_number_is_found() {
    let mut broken = detection(json!("1"), good_box());
    broken["classifications"][0]["scores"][0] = json!("NaN");
    let checked = check(answer(&[1], vec![broken]), &[1]);
    assert!(matches!(checked.bad[0].1, Fault::BadScore(_, s) if s.is_nan()));
}

#[test]
fn boxes_reaching_over_the_edge_and_frames_unknown_are_fine() {
    let over = json!({"x1": -5, "y1": -5, "x2": 500, "y2": 500});
    assert!(check(answer(&[1], vec![detection(json!("1"), over)]), &[1]).is_clean());
    let far = json!({"x1": 5000, "y1": 0, "x2": 5001, "y2": 1});
    let unknown: BTreeMap<_, _> = [(1, None)].into();
    let far = read(answer(&[1], vec![detection(json!("1"), far)]));
    assert!(far.check(&unknown, &algorithms()).is_clean());
}

proptest! {
    #[test]
    fn every_asked_capture_is_in_exactly_one_list(
        answered in prop::collection::vec(0i64..12, 0..8),
        found in prop::collection::vec((0i64..12, -1.0f64..3.0), 0..12),
        wanted in prop::collection::btree_set(0i64..8, 0..8),
    ) {
        let detections = found.iter().map(|(id, score)| {
            let mut d = detection(json!(id), good_box());
            d["classifications"][0]["scores"] = json!([score]);
            d
        }).collect();
        let ids: Vec<i64> = wanted.iter().copied().collect();
        let checked = check(answer(&answered, detections), &ids);
        let mut all: Vec<i64> = checked.good.iter().map(|g| g.image_id)
            .chain(checked.bad.iter().map(|b| b.0))
            .chain(checked.missing.iter().copied()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, ids);
        for good in &checked.good {
            for d in &good.detections {
                prop_assert_eq!(d.source_image_id.clone(), good.image_id.to_string());
                prop_assert!(d.classifications[0].scores.iter().all(|s| (0.0..=1.0).contains(s)));
            }
        }
        for (id, _) in &checked.bad {
            prop_assert!(found.iter().any(|(f, score)| f == id && !(0.0..=1.0).contains(score)));
        }
    }
}
