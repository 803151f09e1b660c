//! People, tokens, projects and who sees which.

use domain::permission::Permit;
use domain::permission::Role;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};

use super::project;
use crate::entity::{device, project as project_row, site, token};
use crate::project::{NewProject, flag};
use crate::testing::fresh;
use crate::user::{NewUser, User};
use crate::{Store, StoreError, now};

fn person(email: &str) -> NewUser {
    NewUser {
        email: email.to_owned(),
        password: "pass word".to_owned(),
        name: "Ann".to_owned(),
        ..Default::default()
    }
}

async fn user(store: &Store, email: &str) -> User {
    store.create_user(person(email)).await.unwrap()
}

async fn deactivate(store: &Store, user: &User) {
    let mut row = user.clone().into_active_model();
    row.is_active = Set(false);
    row.update(&store.db).await.unwrap();
}

#[tokio::test]
async fn addresses_are_one_in_any_case() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, " Ann@Example.org ").await;
        assert_eq!(ann.email, "ann@example.org");
        let found = store.user_by_email("ANN@example.ORG").await.unwrap();
        assert_eq!(found, Some(ann));
        let again = store.create_user(person("aNN@example.org")).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
        for bad in ["", "ann", "@host", "ann@", "a@b@c", "a b@c"] {
            let made = store.create_user(person(bad)).await;
            assert!(matches!(made, Err(StoreError::Conflict(_))), "{bad:?}");
        }
        let empty = NewUser {
            password: String::new(),
            ..person("bob@example.org")
        };
        assert!(store.create_user(empty).await.is_err());
    }
}

#[tokio::test]
async fn of_two_who_come_at_once_one_gets_the_address() {
    for db in fresh().await {
        let store = &db.store;
        let (a, b) = tokio::join!(
            store.create_user(person("ann@example.org")),
            store.create_user(person("ann@example.org"))
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
        let loser = a.err().or(b.err()).unwrap();
        assert!(matches!(loser, StoreError::Conflict(_)), "{loser:?}");
    }
}

#[tokio::test]
async fn signing_in() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, "ann@example.org").await;
        assert!(ann.password.starts_with("$argon2id$"));
        let login = async |email: &str, password: &str| {
            let user = store.check_login(email, password).await.unwrap();
            user.map(|u| (u.id, u.last_login_at.is_some()))
        };
        assert_eq!(
            login("Ann@example.org", "pass word").await,
            Some((ann.id, true))
        );
        assert_eq!(login("ann@example.org", "password").await, None);
        assert_eq!(login("ann@example.org", "").await, None);
        assert_eq!(login("nobody@example.org", "pass word").await, None);

        store.set_password(ann.id, "other", None).await.unwrap();
        assert_eq!(login("ann@example.org", "pass word").await, None);
        assert_eq!(
            login("ann@example.org", "other").await,
            Some((ann.id, true))
        );
        assert!(store.set_password(ann.id, "", None).await.is_err());
        let nobody = store.set_password(ann.id + 1, "x", None).await;
        assert!(matches!(nobody, Err(StoreError::NotFound(_))));

        deactivate(store, &ann).await;
        assert_eq!(login("ann@example.org", "other").await, None);
    }
}

#[tokio::test]
async fn tokens_are_stored_as_hashes_and_can_be_withdrawn() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, "ann@example.org").await;
        let text = store.create_token(ann.id, "browser").await.unwrap();
        let other = store.create_token(ann.id, "worker").await.unwrap();
        assert_ne!(text, other);
        assert!(text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()));
        for row in token::Entity::find().all(&store.db).await.unwrap() {
            assert!(row.digest.len() == 64 && !row.digest.contains(&text));
        }
        let holder = async |text: &str| store.user_by_token(text).await.unwrap().map(|(u, _)| u.id);
        assert_eq!(holder(&text).await, Some(ann.id));
        assert_eq!(holder("0123").await, None);
        assert!(store.delete_token(&text).await.unwrap());
        assert!(!store.delete_token(&text).await.unwrap());
        assert_eq!(holder(&text).await, None);
        assert_eq!(holder(&other).await, Some(ann.id));
        deactivate(store, &ann).await;
        assert_eq!(holder(&other).await, None);
    }
}

