//! People of a project, and one's own name and password.

use domain::permission::Role;
use store::testing;
use store::user::NewUser;

use super::Visitor;
use crate::app::TestApp;

#[tokio::test]
async fn members_come_change_and_go() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let here = format!("/projects/{}/people", project.id);
        assert_eq!(Visitor::nobody(&app).get(&here).await.status, 401);
        let basic = Visitor::member(&app, &project, Role::BasicMember).await;
        let page = basic.get(&here).await;
        page.has(&[
            "basicmember@example.org",
            "(you)",
            "Leave…",
            "What roles allow",
        ]);
        page.lacks(&["Add a member", "Change</button>", "Remove…"]);
        let new = NewUser {
            email: "ann@example.org".to_owned(),
            password: "pass word".to_owned(),
            name: "Ann".to_owned(),
            ..Default::default()
        };
        let ann = app.store.create_user(new).await.unwrap();
        let form = [("email", "ann@example.org"), ("role_id", "Identifier")];
        assert_eq!(basic.post(&here, &form).await.status, 403);

        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        manager.get(&here).await.has(&["Add a member", "Remove…"]);
        let page = manager
            .post(
                &here,
                &[("email", "no@example.org"), ("role_id", "Identifier")],
            )
            .await;
        page.has(&[
            "User does not exist in the system.",
            "no@example.org",
            "menu\" open",
        ]);
        manager
            .post(&here, &form)
            .await
            .done("ann@example.org is a member now: Identifier.");
        let page = manager.post(&here, &form).await;
        page.has(&["already a member"]);
        let (members, _) = app.store.members(project.id, 50, 0).await.unwrap();
        let row = members
            .iter()
            .find(|(_, user)| user.id == ann.id)
            .unwrap()
            .0
            .id;
        let one = format!("{here}/{row}");
        let role = [("role_id", "Researcher")];
        assert_eq!(basic.post(&format!("{one}/role"), &role).await.status, 403);
        manager
            .post(&format!("{one}/role"), &role)
            .await
            .done("Ann has the role Researcher now.");
        let wrong = manager
            .post(&format!("{one}/role"), &[("role_id", "King")])
            .await;
        wrong.done("Invalid role_id");
        manager
            .post(&format!("{one}/remove"), &[])
            .await
            .done("Ann is no member any more.");
        assert_eq!(
            manager.post(&format!("{one}/remove"), &[]).await.status,
            404
        );
        let mine = members
            .iter()
            .find(|(_, user)| user.email.starts_with("basic"))
            .unwrap();
        let left = basic
            .post(&format!("{here}/{}/remove", mine.0.id), &[])
            .await;
        left.done("You are no member of Moths any more.");
        assert_eq!(left.on_to.as_deref(), Some("/"));
        assert_eq!(basic.get(&here).await.status, 403);
    }
}

#[tokio::test]
async fn a_person_changes_name_and_password() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let basic = Visitor::member(&app, &project, Role::BasicMember).await;
        basic
            .post("/me", &[("name", "Berta")])
            .await
            .done("Your name was changed.");
        basic.get("/me").await.has(&["Berta"]);
        let long = "x".repeat(256);
        basic
            .post("/me", &[("name", long.as_str())])
            .await
            .has(&["no more than 255 characters"]);
        let form = |now: &'static str, new: &'static str, again: &'static str| {
            [
                ("current_password", now),
                ("new_password", new),
                ("again", again),
            ]
        };
        let page = basic
            .post("/me/password", &form("secret", "moths at night", "moths"))
            .await;
        page.has(&["The two new passwords are not the same."]);
        page.lacks(&["moths at night"]);
        let page = basic
            .post("/me/password", &form("secret", "short", "short"))
            .await;
        page.has(&["This password is too short"]);
        let page = basic
            .post(
                "/me/password",
                &form("wrong", "moths at night", "moths at night"),
            )
            .await;
        page.has(&["Invalid password."]);
        let done = basic
            .post(
                "/me/password",
                &form("secret", "moths at night", "moths at night"),
            )
            .await;
        done.done("Your password was changed");
        let email = "basicmember@example.org";
        let fits = app
            .store
            .check_login(email, "moths at night")
            .await
            .unwrap();
        assert!(fits.is_some());
        assert!(
            app.store
                .check_login(email, "secret")
                .await
                .unwrap()
                .is_none()
        );
    }
}
