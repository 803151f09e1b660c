//! What must be true when all jobs have ended: what is counted, what is saved and what was written
//! say the same of every job, and the queue is empty.

use domain::state::JobState;
use reqwest::Method;
use serde_json::Value;
use store::capture::Scope;
use store::job::Job;

use super::world::Cluster;

/// Asserts it of every job that was started.
pub async fn agree(cluster: &Cluster) {
    store::testing::until_counted(&cluster.store).await;
    for job in &cluster.jobs {
        let job = cluster.store.job(job.id).await.unwrap();
        of_job(cluster, &job).await;
    }
    cluster.nats.is_emptied().await;
}

async fn of_job(cluster: &Cluster, job: &Job) {
    let (store, id) = (&cluster.store, job.id);
    let images = i64::try_from(cluster.size.images).unwrap();
    assert_eq!(job.job_state(), JobState::Success, "job {id}");
    let audit = store.audit(job).await.unwrap();
    assert_eq!(audit.faults(Some(images)), [] as [String; 0], "job {id}");
    let rows = u64::try_from(images).unwrap();
    assert_eq!(
        (audit.done, audit.failed, audit.detections),
        (rows, 0, rows),
        "job {id}: saved, failed, boxes"
    );

    // What people see, who ask for the job.
    let path = format!("jobs/{id}/");
    let shown = cluster.must(Method::GET, &path, None).await;
    let stages = shown["progress"]["stages"].as_array().unwrap();
    let params = stages.iter().flat_map(|stage| {
        let params = stage["params"].as_array().unwrap();
        params.iter().filter(|param| param["key"] == "processed")
    });
    let processed: Vec<&Value> = params.map(|param| &param["value"]).collect();
    assert_eq!(processed, [&Value::from(images)], "job {id}: {shown}");

    // What the next job of this pipeline would leave alone.
    let scope = Scope::Station(job.station_id.unwrap());
    let captures = store.capture_ids_after(&scope, i64::MIN, 1_000_000).await;
    let captures = captures.unwrap();
    assert_eq!(captures.len(), cluster.size.images);
    let algorithms = store.algorithms_of(cluster.pipeline).await.unwrap();
    let unseen = store.needing_processing(&captures, &algorithms).await;
    assert_eq!(unseen.unwrap(), [] as [i64; 0], "job {id}");
    let station = store.station(job.station_id.unwrap()).await.unwrap();
    assert_eq!(station.detections_count, images, "the station of job {id}");

    let tickets = store.ticket_depth(id, None).await.unwrap();
    assert_eq!(tickets.waiting + tickets.leased + tickets.dead, 0);
}
