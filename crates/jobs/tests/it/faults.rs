//! Every way in which a service can break a batch, and what becomes of it: its images fail with
//! the reason on the job and in the log, nothing of it is saved, the job goes on and ends. The
//! table is printed and kept as a snapshot.

use std::fmt::Write;
use std::time::Duration;

use domain::state::JobState;
use serde_json::{Value, json};
use services::ServiceClient;
use store::testing;

use super::service::{Act, Service, answer};
use super::world::{World, ids, results, state};

/// What a fault makes of a good answer about a batch of two.
type Fault = fn(Value) -> Act;

fn json(body: &Value) -> Act {
    Act::Json(200, body.to_string())
}

/// A good answer with one part changed.
fn with(mut body: Value, pointer: &str, value: Value) -> Act {
    *body.pointer_mut(pointer).unwrap() = value;
    json(&body)
}

const SCORES: &str = "/detections/1/classifications/0/scores";

/// What JSON cannot say, Python writes all the same.
fn literal(body: Value, word: &str) -> Act {
    let text = with(body, SCORES, json!(["HERE", 0.5]));
    let Act::Json(status, text) = text else {
        unreachable!("it is JSON");
    };
    Act::Json(status, text.replace("\"HERE\"", word))
}

fn cut(body: &Value) -> Act {
    let whole = answer(200, &body.to_string());
    Act::Bytes(whole[..whole.len() - 50].to_vec())
}

const FAULTS: &[(&str, Fault)] = &[
    ("500", |_| Act::Json(500, "Internal Server Error".into())),
    ("503 with a sentence", |_| {
        Act::Json(503, json!({"detail": "loading weights"}).to_string())
    }),
    ("422 with a sentence", |_| {
        Act::Json(
            422,
            json!({"detail": "Invalid pipeline choice"}).to_string(),
        )
    }),
    ("422 with a list", |_| {
        let detail = json!({"detail": [{"loc": ["body", "config"], "msg": "field required"}]});
        Act::Json(422, detail.to_string())
    }),
    ("hangs", |_| Act::Hang),
    ("closes without a word", |_| Act::Bytes(Vec::new())),
    ("cuts the connection in the answer", |body| cut(&body)),
    ("speaks no HTTP", |_| Act::Bytes(b"moths!\r\n\r\n".to_vec())),
    ("redirects", |_| {
        let head = "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/process\r\n\
                    Content-Length: 0\r\nConnection: close\r\n\r\n";
        Act::Bytes(head.into())
    }),
    ("never stops answering", |_| Act::Endless),
    ("announces too much", |_| {
        Act::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{".to_vec())
    }),
    ("half a JSON", |body| {
        Act::Json(200, body.to_string()[..100].to_owned())
    }),
    ("no JSON at all", |_| Act::Json(200, "<html>".into())),
    ("another shape", |_| Act::Json(200, "[]".into())),
    ("no detections", |mut body| {
        body.as_object_mut().unwrap().remove("detections");
        json(&body)
    }),
    ("unknown image id", |body| {
        with(body, "/detections/1/source_image_id", json!("999999"))
    }),
    ("image id that is no number", |body| {
        with(body, "/source_images/0/id", json!("moth"))
    }),
    ("missing images", |body| {
        with(body, "/source_images", json!([])).without_detections()
    }),
    ("score NaN", |body| literal(body, "NaN")),
    ("score Infinity", |body| literal(body, "Infinity")),
    ("score 1e999", |body| literal(body, "1e999")),
    ("score NaN as a text", |body| literal(body, "\"NaN\"")),
    ("score above 1", |body| {
        with(body, SCORES, json!([1.5, 0.5]))
    }),
    ("no scores", |body| with(body, SCORES, json!([]))),
    ("no label", |body| {
        with(
            body,
            "/detections/1/classifications/0/classification",
            json!(" "),
        )
    }),
    ("box outside the frame", |body| {
        with(
            body,
            "/detections/1/bbox",
            json!({"x1": 900, "y1": 0, "x2": 950, "y2": 9}),
        )
    }),
    ("box without an area", |body| {
        with(
            body,
            "/detections/1/bbox",
            json!({"x1": 9, "y1": 9, "x2": 9, "y2": 9}),
        )
    }),
    ("box with an infinite edge", |body| {
        with(
            body,
            "/detections/1/bbox",
            json!({"x1": "-inf", "y1": 0, "x2": 9, "y2": 9}),
        )
    }),
    ("unknown detector", |body| {
        with(body, "/detections/1/algorithm/key", json!("nope"))
    }),
    ("unknown classifier", |body| {
        let key = "/detections/1/classifications/0/algorithm/key";
        with(body, key, json!("nope"))
    }),
];

impl Act {
    fn without_detections(self) -> Act {
        let Act::Json(status, body) = self else {
            return self;
        };
        let mut body: Value = serde_json::from_str(&body).unwrap();
        body["detections"] = json!([]);
        Act::Json(status, body.to_string())
    }
}

/// The fault of a batch: batches of two, in the order of their ids, and behind all faults as many
/// good ones.
fn misbehave(first: i64) -> impl Fn(&Value) -> Act + Send + Sync {
    move |request| {
        let asked = ids(request);
        let number = (asked[0].parse::<i64>().unwrap() - first) / 2;
        let body = results(&asked);
        match usize::try_from(number).ok().and_then(|n| FAULTS.get(n)) {
            Some((_, fault)) => fault(body),
            None => json(&body),
        }
    }
}

/// Reasons without what differs from run to run.
fn normal(reason: &str, first: i64) -> String {
    let mut reason = reason.to_owned();
    for offset in 0..2 * FAULTS.len() as i64 {
        reason = reason.replace(&format!("capture {}:", first + offset), "capture N:");
    }
    reason
}

#[tokio::test]
async fn whatever_a_service_does_its_batch_fails_alone() {
    for fresh in testing::fresh().await {
        let count = 4 * FAULTS.len();
        let mut world = World::new(&fresh.store, count, 2).await;
        world.tools.services = ServiceClient::new(Duration::from_secs(2))
            .unwrap()
            .bounded(1024 * 1024);
        let captures = world.captures().await;
        let first = captures[0];
        let service = Service::start(misbehave(first)).await;
        world.move_service(&service.url).await;
        let job = world.run(world.ml()).await;

        let log = world.log(&job).await;
        let counts = world.counts(&job).await;
        let bad = 2 * FAULTS.len();
        assert_eq!(state(&job), JobState::Success, "half failed: {log}");
        let whole = (
            counts.done + counts.failed,
            counts.failed,
            counts.detections,
        );
        assert_eq!(whole, (count as i64, bad as i64, bad as i64));
        let failures = world.store.failures(&job, 1000, 0).await.unwrap();
        let mut table = String::new();
        for (number, (name, _)) in FAULTS.iter().enumerate() {
            let batch = &captures[2 * number..2 * number + 2];
            let reasons: Vec<&str> = failures
                .iter()
                .filter(|f| batch.contains(&f.capture))
                .map(|f| f.reason.as_str())
                .collect();
            assert_eq!(reasons.len(), 2, "{name}: both images failed");
            assert_eq!(reasons[0], reasons[1], "{name}");
            assert!(log.contains(reasons[0]), "{name}: {} in {log}", reasons[0]);
            let saved = world
                .store
                .found_on(batch, &Default::default())
                .await
                .unwrap();
            assert!(saved.is_empty(), "{name}: nothing is saved");
            let reason = normal(reasons[0], first);
            writeln!(table, "{name}: failed: {reason}").unwrap();
        }
        println!("{table}");
        insta::assert_snapshot!("faults", table);
    }
}
