//! `/api/v2/deployments/sites/` and `…/devices/`.

use domain::permission::Permit;
use domain::permission::Role;
use reqwest::Method;
use serde_json::json;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn sites_and_devices_are_made_shown_edited_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        for (path, model) in [
            ("/api/v2/deployments/sites/", "site"),
            ("/api/v2/deployments/devices/", "device"),
        ] {
            let new = json!({"name": "North", "description": "d", "project": project.id});
            assert_eq!(app.anonymous().post(path, new.clone()).await.status, 401);
            assert_eq!(basic.post(path, new.clone()).await.status, 403);
            let empty = manager.post(path, json!({})).await;
            let missing = json!(["This field is required."]);
            assert_eq!(empty.json(), json!({"name": missing, "project": missing}));
            let made = manager.post(path, new).await;
            assert_eq!(made.status, 201, "{model}: {}", made.text);
            let made = made.json();
            assert_eq!(made.get("boundary_rect").is_some(), model == "site");
            let one = format!("{path}{}/", made["id"]);
            assert_eq!(app.anonymous().get(&one).await.json()["name"], "North");
            let renamed = manager
                .send(
                    Method::PATCH,
                    &one,
                    Some(json!({"name": "South"}).to_string()),
                )
                .await;
            assert_eq!(
                (&renamed.json()["name"], &renamed.json()["description"]),
                (&json!("South"), &json!("d"))
            );
            let moved = json!({"name": "x", "project": draft.id}).to_string();
            assert_eq!(
                manager.send(Method::PUT, &one, Some(moved)).await.status,
                400
            );
            let list = manager
                .get(&format!("{path}?project_id={}", project.id))
                .await
                .json();
            assert_eq!(
                (&list["count"], &list["user_permissions"]),
                (&json!(1), &json!(["create"]))
            );
            let hidden = app
                .superuser()
                .await
                .post(path, json!({"name": "h", "project": draft.id}))
                .await
                .json();
            assert_eq!(
                manager
                    .get(&format!("{path}{}/", hidden["id"]))
                    .await
                    .status,
                404
            );
            assert_eq!(
                manager.get(path).await.json()["count"],
                1,
                "those of drafts are hidden"
            );
            assert_eq!(basic.send(Method::DELETE, &one, None).await.status, 403);
            assert_eq!(manager.send(Method::DELETE, &one, None).await.status, 204);
            assert_eq!(manager.get(&one).await.status, 404);
        }
    }
}

#[tokio::test]
async fn a_site_reaches_as_far_as_its_stations() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let kind = store::place::PlaceKind::Site;
        let site = app
            .store
            .create_place(Permit::BY_PROGRAM, kind, project.id, "North", "");
        let site = site.await.unwrap();
        let one = format!("/api/v2/deployments/sites/{}/", site.id);
        let shown = app.anonymous().get(&one).await.json();
        assert_eq!(shown["boundary_rect"], json!(null), "no station yet");
        for (latitude, longitude) in [(0.0, 0.0), (45.0, -123.0)] {
            let new = store::station::NewStation {
                project_id: project.id,
                name: "Station".to_owned(),
                latitude: Some(latitude),
                longitude: Some(longitude),
                more: store::station::StationChange {
                    site_id: Some(Some(site.id)),
                    ..Default::default()
                },
                ..Default::default()
            };
            app.store.create_station(new).await.unwrap();
        }
        let corners = json!([0.0, -123.0, 45.0, 0.0]);
        assert_eq!(
            app.anonymous().get(&one).await.json()["boundary_rect"],
            corners
        );
        let list = app
            .anonymous()
            .get("/api/v2/deployments/sites/")
            .await
            .json();
        assert_eq!(list["results"][0]["boundary_rect"], corners);
    }
}
