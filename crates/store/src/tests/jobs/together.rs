//! Batches that are saved together: each is told what it did, as if it had come alone, and the
//! job's books agree.

use super::world::{World, detection};
use crate::result::{Batch, Outcome, Saved};
use crate::{StoreError, testing};

fn batch(world: &World, job: i64, images: Vec<(i64, Outcome)>) -> Batch {
    Batch {
        job,
        generation: 1,
        pipeline: world.pipeline,
        images,
    }
}

fn moth(id: i64) -> Outcome {
    Outcome::Done(vec![detection(id, 5.0, [0.9, 0.1])])
}

fn broken() -> Outcome {
    Outcome::Failed("broken".to_owned())
}

#[tokio::test]
async fn each_batch_is_told_what_it_did() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 5).await;
        let (job, fence) = world.fed().await;
        let ids = world.captures().await;
        let batches = [
            batch(
                &world,
                job.id,
                vec![(ids[0], moth(ids[0])), (ids[1], broken())],
            ),
            // The same again, and what had failed comes well.
            batch(
                &world,
                job.id,
                vec![(ids[0], moth(ids[0])), (ids[1], moth(ids[1]))],
            ),
            batch(
                &world,
                job.id,
                vec![(ids[2], broken()), (ids[3], Outcome::Done(Vec::new()))],
            ),
            batch(&world, job.id, Vec::new()),
            batch(
                &world,
                job.id,
                vec![(ids[4], moth(ids[4])), (9_999_999, moth(9_999_999))],
            ),
        ];
        let saved = world.store.save_together(&batches).await.unwrap();
        let said = |done, failed, found, ignored| Saved {
            done,
            failed,
            detections: found,
            classifications: found,
            ignored,
        };
        let expected = [
            said(1, 0, 1, 1),
            said(1, 0, 1, 1),
            said(1, 1, 0, 0),
            said(0, 0, 0, 0),
            said(1, 0, 1, 1),
        ];
        assert_eq!(saved, expected);
        world.store.release_job(&fence).await.unwrap();
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        let audit = world.store.audit(&ended).await.unwrap();
        assert_eq!(audit.faults(Some(5)), Vec::<String>::new());
        assert_eq!((audit.done, audit.failed, audit.detections), (4, 1, 3));
        // What comes after the end changes nothing.
        let late = world.store.save_together(&batches[..2]).await.unwrap();
        assert_eq!(late, [said(0, 0, 0, 2), said(0, 0, 0, 2)]);
        assert_eq!(world.store.audit(&ended).await.unwrap(), audit);
    }
}

#[tokio::test]
async fn one_that_cannot_be_saved_takes_the_others_with_it() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        let mut stranger = detection(ids[1], 5.0, [0.9, 0.1]);
        stranger.algorithm.key = "nope".to_owned();
        let good = batch(&world, job.id, vec![(ids[0], moth(ids[0]))]);
        let bad = batch(
            &world,
            job.id,
            vec![(ids[1], Outcome::Done(vec![stranger]))],
        );
        let both = [good.clone(), bad.clone()];
        let refused = world.store.save_together(&both).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict(_))),
            "{refused:?}"
        );
        let audit = world.store.audit(&job).await.unwrap();
        assert_eq!((audit.open, audit.tickets, audit.detections), (2, 2, 0));
        // Alone each gets what it deserves.
        assert_eq!(world.store.save_or_fail(good).await.unwrap().0.done, 1);
        let (failed, why) = world.store.save_or_fail(bad.clone()).await.unwrap();
        assert!(failed.failed == 1 && why.is_some());
        let mut other = bad;
        other.generation = 2;
        let mixed = world
            .store
            .save_together(&[batch(&world, job.id, Vec::new()), other])
            .await;
        assert!(
            matches!(mixed, Err(StoreError::Conflict(_))),
            "of two generations"
        );
    }
}
