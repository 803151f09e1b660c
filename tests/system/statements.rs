//! Lists cost the same number of statements whatever they show: each is asked for two rows and
//! then for twenty. A list that nobody fills here fails the test, so a new one is not forgotten.

use domain::permission::Permit;
use domain::permission::Role;
use store::job::NewJob;
use store::page::PageChange;
use store::place::PlaceKind;
use store::project::{NewProject, Project};
use store::testing;
use store::user::NewUser;

use crate::app::TestApp;

/// Lists that are still to be filled here.
const TO_COME: &[&str] = &[
    "/captures",
    "/events",
    "/detections",
    "/classifications",
    "/projects/{id}/pipelines",
];

/// Adds so many rows to every list.
async fn fill(app: &TestApp, project: &Project, me: i64, from: usize, to: usize) {
    let store = &app.store;
    for n in from..to {
        let user = store.create_user(NewUser {
            email: format!("person{n}@example.org"),
            password: "secret".to_owned(),
            ..Default::default()
        });
        let user = user.await.unwrap();
        let config = serde_json::json!({
            "name": format!("Pipeline {n}"), "slug": format!("pipeline-{n}"), "version": 1,
            "algorithms": [{"name": format!("Boxes {n}"), "key": format!("boxes-{n}"),
                            "task_type": "detection"}],
        });
        let configs = [serde_json::from_value(config).unwrap()];
        let service = format!("Service {n}");
        let made = store.register_pull_service(project.id, &service, &configs, true);
        made.await.unwrap();
        store
            .add_member(Permit::BY_PROGRAM, project.id, user.id, Role::BasicMember)
            .await
            .unwrap();
        store.create_token(me, &format!("token {n}")).await.unwrap();
        let other = NewProject {
            name: format!("Project {n}"),
            owner_id: Some(user.id),
            ..Default::default()
        };
        let other = store.create_project(other).await.unwrap();
        for kind in [PlaceKind::Site, PlaceKind::Device] {
            let name = format!("Place {n}");
            store
                .create_place(Permit::BY_PROGRAM, kind, other.id, &name, "")
                .await
                .unwrap();
        }
        let page = PageChange {
            name: Some(format!("Page {n}")),
            slug: Some(format!("page-{n}")),
            ..Default::default()
        };
        store.create_written_page(page).await.unwrap();
        // Each job of another project, with another station.
        let station = app.station(&other).await;
        let job = NewJob {
            name: format!("Job {n}"),
            project_id: other.id,
            kind: domain::job::REGROUP,
            station_id: Some(station.id),
            created_by_id: Some(user.id),
            ..Default::default()
        };
        store.create_job(job).await.unwrap();
    }
}

#[tokio::test]
async fn a_list_costs_the_same_for_twenty_rows_as_for_two() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let me = app.store.user_by_email("super@example.org").await.unwrap();
        let me = me.unwrap().id;
        let project = app.project("Moths", false).await;
        let lists: Vec<String> = web::addresses()
            .filter(|(_, allow)| *allow == "GET, POST, HEAD, OPTIONS")
            .filter(|(path, _)| !TO_COME.iter().any(|start| path.starts_with(start)))
            .map(|(path, _)| format!("/api/v2{path}/").replace("{id}", &project.id.to_string()))
            .collect();
        let mut costs = Vec::new();
        fill(&app, &project, me, 0, 2).await;
        for rows in [2, 20] {
            if rows == 20 {
                fill(&app, &project, me, 2, 20).await;
            }
            // The first request also notes that the token is used.
            admin.get("/api/v2/users/me/").await;
            for list in &lists {
                let before = fresh.statements();
                let answer = admin.get(&format!("{list}?limit={rows}")).await;
                let cost = fresh.statements() - before;
                let shown = answer.json()["results"].as_array().map(Vec::len);
                assert_eq!(shown, Some(rows), "`fill` has too few rows for {list}");
                costs.push((rows, list.clone(), cost));
            }
        }
        let (two, twenty) = costs.split_at(lists.len());
        for ((_, list, few), (_, _, many)) in two.iter().zip(twenty) {
            assert!(*few > 0, "{list} asks the database");
            assert_eq!(few, many, "statements of {list} for 2 and for 20 rows");
        }
    }
}
