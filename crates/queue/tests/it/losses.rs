//! What JetStream loses, strands, delivers twice or never: each of these was measured, and each
//! is healed from the database (`queue-measurements.md`, `protocol.md` §3).

use std::time::Duration;

use domain::permission::Permit;
use domain::state::JobState;
use queue::{QueueError, Settle, Streamed, TaskQueue};
use store::testing;

use crate::world::{LONG, Queue, ask, captures, receipts};

/// On each database, beside the server that all tests share.
async fn worlds() -> Vec<(testing::Fresh, Queue)> {
    let Some(url) = testing::nats() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for fresh in testing::fresh().await {
        let world = Queue::new(&fresh.store, &url).await;
        all.push((fresh, world));
    }
    all
}

#[tokio::test]
async fn a_saved_image_is_not_handed_out_again_though_the_stream_has_it() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2, 3]).await;
        let first = world.lease(job.id, 3).await;
        // The acknowledgement is lost, or the server forgets it in a crash.
        world.save(&job, &first[..2], false).await;
        let back = receipts(&first);
        world
            .queue
            .settle(&back, Settle::Nak(Duration::ZERO))
            .await
            .unwrap();
        let again = world.lease(job.id, 3).await;
        assert_eq!(captures(&again), captures(&first[2..]));
        assert_eq!(
            world.depth(job.id).await,
            (0, 1, 0),
            "the saved ones are gone"
        );
        world.save(&job, &again, true).await;
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        world.forget().await;
    }
}

#[tokio::test]
async fn the_last_delivery_fails_by_its_deadline_though_nobody_asks_the_stream() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2]).await;
        let ttl = Duration::from_millis(1);
        for deliveries in [1, 2] {
            let all = world
                .queue
                .lease(job.id, ask(2, Duration::ZERO, Some(9)))
                .await;
            assert!(all.unwrap().iter().all(|l| l.deliveries == deliveries));
        }
        let last = world
            .queue
            .lease(job.id, ask(2, ttl, Some(3)))
            .await
            .unwrap();
        assert_eq!(last.len(), 2);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let dead = world.store.dead_letters(job.id, 3, 9).await.unwrap();
        assert_eq!(dead.len(), 2, "the database knows of both");
        // Nor is one handed out a fourth time, and a late result still counts.
        let more = world
            .queue
            .lease(job.id, ask(2, LONG, Some(3)))
            .await
            .unwrap();
        assert_eq!(more, []);
        world.save(&job, &last, true).await;
        assert!(
            world
                .store
                .dead_letters(job.id, 3, 9)
                .await
                .unwrap()
                .is_empty()
        );
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        world.forget().await;
    }
}

#[tokio::test]
async fn who_has_an_image_for_the_last_time_has_it_alone() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1]).await;
        let last = world
            .queue
            .lease(job.id, ask(1, LONG, Some(1)))
            .await
            .unwrap();
        // The server has forgotten in a crash that it handed it out.
        world
            .queue
            .settle(&receipts(&last), Settle::Nak(Duration::ZERO))
            .await
            .unwrap();
        let captures: Vec<i64> = last.iter().map(|l| l.capture).collect();
        let span = chrono::Duration::minutes(5);
        let held = world
            .store
            .return_tickets(job.id, job.generation, &captures, span);
        held.await.unwrap();
        assert_eq!(world.lease(job.id, 1).await, []);
        let kept = world.queue.extend(&receipts(&last), LONG).await.unwrap();
        assert_eq!(kept, receipts(&last));
        world.forget().await;
    }
}

#[tokio::test]
async fn what_the_stream_has_lost_is_sent_again_until_it_fails() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2, 3]).await;
        let first = world.lease(job.id, 1).await;
        world.save(&job, &first, true).await;
        assert_eq!(world.queue.care().await.unwrap(), [] as [i64; 0]);
        // Lost with the stream, and then within the time in which the same id is refused.
        world.forget().await;
        assert_eq!(world.queue.care().await.unwrap(), [job.id]);
        assert_eq!(world.depth(job.id).await.0, 2);
        world.queue.purge(job.id, job.generation).await.unwrap();
        assert_eq!(world.queue.care().await.unwrap(), [job.id]);
        assert_eq!(world.depth(job.id).await.0, 2);
        let second = world.lease(job.id, 1).await;
        world.save(&job, &second, true).await;
        // Not for ever: the third loss is the end of it.
        world.queue.purge(job.id, job.generation).await.unwrap();
        assert_eq!(world.queue.care().await.unwrap(), [job.id]);
        let failures = world.store.failures(&job, 9, 0).await.unwrap();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].reason, "the queue lost it 2 times");
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(
            ended.job_state(),
            JobState::Success,
            "two of three are saved"
        );
        world.forget().await;
    }
}

#[tokio::test]
async fn a_lost_consumer_alone_costs_nothing() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2, 3]).await;
        let first = world.lease(job.id, 1).await;
        world.save(&job, &first, true).await;
        let name = format!("job-{}-{}", job.id, job.generation);
        let plain = async_nats::connect(&world.url).await.unwrap();
        let context = async_nats::jetstream::new(plain);
        let stream = context.get_stream(format!("{}-tasks", world.prefix)).await;
        stream.unwrap().delete_consumer(&name).await.unwrap();
        // The fetch of who does not know yet ends, with nothing.
        assert_eq!(world.lease(job.id, 1).await, []);
        world.queue.care().await.unwrap();
        assert_eq!(world.drain(&job).await, [2, 3]);
        world.forget().await;
    }
}

