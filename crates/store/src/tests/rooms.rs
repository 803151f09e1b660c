//! What pages about processing, people and the server read and change: the history of services,
//! where images are, how a project uses a pipeline, rights, tokens of workers.

use chrono::Duration;
use domain::job::DispatchMode;
use domain::permission::Permit;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::json;

use super::jobs::world::{World, lease};
use super::project;
use crate::entity::{job, service_check};
use crate::job::NewJob;
use crate::pipeline::used::UseChange;
use crate::service::check::{Answered, CHECK_DAYS, CHECK_SLOT};
use crate::testing::fresh;
use crate::user::{NewUser, Rights, User};
use crate::{Store, StoreError, now};

#[tokio::test]
async fn a_service_has_a_bounded_history() {
    for db in fresh().await {
        let store = &db.store;
        let home = project(store).await;
        let service = store
            .put_service(home.id, "Pushed", "", Some("http://127.0.0.1:1/"))
            .await
            .unwrap();
        let pulls = store.put_service(home.id, "Pulls", "", None).await.unwrap();
        let slot = |ago: i64| (now().timestamp() - ago).div_euclid(CHECK_SLOT) * CHECK_SLOT;
        let old = service_check::ActiveModel {
            service_id: Set(service.id),
            slot: Set(slot((CHECK_DAYS + 1) * 86_400)),
            answered: Set(1),
            failed: Set(0),
            latency: Set(None),
        };
        service_check::Entity::insert(old)
            .exec_without_returning(&store.db)
            .await
            .unwrap();
        for (live, latency) in [(true, 0.5), (false, 8.0), (true, 0.25)] {
            store.service_seen(service.id, live, latency).await.unwrap();
        }
        // A service that is gone leaves nothing behind.
        store.service_seen(99_999, true, 0.1).await.unwrap();
        // It was never heard of: there is nothing to note.
        store.note_pull_services().await.unwrap();
        let rows = service_check::Entity::find().all(&store.db).await.unwrap();
        assert!(rows.len() <= 2, "one slot, or two at its edge: {rows:?}");
        assert!(rows.iter().all(|row| row.service_id == service.id));
        let last = rows.iter().max_by_key(|row| row.slot).unwrap();
        assert_eq!(last.latency, Some(0.25));
        let both = [service.id, pulls.id];
        let history = async |seconds| store.service_history(&both, seconds).await.unwrap();
        let sum = |parts: &[Answered]| {
            let pairs = parts.iter().map(|part| (part.answered, part.failed));
            pairs.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
        };
        let all = history(CHECK_SLOT).await;
        let mine = &all[&service.id];
        assert_eq!(sum(mine), (2, 1));
        let silent = mine.iter().filter_map(|part| part.silent).max().unwrap();
        assert!(rows.iter().any(|row| row.slot == silent && row.failed == 1));
        assert!(!all.contains_key(&pulls.id));
        // However many slots there are, a long part is one row, with the last silence in it.
        let before = service_check::ActiveModel {
            service_id: Set(service.id),
            slot: Set(slot(3600)),
            answered: Set(3),
            failed: Set(4),
            latency: Set(None),
        };
        service_check::Entity::insert(before)
            .exec_without_returning(&store.db)
            .await
            .unwrap();
        let all = history(1_000_000_000_000).await;
        let whole = Answered {
            part: 0,
            answered: 5,
            failed: 5,
            silent: Some(silent),
        };
        assert_eq!(all[&service.id], [whole]);
        let heard = crate::service::Heard::Project(home.id);
        store.pull_services_seen(heard).await.unwrap();
        store.note_pull_services().await.unwrap();
        assert_eq!(history(CHECK_SLOT).await[&pulls.id][0].answered, 1);
    }
}

