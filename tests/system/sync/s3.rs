//! A real S3 server in this process, on files of a folder of its own, which can be told to be slow
//! or to break.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::pages::jpeg;

/// The keys that it takes.
pub const KEYS: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMI");

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// Each answer takes so long.
    Slow(Duration),
    /// After so many answers each one ends in the middle.
    Broken(u32),
    /// After so many answers each one is 503.
    Busy(u32),
}

/// The server, which ends with this.
pub struct S3 {
    pub endpoint: String,
    folder: TempDir,
    state: State,
    server: JoinHandle<()>,
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl S3 {
    pub async fn new() -> S3 {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEYS.0, KEYS.1));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = State::new(Mutex::new((Mood::Good, 0)));
        let server = tokio::spawn(serve(listener, builder.build(), state.clone()));
        S3 {
            endpoint,
            folder,
            state,
            server,
        }
    }

    pub fn is(&self, mood: Mood) {
        *self.state.lock().unwrap() = (mood, 0);
    }

    /// A bucket with these objects.
    pub fn bucket(&self, name: &str, objects: impl IntoIterator<Item = String>) -> PathBuf {
        let bucket = self.folder.path().join(name);
        let picture = jpeg(64, 48);
        std::fs::create_dir_all(&bucket).unwrap();
        for key in objects {
            let path = bucket.join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &picture).unwrap();
        }
        bucket
    }
}

impl S3 {
    /// A bucket with objects of these sizes, in which nothing stands.
    pub fn empty_files(&self, name: &str, objects: impl IntoIterator<Item = (String, i64)>) {
        for (key, size) in objects {
            let path = self.folder.path().join(name).join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = std::fs::File::create(path).unwrap();
            file.set_len(u64::try_from(size).unwrap()).unwrap();
        }
    }
}

/// The state of a server: its mood, and how many answers it has given in it.
type State = Arc<Mutex<(Mood, u32)>>;

async fn serve(listener: TcpListener, service: S3Service, state: State) {
    while let Ok((stream, _)) = listener.accept().await {
        let (service, state) = (service.clone(), state.clone());
        let answer = service_fn(move |request| answer(service.clone(), state.clone(), request));
        tokio::spawn(async move {
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
            let served = served.await;
            served.ok(); // a client may hang up
        });
    }
}

async fn answer(
    service: S3Service,
    state: State,
    request: Request<Incoming>,
) -> Result<Response<s3s::Body>, s3s::HttpError> {
    let (mood, given) = {
        let mut state = state.lock().unwrap();
        state.1 += 1;
        (state.0, state.1)
    };
    let mut early = Response::new(s3s::Body::from("<ListBucketResult><Name>mo".to_owned()));
    match mood {
        Mood::Slow(time) => tokio::time::sleep(time).await,
        Mood::Broken(after) if given > after => return Ok(early),
        Mood::Busy(after) if given > after => {
            *early.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return Ok(early);
        }
        Mood::Good | Mood::Broken(_) | Mood::Busy(_) => {}
    }
    service.call(request.map(s3s::Body::from)).await
}