#[tokio::test]
async fn hashes_of_django_are_replaced_at_login() {
    let hash = "argon2$argon2id$v=19$m=102400,t=2,p=8$czljM1VqWE1WNzNvVXo4Wm1zUmY1Uw$\
                xyPk1Tr0H6wWC/2mNGhVnNPzjOPj6borfHohdMwG4nc";
    for db in fresh().await {
        let store = &db.store;
        let mut row = user(store, "basic@example.org").await.into_active_model();
        row.password = Set(hash.to_owned());
        row.update(&store.db).await.unwrap();
        let login = async |word: &str| store.check_login("basic@example.org", word).await.unwrap();
        let stored = async || {
            let user = store.user_by_email("basic@example.org").await.unwrap();
            user.unwrap().password
        };
        assert!(login("pass-basic-2").await.is_none());
        assert_eq!(stored().await, hash);
        assert!(login("pass-basic-1").await.is_some());
        let renewed = stored().await;
        assert!(renewed.starts_with("$argon2id$"), "{renewed}");
        assert!(login("pass-basic-1").await.is_some());
        assert_eq!(stored().await, renewed);
    }
}

#[tokio::test]
async fn browsers_are_signed_out_by_a_new_password() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, "ann@example.org").await;
        let here = store.start_login(ann.id).await.unwrap();
        let there = store.start_login(ann.id).await.unwrap();
        let token = store.create_token(ann.id, "worker").await.unwrap();
        let signed_in = async |secret: &str| store.user_by_login(secret).await.unwrap().is_some();
        assert!(signed_in(&here).await && signed_in(&there).await);
        assert!(!signed_in(&token).await && !signed_in("").await);
        store
            .set_password(ann.id, "other", Some(&here))
            .await
            .unwrap();
        assert!(signed_in(&here).await && !signed_in(&there).await);
        assert!(store.user_by_token(&token).await.unwrap().is_some());
        assert!(store.end_login(&here).await.unwrap());
        assert!(!store.end_login(&here).await.unwrap());
        assert!(!signed_in(&here).await);
        let last = store.start_login(ann.id).await.unwrap();
        deactivate(store, &ann).await;
        assert!(!signed_in(&last).await);
    }
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, "ann@example.org").await;
        let text = store.create_token(ann.id, "worker").await.unwrap();
        let used = async || {
            let row = token::Entity::find().one(&store.db).await.unwrap().unwrap();
            (row.last_used_at, row)
        };
        store.user_by_token(&text).await.unwrap();
        let (first, row) = used().await;
        assert!(first.is_some());
        for (seconds, written) in [(30, false), (90, true)] {
            let ago = now() - chrono::Duration::seconds(seconds);
            let mut row = row.clone().into_active_model();
            row.last_used_at = Set(Some(ago));
            row.update(&store.db).await.unwrap();
            store.user_by_token(&text).await.unwrap();
            assert_eq!(used().await.0 != Some(ago), written, "{seconds}");
        }
    }
}

#[tokio::test]
async fn a_superuser_counts_only_while_active() {
    for db in fresh().await {
        let store = &db.store;
        user(store, "ann@example.org").await;
        assert!(!store.superuser_exists().await.unwrap());
        let root = NewUser {
            is_superuser: true,
            ..person("root@example.org")
        };
        let root = store.create_user(root).await.unwrap();
        assert!(store.superuser_exists().await.unwrap());
        deactivate(store, &root).await;
        assert!(!store.superuser_exists().await.unwrap());
    }
}

