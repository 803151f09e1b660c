//! The API and the pages. The idea: handlers extract, ask, act and answer; what is legal is
//! decided by `domain`, what is true stands in `store`, and a page is a template over both.
//! May depend on `rest`, `queue`, `files`, `store` and `domain`; never on `jobs`: a job is
//! started by its row, and a wake-up is only a hint.

mod api;
mod assets;
mod auth;
mod live;
mod media;
mod pages;
mod routes;
mod state;

pub use routes::router;
pub use state::AppState;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `stop` fires; requests under way are answered, live streams end.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let state = state.ending_with(stop.clone());
    let service = router(state).into_make_service();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}