#[tokio::test]
async fn images_are_told_apart_by_whose_hands_they_are_in() {
    for db in fresh().await {
        let store = &db.store;
        let world = World::new(store, 7).await;
        let new = NewJob {
            dispatch_mode: Some(DispatchMode::AsyncApi),
            ..world.new_job()
        };
        let (job, fence) = world.claimed(new).await;
        let ids = world.captures().await;
        store.feed_page(&fence, &ids, ids[6]).await.unwrap();
        store.feed_end(&fence, true).await.unwrap();
        // One was given back after its only hand-out, two are held.
        let held = store
            .lease_tickets(job.id, lease(1, Duration::hours(1)))
            .await
            .unwrap();
        let back = [held.images[0].capture];
        let given = store.return_tickets(job.id, job.generation, &back, Duration::zero());
        given.await.unwrap();
        let two = crate::ticket::Terms {
            max_deliveries: Some(1),
            ..lease(2, Duration::hours(1))
        };
        let two = store.lease_tickets(job.id, two).await.unwrap();
        assert_eq!(two.images.len(), 2);
        let jobs = store
            .jobs_at_work(Some(world.project.id), 10)
            .await
            .unwrap();
        assert_eq!(jobs.len(), 1);
        let counts = store.counts(&jobs).await.unwrap();
        let depth = async |most: i32| {
            let all = store.hands(&jobs, &counts, |_| most).await.unwrap();
            let depth = all[&job.id];
            (depth.waiting, depth.leased, depth.dead)
        };
        assert_eq!(depth(1).await, (4, 2, 1));
        assert_eq!(depth(2).await, (5, 2, 0), "it waits to be handed out again");
        assert!(store.jobs_at_work(Some(0), 10).await.unwrap().is_empty());
        assert_eq!(store.jobs_at_work(None, 10).await.unwrap().len(), 1);
        store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        assert!(store.jobs_at_work(None, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_waits_in_a_project_is_not_hidden_by_others() {
    for db in fresh().await {
        let store = &db.store;
        let world = World::new(store, 1).await;
        let mine = NewJob {
            start_now: true,
            ..world.new_job()
        };
        let mine = store.create_job(mine).await.unwrap();
        // More of another project than are looked through, and newer ones.
        let other = project(store).await;
        let row = job::Entity::find_by_id(mine.id).one(&store.db).await;
        let row = row.unwrap().unwrap();
        let many = (0..2001).map(|_| {
            let mut copy = row.clone().into_active_model();
            copy.id = NotSet;
            copy.project_id = Set(other.id);
            copy.created_at = Set(now());
            copy
        });
        let many: Vec<job::ActiveModel> = many.collect();
        for some in many.chunks(500) {
            job::Entity::insert_many(some.to_vec())
                .exec_without_returning(&store.db)
                .await
                .unwrap();
        }
        let home = world.project.id;
        let found = store.jobs_at_work(Some(home), 10).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, mine.id);
        assert_eq!(store.count_at_work(home).await.unwrap(), 1);
        assert_eq!(store.count_at_work(other.id).await.unwrap(), 2001);
        let (some, all) = store.jobs_to_steer(other.id, false, 5).await.unwrap();
        assert_eq!((some.len(), all), (5, 2001));
        let pause = store.pause_job(Permit::BY_PROGRAM, some[0].id, true);
        pause.await.unwrap();
        assert_eq!(
            store.jobs_to_steer(other.id, false, 1).await.unwrap().1,
            2000
        );
        let (held, one) = store.jobs_to_steer(other.id, true, 5).await.unwrap();
        assert_eq!((held[0].id, one), (some[0].id, 1));
        job::Entity::delete_many()
            .filter(job::Column::ProjectId.eq(other.id))
            .exec(&store.db)
            .await
            .unwrap();
        store.cancel_job(Permit::BY_PROGRAM, mine.id).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_caretaker_did_is_kept_with_its_jobs() {
    for db in fresh().await {
        let store = &db.store;
        let world = World::new(store, 1).await;
        let (job, _) = world.claimed(world.new_job()).await;
        assert_eq!(store.runners().await.unwrap()[0].name, "runner");
        assert!(
            store
                .happened_last(&["rescued"], 10)
                .await
                .unwrap()
                .is_empty()
        );
        let rescued = store.rescue_jobs(Duration::seconds(-1)).await.unwrap();
        assert_eq!(rescued.len(), 1);
        let last = store.happened_last(&["rescued", "handed_back"], 10).await;
        let last = last.unwrap();
        assert_eq!((last.len(), last[0].job.id), (1, job.id));
        assert!(store.runners().await.unwrap().is_empty());
        store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_project_uses_a_pipeline_in_its_own_way() {
    for db in fresh().await {
        let store = &db.store;
        let world = World::new(store, 1).await;
        let (project, pipeline) = (world.project.id, world.pipeline);
        let used = store.used_pipelines(project).await.unwrap();
        assert!(used[0].1.enabled && used[0].0.id == pipeline);
        let settings = json!({"lease_seconds": 60}).as_object().cloned();
        let change = UseChange {
            enabled: Some(false),
            config: settings,
        };
        let permit = Permit::BY_PROGRAM;
        store
            .change_use(permit, project, pipeline, change)
            .await
            .unwrap();
        // What is not named stays.
        let nothing = UseChange::default();
        let permit = Permit::BY_PROGRAM;
        store
            .change_use(permit, project, pipeline, nothing)
            .await
            .unwrap();
        let used = store.used_pipelines(project).await.unwrap();
        assert!(!used[0].1.enabled);
        assert_eq!(used[0].1.config, json!({"lease_seconds": 60}));
        let elsewhere = store.change_use(Permit::BY_PROGRAM, 0, pipeline, UseChange::default());
        assert!(matches!(elsewhere.await, Err(StoreError::NotFound(_))));
    }
}

async fn user(store: &Store, email: &str, is_superuser: bool) -> User {
    let new = NewUser {
        email: email.to_owned(),
        password: "pass word".to_owned(),
        name: "Ann".to_owned(),
        is_superuser,
        ..Default::default()
    };
    store.create_user(new).await.unwrap()
}

#[tokio::test]
async fn the_last_superuser_stays() {
    for db in fresh().await {
        let store = &db.store;
        let ann = user(store, "ann@example.org", true).await;
        let bob = user(store, "bob@example.org", false).await;
        let secret = store.start_login(bob.id).await.unwrap();
        let locked = Rights {
            active: Some(false),
            ..Default::default()
        };
        let plain = Rights {
            superuser: Some(false),
            ..Default::default()
        };
        for rights in [locked, plain] {
            let done = store.set_rights(ann.id, rights).await;
            assert!(matches!(done, Err(StoreError::Conflict(_))), "{done:?}");
        }
        store.set_rights(bob.id, locked).await.unwrap();
        assert!(store.user_by_login(&secret).await.unwrap().is_none());
        let all = Rights {
            active: Some(true),
            superuser: Some(true),
            staff: Some(true),
        };
        let bob = store.set_rights(bob.id, all).await.unwrap();
        assert!(bob.is_active && bob.is_superuser && bob.is_staff);
        store.set_rights(ann.id, plain).await.unwrap();
        let words = |text: &str| vec![text.to_owned()];
        let found = async |text: &str| store.find_users(&words(text), 10, 0).await.unwrap().1;
        assert_eq!((found("BOB@").await, found("ann").await), (1, 2));
        assert_eq!(found("nobody").await, 0);
    }
}

#[tokio::test]
async fn a_workers_token_names_its_project() {
    for db in fresh().await {
        let store = &db.store;
        let home = project(store).await;
        let ann = user(store, "ann@example.org", false).await;
        let made = store.make_token_for(ann.id, "gpu", Some(home.id)).await;
        let (token, text) = made.unwrap();
        assert_eq!(token.works_for, Some(home.id));
        let found = store.user_by_token(&text).await.unwrap().unwrap();
        assert_eq!((found.0.id, found.1), (ann.id, Some(home.id)));
        let (_, text) = store.make_token(ann.id, "laptop").await.unwrap();
        assert_eq!(store.user_by_token(&text).await.unwrap().unwrap().1, None);
        assert!(store.size().await.unwrap() > 0);
    }
}
