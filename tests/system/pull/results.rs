//! `POST /jobs/{id}/result/`: late, twice, half broken, forged, all at once.

use domain::state::JobState;
use serde_json::{Value, json};
use store::testing;

use super::{Farm, bad, fetch, good, post, success};

#[tokio::test]
async fn bodies_are_answered_as_recorded() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 1).await;
        let job = farm.job(None).await;
        let user = farm.app.superuser().await;
        let path = format!("/api/v2/jobs/{job}/result/");
        let missing = |place: &[&str]| {
            let mut loc = vec!["__root__", "0"];
            loc.extend(place);
            json!({"loc": loc, "msg": "field required", "type": "value_error.missing"})
        };
        let wrong = |place: &[&str], words: &str, kind: &str| {
            let mut fault = missing(place);
            fault["msg"] = json!(words);
            fault["type"] = json!(kind);
            fault
        };
        let results = |faults: Vec<Value>| json!({"results": faults});
        let none = |field: &str| missing(&["result", field]);
        let detection = json!({"bbox": [1, 2, 3, 4]});
        for (body, expected) in [
            (json!({}), json!({"results": ["This field is required."]})),
            (
                json!({"results": null}),
                json!({"results": ["This field may not be null."]}),
            ),
            (
                json!([]),
                json!({"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
            ),
            (
                json!({"results": [{"reply_subject": "x"}]}),
                results(vec![missing(&["result"])]),
            ),
            (
                json!({"results": [{"reply_subject": "x", "result": {"foo": 1}}]}),
                results(
                    [
                        "pipeline",
                        "total_time",
                        "source_images",
                        "detections",
                        "error",
                    ]
                    .map(none)
                    .into(),
                ),
            ),
            (
                json!({"results": [{"reply_subject": "x", "result": {
                "pipeline": "p", "total_time": "abc", "source_images": [{"id": 1}],
                "detections": [detection]}}]}),
                results(vec![
                    wrong(
                        &["result", "total_time"],
                        "value is not a valid float",
                        "type_error.float",
                    ),
                    missing(&["result", "source_images", "0", "url"]),
                    missing(&["result", "detections", "0", "source_image_id"]),
                    wrong(
                        &["result", "detections", "0", "bbox"],
                        "value is not a valid dict",
                        "type_error.dict",
                    ),
                    missing(&["result", "detections", "0", "algorithm"]),
                    missing(&["result", "detections", "0", "timestamp"]),
                    none("error"),
                ]),
            ),
        ] {
            let answer = user.post(&path, body.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (400, expected),
                "{body}"
            );
        }
        let no_json = |doc: &str| {
            json!([{
                "loc": ["__root__"], "msg": "Expecting value: line 1 column 1 (char 0)",
                "type": "value_error.jsondecode",
                "ctx": {"msg": "Expecting value", "doc": doc, "pos": "0", "lineno": "1", "colno": "1"},
            }])
        };
        let text = user.post(&path, json!({"results": "x"})).await;
        assert_eq!(
            (text.status.as_u16(), text.json()),
            (400, json!({"results": no_json("x")}))
        );
        let info = user
            .post(&path, json!({"results": [], "client_info": "x"}))
            .await;
        assert_eq!(info.json(), json!({"client_info": no_json("x")}));
        let unsubscribed = json!({"results": [{"reply_subject": null, "result": {"error": "x"}}]});
        let answer = user.post(&path, unsubscribed).await;
        let words = "none is not an allowed value";
        assert_eq!(
            answer.json(),
            results(vec![wrong(
                &["reply_subject"],
                words,
                "type_error.none.not_allowed"
            )])
        );
        for (client, status) in [
            (farm.app.anonymous(), 401),
            (farm.app.member(&farm.project, None).await, 403),
            (farm.worker().await, 200),
        ] {
            assert_eq!(
                client.post(&path, json!({"results": []})).await.status,
                status
            );
        }
        assert_eq!(user.get(&path).await.status, 405);
        assert_eq!(post(&user, 999_999, Vec::new()).await.status, 404);
    }
}

