//! `/livez` and `/readyz`: ready is who can do the work now, and who is not says which part.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use operations::recorder::Recorder;
use operations::{Access, Operations, Parts};
use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Store;
use store::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::server::Server;
use crate::chaos::process::{Process, free_port, listens};
use crate::program::{self, hawkmoth};

fn json_of(told: &(StatusCode, String)) -> Value {
    serde_json::from_str(&told.1).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

fn ready() -> Value {
    json!({"status": "ready", "parts": {"database": "ok", "schema": "ok", "files": "ok"}})
}

/// Asks until it is told that this part is not ready; what is wrong with it.
async fn not_ready(server: &Server, part: &str) -> String {
    for _ in 0..200 {
        let told = server.told(&format!("{}/readyz", server.url)).await;
        let found = json_of(&told);
        let words = found["parts"][part].as_str().unwrap().to_owned();
        if words != "ok" {
            assert_eq!(told.0, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(found["status"], "not ready");
            return words;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{part} is still ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_ready_says_which_part_is_not() {
    for fresh in testing::fresh().await {
        let server = Server::start(&fresh, &[]).await;
        let (status, text) = server.told(&format!("{}/livez", server.url)).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "ok\n"));
        let told = server.told(&format!("{}/readyz", server.url)).await;
        assert_eq!((told.0, json_of(&told)), (StatusCode::OK, ready()));
        let asked = ["health", "--bind", server.address.as_str()];
        program::succeeds(hawkmoth().args(asked));

        // Beside a newer version's changes it goes on: the proxy must not take it out for them.
        testing::make_newer(&server.store).await;
        tokio::time::sleep(Duration::from_millis(1100)).await; // what was found out holds so long
        let told = server.told(&format!("{}/readyz", server.url)).await;
        assert_eq!((told.0, json_of(&told)), (StatusCode::OK, ready()));
        // What it needs itself must be there.
        testing::make_older(&server.store).await;
        let words = not_ready(&server, "schema").await;
        assert_eq!(words, "it lacks what this version of the program needs");
        let why = program::refused(hawkmoth().args(asked));
        assert!(why.contains("is not ready: {"), "{why}");
        assert!(why.contains(words.as_str()), "{why}");

        std::fs::remove_dir_all(server.folder.path().join("data/files")).unwrap();
        assert_eq!(not_ready(&server, "files").await, "it cannot be reached");
        let (status, _) = server.told(&format!("{}/livez", server.url)).await;
        assert_eq!(status, StatusCode::OK, "it lives all the same");
    }
    let nobody = free_port();
    let why = program::refused(hawkmoth().args(["health", "--bind", &nobody]));
    let at = format!("no process answers at http://{nobody}");
    assert!(why.contains(&at), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_is_asked_on_a_port_of_its_own() {
    for fresh in testing::fresh().await {
        let folder = tempfile::tempdir().unwrap();
        let (address, data) = (free_port(), folder.path().join("data"));
        let arguments = [
            "work",
            "--data",
            data.to_str().unwrap(),
            "--database-url",
            &fresh.url,
            "--ops-address",
            &address,
        ];
        let mut process = Process::new("work", folder.path(), &arguments);
        listens(&address).await;
        let get = async |path: &str| {
            let answer = reqwest::get(format!("http://{address}/{path}")).await;
            let answer = answer.unwrap();
            (answer.status(), answer.text().await.unwrap())
        };
        assert_eq!(get("livez").await.0, StatusCode::OK);
        let told = get("readyz").await;
        assert_eq!((told.0, json_of(&told)), (StatusCode::OK, ready()));
        let (status, text) = get("metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("\nhawkmoth_build_info{"), "{text}");
        assert_eq!(get("api/v2/jobs/").await.0, StatusCode::NOT_FOUND);
        let asked = ["health", "--ops-address", &address];
        let told = program::succeeds(hawkmoth().args(asked));
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), ready());
        process.terminate();
        assert!(process.ended().await.success(), "{}", process.said());
    }
}

/// Carries bytes one way, until it goes silent.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: Arc<AtomicBool>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// Stands before a server; set, it goes silent.
async fn before(server: String) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = Arc::new(AtomicBool::new(false));
    let is_silent = silent.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(carry(from_client, to_server, is_silent.clone()));
            tokio::spawn(carry(from_server, to_client, is_silent.clone()));
        }
    });
    (address, silent)
}

#[tokio::test]
async fn a_database_that_is_silent_is_not_waited_for() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let recorder = Recorder::install().unwrap();
    for fresh in testing::fresh().await {
        let Some(rest) = fresh.url.strip_prefix("postgres://") else {
            continue; // a file does not go silent
        };
        let (user, rest) = rest.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let (address, silent) = before(server.to_owned()).await;
        let url = format!("postgres://{user}@{address}/{name}");
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url).await.unwrap();
        let stop = CancellationToken::new();
        let parts = Parts {
            queue: Arc::new(queue::Embedded::new(store.clone())),
            store,
            files: files::Files::local(folder.path()).unwrap(),
            leases: Default::default(),
            stop: stop.clone(),
        };
        let operations = Operations::new(parts, recorder.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = operations.router(Access::Everybody);
        let serving = tokio::spawn(web::serve_beside(listener, router, stop.clone()));
        let asked = async |path: &str| {
            let answer = reqwest::get(format!("{url}/{path}")).await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        };
        assert_eq!(json_of(&asked("readyz").await), ready());
        silent.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1100)).await; // what was found out holds so long
        let told = asked("readyz").await;
        assert_eq!(told.0, StatusCode::SERVICE_UNAVAILABLE);
        let expected = json!({"status": "not ready", "parts": {
            "database": "it does not answer in time",
            "schema": "the database does not answer",
            "files": "ok",
        }});
        assert_eq!(json_of(&told), expected);
        let (status, text) = asked("metrics").await;
        assert_eq!(status, StatusCode::OK, "what is known is told");
        assert!(text.contains("hawkmoth_build_info"));
        stop.cancel();
        serving.await.unwrap();
    }
}
