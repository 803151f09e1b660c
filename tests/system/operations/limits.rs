//! What is too large, too slow, too much or too often is refused in the API's own words, and those
//! who ask for something else meanwhile are answered.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Server, told};

/// Sends text as it is, and says what comes back until the connection ends.
pub async fn raw(server: &Server, text: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

pub async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset ends it as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The head of a POST with the token, with these headers about its body.
pub fn head(server: &Server, path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {}\r\n\
         Content-Type: application/json\r\n{body}\r\n\r\n",
        server.token
    )
}

pub fn detail(words: &str) -> String {
    json!({"detail": words}).to_string()
}

/// The server answers those who ask for something small.
pub async fn answers(server: &Server) {
    let call = server.call(Method::GET, "/api/v2/projects/");
    assert_eq!(told(call).await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused() {
    let fresh = testing::fresh_sqlite().await;
    let settings = ["--max-body-mib", "1", "--max-upload-mib", "2"];
    let server = Server::start(&fresh, &settings).await;
    let refused = detail("Request body exceeded the limit.");
    // Handlers that read JSON, and those that read bytes.
    for path in ["/api/v2/projects/", "/api/v2/jobs/1/result/"] {
        let answer = raw(&server, &head(&server, path, "Content-Length: 99999999999")).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with(&refused), "{answer}");
        // Nothing is said of its length beforehand.
        let piece = format!("{:x}\r\n{}\r\n", 1 << 19, " ".repeat(1 << 19));
        let body = format!("{piece}{piece}{piece}0\r\n\r\n");
        let text = head(
            &server,
            path,
            "Transfer-Encoding: chunked\r\nConnection: close",
        ) + &body;
        let answer = raw(&server, &text).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains(&refused), "{answer}");
    }
    for (mib, status) in [
        (1, StatusCode::BAD_REQUEST),
        (3, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let upload = server.call(Method::POST, "/api/v2/captures/upload/");
        let upload = upload.header("Content-Type", "application/json");
        let body = format!("{{\"a\": \"{}\"}}", " ".repeat(mib << 20));
        let (told, text) = told(upload.body(body)).await;
        assert_eq!(told, status, "{text}");
    }
    answers(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_is_let_go() {
    let fresh = testing::fresh_sqlite().await;
    let settings = ["--header-seconds", "1", "--stall-seconds", "1"];
    let server = Server::start(&fresh, &settings).await;
    // A head that does not end: the connection does.
    let half = raw(&server, "GET /api/v2/projects/ HTTP/1.1\r\nHost:").await;
    assert!(
        half.is_empty() || half.starts_with("HTTP/1.1 408"),
        "{half}"
    );
    let silent = raw(&server, "").await;
    assert!(
        silent.is_empty() || silent.starts_with("HTTP/1.1 408"),
        "{silent}"
    );
    // A body that does not come.
    for path in ["/api/v2/projects/", "/api/v2/jobs/1/result/"] {
        let text = head(&server, path, "Content-Length: 100") + "{\"name\": ";
        let answer = raw(&server, &text).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        let words = "The body of the request did not arrive in time.";
        assert!(answer.ends_with(&detail(words)), "{answer}");
    }
    answers(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_no_answer_is_let_go() {
    let fresh = testing::fresh_sqlite().await;
    let server = Server::start(&fresh, &["--stall-seconds", "1"]).await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    // More than all buffers on the way hold, and nothing of it is read.
    let ask = "GET /api/v2/schema/?format=json HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(ask.repeat(40).as_bytes()).await.unwrap();
    let whole = {
        let (status, schema) = alone(&server, "/api/v2/schema/?format=json").await;
        assert!(status.starts_with("HTTP/1.1 200 "), "{status}");
        schema.len()
    };
    for round in 0.. {
        if open(&server).await == 1 {
            break;
        }
        assert!(round < 1200, "the connection is still open");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // It was cut off, and did not end because all was taken.
    let mut taken = Vec::new();
    let _ = stream.read_to_end(&mut taken).await;
    let least = whole * 40;
    assert!(taken.len() < least, "{} of {least} bytes", taken.len());
    answers(&server).await;
}

/// Asks over a connection that ends with the answer: a client that keeps some for the next request
/// may keep more than one. The head of the answer, and its body.
async fn alone(server: &Server, path: &str) -> (String, String) {
    let ask = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = raw(server, &ask).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The connections that the server has, with the one that asks for that.
async fn open(server: &Server) -> u32 {
    let (_, text) = alone(server, "/metrics").await;
    let mut lines = text.lines();
    let open = lines.find_map(|line| line.strip_prefix("hawkmoth_http_connections "));
    open.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_places_are_taken_others_are_told_to_come_again() {
    let fresh = testing::fresh_sqlite().await;
    let settings = ["--concurrent-requests", "2", "--request-seconds", "10"];
    let server = Server::start(&fresh, &settings).await;
    let job = server.job(1, None).await;
    let project = server.store.job(job).await.unwrap().project_id;
    // Live streams take no place.
    let mut streams = Vec::new();
    for _ in 0..5 {
        let live = format!("/projects/{project}/jobs/{job}/live");
        let answer = server.call(Method::GET, &live).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        streams.push(answer);
    }
    answers(&server).await;
    // Neither do those who are slow to send, whether what they send is small or large.
    let mut slow = Vec::new();
    for length in [100, 1 << 20] {
        for _ in 0..4 {
            let mut stream = TcpStream::connect(&server.address).await.unwrap();
            let body = format!("Content-Length: {length}");
            let text = head(&server, "/api/v2/projects/", &body) + "{";
            stream.write_all(text.as_bytes()).await.unwrap();
            slow.push(stream);
        }
    }
    answers(&server).await;
    let new = json!({"name": "Moths"});
    // So many of them are too many for one more, and for nobody else.
    let busy = refused(async || {
        let call = server.call(Method::POST, "/api/v2/projects/");
        call.json(&new).send().await.unwrap()
    });
    busy.await;
    answers(&server).await;
    // Those who are answered do: both wait for a service that says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", silent.local_addr().unwrap());
    let store = &server.store;
    let service = store.put_service(project, "Silent", "", Some(&address));
    let path = format!(
        "/api/v2/ml/processing_services/{}/status/",
        service.await.unwrap().id
    );
    // Each asks until it has a place: the one that asks beside them needs some too.
    let waiting = [(), ()].map(|()| {
        let call = server.call(Method::GET, &path);
        tokio::spawn(async move {
            loop {
                let answer = told(call.try_clone().unwrap()).await;
                if !answer.1.contains("The server is busy") {
                    return answer;
                }
            }
        })
    });
    let busy = refused(async || {
        let call = server.call(Method::GET, "/api/v2/projects/");
        call.send().await.unwrap()
    });
    busy.await;
    let (status, _) = server.told(&format!("{}/livez", server.url)).await;
    assert_eq!(status, StatusCode::OK, "it lives");
    // Their time is over, and the places are free again.
    for answer in waiting {
        let (status, text) = answer.await.unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
        assert!(
            text.contains("could not answer within 10 seconds"),
            "{text}"
        );
    }
    for mut stream in slow {
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    let made = told(server.call(Method::POST, "/api/v2/projects/").json(&new)).await;
    assert_eq!(made.0, StatusCode::CREATED, "{}", made.1);
    for stream in &mut streams {
        assert!(stream.chunk().await.unwrap().is_some(), "it still lives");
    }
}

/// Asks until there is no room, and looks at what is said then.
pub async fn refused(ask: impl AsyncFn() -> reqwest::Response) {
    let busy = loop {
        let answer = ask().await;
        if !answer.status().is_success() {
            break answer;
        }
    };
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy.headers()["retry-after"], "1");
    let words = "The server is busy. Expected available in 1 second.";
    assert_eq!(busy.text().await.unwrap(), detail(words));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_waits_and_nobody_else() {
    let fresh = testing::fresh_sqlite().await;
    let settings = ["--rate-limit", "1", "--rate-limit-anonymous", "1"];
    let server = Server::start(&fresh, &settings).await;
    let flood = async |token: Option<&str>| {
        let mut refused = Vec::new();
        for _ in 0..20 {
            let mut call = server.http.get(format!("{}/api/v2/projects/", server.url));
            if let Some(token) = token {
                call = call.header("Authorization", format!("Token {token}"));
            }
            let answer = call.send().await.unwrap();
            if answer.status() == StatusCode::OK {
                continue;
            }
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(answer.headers()["retry-after"], "1");
            refused.push(answer.text().await.unwrap());
        }
        refused
    };
    let words = detail("Request was throttled. Expected available in 1 second.");
    let refused = flood(Some(&server.token)).await;
    assert!(refused.first() == Some(&words), "{refused:?}");
    // Another token of the same person has a bucket of its own.
    let user = server.store.user_by_email("ops@example.org").await.unwrap();
    let other = server
        .store
        .create_token(user.unwrap().id, "b")
        .await
        .unwrap();
    let call = server.http.get(format!("{}/api/v2/projects/", server.url));
    let call = call.header("Authorization", format!("Token {other}"));
    assert_eq!(told(call).await.0, StatusCode::OK);
    let refused = flood(None).await;
    assert!(refused.first() == Some(&words), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_a_worker_is_not_hindered() {
    let fresh = testing::fresh_sqlite().await;
    let server = Server::start(&fresh, &[]).await;
    let calls = (0..2000).map(|_| async {
        let call = server.call(Method::GET, "/api/v2/users/me/");
        told(call).await.0
    });
    use futures_util::StreamExt;
    let answers: Vec<StatusCode> = futures_util::stream::iter(calls)
        .buffer_unordered(50)
        .collect()
        .await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_at_a_forbidden_address_is_named_with_the_reason() {
    let fresh = testing::fresh_sqlite().await;
    let server = Server::start(&fresh, &["--outgoing-private", "false"]).await;
    let project = server.made_project().await;
    for (address, why) in [
        (
            "http://169.254.169.254/",
            "it is the address of a cloud's metadata service",
        ),
        ("http://127.0.0.1:9/", "it is an address of this machine"),
        ("http://localhost:9/", "an address of this machine"),
    ] {
        let store = &server.store;
        let service = store.put_service(project, address, "", Some(address)).await;
        let id = service.unwrap().id;
        let path = format!("/api/v2/ml/processing_services/{id}/status/");
        let (status, text) = told(server.call(Method::GET, &path)).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let found: Value = serde_json::from_str(&text).unwrap();
        let error = found["error"].as_str().unwrap();
        assert!(
            error.contains("this server sends no requests to"),
            "{error}"
        );
        assert!(error.contains(why), "{error}");
    }
}
