//! A server that answers a constant body of as many bytes as its address says, for
//! `scripts/bench-api`: what the same stack does when there is nothing to do.

use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let bind = std::env::args().nth(1);
    let bind = bind.unwrap_or_else(|| "127.0.0.1:8001".to_owned());
    let body = |Path(size): Path<usize>| async move {
        ([(CONTENT_TYPE, "application/json")], "x".repeat(size))
    };
    let router = Router::new().route("/{size}", get(body));
    let listener = tokio::net::TcpListener::bind(bind).await?;
    axum::serve(listener, router).await
}
