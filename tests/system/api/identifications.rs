//! `/api/v2/identifications/`: one and many, and what occurrences are determined as afterwards.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::project::Project;
use store::testing;

use crate::app::{Client, TestApp};

const ONE: &str = "/api/v2/identifications/";
const MANY: &str = "/api/v2/identifications/bulk/";

/// The project's occurrences, and the two taxa that were found: the likely and the unlikely one.
async fn found(client: &Client<'_>, project: &Project) -> (Vec<i64>, i64, i64) {
    let list = format!(
        "/api/v2/occurrences/?project_id={}&ordering=id&apply_defaults=false",
        project.id
    );
    let rows = client.get(&list).await.json()["results"]
        .as_array()
        .unwrap()
        .clone();
    let number = |value: &Value| value.as_i64().unwrap();
    let likely: Vec<&Value> = rows
        .iter()
        .filter(|row| row["determination_score"] == 0.9)
        .collect();
    let other = rows
        .iter()
        .find(|row| row["determination_score"] != 0.9)
        .unwrap();
    let ids = likely.iter().map(|row| number(&row["id"])).collect();
    let taxon = number(&likely[0]["determination"]["id"]);
    (ids, taxon, number(&other["determination"]["id"]))
}

async fn determination(client: &Client<'_>, occurrence: i64) -> (i64, f64) {
    let row = client
        .get(&format!("/api/v2/occurrences/{occurrence}/"))
        .await
        .json();
    let taxon = row["determination"]["id"].as_i64().unwrap();
    (taxon, row["determination_score"].as_f64().unwrap())
}

#[tokio::test]
async fn the_newest_word_stands_and_decides() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.insects(&project).await;
        let identifier = app.member(&project, Some(Role::Identifier)).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let (occurrences, likely, other) = found(&identifier, &project).await;
        let say = |taxon: i64| json!({"occurrence_id": occurrences[0], "taxon_id": taxon, "comment": "c"});
        assert_eq!(app.anonymous().post(ONE, say(other)).await.status, 401);
        assert_eq!(basic.post(ONE, say(other)).await.status, 403);
        let missing = json!(["This field is required."]);
        let empty = identifier.post(ONE, json!({})).await.json();
        assert_eq!(
            empty,
            json!({"occurrence_id": missing, "taxon_id": missing})
        );
        let bad = json!({"occurrence_id": 9999, "taxon_id": 9999});
        let none = json!(["Invalid pk \"9999\" - object does not exist."]);
        let bad = identifier.post(ONE, bad).await.json();
        assert_eq!(bad, json!({"occurrence_id": none, "taxon_id": none}));

        let first = identifier.post(ONE, say(other)).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let first = first.json();
        let expected = [
            "id",
            "details",
            "user",
            "occurrence",
            "taxon",
            "withdrawn",
            "agreed_with_identification_id",
            "agreed_with_prediction_id",
            "comment",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected);
        assert_eq!(first["user_permissions"], json!(["update", "delete"]));
        assert_eq!(first["occurrence"]["determination"]["id"], other);
        assert_eq!(
            determination(&identifier, occurrences[0]).await,
            (other, 1.0)
        );

        let second = identifier.post(ONE, say(likely)).await.json();
        assert_eq!(
            determination(&identifier, occurrences[0]).await,
            (likely, 1.0)
        );
        let one = format!("{ONE}{}/", first["id"]);
        assert_eq!(identifier.get(&one).await.json()["withdrawn"], true);
        let two = format!("{ONE}{}/", second["id"]);
        let theirs = manager.post(ONE, say(other)).await.json();
        assert_eq!(determination(&identifier, occurrences[0]).await.0, other);
        let theirs = format!("{ONE}{}/", theirs["id"]);
        assert_eq!(
            identifier.send(Method::DELETE, &theirs, None).await.status,
            403
        );
        assert_eq!(
            manager.send(Method::DELETE, &theirs, None).await.status,
            204
        );
        assert_eq!(determination(&identifier, occurrences[0]).await.0, likely);
        assert_eq!(
            identifier.send(Method::DELETE, &two, None).await.status,
            204
        );
        assert_eq!(
            identifier.get(&one).await.json()["withdrawn"],
            false,
            "it stands again"
        );
        assert_eq!(
            determination(&identifier, occurrences[0]).await,
            (other, 1.0)
        );

        let patch = json!({"comment": "patched", "taxon_id": likely}).to_string();
        assert_eq!(
            basic
                .send(Method::PATCH, &one, Some(patch.clone()))
                .await
                .status,
            403
        );
        let patched = manager.send(Method::PATCH, &one, Some(patch)).await.json();
        assert_eq!(patched["comment"], "patched");
        assert_eq!(determination(&identifier, occurrences[0]).await.0, likely);
        let moved = json!({"occurrence_id": occurrences[1]}).to_string();
        assert_eq!(
            manager.send(Method::PATCH, &one, Some(moved)).await.status,
            400
        );
        assert_eq!(
            identifier.send(Method::DELETE, &one, None).await.status,
            204
        );
        let list = identifier
            .get(&format!("{ONE}?occurrence={}", occurrences[0]))
            .await
            .json();
        assert_eq!(list["count"], 0);
        let foreign = json!({"occurrence_id": occurrences[0], "taxon_id": likely,
                             "agreed_with_prediction_id": 9999});
        assert_eq!(identifier.post(ONE, foreign).await.status, 400);
    }
}

#[tokio::test]
async fn many_are_made_at_once_each_with_its_outcome() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.insects(&project).await;
        let identifier = app.member(&project, Some(Role::Identifier)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let (occurrences, _, other) = found(&identifier, &project).await;
        let item =
            |occurrence: i64, taxon: i64| json!({"occurrence_id": occurrence, "taxon_id": taxon});
        let body = json!({"identifications": [
            item(occurrences[0], other), item(9999, other), item(occurrences[1], 9999),
        ]});
        assert_eq!(app.anonymous().post(MANY, body.clone()).await.status, 401);
        let done = identifier.post(MANY, body.clone()).await;
        assert_eq!(done.status, 200, "{}", done.text);
        let done = done.json();
        assert_eq!(
            (&done["created_count"], &done["error_count"]),
            (&json!(1), &json!(2))
        );
        assert_eq!(done["results"][0]["status"], "created");
        assert_eq!(done["results"][1]["status"], "error");
        assert!(done["results"][1]["errors"]["occurrence_id"].is_array());
        assert!(done["results"][2]["errors"]["taxon_id"].is_array());
        assert_eq!(
            determination(&identifier, occurrences[0]).await,
            (other, 1.0)
        );
        let refused = basic.post(MANY, body).await.json();
        assert_eq!(refused["created_count"], 0);

        let twice =
            json!({"identifications": [item(occurrences[0], other), item(occurrences[0], other)]});
        assert_eq!(identifier.post(MANY, twice).await.status, 400);
        let many: Vec<Value> = (0..201).map(|n| item(n, other)).collect();
        let many = identifier
            .post(MANY, json!({"identifications": many}))
            .await;
        assert_eq!(many.status, 400);
        let shape = json!({"identifications": [{"occurrence_id": "x"}, 3]});
        let shape = identifier.post(MANY, shape).await;
        assert_eq!(shape.status, 400);
        assert!(
            shape.json()["identifications"]["0"]["taxon_id"].is_array(),
            "{}",
            shape.text
        );
        let empty = identifier.post(MANY, json!({})).await.json();
        assert_eq!(
            empty,
            json!({"identifications": ["This field is required."]})
        );
    }
}
