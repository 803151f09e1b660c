//! `/api/v2/occurrences/`: lists with their filters and orders, details, what is counted.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::{Client, TestApp};

async fn ids(client: &Client<'_>, path: &str) -> Vec<i64> {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let rows = answer.json()["results"].as_array().unwrap().clone();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn occurrences_are_listed_narrowed_and_ordered() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let insects = app.insects(&project).await;
        let anyone = app.anonymous();
        let missing = json!({"project_id": ["This field is required."]});
        assert_eq!(anyone.get("/api/v2/occurrences/").await.json(), missing);
        let nowhere = anyone.get("/api/v2/occurrences/?project_id=999").await;
        assert_eq!(nowhere.status, 404);
        let base = format!("/api/v2/occurrences/?project_id={}", project.id);
        let list = anyone.get(&base).await.json();
        assert_eq!(list["count"], 3, "those with a low score are left out");
        let row = &list["results"][0];
        let expected = [
            "id",
            "details",
            "event",
            "deployment",
            "first_appearance_timestamp",
            "first_appearance_time",
            "duration",
            "duration_label",
            "determination",
            "detections_count",
            "detection_images",
            "determination_score",
            "determination_details",
            "best_machine_prediction",
            "identifications",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected);
        assert_eq!(row["event"]["name"], "Sunday, Jun 1 2025");
        assert_eq!(row["determination"]["name"], "Vanessa itea");
        assert_eq!(row["determination_details"]["prediction"]["score"], 0.9);
        assert_eq!(row["duration"], "0.0");
        assert_eq!(row["detection_images"].as_array().unwrap().len(), 1);
        let every = format!("{base}&apply_defaults=false");
        assert_eq!(ids(&anyone, &every).await.len(), 6);
        let some = format!("{every}&classification_threshold=0.25");
        assert_eq!(ids(&anyone, &some).await.len(), 6);
        let few = format!("{every}&classification_threshold=0.8");
        assert_eq!(ids(&anyone, &few).await.len(), 3);

        let newest = format!("{base}&ordering=-first_appearance_timestamp");
        let oldest = format!("{base}&ordering=first_appearance_timestamp");
        let mut turned = ids(&anyone, &newest).await;
        turned.reverse();
        assert_eq!(ids(&anyone, &oldest).await, turned);
        let first = anyone.get(&oldest).await.json()["results"][0].clone();
        assert_eq!(first["first_appearance_timestamp"], "2025-06-01T22:00:00");
        for order in store::occurrence::list::OccurrenceFilter::ORDERS {
            for sign in ["", "-"] {
                let ordered = format!("{base}&ordering={sign}{order}&apply_defaults=false");
                assert_eq!(ids(&anyone, &ordered).await.len(), 6, "{sign}{order}");
            }
        }
        let pages = format!("{oldest}&limit=1&offset=1");
        assert_eq!(ids(&anyone, &pages).await, [turned[1]]);

        let taxon = row["determination"]["id"].as_i64().unwrap();
        let session = row["event"]["id"].as_i64().unwrap();
        let algorithms = format!("/api/v2/occurrences/algorithms/?project_id={}", project.id);
        let algorithms = ids(&anyone, &algorithms).await;
        assert_eq!(algorithms.len(), 2);
        for (filter, count) in [
            (format!("deployment={}", insects.station.id), 3),
            ("deployment=999".to_owned(), 0),
            (format!("event={session}"), 3),
            (format!("taxon={taxon}"), 3),
            (format!("determination={taxon}"), 3),
            ("determination__rank=SPECIES".to_owned(), 3),
            ("determination__rank=GENUS".to_owned(), 0),
            (
                format!("detections__source_image={}", insects.captures[0]),
                1,
            ),
            (format!("algorithm={}", algorithms[1]), 3),
            (format!("algorithm={}", algorithms[0]), 0),
            (format!("not_algorithm={}", algorithms[0]), 3),
            (format!("not_algorithm={}", algorithms[1]), 0),
            ("verified=true".to_owned(), 0),
            ("verified=false".to_owned(), 3),
            ("date_start=2025-06-01&date_end=2025-06-01".to_owned(), 3),
            ("date_start=2025-06-02".to_owned(), 0),
            ("date_end=2025-05-31".to_owned(), 0),
            ("collection=999".to_owned(), 0),
            ("taxa_list_id=999".to_owned(), 0),
            ("not_taxa_list_id=999".to_owned(), 3),
        ] {
            let found = ids(&anyone, &format!("{base}&{filter}")).await;
            assert_eq!(found.len(), count, "{filter}");
        }
        let bad = anyone.get(&format!("{base}&date_start=xx")).await.json();
        let words = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
        assert_eq!(bad, json!({"date_start": [words]}));
        let bad = anyone.get(&format!("{base}&determination__rank=x")).await;
        assert_eq!(bad.status, 400);
    }
}

