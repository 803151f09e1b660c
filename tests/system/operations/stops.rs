//! SIGTERM: nothing new is taken, what is under way is answered, live streams end, running jobs are
//! given back, and the process is gone within its time whatever its clients do.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use store::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Server, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_process_is_orderly() {
    for fresh in testing::fresh().await {
        let mut server = Server::start(&fresh, &[]).await;
        let pull = server.job(3, None).await;
        let project = server.store.job(pull).await.unwrap().project_id;
        // A job that waits for a minute before its work.
        let body = json!({
            "name": "Long", "delay": 60, "project_id": project,
        });
        let made = server
            .call(Method::POST, "/api/v2/jobs/?start_now=1")
            .json(&body);
        let (status, text) = told(made).await;
        assert_eq!(status, StatusCode::CREATED, "{text}");
        let made: serde_json::Value = serde_json::from_str(&text).unwrap();
        let long = made["id"].as_i64().unwrap();
        for _ in 0..400 {
            if server.store.job(long).await.unwrap().state == "STARTED" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let live = format!("/projects/{project}/jobs/{long}/live");
        let mut live = server.call(Method::GET, &live).send().await.unwrap();
        assert!(live.chunk().await.unwrap().is_some());
        // A request of which half is there.
        let body = json!({"name": "Half"}).to_string();
        let mut half = TcpStream::connect(&server.address).await.unwrap();
        let head = format!(
            "POST /api/v2/projects/ HTTP/1.1\r\nHost: x\r\nAuthorization: Token {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            server.token,
            body.len(),
            &body[..5]
        );
        half.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await; // it is being read
        server.process.terminate();
        while live.chunk().await.unwrap().is_some() {}
        for _ in 0..200 {
            if TcpStream::connect(&server.address).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(
            TcpStream::connect(&server.address).await.is_err(),
            "nobody is let in"
        );
        half.write_all(&body.as_bytes()[5..]).await.unwrap();
        let mut answer = String::new();
        half.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        assert!(
            server.process.ended().await.success(),
            "{}",
            server.process.said()
        );
        let job = server.store.job(long).await.unwrap();
        assert_eq!((job.state.as_str(), job.owner), ("PENDING", None));
        let job = server.store.job(pull).await.unwrap();
        assert!(
            matches!(job.state.as_str(), "STARTED" | "PENDING"),
            "{}",
            job.state
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_ends_does_not_keep_the_process() {
    let fresh = testing::fresh_sqlite().await;
    let mut server = Server::start(&fresh, &["--stop-seconds", "1"]).await;
    let mut never = TcpStream::connect(&server.address).await.unwrap();
    let head = "POST /api/v2/projects/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n";
    never.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        server.terminated().await.success(),
        "{}",
        server.process.said()
    );
    drop(never);
}
