//! Tests of the messages: what is read and what is written.
//! The idea: one sample answer ([`detection`], [`answer`]) that each test changes in one place.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::{Value, from_value, json, to_value};

use super::*;

const NOW: &str = "2026-11-23T13:14:36.254691";

pub(super) fn detection(image: Value, bbox: Value) -> Value {
    json!({
        "source_image_id": image, "bbox": bbox, "inference_time": 0.01,
        "algorithm": {"name": "Detector", "key": "detector"}, "timestamp": NOW,
        "classifications": [{
            "classification": "Moth", "labels": ["Moth", "Other"], "scores": [0.9, 0.1],
            "logits": [2.2, 0.0], "algorithm": {"name": "Classifier", "key": "classifier"},
            "timestamp": NOW
        }]
    })
}

pub(super) fn good_box() -> Value {
    json!({"x1": 0, "y1": 5.5, "x2": "50", "y2": 60})
}

pub(super) fn answer(images: &[i64], detections: Vec<Value>) -> Value {
    let images: Vec<_> = images
        .iter()
        .map(|i| json!({"id": i, "url": "http://h/x.jpg"}))
        .collect();
    json!({
        "pipeline": "p", "total_time": "0.12", "source_images": images,
        "detections": detections, "config": {"unknown": "keys are passed over"}
    })
}

pub(super) fn read(value: Value) -> PipelineResultsResponse {
    from_value(value).unwrap()
}

#[test]
fn numbers_become_texts_and_texts_numbers() {
    let response = read(answer(&[13], vec![detection(json!(13), good_box())]));
    assert_eq!(response.source_images[0].id, "13");
    assert_eq!(response.total_time, 0.12);
    let found = &response.detections[0];
    assert_eq!(found.source_image_id, "13");
    assert_eq!(found.bbox.unwrap().as_array(), [0.0, 5.5, 50.0, 60.0]);
    assert!(found.classifications[0].terminal);
    assert_eq!(found.crop_image_url, None);
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config: PipelineConfigResponse = from_value(json!({
        "name": 7, "slug": "s", "version": "2",
        "algorithms": [{"name": "A", "key": "a", "category_map": {"data": {}}}],
        "stages": [{"key": "k", "name": "n", "params": [{"name": "x", "key": "x"}]}]
    }))
    .unwrap();
    assert_eq!((config.name.as_str(), config.version), ("7", 2));
    assert_eq!(config.algorithms[0].version, 1);
    assert_eq!(config.algorithms[0].category_map, Some(Default::default()));
    assert_eq!(config.stages[0].params[0].category, "default");
    let bare: ProcessingServiceInfoResponse =
        from_value(json!({"name": "n", "pipelines": null})).unwrap();
    assert!(bare.pipelines.is_empty());
    assert!(
        from_value::<Readiness>(json!({}))
            .unwrap()
            .status
            .is_empty()
    );
}

#[test]
fn requests_go_out_with_text_ids_an_object_and_a_list() {
    let request = PipelineRequest {
        pipeline: "p".into(),
        source_images: vec![SourceImageRequest::new(3, "http://h/3.jpg")],
        detections: vec![],
        config: Map::new(),
    };
    assert_eq!(
        to_value(&request).unwrap(),
        json!({"pipeline": "p", "source_images": [{"id": "3", "url": "http://h/3.jpg"}],
               "detections": [], "config": {}})
    );
    let lax: PipelineRequest = from_value(
        json!({"pipeline": "p", "source_images": [], "detections": null, "config": null}),
    )
    .unwrap();
    assert!(lax.config.is_empty());
    assert!(from_value::<SourceImageRequest>(json!({"id": 3, "url": "u"})).is_err());
}

#[test]
fn a_box_is_an_object_on_the_wire() {
    let bbox = BoundingBox::from_array([1.0, 2.0, 4.0, 8.0]);
    assert_eq!(
        to_value(bbox).unwrap(),
        json!({"x1": 1.0, "y1": 2.0, "x2": 4.0, "y2": 8.0})
    );
    assert_eq!((bbox.width(), bbox.height()), (3.0, 6.0));
    assert!(from_value::<BoundingBox>(json!({"x1": 1, "y1": 1, "x2": 2})).is_err());
    assert!(from_value::<BoundingBox>(json!({"x1": "wide", "y1": 1, "x2": 2, "y2": 2})).is_err());
}

#[test]
fn empty_crop_addresses_are_none() {
    for (given, read_as) in [
        ("", None),
        ("///", None),
        ("/crops/1.jpg", Some("/crops/1.jpg")),
    ] {
        let mut value = detection(json!("1"), Value::Null);
        value["crop_image_url"] = json!(given);
        let found: DetectionResponse = from_value(value).unwrap();
        assert_eq!(found.crop_image_url.as_deref(), read_as);
    }
}