#[tokio::test]
async fn each_good_one_counts_once_and_each_broken_one_is_named() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 10).await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let tasks = fetch(&worker, job, 9).await;
        let mut stranger = good(&tasks[2]);
        stranger["result"]["source_images"][0]["id"] = json!("999999");
        stranger["result"]["detections"][0]["source_image_id"] = json!("999999");
        let mut unknown = good(&tasks[3]);
        unknown["result"]["detections"][0]["algorithm"]["key"] = json!("nope");
        let mut outside = good(&tasks[4]);
        outside["result"]["detections"][0]["bbox"] =
            json!({"x1": 900, "y1": 0, "x2": 950, "y2": 9});
        let mut unreadable = good(&tasks[5]);
        unreadable["result"]["total_time"] = json!("soon");
        let mut forged = good(&tasks[6]);
        forged["reply_subject"] = json!("$JS.ACK.bogus.1.2.3");
        let silent =
            json!({"reply_subject": tasks[7]["reply_subject"], "result": {"error": "boom"}});
        let nothing = success(&tasks[8], json!([]));
        let all = vec![
            good(&tasks[0]),
            bad(&tasks[1], "CUDA out of memory"),
            stranger,
            unknown,
            outside,
            unreadable,
            forged,
            silent,
            nothing,
            good(&tasks[0]),
        ];
        let answer = post(&worker, job, all).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = answer.json();
        let status: Vec<&str> = answer["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["status"].as_str().unwrap())
            .collect();
        assert_eq!(
            status,
            [
                "queued", "queued", "rejected", "rejected", "rejected", "rejected", "rejected",
                "queued", "queued", "queued"
            ]
        );
        assert_eq!(answer["results_queued"], 5);
        let error = |i: usize| {
            answer["tasks"][i]["error"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            error(2).contains("capture 999999, which was not asked for"),
            "{}",
            error(2)
        );
        assert!(
            error(3).contains("\"nope\" does not belong to the pipeline"),
            "{}",
            error(3)
        );
        assert!(error(4).contains("outside the picture"), "{}", error(4));
        assert!(
            error(5).contains("total_time: value is not a valid float"),
            "{}",
            error(5)
        );
        assert!(
            error(6).contains("not given out for this job"),
            "{}",
            error(6)
        );
        // Two saved, six failed (an error without an image's id too); the forged one is not
        // counted, its image is still the worker's.
        assert_eq!(farm.counts(job).await, [8, 2, 6, 2, 1, 1].map(|n| json!(n)));

        // What failed may still come well, and only once more.
        let cured = vec![good(&tasks[3]), good(&tasks[3]), good(&tasks[6])];
        assert_eq!(post(&worker, job, cured).await.json()["results_queued"], 3);
        assert_eq!(farm.counts(job).await, [9, 1, 5, 4, 3, 3].map(|n| json!(n)));
        let again: Vec<Value> = tasks.iter().map(|t| bad(t, "again")).collect();
        assert_eq!(post(&worker, job, again).await.status, 200);
        assert_eq!(farm.counts(job).await, [9, 1, 5, 4, 3, 3].map(|n| json!(n)));
        let last = fetch(&worker, job, 9).await;
        assert_eq!(last.len(), 1);
        post(&worker, job, vec![good(&last[0])]).await;
        let ended = farm.app.ended(job).await;
        assert_eq!(ended.job_state(), JobState::Success, "exactly half failed");
        assert_eq!(
            farm.counts(job).await,
            [10, 0, 5, 5, 4, 4].map(|n| json!(n))
        );

        // The job has ended: accepted, and nothing changes.
        let late = post(&worker, job, vec![good(&tasks[1])]).await;
        assert_eq!(late.json()["tasks"][0]["status"], "queued");
        assert_eq!(
            farm.counts(job).await,
            [10, 0, 5, 5, 4, 4].map(|n| json!(n))
        );
    }
}

#[tokio::test]
async fn a_receipt_is_good_for_its_own_job_only() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 1).await;
        let (one, two) = (farm.job(None).await, farm.job(None).await);
        let worker = farm.worker().await;
        let task = fetch(&worker, one, 1).await;
        let answer = post(&worker, two, vec![good(&task[0])]).await.json();
        assert_eq!(
            (&answer["results_queued"], &answer["tasks"][0]["status"]),
            (&json!(0), &json!("rejected"))
        );
        assert_eq!(farm.counts(two).await[0], "");
        assert_eq!(
            post(&worker, one, vec![good(&task[0])]).await.json()["results_queued"],
            1
        );
        assert_eq!(farm.app.ended(one).await.job_state(), JobState::Success);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_nobody_knew_may_come_from_all_sides_at_once() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 24).await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let tasks = fetch(&worker, job, 24).await;
        let posts = tasks.chunks(3).map(|chunk| {
            let results = chunk.iter().enumerate().map(|(i, task)| {
                let mut result = good(task);
                let said = &mut result["result"]["detections"][0]["classifications"][0];
                said["classification"] = json!(format!("Nova species {}", 2 - i));
                result
            });
            post(&worker, job, results.collect())
        });
        for answer in futures_util::future::join_all(posts).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["results_queued"], 3);
        }
        assert_eq!(farm.app.ended(job).await.job_state(), JobState::Success);
        assert_eq!(
            farm.counts(job).await,
            [24, 0, 0, 24, 24, 24].map(|n| json!(n))
        );
    }
}

#[tokio::test]
async fn a_failing_job_says_so_before_it_ends() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 6).await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let tasks = fetch(&worker, job, 6).await;
        post(
            &worker,
            job,
            tasks[..4]
                .iter()
                .map(|t| bad(t, "could not open"))
                .collect(),
        )
        .await;
        let user = farm.app.superuser().await;
        let shown = user.get(&format!("/api/v2/jobs/{job}/")).await.json();
        let stages = shown["progress"]["stages"].as_array().unwrap();
        let states: Vec<&Value> = stages.iter().map(|s| &s["status"]).collect();
        assert_eq!(states, ["SUCCESS", "FAILURE", "FAILURE"]);
        assert_eq!(shown["status"], "STARTED");
        assert_eq!(farm.counts(job).await, [4, 2, 4, 0, 0, 0].map(|n| json!(n)));
        post(&worker, job, tasks[4..].iter().map(good).collect()).await;
        assert_eq!(farm.app.ended(job).await.job_state(), JobState::Failure);
    }
}