#[tokio::test]
async fn an_occurrence_is_shown_whole_and_only_staff_delete_it() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let insects = app.insects(&project).await;
        let staff = app.superuser().await;
        let identifier = app.member(&project, Some(Role::Identifier)).await;
        let base = format!("/api/v2/occurrences/?project_id={}", project.id);
        let id = ids(&staff, &base).await[0];
        let one = format!("/api/v2/occurrences/{id}/");
        let whole = identifier.get(&one).await.json();
        assert_eq!(whole["user_permissions"], json!(["update"]));
        assert_eq!(
            app.anonymous().get(&one).await.json()["user_permissions"],
            json!([])
        );
        assert_eq!(whole["detections"][0]["classifications"][0]["score"], 0.9);
        assert_eq!(whole["detections"][0]["bbox"], json!([0.0, 1.0, 5.0, 6.0]));
        assert_eq!(whole["predictions"].as_array().unwrap().len(), 1);
        assert_eq!(whole["determination_id"], whole["determination"]["id"]);
        let low = format!("{base}&apply_defaults=false&classification_threshold=0");
        let low = ids(&staff, &low).await;
        let hidden = low
            .iter()
            .find(|id| **id != 0 && !whole["id"].eq(*id))
            .unwrap();
        assert_eq!(
            staff
                .get(&format!("/api/v2/occurrences/{hidden}/"))
                .await
                .status,
            200
        );

        assert_eq!(identifier.post(&base, json!({})).await.status, 403);
        assert_eq!(staff.post(&base, json!({})).await.status, 400);
        assert_eq!(
            identifier.send(Method::DELETE, &one, None).await.status,
            403
        );
        let capture = insects.captures[1];
        let gone = format!("/api/v2/captures/{capture}/");
        assert_eq!(staff.send(Method::DELETE, &gone, None).await.status, 204);
        assert_eq!(
            ids(&staff, &base).await.len(),
            2,
            "its insects went with it"
        );
        let id = ids(&staff, &base).await[0];
        let one = format!("/api/v2/occurrences/{id}/");
        assert_eq!(staff.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(staff.get(&one).await.status, 404);
        let draft = app.project("Draft", true).await;
        let hidden = format!("/api/v2/occurrences/?project_id={}", draft.id);
        assert_eq!(app.anonymous().get(&hidden).await.status, 404);
    }
}

#[tokio::test]
async fn identifiers_and_agreement_are_counted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.insects(&project).await;
        let identifier = app.member(&project, Some(Role::Identifier)).await;
        let base = format!("/api/v2/occurrences/?project_id={}&ordering=id", project.id);
        let found = ids(&identifier, &base).await;
        let taxon = identifier.get(&base).await.json()["results"][0]["determination"].clone();
        let stats = |name: &str| {
            format!(
                "/api/v2/occurrences/stats/{name}/?project_id={}",
                project.id
            )
        };
        let none = identifier.get(&stats("model-agreement")).await.json();
        assert_eq!(
            (&none["total_occurrences"], &none["verified_count"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(none["agreed_exact_ci_low"], Value::Null);
        let said = json!({"occurrence_id": found[0], "taxon_id": taxon["id"]});
        let said = identifier.post("/api/v2/identifications/", said).await;
        assert_eq!(said.status, 201, "{}", said.text);
        let some = identifier.get(&stats("model-agreement")).await.json();
        assert_eq!(some["verified_count"], 1);
        assert_eq!(
            (&some["comparable_count"], &some["agreed_exact_count"]),
            (&json!(1), &json!(1))
        );
        let bad = format!("{}&agreement_coarsest_rank=x", stats("model-agreement"));
        assert_eq!(identifier.get(&bad).await.status, 400);
        let top = identifier.get(&stats("top-identifiers")).await.json();
        assert_eq!(top["top_identifiers"][0]["identification_count"], 1);
        assert_eq!(top["top_identifiers"][0]["name"], "Test");
        let missing = json!({"project_id": ["This field is required."]});
        let nowhere = identifier
            .get("/api/v2/occurrences/stats/top-identifiers/")
            .await;
        assert_eq!(nowhere.json(), missing);
    }
}
