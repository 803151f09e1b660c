//! A processing service that misbehaves below HTTP too: it writes what a test wants onto the bare
//! connection, and knows which connections were dropped while it had not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the service does with a request to `/process`.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers in JSON.
    Json(u16, String),
    /// Writes these bytes and closes the connection.
    Bytes(Vec<u8>),
    /// Writes a head, then spaces without an end.
    Endless,
    /// Says nothing until the other side gives up.
    Hang,
}

/// What it has seen.
#[derive(Default)]
pub struct Seen {
    /// Requests to `/process`.
    pub asked: AtomicUsize,
    /// Requests that are with it now, and the most at once.
    pub inside: AtomicUsize,
    pub most: AtomicUsize,
    /// Connections that the other side dropped while it waited for an answer.
    pub dropped: AtomicUsize,
    /// Requests to `/readyz`.
    pub ready: AtomicUsize,
    /// Whether `/readyz` answers well.
    pub ill: AtomicBool,
}

pub struct Service {
    pub url: String,
    pub seen: Arc<Seen>,
    port: u16,
    listening: JoinHandle<()>,
}

type Acts = Arc<dyn Fn(&Value) -> Act + Send + Sync>;

impl Service {
    pub async fn start(acts: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Service {
        Service::on(0, Arc::default(), Arc::new(acts)).await
    }

    async fn on(port: u16, seen: Arc<Seen>, acts: Acts) -> Service {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let known = seen.clone();
        let listening = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, known.clone(), acts.clone()));
            }
        });
        Service {
            url: format!("http://127.0.0.1:{port}/deep/"),
            seen,
            port,
            listening,
        }
    }

    /// Ends it with all its connections, as `kill -9` would.
    pub async fn kill(&self) {
        self.listening.abort();
        while !self.listening.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The same address again.
    pub async fn again(&self, acts: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Service {
        Service::on(self.port, self.seen.clone(), Arc::new(acts)).await
    }

    pub fn asked(&self) -> usize {
        self.seen.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Seen>, acts: Acts) {
    let Some((head, body)) = request(&mut stream).await else {
        return;
    };
    if head.starts_with("GET /deep/readyz ") {
        seen.ready.fetch_add(1, Ordering::SeqCst);
        let status = if seen.ill.load(Ordering::SeqCst) {
            503
        } else {
            200
        };
        let answer = answer(status, &json!({"status": ["test"]}).to_string());
        let _ = stream.write_all(&answer).await;
        return;
    }
    if !head.starts_with("POST /deep/process ") {
        let _ = stream.write_all(&answer(404, "{}")).await;
        return;
    }
    seen.asked.fetch_add(1, Ordering::SeqCst);
    let inside = seen.inside.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(inside, Ordering::SeqCst);
    let act = acts(&serde_json::from_slice(&body).unwrap());
    perform(&mut stream, act, &seen).await;
    seen.inside.fetch_sub(1, Ordering::SeqCst);
}

async fn perform(stream: &mut TcpStream, act: Act, seen: &Seen) {
    match act {
        Act::Json(status, body) => {
            // Long enough for others to come in beside it.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let _ = stream.write_all(&answer(status, &body)).await;
        }
        Act::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Act::Endless => {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
            let _ = stream.write_all(head).await;
            while stream.write_all(&[b' '; 65_536]).await.is_ok() {}
        }
        Act::Hang => {
            let mut byte = [0];
            // The other side says nothing more: what ends the wait is its going away.
            let _ = stream.read(&mut byte).await;
            seen.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A whole answer, after which the connection is closed.
pub fn answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut piece = [0; 65_536];
    loop {
        let end = read.windows(4).position(|w| w == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is = name.eq_ignore_ascii_case("content-length");
                is.then(|| value.trim().parse::<usize>().ok())?
            });
            let body = &read[end + 4..];
            if body.len() >= length.unwrap_or(0) {
                return Some((head, body.to_vec()));
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => read.extend_from_slice(&piece[..n]),
        }
    }
}