#[tokio::test]
async fn a_late_purge_of_an_old_generation_leaves_the_new_one() {
    for (_fresh, world) in worlds().await {
        let old = world.fed(&[1, 2]).await;
        let held = world.lease(old.id, 1).await;
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, old.id)
            .await
            .unwrap();
        // The purge of the cancel comes only after the new run was fed (counterexamples 15, 16).
        let new = world.again(old.id, &[1, 2]).await;
        world.queue.ended(old.id, old.generation).await;
        assert_eq!(world.depth(new.id).await, (2, 0, 0));
        // A receipt of the old one settles nothing of the new one.
        world
            .queue
            .settle(&receipts(&held), Settle::Ack)
            .await
            .unwrap();
        assert_eq!(world.drain(&new).await, [1, 2]);
        world.forget().await;
    }
}

#[tokio::test]
async fn what_ended_jobs_left_is_taken_away_by_whoever_looks() {
    for (_fresh, world) in worlds().await {
        let cancelled = world.fed(&[1, 2]).await;
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, cancelled.id)
            .await
            .unwrap();
        let deleted = world.fed(&[3]).await;
        world
            .store
            .delete_job(Permit::BY_PROGRAM, deleted.id)
            .await
            .unwrap();
        let lives = world.fed(&[4]).await;
        world.as_another().await.care().await.unwrap();
        let plain = async_nats::connect(&world.url).await.unwrap();
        let context = async_nats::jetstream::new(plain);
        let stream = context.get_stream(format!("{}-tasks", world.prefix)).await;
        let state = stream.unwrap().cached_info().state.clone();
        assert_eq!((state.messages, state.consumer_count), (1, 1));
        assert_eq!(world.drain(&lives).await, [4]);
        world.forget().await;
    }
}

#[tokio::test]
async fn an_image_that_was_fetched_is_given_back_where_the_job_stops_meanwhile() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2]).await;
        world
            .store
            .pause_job(Permit::BY_PROGRAM, job.id, true)
            .await
            .unwrap();
        let other = world.as_another().await;
        let terms = store::ticket::Terms {
            max: 2,
            ttl: chrono::Duration::minutes(5),
            max_deliveries: Some(1),
            worker: None,
            claim: None,
        };
        let came = [1, 2].map(|capture| store::job::stream::Came {
            capture,
            deliveries: 1,
        });
        use store::job::stream::Fate;
        let fates = async |generation| {
            let read = world
                .store
                .hand_out(job.id, generation, &terms, &came)
                .await;
            read.unwrap().fates
        };
        assert_eq!(fates(job.generation).await, [Fate::Return; 2], "paused");
        assert_eq!(other.lease(job.id, ask(2, LONG, None)).await.unwrap(), []);
        world
            .store
            .pause_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        assert_eq!(world.drain(&job).await, [1, 2]);
        assert_eq!(fates(job.generation).await, [Fate::Gone; 2], "saved");
        assert_eq!(
            fates(job.generation - 1).await,
            [Fate::Gone; 2],
            "an old generation"
        );
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        assert_eq!(fates(job.generation).await, [Fate::Return; 2], "cancelled");
        world.forget().await;
    }
}

#[tokio::test]
async fn a_fetch_after_a_purge_with_leases_ends() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2, 3]).await;
        let other = world.as_another().await;
        // Both know the consumer; one takes it away under the other.
        assert_eq!(
            other.lease(job.id, ask(1, LONG, None)).await.unwrap().len(),
            1
        );
        assert_eq!(world.lease(job.id, 1).await.len(), 1);
        world.queue.purge(job.id, job.generation).await.unwrap();
        for _ in 0..2 {
            assert_eq!(other.lease(job.id, ask(1, LONG, None)).await.unwrap(), []);
            assert_eq!(world.lease(job.id, 1).await, []);
        }
        world.forget().await;
    }
}

#[tokio::test]
async fn any_process_settles_and_extends_what_another_gave_out() {
    for (_fresh, world) in worlds().await {
        let job = world.fed(&[1, 2]).await;
        let leases = world.lease(job.id, 2).await;
        let other = world.as_another().await;
        let kept = other.extend(&receipts(&leases), LONG).await.unwrap();
        assert_eq!(kept, receipts(&leases));
        for _ in 0..2 {
            other.settle(&receipts(&leases), Settle::Ack).await.unwrap();
        }
        assert_eq!(world.depth(job.id).await, (0, 0, 0));
        assert_eq!(other.extend(&receipts(&leases), LONG).await.unwrap(), []);
        world.forget().await;
    }
}

#[tokio::test]
async fn a_stream_of_another_installation_is_refused() {
    for (fresh, world) in worlds().await {
        let (store, nats) = (fresh.store.clone(), world.nats.clone());
        let refused = Streamed::open(store, nats, "another", LONG).await.err();
        let Some(QueueError::Nats(why)) = refused else {
            panic!("opened, or failed otherwise");
        };
        assert!(why.contains("belongs to another installation"), "{why}");
        world.forget().await;
    }
}

#[tokio::test]
async fn a_wrong_address_is_a_sentence_without_its_password() {
    let refused = queue::Nats::connect("nats://bob:secret@127.0.0.1:1", "moth").await;
    let why = refused.err().unwrap().to_string();
    assert!(
        why.starts_with("NATS does not answer at nats://bob@127.0.0.1:1"),
        "{why}"
    );
    for (url, prefix) in [("nats://h:notaport", "moth"), ("nats://127.0.0.1:1", "a.b")] {
        let refused = queue::Nats::connect(url, prefix).await.err();
        assert!(
            matches!(refused, Some(QueueError::Nats(_))),
            "{url} {prefix}"
        );
    }
}
