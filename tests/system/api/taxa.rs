//! `/api/v2/taxa/`, `…/lists/` and `/api/v2/tags/`.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::{Client, TestApp};

const TAXA: &str = "/api/v2/taxa/";
const LISTS: &str = "/api/v2/taxa/lists/";

async fn patch(client: &Client<'_>, path: &str, body: Value) -> crate::app::Answer {
    client
        .send(Method::PATCH, path, Some(body.to_string()))
        .await
}

async fn taxon(staff: &Client<'_>, name: &str, rank: &str, parent: Value) -> Value {
    let new = json!({"name": name, "rank": rank, "parent_id": parent});
    let made = staff.post(TAXA, new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

fn names(list: &Value) -> Vec<&str> {
    let rows = list["results"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn taxa_stand_in_a_tree_that_staff_write() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let staff = app.superuser().await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let missing = json!(["This field is required."]);
        let empty = staff.post(TAXA, json!({})).await.json();
        assert_eq!(empty, json!({"name": missing, "parent_id": missing}));
        let new = json!({"name": "x", "parent_id": null});
        assert_eq!(manager.post(TAXA, new.clone()).await.status, 403);
        assert_eq!(app.anonymous().post(TAXA, new).await.status, 401);
        let order = taxon(&staff, "Lepidoptera", "ORDER", Value::Null).await;
        let genus = taxon(&staff, "Vanessa", "GENUS", order["id"].clone()).await;
        let species = taxon(&staff, "Vanessa itea", "SPECIES", genus["id"].clone()).await;
        assert_eq!(species["parents"].as_array().unwrap().len(), 2);
        assert_eq!(species["parent"]["name"], "Vanessa");
        assert_eq!(species["occurrences_count"], 0);
        let same = json!({"name": "Vanessa", "parent_id": null});
        let same = staff.post(TAXA, same).await.json();
        assert_eq!(
            same,
            json!({"name": ["taxon with this name already exists."]})
        );

        let one = format!("{TAXA}{}/", genus["id"]);
        let below = patch(&staff, &one, json!({"parent_id": species["id"]}))
            .await
            .json();
        let words = json!(["A taxon cannot stand below itself."]);
        assert_eq!(below, json!({"parent_id": words}));
        assert_eq!(
            patch(&staff, &one, json!({"name": "Vanessula"}))
                .await
                .status,
            200
        );
        let leaf = format!("{TAXA}{}/", species["id"]);
        let parents = staff.get(&leaf).await.json()["parents"].clone();
        assert_eq!(parents[1]["name"], "Vanessula", "the names above follow");
        assert_eq!(staff.send(Method::DELETE, &one, None).await.status, 204);
        let leaf = staff.get(&leaf).await.json();
        assert_eq!(
            (&leaf["parents"], &leaf["parent"]),
            (&json!([]), &Value::Null)
        );
        assert_eq!(leaf["occurrences_count"], Value::Null, "without a project");

        let found = staff
            .get(&format!("{TAXA}suggest/?q=VAN&limit=5"))
            .await
            .json();
        assert_eq!(found[0]["name"], "Vanessa itea");
        let keys: Vec<&String> = found[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "name", "rank", "parent", "user_permissions"]);
        assert_eq!(
            app.anonymous().get(&format!("{TAXA}suggest/")).await.json(),
            json!([])
        );
        let bad = staff.get(&format!("{TAXA}?rank=BOGUS")).await.json();
        let words = "Select a valid choice. BOGUS is not one of the available choices.";
        assert_eq!(bad, json!({"rank": [words]}));
        assert_eq!(
            staff.get(&format!("{TAXA}?search=itea")).await.json()["count"],
            1
        );
        let hidden = app.anonymous().get(TAXA).await.json();
        assert_eq!(hidden["count"], 0, "no project works with them");
    }
}

#[tokio::test]
async fn a_project_counts_what_it_has_seen() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.insects(&project).await;
        let anyone = app.anonymous();
        let base = format!("{TAXA}?project_id={}", project.id);
        let list = anyone.get(&base).await.json();
        assert_eq!(names(&list), ["Vanessa itea"]);
        let row = &list["results"][0];
        let expected = [
            "id",
            "name",
            "rank",
            "parent_id",
            "parents",
            "details",
            "occurrences_count",
            "verified_count",
            "occurrences",
            "tags",
            "last_detected",
            "best_determination_score",
            "cover_image_url",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected);
        assert_eq!(
            (&row["occurrences_count"], &row["verified_count"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(row["best_determination_score"], 0.9);
        assert_eq!(row["last_detected"], "2025-06-01T23:00:00");
        // One of the three is looked at by two people.
        let seen = format!("/api/v2/occurrences/?project_id={}", project.id);
        let seen = anyone.get(&seen).await.json()["results"][0]["id"].clone();
        for role in [Role::Identifier, Role::ProjectManager] {
            let person = app.member(&project, Some(role)).await;
            let said = json!({"occurrence_id": seen, "taxon_id": row["id"]});
            let made = person.post("/api/v2/identifications/", said).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let again = anyone.get(&base).await.json();
        let again = &again["results"][0];
        assert_eq!(
            (&again["occurrences_count"], &again["verified_count"]),
            (&json!(3), &json!(1))
        );
        let link = row["occurrences"].as_str().unwrap();
        let query = format!("?project_id={}&determination={}", project.id, row["id"]);
        assert!(link.ends_with(&query), "{link}");
        let every = format!("{base}&apply_defaults=false&ordering=-best_determination_score");
        let every = anyone.get(&every).await.json();
        assert_eq!(names(&every), ["Vanessa itea", "Moth"]);
        for order in store::taxon::list::TaxonFilter::ORDERS {
            let ordered = anyone.get(&format!("{base}&ordering=-{order}")).await;
            assert_eq!(ordered.json()["count"], 1, "{order}");
        }
        let open = anyone.get(TAXA).await.json();
        assert_eq!(
            names(&open),
            ["Moth", "Vanessa itea"],
            "seen in an open project"
        );
        assert_eq!(open["results"][0]["occurrences_count"], Value::Null);
        let one = format!("{TAXA}{}/?project_id={}", row["id"], project.id);
        let one = anyone.get(&one).await.json();
        assert_eq!(
            (&one["occurrences_count"], &one["events_count"]),
            (&json!(3), &json!(1))
        );
        assert_eq!(one["occurrences"].as_array().unwrap().len(), 3);
        assert!(one["occurrences"][0]["best_detection"]["url"].is_string());
        let unobserved = format!("{base}&include_unobserved=true&search=moth");
        assert_eq!(anyone.get(&unobserved).await.json()["count"], 0);
        let draft = app.project("Draft", true).await;
        let hidden = anyone.get(&format!("{TAXA}?project_id={}", draft.id)).await;
        assert_eq!(hidden.json()["count"], 0);
    }
}

#[tokio::test]
async fn lists_and_tags_narrow_taxa() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let staff = app.superuser().await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let nobody = app.member(&project, None).await;
        let genus = taxon(&staff, "Vanessa", "GENUS", Value::Null).await;
        taxon(&staff, "Vanessa itea", "SPECIES", genus["id"].clone()).await;
        taxon(&staff, "Musca", "GENUS", Value::Null).await;

        let missing = json!({"project_id": ["This field is required."]});
        assert_eq!(staff.get(LISTS).await.json(), missing);
        let lists = format!("{LISTS}?project_id={}", project.id);
        assert_eq!(nobody.post(&lists, json!({"name": "L"})).await.status, 403);
        assert_eq!(
            app.anonymous()
                .post(&lists, json!({"name": "L"}))
                .await
                .status,
            401
        );
        let list = basic
            .post(&lists, json!({"name": "L", "description": "d"}))
            .await;
        assert_eq!(list.status, 201, "{}", list.text);
        let list = list.json();
        let expected = [
            "id",
            "name",
            "description",
            "taxa",
            "taxa_count",
            "projects",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        let keys: Vec<&String> = list.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected);
        let members = format!("{LISTS}{}/taxa/?project_id={}", list["id"], project.id);
        assert_eq!(basic.get(&members).await.status, 405);
        let add = json!({"taxon_id": genus["id"]});
        assert_eq!(nobody.post(&members, add.clone()).await.status, 403);
        assert_eq!(basic.post(&members, add.clone()).await.status, 201);
        assert_eq!(basic.post(&members, add).await.status, 400);
        let shown = basic.get(&lists).await.json();
        assert_eq!(shown["results"][0]["taxa_count"], 1);
        let listed = staff
            .get(&format!("{TAXA}?taxa_list_id={}", list["id"]))
            .await
            .json();
        assert_eq!(
            names(&listed),
            ["Vanessa", "Vanessa itea"],
            "and those below"
        );
        let others = staff
            .get(&format!("{TAXA}?not_taxa_list_id={}", list["id"]))
            .await
            .json();
        assert_eq!(names(&others), ["Musca"]);
        let member = format!("{LISTS}{}/taxa/{}/", list["id"], genus["id"]);
        assert_eq!(basic.send(Method::DELETE, &member, None).await.status, 204);
        assert_eq!(basic.send(Method::DELETE, &member, None).await.status, 404);

        let tags = "/api/v2/tags/";
        let new = json!({"name": "T", "project_id": project.id});
        assert_eq!(basic.post(tags, new.clone()).await.status, 403);
        let tag = staff.post(tags, new).await;
        assert_eq!(tag.status, 201, "{}", tag.text);
        let tag = tag.json();
        let assign = format!("{TAXA}{}/assign_tags/", genus["id"]);
        let ids = json!({"tag_ids": [tag["id"]]});
        assert_eq!(basic.post(&assign, ids.clone()).await.status, 403);
        assert_eq!(staff.post(&assign, ids).await.status, 200);
        let unknown = staff.post(&assign, json!({"tag_ids": [9999]})).await;
        assert_eq!(unknown.status, 400);
        let tagged = staff
            .get(&format!("{TAXA}?tag_id={}", tag["id"]))
            .await
            .json();
        assert_eq!(
            tagged["results"][0]["tags"],
            json!([{"id": tag["id"], "name": "T"}])
        );
        let list = app
            .anonymous()
            .get(&format!("{tags}?project_id={}", project.id))
            .await
            .json();
        assert_eq!(list["results"][0]["name"], "T");
        let one = format!("{tags}{}/", tag["id"]);
        assert_eq!(
            patch(&staff, &one, json!({"name": "U"})).await.json()["name"],
            "U"
        );
        assert_eq!(staff.send(Method::DELETE, &one, None).await.status, 204);
    }
}
