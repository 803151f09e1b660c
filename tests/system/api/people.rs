//! `/api/v2/users/`: oneself, others, roles, and the end of a token.

use serde_json::json;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn people_see_themselves_and_staff_sees_everybody() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        let basic = app.member(&project, None).await;
        let me = basic.get("/api/v2/users/me/").await.json();
        let keys: Vec<&String> = me.as_object().unwrap().keys().collect();
        let wanted = [
            "id",
            "name",
            "details",
            "image",
            "identifications",
            "email",
            "user_permissions",
        ];
        assert_eq!(keys, wanted);
        assert_eq!(app.anonymous().get("/api/v2/users/me/").await.status, 401);
        assert_eq!(app.anonymous().get("/api/v2/users/").await.status, 401);
        assert_eq!(basic.get("/api/v2/users/").await.json()["count"], 1);
        assert_eq!(admin.get("/api/v2/users/").await.json()["count"], 2);
        let other = admin.get("/api/v2/users/me/").await.json()["id"].clone();
        let other = format!("/api/v2/users/{other}/");
        assert_eq!(basic.get(&other).await.status, 404);
        assert!(admin.get(&other).await.json().get("email").is_none());
        let renamed = basic
            .send(
                reqwest::Method::PATCH,
                "/api/v2/users/me/",
                Some(json!({"name": "Ada", "email": "x@y.z"}).to_string()),
            )
            .await
            .json();
        assert_eq!(
            (&renamed["name"], &renamed["email"]),
            (&json!("Ada"), &json!("nobody@example.org"))
        );
    }
}

#[tokio::test]
async fn staff_makes_people_and_people_change_their_password() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        let basic = app.member(&project, None).await;
        let new = json!({"email": "New@Example.org", "name": "New", "password": "long enough"});
        assert_eq!(basic.post("/api/v2/users/", new.clone()).await.status, 403);
        assert_eq!(
            app.anonymous()
                .post("/api/v2/users/", new.clone())
                .await
                .status,
            401
        );
        assert_eq!(admin.post("/api/v2/users/", new.clone()).await.status, 201);
        let again = admin.post("/api/v2/users/", new).await;
        assert_eq!(
            again.json(),
            json!({"email": ["user with this email address already exists."]})
        );
        let login = |password: &str| json!({"email": "new@example.org", "password": password});
        let path = "/api/v2/auth/token/login/";
        let token = app
            .anonymous()
            .post(path, login("long enough"))
            .await
            .json()["auth_token"]
            .clone();
        let person = app.with_token(token.as_str().unwrap());
        let change =
            |current: &str| json!({"current_password": current, "new_password": "longer still"});
        let path_to_change = "/api/v2/users/set_password/";
        let wrong = person.post(path_to_change, change("bad")).await;
        assert_eq!(
            wrong.json(),
            json!({"current_password": ["Invalid password."]})
        );
        assert_eq!(
            person
                .post(path_to_change, change("long enough"))
                .await
                .status,
            204
        );
        assert_eq!(
            app.anonymous()
                .post(path, login("long enough"))
                .await
                .status,
            400
        );
        let second = app
            .anonymous()
            .post(path, login("longer still"))
            .await
            .json()["auth_token"]
            .clone();
        assert_ne!(token, second, "each login has a token of its own");
        assert_eq!(
            person
                .post("/api/v2/auth/token/logout/", json!({}))
                .await
                .status,
            204
        );
        assert_eq!(person.get("/api/v2/users/me/").await.status, 401);
        let other = app.with_token(second.as_str().unwrap());
        assert_eq!(
            other.get("/api/v2/users/me/").await.status,
            200,
            "the other token lives"
        );
    }
}

#[tokio::test]
async fn the_roles_are_a_bare_list() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let roles = app.anonymous().get("/api/v2/users/roles").await.json();
        let ids: Vec<&str> = roles
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["id"].as_str().unwrap())
            .collect();
        assert_eq!(
            ids,
            [
                "BasicMember",
                "Researcher",
                "Identifier",
                "MLDataManager",
                "ProjectManager"
            ]
        );
    }
}
