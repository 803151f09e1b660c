//! The embedded queue passes the suite of all queues, on each database that can be had.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use domain::job::DispatchMode;
use domain::permission::Permit;
use queue::{Embedded, conformance};
use store::job::NewJob;
use store::project::NewProject;
use store::testing;

#[tokio::test]
async fn the_embedded_queue_keeps_what_callers_rely_on() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let project = store
            .create_project(NewProject {
                name: "Queue".to_owned(),
                ..Default::default()
            })
            .await
            .unwrap();
        let new = NewJob {
            name: "Job".to_owned(),
            project_id: project.id,
            kind: domain::job::ML,
            dispatch_mode: Some(DispatchMode::AsyncApi),
            start_now: true,
            ..Default::default()
        };
        store.create_job(new).await.unwrap();
        let (job, _) = store.claim_job("runner").await.unwrap().unwrap();
        let queue = Embedded::new(store.clone());
        conformance::all(&queue, job.id, job.generation).await;
        conformance::nothing_is_handed_out_after_the_end(
            &queue,
            job.id,
            job.generation,
            || async {
                store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
            },
        )
        .await;
    }
}
