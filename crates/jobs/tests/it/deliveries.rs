//! What is told about jobs, sent by real processes to a receiver that breaks, is slow, or is not
//! there; and letters through a mail server of the test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::permission::{Permit, Role};
use domain::state::JobState;
use domain::telling::{Channel, Event, Wishes};
use jobs::deliveries::Deliveries;
use jobs::{Runner, Tools};
use store::testing;
use store::user::NewUser;
use store::webhook::{Delivery, DeliveryState, NewWebhook, Webhook};
use telling::testing::MailServer;
use telling::{Mailer, Teller, signature};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::world::{World, good, state};

const SECRET: &str = "sixteen or more characters";

async fn hook(world: &World, channel: Channel, target: &str) -> Webhook {
    let secret = match channel {
        Channel::Webhook => world.tools.links.vault().close(SECRET),
        Channel::Email => String::new(),
    };
    let new = NewWebhook {
        project_id: world.project,
        name: "Hook".to_owned(),
        channel,
        target: target.to_owned(),
        secret,
        wishes: Wishes {
            events: vec![Event::JobEnded],
            only_failures: false,
            minutes: 30,
        },
        enabled: true,
    };
    let made = world.store.create_webhook(Permit::BY_PROGRAM, new).await;
    made.unwrap()
}

/// Answers with each status in turn, and then always with the last.
struct InTurn {
    statuses: Vec<u16>,
    next: AtomicUsize,
}

impl Respond for InTurn {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        ResponseTemplate::new(self.statuses[at.min(self.statuses.len() - 1)])
    }
}

async fn receiver(statuses: &[u16]) -> MockServer {
    let server = MockServer::start().await;
    let answer = InTurn {
        statuses: statuses.to_vec(),
        next: AtomicUsize::new(0),
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn only(world: &World, webhook: &Webhook) -> Delivery {
    let (mut rows, count) = world.store.deliveries(webhook.id, 10, 0).await.unwrap();
    assert_eq!(count, 1);
    rows.remove(0)
}

async fn until(world: &World, webhook: &Webhook, there: impl Fn(&Delivery) -> bool) -> Delivery {
    for _ in 0..6_000 {
        let (rows, _) = world.store.deliveries(webhook.id, 1, 0).await.unwrap();
        if let Some(row) = rows.into_iter().find(|row| there(row)) {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not become so: {:?}", only(world, webhook).await);
}

/// One round of a process that sends; how many deliveries it began.
async fn round(tools: &Tools) -> usize {
    let mut deliveries = Deliveries::new(tools.clone());
    let begun = deliveries.begin().await.unwrap();
    deliveries.all_ended().await;
    begun
}

#[tokio::test]
async fn an_end_is_told_signed_and_again_until_it_is_taken() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3, 3).await;
        world.answers(good).await;
        let receiver = receiver(&[500, 503, 200]).await;
        let hook = hook(&world, Channel::Webhook, &receiver.uri()).await;
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Success);
        for tries in 1..=3 {
            testing::deliveries_due(&world.store).await;
            assert_eq!(round(&world.tools).await, 1, "try {tries}");
            let row = only(&world, &hook).await;
            // The first try may have been the runner's own.
            if row.delivery_state() == DeliveryState::Delivered {
                break;
            }
            assert!(row.reason.is_some() && row.next_at.is_some());
        }
        let row = only(&world, &hook).await;
        assert_eq!(row.delivery_state(), DeliveryState::Delivered);
        assert_eq!((row.attempts, row.status), (3, Some(200)));
        let requests = receiver.received_requests().await.unwrap();
        assert_eq!(requests.len(), 3);
        for request in &requests {
            let header = |name: &str| request.headers[name].to_str().unwrap();
            let body = String::from_utf8(request.body.clone()).unwrap();
            let time = header("x-hawkmoth-timestamp").parse().unwrap();
            let signed = signature(SECRET, time, &body);
            assert_eq!(header("x-hawkmoth-signature"), signed);
            assert_eq!(header("x-hawkmoth-delivery"), row.key);
            assert_eq!(request.body, requests[0].body, "the same each time");
        }
        let body: serde_json::Value = requests[0].body_json().unwrap();
        assert_eq!(
            (&body["event"], &body["delivery"]),
            (&"job.ended".into(), &row.key.into())
        );
        let told = &body["job"];
        assert_eq!(
            (&told["id"], &told["status"]),
            (&job.id.into(), &"SUCCESS".into())
        );
        assert_eq!(told["counts"]["done"], 3);
        let page = format!(
            "http://127.0.0.1:9/projects/{}/jobs/{}",
            world.project, job.id
        );
        assert_eq!(told["url"], page);
    }
}

