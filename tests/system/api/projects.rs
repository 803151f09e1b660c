//! `/api/v2/projects/` and their members.

use domain::permission::Role;
use reqwest::Method;
use serde_json::json;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn a_project_is_made_shown_edited_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let made = admin
            .post(
                "/api/v2/projects/",
                json!({"name": "Moths", "description": "d"}),
            )
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
        let wanted = [
            "id",
            "name",
            "description",
            "details",
            "deployments_count",
            "created_at",
            "updated_at",
            "image",
            "draft",
            "deployments",
            "owner",
            "feature_flags",
            "settings",
            "is_member",
            "user_permissions",
        ];
        assert_eq!(keys, wanted);
        assert_eq!(made["deployments"][0]["name"], "Default Station");
        let path = format!("/api/v2/projects/{}/", made["id"]);
        let shown = admin.get(&path).await.json();
        assert!(shown.get("summary_data").is_some());
        assert!(
            admin
                .get(&format!("{path}?with_charts=false"))
                .await
                .json()
                .get("summary_data")
                .is_none()
        );
        let patched = admin
            .send(
                Method::PATCH,
                &path,
                Some(json!({"draft": true}).to_string()),
            )
            .await
            .json();
        assert_eq!(
            (&patched["draft"], &patched["name"]),
            (&json!(true), &json!("Moths"))
        );
        assert_eq!(
            app.anonymous().get(&path).await.status,
            404,
            "a draft is hidden"
        );
        assert_eq!(
            app.anonymous().get("/api/v2/projects/").await.json()["count"],
            0
        );
        let bare = admin.send(Method::PUT, &path, Some("{}".to_owned())).await;
        assert_eq!(bare.json(), json!({"name": ["This field is required."]}));
        assert_eq!(admin.send(Method::DELETE, &path, None).await.status, 204);
        assert_eq!(admin.get(&path).await.status, 404);
    }
}

#[tokio::test]
async fn who_may_make_and_edit_projects() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let path = format!("/api/v2/projects/{}/", project.id);
        let new = json!({"name": "x"});
        assert_eq!(
            app.anonymous()
                .post("/api/v2/projects/", new.clone())
                .await
                .status,
            401
        );
        for (role, edit) in [
            (Role::BasicMember, 403),
            (Role::MlDataManager, 403),
            (Role::ProjectManager, 200),
        ] {
            let member = app.member(&project, Some(role)).await;
            assert_eq!(
                member.post("/api/v2/projects/", new.clone()).await.status,
                403
            );
            let answer = member
                .send(
                    Method::PATCH,
                    &path,
                    Some(json!({"description": "e"}).to_string()),
                )
                .await;
            assert_eq!(answer.status.as_u16(), edit, "{role:?}");
            assert_eq!(member.get(&path).await.json()["is_member"], true);
        }
        let member = app.member(&project, Some(Role::BasicMember)).await;
        let me = member.get("/api/v2/users/me/").await.json()["id"].clone();
        assert_eq!(
            member
                .get(&format!("/api/v2/projects/?user_id={me}"))
                .await
                .json()["count"],
            1
        );
        assert_eq!(
            member.get("/api/v2/projects/?user_id=99999").await.status,
            403
        );
        assert_eq!(
            member.get("/api/v2/projects/?user_id=abc").await.status,
            400
        );
    }
}

#[tokio::test]
async fn members_come_get_another_role_and_go() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let person = app.member(&project, None).await;
        let path = format!("/api/v2/projects/{}/members/", project.id);
        let bad = manager
            .post(
                &path,
                json!({"email": "none@example.org", "role_id": "Nope"}),
            )
            .await;
        let words = "Invalid role_id. Must be one of: ['BasicMember', 'Researcher', 'Identifier', 'MLDataManager', 'ProjectManager']";
        assert_eq!(
            bad.json(),
            json!({"email": ["User does not exist in the system."], "role_id": [words]})
        );
        let new = json!({"email": "nobody@example.org", "role_id": "Identifier"});
        let made = manager.post(&path, new.clone()).await;
        assert_eq!(
            (made.status.as_u16(), &made.json()["role"]),
            (201, &json!("Identifier"))
        );
        let again = manager.post(&path, new).await;
        assert_eq!(
            again.json(),
            json!({"non_field_errors": ["User is already a member of this project."]})
        );
        let one = format!("{path}{}/", made.json()["id"]);
        let changed = manager
            .send(
                Method::PATCH,
                &one,
                Some(json!({"role_id": "Researcher"}).to_string()),
            )
            .await;
        assert_eq!(changed.json()["role_display_name"], "Researcher");
        assert_eq!(person.get(&path).await.json()["count"], 2);
        assert_eq!(app.anonymous().get(&path).await.status, 401);
        let refused = person
            .send(
                Method::PATCH,
                &one,
                Some(json!({"role_id": "ProjectManager"}).to_string()),
            )
            .await;
        assert_eq!(refused.status, 403);
        assert_eq!(
            person.send(Method::DELETE, &one, None).await.status,
            204,
            "one may leave"
        );
        assert_eq!(manager.get(&one).await.status, 404);
    }
}
