//! What bodies of requests may take of the memory: all together no more than is set, and somebody
//! unknown next to nothing, whatever the address does with it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use store::testing;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::limits::{answers, detail, head, raw, refused, rest};
use super::server::{Server, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_have_no_more_memory_than_there_is_for_all() {
    let fresh = testing::fresh_sqlite().await;
    let settings = [
        ["--max-body-mib", "1"],
        ["--max-upload-mib", "1"],
        ["--max-bodies-mib", "2"],
    ];
    let server = Server::start(&fresh, &settings.concat()).await;
    // Two bodies that lack their last byte take all of it; one that is refused comes again.
    let body = format!("Content-Length: {}", 1 << 20);
    let text = head(&server, "/api/v2/projects/", &body) + &" ".repeat((1 << 20) - 1);
    let slow = [(), ()].map(|()| {
        let (address, text) = (server.address.clone(), text.clone());
        tokio::spawn(async move {
            for _ in 0.. {
                let mut stream = TcpStream::connect(&address).await.unwrap();
                let _ = stream.write_all(text.as_bytes()).await;
                rest(&mut stream).await;
            }
        })
    });
    let large = async || {
        let new = json!({"name": "Moths", "about": " ".repeat(100 << 10)});
        let call = server.call(Method::POST, "/api/v2/projects/");
        call.json(&new).send().await.unwrap()
    };
    let busy = refused(async || {
        // They must find a moment without us.
        tokio::time::sleep(Duration::from_millis(100)).await;
        large().await
    });
    busy.await;
    // What is small needs none of it.
    let new = json!({"name": "Moths"});
    let made = told(server.call(Method::POST, "/api/v2/projects/").json(&new)).await;
    assert_eq!(made.0, StatusCode::CREATED, "{}", made.1);
    answers(&server).await;
    for one in slow {
        one.abort();
    }
    loop {
        match large().await.status() {
            StatusCode::CREATED => break,
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_somebody_unknown_only_small_bodies_are_taken() {
    let fresh = testing::fresh_sqlite().await;
    let server = Server::start(&fresh, &[]).await;
    let words = detail("Authentication credentials were not provided.");
    const JSON: &str = "Content-Type: application/json\r\n";
    let unknown = async |path: &str, about: String, body: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{about}");
        raw(&server, &format!("{head}\r\n\r\n{body}")).await
    };
    let length = |body: &str| format!("Content-Length: {}", body.len());
    let large = " ".repeat(100 << 10);
    for path in [
        "/api/v2/jobs/1/result/",
        "/api/v2/captures/upload/",
        "/api/v2/projects/",
    ] {
        let told = format!("{JSON}{}", length(&large));
        let answer = unknown(path, told, &large).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
        assert!(answer.contains(&words), "{answer}");
        assert!(answer.contains("www-authenticate: Token"), "{answer}");
        // Nothing is said of its length beforehand.
        let pieces = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
        let untold = format!("{JSON}Transfer-Encoding: chunked");
        let answer = unknown(path, untold, &pieces).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
    }
    // Signing in is small, and pages tell nobody to do so.
    let login = json!({"email": "ops@example.org", "password": "secret"}).to_string();
    let told = format!("{JSON}{}", length(&login));
    let answer = unknown("/api/v2/auth/token/login/", told, &login).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = unknown("/login", format!("{form}{}", length(&large)), &large).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // Who is known sends more: what it says is looked at.
    let about = format!("{}\r\nConnection: close", length(&large));
    let text = head(&server, "/api/v2/jobs/1/result/", &about) + &large;
    let answer = raw(&server, &text).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}