#[test]
fn a_pull_result_has_two_forms() {
    let good: PullResult = from_value(answer(&[1], vec![])).unwrap();
    assert!(matches!(good, PullResult::Success(_)));
    let error: PullResult = from_value(json!({"error": "boom", "image_id": 14})).unwrap();
    let expected = PipelineResultsError {
        error: "boom".into(),
        image_id: Some("14".into()),
    };
    assert_eq!(error, PullResult::Error(expected));
    let nulls: PullResult = from_value(json!({"error": "boom", "detections": null})).unwrap();
    assert!(matches!(
        nulls,
        PullResult::Error(PipelineResultsError { image_id: None, .. })
    ));
    let mut both = answer(&[1], vec![]);
    both["error"] = json!("ignored");
    assert!(matches!(from_value(both).unwrap(), PullResult::Success(_)));
    assert!(from_value::<PullResult>(json!({"foo": 1})).is_err());
    assert!(from_value::<PullResult>(json!([])).is_err());
}

#[test]
fn the_services_own_errors_become_one_text() {
    let text = |errors: Value| {
        let mut value = answer(&[], vec![]);
        value["errors"] = errors;
        read(value).error_text()
    };
    assert_eq!(text(Value::Null), None);
    assert_eq!(text(json!([])), None);
    assert_eq!(text(json!("boom")).as_deref(), Some("boom"));
    assert_eq!(text(json!(["a", 2])).as_deref(), Some("a; 2"));
}

#[test]
fn times_with_an_offset_become_utc() {
    for (text, utc) in [
        ("2026-11-23T13:14:36.254691", "2026-11-23T13:14:36.254691"),
        ("2026-11-23 13:14", "2026-11-23T13:14:00.000000"),
        ("2026-11-23T13:14:36Z", "2026-11-23T13:14:36.000000"),
        ("2026-11-23T23:30:00.5-0500", "2026-11-24T04:30:00.500000"),
        ("2026-01-01T00:30:00+02", "2025-12-31T22:30:00.000000"),
        (
            "2026-01-01T00:30:00.123456789+02:00",
            "2025-12-31T22:30:00.123456",
        ),
    ] {
        assert_eq!(
            time::parse(text).map(|t| time::format(&t)).as_deref(),
            Some(utc),
            "{text}"
        );
    }
    for bad in [
        "",
        "2026-11-23",
        "2026-13-01T00:00:00",
        "2026-11-23T24:00:00",
        "2026-11-23T23:59:60",
        "2026-11-23T1:2:3",
        "2026-11-23T13:14:36+9",
        "2026-11-23T13:14:36.",
        "äöü-11-23T13:14",
    ] {
        assert_eq!(time::parse(bad), None, "{bad}");
    }
    assert_eq!(
        time::parse("2026-11-23T13:14:36.254691").unwrap(),
        from_value::<DetectionResponse>(detection(json!(1), Value::Null))
            .unwrap()
            .timestamp
    );
    let mut unix = detection(json!(1), Value::Null);
    unix["timestamp"] = json!(1_700_000_000.25);
    let unix: DetectionResponse = from_value(unix).unwrap();
    assert_eq!(time::format(&unix.timestamp), "2023-11-14T22:13:20.250000");
}

proptest! {
    #[test]
    fn any_text_as_time_never_panics(text in "\\PC{0,40}") {
        let _ = time::parse(&text);
    }

    #[test]
    fn times_round_trip(micros in -62_135_596_800_000_000i64..253_402_300_799_999_999) {
        let t = chrono::DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
        prop_assert_eq!(time::parse(&time::format(&t)), Some(t));
    }

    #[test]
    fn messages_round_trip(
        id in "[0-9]{1,9}", edges in prop::array::uniform4(-1e6f64..1e6), scores in prop::collection::vec(0.0f64..=1.0, 0..5),
        label in "\\PC{0,12}", terminal in any::<bool>(),
    ) {
        let mut d = detection(json!(id), to_value(BoundingBox::from_array(edges)).unwrap());
        d["classifications"][0]["scores"] = json!(scores);
        d["classifications"][0]["classification"] = json!(label);
        d["classifications"][0]["terminal"] = json!(terminal);
        let first = read(answer(&[1], vec![d]));
        let text = serde_json::to_string(&first).unwrap();
        let again: PipelineResultsResponse = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&again, &first);
        prop_assert_eq!(serde_json::from_str::<PullResult>(&text).unwrap(), PullResult::Success(first));
    }

    #[test]
    fn any_json_as_result_never_panics(text in "\\PC{0,60}") {
        let _ = serde_json::from_str::<PullResult>(&text);
    }
}
