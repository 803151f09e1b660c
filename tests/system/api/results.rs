//! `/api/v2/detections/` and `…/classifications/`, and what captures, sets and sessions show of
//! them: read from results that a worker posted.

use serde_json::{Value, json};
use store::testing;

use super::captures::keys;
use crate::app::TestApp;
use crate::pages::jpeg;
use crate::pull::{Farm, fetch, good, post, success};

/// A farm of two captures: a moth was found on the first, nothing on the second.
pub async fn harvest(fresh: &testing::Fresh) -> (Farm, [i64; 2]) {
    let farm = Farm::new(fresh, 0).await;
    let mut ids = [0; 2];
    for (id, name) in ids
        .iter_mut()
        .zip(["20220810220000.jpg", "20220810221000.jpg"])
    {
        *id = farm.app.capture(&farm.station, name, &jpeg(200, 100)).await;
    }
    let gap = domain::session::gap(None);
    let store = &farm.app.store;
    store.regroup(farm.station.id, gap, |_| {}).await.unwrap();
    let job = farm.job(None).await;
    let worker = farm.worker().await;
    let tasks = fetch(&worker, job, 2).await;
    let first = json!(ids[0].to_string());
    let results = tasks.iter().map(|task| match task["image_id"] == first {
        true => good(task),
        false => success(task, json!([])),
    });
    let answer = post(&worker, job, results.collect()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    farm.app.ended(job).await;
    (farm, ids)
}

#[tokio::test]
async fn captures_show_what_was_found_on_them() {
    for fresh in testing::fresh().await {
        let (farm, [found, empty]) = harvest(&fresh).await;
        let (app, project) = (&farm.app, farm.project.id);
        let anonymous = app.anonymous();
        let list = format!("/api/v2/captures/?project_id={project}");
        for (query, expected) in [
            ("&has_detections=true", vec![found]),
            ("&has_detections=false", vec![empty]),
            ("&processed=true", vec![found, empty]),
            ("&processed=false", vec![]),
            ("&ordering=-detections_count&limit=1", vec![found]),
            ("&ordering=-taxa_count&limit=1", vec![found]),
        ] {
            let shown = anonymous.get(&format!("{list}{query}")).await.json();
            let rows = shown["results"].as_array().unwrap().iter();
            let ids: Vec<i64> = rows.map(|row| row["id"].as_i64().unwrap()).collect();
            assert_eq!(ids, expected, "{query}");
        }
        let rows = anonymous
            .get(&format!("{list}&with_detections=1"))
            .await
            .json();
        let row = &rows["results"][0];
        assert_eq!(row["detections_count"], 1);
        assert!(row["last_processed"].is_string());
        let moth = &row["detections"][0];
        assert_eq!(
            keys(moth).join(" "),
            "id details url width height bbox occurrence classifications \
             occurrence_meets_criteria user_permissions"
        );
        assert_eq!(moth["bbox"], json!([10.0, 10.0, 50.0, 60.0]));
        assert_eq!(
            moth["occurrence"]["determination"]["name"],
            "Vanessa atalanta"
        );
        assert_eq!(moth["occurrence_meets_criteria"], true);
        let crop = moth["url"].as_str().unwrap();
        for _ in 0..2 {
            let crop = reqwest::get(format!("{}{crop}", app.url)).await.unwrap();
            let crop = image::load_from_memory(&crop.bytes().await.unwrap()).unwrap();
            assert_eq!((crop.width(), crop.height()), (40, 50));
        }
        let one = format!("/api/v2/captures/{found}/?project_id={project}");
        let one = anonymous.get(&one).await.json();
        assert_eq!(
            (&one["occurrences_count"], &one["taxa_count"]),
            (&json!(1), &json!(1))
        );
        let strict =
            format!("{list}&with_counts=1&apply_defaults=false&classification_threshold=0.95");
        let strict = anonymous.get(&strict).await.json();
        assert_eq!(strict["results"][0]["occurrences_count"], 0);

        let sessions = anonymous.get("/api/v2/events/").await.json();
        let session = &sessions["results"][0];
        assert_eq!(
            (&session["detections_count"], &session["taxa_count"]),
            (&json!(1), &json!(1))
        );
        let session = anonymous
            .get(&format!("/api/v2/events/{}/", session["id"]))
            .await
            .json();
        assert_eq!(
            session["stats"],
            json!({"detections_max_count": 1, "detections_min_count": 0})
        );
        assert_eq!(
            session["summary_data"][1]["data"]["y"],
            json!(["Vanessa atalanta"])
        );
        let first = &session["first_capture"]["detections"][0];
        assert_eq!(first["occurrence_meets_criteria"], Value::Null);
    }
}

#[tokio::test]
async fn sets_count_what_was_found_on_their_captures() {
    for fresh in testing::fresh().await {
        let (farm, ids) = harvest(&fresh).await;
        let (app, project) = (&farm.app, farm.project.id);
        let mut set = 0;
        for id in ids {
            set = app.store.star(project, id, true).await.unwrap().0;
        }
        let path = format!("/api/v2/captures/collections/{set}/");
        let shown = app.anonymous().get(&path).await.json();
        let counts = [
            "source_images_count",
            "source_images_with_detections_count",
            "source_images_processed_count",
            "occurrences_count",
            "taxa_count",
        ];
        assert_eq!(
            counts.map(|name| shown[name].as_i64().unwrap()),
            [2, 1, 2, 1, 1]
        );
    }
}

#[tokio::test]
async fn detections_and_classifications_are_read_within_a_project() {
    for fresh in testing::fresh().await {
        let (farm, [capture, _]) = harvest(&fresh).await;
        let (app, project) = (&farm.app, farm.project.id);
        let other = app.project("Others", false).await.id;
        for (resource, item, whole) in [
            (
                "detections",
                "id details bbox width height occurrence timestamp source_image \
                 detection_algorithm url user_permissions",
                "id details bbox width height occurrence timestamp source_image \
                 detection_algorithm url classifications user_permissions",
            ),
            (
                "classifications",
                "id details taxon score algorithm applied_to created_at updated_at \
                 user_permissions",
                "id details taxon score algorithm scores logits top_n applied_to created_at \
                 updated_at user_permissions",
            ),
        ] {
            let path = format!("/api/v2/{resource}/");
            let anonymous = app.anonymous();
            assert_eq!(anonymous.get(&path).await.status, 400);
            let none = anonymous.get(&format!("{path}?project_id={other}")).await;
            assert_eq!(none.json()["count"], 0);
            for order in [
                "",
                "&ordering=-created_at",
                "&ordering=timestamp",
                "&ordering=-score",
            ] {
                let list = anonymous
                    .get(&format!("{path}?project_id={project}{order}"))
                    .await;
                assert_eq!(list.status, 200, "{order}: {}", list.text);
                let list = list.json();
                assert_eq!(list["count"], 1, "null markers are no detections");
                assert_eq!(keys(&list["results"][0]).join(" "), item);
            }
            let list = anonymous
                .get(&format!("{path}?project_id={project}"))
                .await
                .json();
            let one = format!("{path}{}/", list["results"][0]["id"]);
            let shown = anonymous.get(&one).await.json();
            assert_eq!(keys(&shown).join(" "), whole);
            let root = app.superuser().await;
            assert_eq!(
                root.get(&one).await.json()["user_permissions"],
                json!(["update", "delete"])
            );
            assert_eq!(
                root.send(reqwest::Method::DELETE, &one, None).await.status,
                403
            );
            assert_eq!(anonymous.get(&format!("{path}99999/")).await.status, 404);
        }
        let of = format!("/api/v2/detections/?project_id={project}&source_image={capture}");
        let detection = app.anonymous().get(&of).await.json()["results"][0]["id"].clone();
        let one = app
            .anonymous()
            .get(&format!("/api/v2/detections/{detection}/"))
            .await
            .json();
        let said = &one["classifications"][0];
        assert_eq!(said["algorithm"]["key"], "names");
        let said = format!("/api/v2/classifications/{}/", said["id"]);
        let said = app.anonymous().get(&said).await.json();
        let top: Vec<&Value> = said["top_n"].as_array().unwrap().iter().collect();
        assert_eq!(top.len(), 2);
        assert_eq!(top[0]["taxon"]["name"], "Vanessa atalanta");
        assert_eq!(
            (&top[1]["score"], &top[1]["logit"]),
            (&json!(0.1), &json!(0.0))
        );
        let missing = json!(["This field is required."]);
        let staff = app.superuser().await;
        let refused = staff.post("/api/v2/detections/", json!({})).await;
        assert_eq!(
            refused.json(),
            json!({"source_image": missing, "detection_algorithm_id": missing})
        );
    }
}

#[tokio::test]
async fn deleting_a_capture_deletes_the_individuals_that_nobody_else_saw() {
    for fresh in testing::fresh().await {
        let (farm, [capture, _]) = harvest(&fresh).await;
        let app: &TestApp = &farm.app;
        let all = store::defaults::Defaults::default();
        let found = app.store.found_on(&[capture], &all).await.unwrap();
        let seen = found[&capture][0].seen.as_ref().unwrap().occurrence.id;
        app.store.delete_capture(capture).await.unwrap();
        assert!(app.store.occurrence(seen).await.is_err());
        let session = app.anonymous().get("/api/v2/events/").await.json();
        assert_eq!(session["results"][0]["occurrences_count"], 0);
    }
}

#[tokio::test]
async fn occurrences_pass_the_default_filters_or_are_not_listed() {
    for fresh in testing::fresh().await {
        let (farm, [capture, empty]) = harvest(&fresh).await;
        let (app, project) = (&farm.app, farm.project.id);
        let anonymous = app.anonymous();
        let path = "/api/v2/occurrences/";
        assert_eq!(anonymous.get(path).await.status, 400);
        let list = format!("{path}?project_id={project}");
        let shown = anonymous.get(&list).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let shown = shown.json();
        let moth = &shown["results"][0];
        assert_eq!(
            keys(moth).join(" "),
            "id details event deployment first_appearance_timestamp first_appearance_time \
             duration duration_label determination detections_count detection_images \
             determination_score determination_details best_machine_prediction identifications \
             created_at updated_at user_permissions"
        );
        assert_eq!(moth["determination"]["name"], "Vanessa atalanta");
        assert_eq!(moth["first_appearance_time"], "22:00:00");
        assert_eq!(
            (&moth["duration"], &moth["detections_count"]),
            (&json!("0.0"), &json!(1))
        );
        assert_eq!(moth["detection_images"].as_array().unwrap().len(), 1);
        assert_eq!(moth["determination_details"]["prediction"]["score"], 0.9);
        assert_eq!(moth["best_machine_prediction"]["algorithm"]["key"], "names");
        let taxon = &moth["determination"]["id"];
        for (query, count) in [
            (
                "&apply_defaults=false&classification_threshold=0.95".to_owned(),
                0,
            ),
            ("&apply_defaults=false".to_owned(), 1),
            (format!("&taxon={taxon}"), 1),
            ("&taxon=999".to_owned(), 0),
            (format!("&detections__source_image={capture}"), 1),
            (format!("&detections__source_image={empty}"), 0),
            ("&date_start=2022-08-10&date_end=2022-08-10".to_owned(), 1),
            ("&date_start=2022-08-11".to_owned(), 0),
            ("&algorithm=999".to_owned(), 0),
            ("&not_algorithm=999".to_owned(), 1),
            ("&taxa_list_id=999".to_owned(), 0),
            ("&not_taxa_list_id=999".to_owned(), 1),
            ("&collection=999".to_owned(), 0),
            ("&ordering=-first_appearance_timestamp".to_owned(), 1),
            ("&ordering=-updated_at".to_owned(), 1),
        ] {
            let answer = anonymous.get(&format!("{list}{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {}", answer.text);
            assert_eq!(answer.json()["count"], count, "{query}");
        }
        let bad = anonymous.get(&format!("{list}&date_start=xx")).await;
        let words = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
        assert_eq!(bad.json(), json!({"date_start": [words]}));
        let one = anonymous
            .get(&format!("{path}{}/", moth["id"]))
            .await
            .json();
        assert_eq!(one["predictions"][0]["algorithm"]["key"], "names");
        assert_eq!(one["detections"][0]["capture"]["id"], capture);
        let algorithms = format!("{path}algorithms/?project_id={project}");
        let algorithms = anonymous.get(&algorithms).await.json();
        assert_eq!(algorithms["count"], 2);
        let top = format!("{path}stats/top-identifiers/?project_id={project}");
        assert_eq!(
            anonymous.get(&top).await.json(),
            json!({"project_id": project, "top_identifiers": []})
        );
    }
}