#[tokio::test]
async fn a_slow_receiver_holds_up_neither_jobs_nor_others() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3, 3).await;
        world.answers(good).await;
        let slow = MockServer::start().await;
        let answer = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
        Mock::given(any()).respond_with(answer).mount(&slow).await;
        let quick = receiver(&[200]).await;
        let first = hook(&world, Channel::Webhook, &slow.uri()).await;
        let second = hook(&world, Channel::Webhook, &quick.uri()).await;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        let mut jobs = Vec::new();
        for _ in 0..3 {
            let job = world.store.create_job(world.ml()).await.unwrap();
            jobs.push(world.until(job.id, |job| job.job_state().is_final()).await);
        }
        until(&world, &second, |row| {
            row.job_id == Some(jobs[2].id) && row.delivery_state() == DeliveryState::Delivered
        })
        .await;
        let waits = world.store.deliveries(first.id, 10, 0).await.unwrap().0;
        assert_eq!(waits.len(), 3);
        assert!(
            waits
                .iter()
                .all(|row| row.delivery_state() == DeliveryState::Waiting)
        );
        // One request at a time waits at the slow one.
        let under_way = |row: &&Delivery| row.attempts > 0 && row.reason.is_none();
        assert!(waits.iter().filter(under_way).count() <= 1, "{waits:?}");
        assert_eq!(quick.received_requests().await.unwrap().len(), 3);
        stop.cancel();
        runner.await.unwrap();
    }
}

#[tokio::test]
async fn who_is_not_there_or_must_not_be_asked_is_said() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1, 1).await;
        world.answers(good).await;
        let gone = hook(&world, Channel::Webhook, "http://127.0.0.1:1/").await;
        let metadata = hook(&world, Channel::Webhook, "http://169.254.169.254/").await;
        let unreadable = hook(&world, Channel::Webhook, "http://127.0.0.1:1/").await;
        let secret = store::webhook::WebhookChange {
            secret: Some(files::Vault::new(&[9; 32]).close(SECRET)),
            ..Default::default()
        };
        let changed = world
            .store
            .change_webhook(Permit::BY_PROGRAM, unreadable.id, secret);
        changed.await.unwrap();
        world.run(world.ml()).await;
        while round(&world.tools).await > 0 {}
        let row = only(&world, &gone).await;
        assert_eq!(row.delivery_state(), DeliveryState::Waiting);
        assert!(row.reason.unwrap().contains("cannot be reached"));
        let row = only(&world, &metadata).await;
        assert_eq!(
            (row.delivery_state(), row.attempts),
            (DeliveryState::Failed, 1)
        );
        assert!(row.reason.unwrap().contains("sends no requests to"));
        let row = only(&world, &unreadable).await;
        assert_eq!(row.delivery_state(), DeliveryState::Failed);
        assert!(row.reason.unwrap().contains("another key"));
    }
}

#[tokio::test]
async fn people_of_the_project_get_a_letter() {
    for fresh in testing::fresh().await {
        let mut world = World::new(&fresh.store, 1, 1).await;
        world.answers(good).await;
        let server = MailServer::start().await;
        let mailer = Mailer::new(&server.url, "Hawkmoth <hawkmoth@moths.example>").unwrap();
        let ann = NewUser {
            email: "ann@example.org".to_owned(),
            password: "secret".to_owned(),
            ..Default::default()
        };
        let ann = world.store.create_user(ann).await.unwrap();
        let (permit, role) = (Permit::BY_PROGRAM, Role::BasicMember);
        let member = world.store.add_member(permit, world.project, ann.id, role);
        member.await.unwrap();
        let letters = hook(&world, Channel::Email, "ann@example.org").await;
        let left = hook(&world, Channel::Email, "bob@example.org").await;
        // Nobody sends letters yet, so they wait.
        let job = world.run(world.ml()).await;
        assert_eq!(round(&world.tools).await, 0);
        assert_eq!(only(&world, &letters).await.attempts, 0);
        let links = world.tools.links.clone();
        world.tools.teller = Teller::new(links, Some(mailer)).unwrap();
        assert_eq!(round(&world.tools).await, 2);
        let row = only(&world, &letters).await;
        assert_eq!(row.delivery_state(), DeliveryState::Delivered, "{row:?}");
        let text = server.heard();
        let page = format!(
            "http://127.0.0.1:9/projects/{}/jobs/{}",
            world.project, job.id
        );
        for words in [
            "RCPT TO:<ann@example.org>",
            "has succeeded",
            page.as_str(),
            row.key.as_str(),
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("bob"), "who left is not written to");
        let row = only(&world, &left).await;
        assert_eq!(row.delivery_state(), DeliveryState::Failed);
    }
}
