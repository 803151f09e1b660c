//! What a process needs not need at its start: NATS may come later.

use std::time::Duration;

use domain::state::JobState;
use reqwest::StatusCode;
use store::testing;

use super::server::Server;
use crate::cluster::nats::Nats;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_without_nats_serves_pages_and_hands_out_images_when_it_comes() {
    if testing::nats().is_none() {
        return;
    }
    for fresh in testing::fresh().await {
        let Some(mut nats) = Nats::start().await else {
            testing::left_out("nats-server is not on this machine: nobody starts without it");
            return;
        };
        nats.kill();
        let server = Server::start(&fresh, &["--nats-url", &nats.url()]).await;
        for page in ["login", "readyz"] {
            let (status, text) = server.told(&format!("{}/{page}", server.url)).await;
            assert_eq!(status, StatusCode::OK, "{page}: {text}");
        }
        let said = server.process.said();
        let why = format!("NATS does not answer at {}", nats.url());
        assert!(said.contains(&why), "{said}");

        let id = server.job(20, None).await;
        let mut waits = false;
        for _ in 0..600 {
            let lines = server.store.job_log(id, 50).await.unwrap();
            let told = |line: &store::log::Line| line.message.contains("Waiting for the queue");
            waits = lines.iter().any(told);
            if waits {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(waits, "its images are sent nowhere");
        nats.start_again().await;
        for _ in 0..600 {
            if server.store.job(id).await.unwrap().total.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let job = server.worked(id).await;
        assert_eq!(job.job_state(), JobState::Success);
        assert!(job.in_stream, "NATS handed them out");
    }
}
