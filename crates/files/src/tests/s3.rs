//! A real S3 server in this process, on a folder of its own.

use std::path::PathBuf;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Files, Home, Keys};

/// The server, which ends with this.
pub struct S3 {
    pub endpoint: String,
    folder: TempDir,
    server: JoinHandle<()>,
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The keys that it takes.
pub fn keys() -> Keys {
    Keys {
        access_key: Some("AKIDEXAMPLE".to_owned()),
        secret_key: Some("wJalrXUtnFEMI".to_owned()),
        session_token: None,
    }
}

impl S3 {
    /// A server with one bucket, `moths`.
    pub async fn new() -> S3 {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("moths")).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        let (access, secret) = (keys().access_key.unwrap(), keys().secret_key.unwrap());
        builder.set_auth(SimpleAuth::from_single(access, secret));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let service = service.clone();
                    async move { service.call(request.map(s3s::Body::from)).await }
                });
                tokio::spawn(async move {
                    let served = http1::Builder::new();
                    let served = served.serve_connection(TokioIo::new(stream), answer);
                    served.await.ok(); // a client may hang up
                });
            }
        });
        S3 {
            endpoint,
            folder,
            server,
        }
    }

    /// The address of a place in the bucket.
    pub fn home(&self, prefix: &str) -> Home {
        let endpoint = &self.endpoint;
        let home = format!("s3://moths/{prefix}?endpoint={endpoint}&region=us-east-1");
        home.parse().unwrap()
    }

    /// The place itself.
    pub async fn files(&self, prefix: &str) -> Files {
        self.home(prefix).open(&keys()).await.unwrap()
    }

    /// Where the server keeps its objects, and what it remembers of uploads.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Names of parts of uploads that neither ended nor were given up.
    pub fn parts(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder()).unwrap();
        let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("upload_id")).collect()
    }
}
