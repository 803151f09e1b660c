//! A network that cannot be trusted: it stands between clients and a server, and cuts requests
//! before they arrive, cuts answers, delays both, and sends requests twice, at once or later.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::luck::Luck;

/// What was done to requests.
#[derive(Debug, Default)]
pub struct Faults {
    pub requests: AtomicU64,
    pub cut: AtomicU64,
    pub unanswered: AtomicU64,
    pub twice: AtomicU64,
    pub late: AtomicU64,
}

struct Shared {
    server: Mutex<Option<SocketAddr>>,
    luck: Mutex<Luck>,
    calm: AtomicBool,
    faults: Faults,
}

/// The network; dropped, it is gone.
pub struct Network {
    pub url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Copy)]
enum Fate {
    Arrives,
    Cut,
    Unanswered,
    Half,
    Twice,
    Late(Duration),
}

impl Network {
    pub async fn new(luck: Luck) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server: Mutex::default(),
            luck: Mutex::new(luck),
            calm: AtomicBool::new(false),
            faults: Faults::default(),
        });
        let all = shared.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = all.clone();
                tokio::spawn(async move {
                    // A fault of one connection is what this is for.
                    carry(client, &shared).await.ok();
                });
            }
        });
        Network {
            url,
            shared,
            accepting,
        }
    }

    /// Where the server is to be found now.
    pub fn leads_to(&self, url: &str) {
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        *self.shared.server.lock().unwrap() = address.parse().ok();
    }

    /// From now on everything arrives.
    pub fn calm_down(&self) {
        self.shared.calm.store(true, Ordering::Relaxed);
    }

    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One request with its answer; the connection ends with it.
async fn carry(mut client: TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    let request = read_request(&mut client).await?;
    let (fate, wait) = shared.fate();
    tokio::time::sleep(wait).await;
    if matches!(fate, Fate::Cut) {
        return Ok(());
    }
    if matches!(fate, Fate::Twice) {
        let (shared, request) = (shared.clone(), request.clone());
        tokio::spawn(async move { shared.ask(&request).await.map(drop) });
    }
    let answer = shared.ask(&request).await?;
    match fate {
        Fate::Unanswered => return Ok(()),
        Fate::Half => client.write_all(&answer[..answer.len() / 2]).await?,
        _ => client.write_all(&answer).await?,
    }
    client.shutdown().await?;
    if let Fate::Late(wait) = fate {
        tokio::time::sleep(wait).await;
        shared.ask(&request).await.ok();
    }
    Ok(())
}

impl Shared {
    fn fate(&self) -> (Fate, Duration) {
        let faults = &self.faults;
        faults.requests.fetch_add(1, Ordering::Relaxed);
        if self.calm.load(Ordering::Relaxed) {
            return (Fate::Arrives, Duration::ZERO);
        }
        let mut luck = self.luck.lock().unwrap();
        let wait = match luck.of_hundred(10) {
            true => luck.millis(200, 1200),
            false => luck.millis(20, 120),
        };
        let (fate, counted) = match luck.below(100) {
            0..4 => (Fate::Cut, &faults.cut),
            4..7 => (Fate::Unanswered, &faults.unanswered),
            7..8 => (Fate::Half, &faults.unanswered),
            8..12 => (Fate::Twice, &faults.twice),
            12..15 => (Fate::Late(luck.millis(500, 3000)), &faults.late),
            _ => return (Fate::Arrives, wait),
        };
        counted.fetch_add(1, Ordering::Relaxed);
        (fate, wait)
    }

    /// Sends a request and reads its answer to the end.
    async fn ask(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let address = *self.server.lock().unwrap();
        let address = address.ok_or(std::io::ErrorKind::NotConnected)?;
        let mut server = TcpStream::connect(address).await?;
        server.write_all(request).await?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

/// Reads one request, and asks for the connection to end with it.
async fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = end + 4 + length.unwrap_or(0);
    while bytes.len() < whole {
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let rest = bytes.split_off(end);
    let mut request = bytes;
    request.extend_from_slice(b"\r\nConnection: close");
    request.extend_from_slice(&rest);
    Ok(request)
}