#[tokio::test]
async fn a_project_comes_with_what_it_needs() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, "ann@example.org").await;
        let new = NewProject {
            name: "Moths".to_owned(),
            owner_id: Some(ann.id),
            with_defaults: true,
            ..Default::default()
        };
        let made = store.create_project(new).await.unwrap();
        assert_eq!(store.project(made.id).await.unwrap(), made);
        assert_eq!(
            store.project_by_name("Moths", ann.id).await.unwrap(),
            Some(made.clone())
        );
        assert_eq!(
            (made.session_time_gap_seconds, made.score_threshold),
            (7200, 0.5)
        );
        assert!(made.active && !made.draft && made.priority == 1);
        let set = store
            .capture_set_by_name(made.id, "All Images")
            .await
            .unwrap();
        assert_eq!(set.unwrap().method, "full");
        let roles = store.roles_of(ann.id).await.unwrap();
        assert_eq!(roles, [(made.id, Role::ProjectManager)]);
        let stations = store.stations(made.id).await.unwrap();
        assert_eq!(stations.len(), 1);
        let station = &stations[0];
        assert_eq!(station.name, "Default Station");
        assert_eq!(
            (station.latitude, station.longitude),
            (Some(0.0), Some(0.0))
        );
        assert!(station.site_id.is_some() && station.device_id.is_some());

        let bare = project(store).await;
        assert!(store.stations(bare.id).await.unwrap().is_empty());
        assert_eq!(device::Entity::find().count(&store.db).await.unwrap(), 1);
        assert_eq!(site::Entity::find().count(&store.db).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn switches_have_defaults_and_can_be_set() {
    for db in fresh().await {
        let store = &db.store;
        let mut project = project(store).await;
        assert!(flag(&project, "async_pipeline_workers"));
        assert!(!flag(&project, "reprocess_all_images"));
        assert!(!flag(&project, "no such switch"));
        project.feature_flags = serde_json::json!({"tags": "yes"});
        assert!(
            flag(&project, "async_pipeline_workers"),
            "not set: the default"
        );
        assert!(!flag(&project, "tags"), "not a boolean: the default");
        store
            .set_flag(project.id, "reprocess_all_images", true)
            .await
            .unwrap();
        let project = store.project(project.id).await.unwrap();
        assert!(flag(&project, "reprocess_all_images") && flag(&project, "async_pipeline_workers"));
    }
}

#[tokio::test]
async fn who_sees_which_project() {
    for db in fresh().await {
        let store = &db.store;
        let owner = user(store, "owner@example.org").await;
        let member = user(store, "member@example.org").await;
        let stranger = user(store, "stranger@example.org").await;
        let make = async |name: &str, draft: bool| {
            let new = NewProject {
                name: name.to_owned(),
                owner_id: Some(owner.id),
                draft,
                ..Default::default()
            };
            store.create_project(new).await.unwrap()
        };
        let (open, draft, closed) = (
            make("open", false).await,
            make("draft", true).await,
            make("closed", false).await,
        );
        let mut row = closed.into_active_model();
        row.active = Set(false);
        let closed: project_row::Model = row.update(&store.db).await.unwrap();
        for project in [&draft, &closed] {
            store
                .set_role(project.id, member.id, Role::Researcher)
                .await
                .unwrap();
            store
                .set_role(project.id, member.id, Role::Identifier)
                .await
                .unwrap();
        }
        assert_eq!(
            store.roles_of(member.id).await.unwrap(),
            [(draft.id, Role::Identifier), (closed.id, Role::Identifier)]
        );
        let seen = async |user: Option<&User>| {
            let ids = store.visible_projects(user).await.unwrap();
            ids.map(|mut ids| {
                ids.sort_unstable();
                ids
            })
        };
        assert_eq!(seen(None).await, Some(vec![open.id]));
        assert_eq!(seen(Some(&stranger)).await, Some(vec![open.id]));
        assert_eq!(seen(Some(&member)).await, Some(vec![open.id, draft.id]));
        assert_eq!(seen(Some(&owner)).await, Some(vec![open.id, draft.id]));
        let root = User {
            is_superuser: true,
            ..stranger.clone()
        };
        assert_eq!(seen(Some(&root)).await, None);

        let facts = store.project_facts(&draft, Some(&member)).await.unwrap();
        assert_eq!((facts.draft, facts.owner), (true, Some(owner.id)));
        assert_eq!(facts.role, Some(Role::Identifier));
        assert_eq!(
            store
                .project_facts(&draft, Some(&stranger))
                .await
                .unwrap()
                .role,
            None
        );
        assert_eq!(store.project_facts(&draft, None).await.unwrap().role, None);
    }
}

#[tokio::test]
async fn a_deleted_project_takes_its_rows_along() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let station = super::station(store, &project).await;
        store
            .upsert_captures(&station, &[super::photo("a.jpg", None)])
            .await
            .unwrap();
        store
            .delete_project(Permit::BY_PROGRAM, project.id)
            .await
            .unwrap();
        assert!(store.station(station.id).await.is_err());
        assert!(super::all(store, &station).await.is_empty());
        let again = store.delete_project(Permit::BY_PROGRAM, project.id).await;
        assert!(matches!(again, Err(StoreError::NotFound(_))));
    }
}
