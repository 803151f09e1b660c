//! What people add to the installation by hand, a row of each kind, and what POST answers to it:
//! those answers are no rows of any list, so they are checked where they are made.

use serde_json::{Value, json};
use store::project::Project;

use crate::app::Client;

/// Adds to a project that has captures and occurrences.
pub async fn fill(admin: &Client<'_>, project: &Project) {
    let of = format!("?project_id={}", project.id);
    for (path, new) in [
        (
            "/deployments/sites/",
            json!({"name": "North", "project": project.id}),
        ),
        (
            "/deployments/devices/",
            json!({"name": "Lamp", "project": project.id}),
        ),
        (
            "/pages/",
            json!({"name": "About", "slug": "about", "content": "Moths", "published": true}),
        ),
        (
            "/jobs/",
            json!({"name": "Waits", "delay": 3, "project_id": project.id, "limit": 2}),
        ),
    ] {
        made(admin, path, "", new).await;
    }
    let service = json!({"name": "Off", "endpoint_url": "http://127.0.0.1:1/"});
    made(admin, "/ml/processing_services/", &of, service).await;
    let pulls = json!({"name": "Pulls"});
    made(admin, "/ml/processing_services/", &of, pulls).await;
    taxa(admin, project, &of).await;
    for format in ["occurrences_simple_csv", "occurrences_api_json"] {
        let export = json!({"project": project.id, "format": format});
        made(admin, "/exports/", "", export).await;
    }
    schedule(admin, project).await;
    webhook(admin, project).await;
    let none = json!({"project": project.id, "format": "occurrences_simple_csv",
        "filters": {"collection_id": 99_999}});
    post(admin, "/exports/", "/exports/", none, 400).await;
}

async fn schedule(admin: &Client<'_>, project: &Project) {
    let steps = json!([{"job_type_key": "regroup_events"}]);
    let new = json!({"name": "Night", "project": project.id, "cron": "0 6 * * *", "steps": steps});
    let night = made(admin, "/schedules/", "", new).await;
    for act in ["run", "pause", "resume"] {
        let path = format!("/schedules/{}/{act}/", night["id"]);
        let template = format!("/schedules/{{id}}/{act}/");
        post(admin, &template, &path, json!({}), 200).await;
    }
    let wrong = json!({"name": "Night", "project": project.id, "cron": "x", "steps": []});
    post(admin, "/schedules/", "/schedules/", wrong, 400).await;
}

async fn webhook(admin: &Client<'_>, project: &Project) {
    let new = json!({"name": "Lab", "project": project.id, "target": "http://127.0.0.1:1/"});
    let lab = made(admin, "/webhooks/", "", new).await;
    let (path, template) = (format!("/webhooks/{}/", lab["id"]), "/webhooks/{id}/");
    let (of, at) = (format!("{template}test/"), format!("{path}test/"));
    let test = post(admin, &of, &at, json!({}), 200).await;
    assert_eq!(test["state"], "failed");
    let again = format!("{path}deliveries/{}/redeliver/", test["id"]);
    let template = format!("{template}deliveries/{{delivery}}/redeliver/");
    post(admin, &template, &again, json!({}), 200).await;
    let wrong = json!({"name": "Lab", "project": project.id, "target": "x", "events": []});
    post(admin, "/webhooks/", "/webhooks/", wrong, 400).await;
}

async fn taxa(admin: &Client<'_>, project: &Project, of: &str) {
    let order = json!({"name": "Lepidoptera", "rank": "ORDER", "parent_id": null});
    let order = made(admin, "/taxa/", of, order).await["id"].clone();
    let species = json!({"name": "Vanessa itea", "rank": "SPECIES", "parent_id": order});
    let species = made(admin, "/taxa/", of, species).await["id"].clone();
    let list = made(admin, "/taxa/lists/", of, json!({"name": "Seen here"})).await;
    let path = format!("/taxa/lists/{}/taxa/", list["id"]);
    let new = json!({"taxon_id": species});
    post(admin, "/taxa/lists/{id}/taxa/", &path, new, 201).await;
    let tag = json!({"name": "pest", "project_id": project.id, "taxa_ids": [order]});
    let tag = made(admin, "/tags/", "", tag).await;
    let path = format!("/taxa/{species}/assign_tags/");
    let tags = json!({"tag_ids": [tag["id"]]});
    post(admin, "/taxa/{id}/assign_tags/", &path, tags, 200).await;
    identified(admin, of, &species).await;
}

/// One that stands, one that is taken back, and several at once.
async fn identified(admin: &Client<'_>, of: &str, taxon: &Value) {
    let seen = admin.get(&format!("/api/v2/occurrences/{of}")).await.json();
    let seen = seen["results"].as_array().unwrap();
    assert!(seen.len() > 3, "the detector finds enough");
    for occurrence in &seen[..2] {
        let new = json!({"occurrence_id": occurrence["id"], "taxon_id": taxon});
        let said = made(admin, "/identifications/", "", new).await;
        if occurrence == &seen[1] {
            let path = format!("/api/v2/identifications/{}/", said["id"]);
            let back = admin.patch(&path, json!({"withdrawn": true})).await;
            assert_eq!(back.status, 200, "{}", back.text);
        }
    }
    let many = json!({"identifications": [
        {"occurrence_id": seen[2]["id"], "taxon_id": taxon},
        {"occurrence_id": seen[3]["id"], "taxon_id": 99_999},
    ]});
    let path = "/identifications/bulk/";
    let many = post(admin, path, path, many, 200).await;
    assert_eq!(many["created_count"], 1);
}

async fn made(admin: &Client<'_>, path: &str, query: &str, new: Value) -> Value {
    post(admin, path, &format!("{path}{query}"), new, 201).await
}

/// Sends to an address; the answer, which must be one that its template declares.
async fn post(admin: &Client<'_>, template: &str, path: &str, new: Value, status: u16) -> Value {
    let answer = admin.post(&format!("/api/v2{path}"), new).await;
    assert_eq!(answer.status, status, "{path}: {}", answer.text);
    let operation = &web::openapi()["paths"][format!("/api/v2{template}")]["post"];
    if let Err(fault) = super::fits(operation, &answer) {
        panic!("POST {path}: {fault}");
    }
    answer.json()
}
