//! The API and the pages. The idea: handlers extract, ask, act and answer; what is legal is
//! decided by `domain`, what is true stands in `store`, and a page is a template over both.
//! May depend on `rest`, `queue`, `files`, `store` and `domain`; never on `jobs`: a job is
//! started by its row, and a wake-up is only a hint.

mod api;
mod assets;
mod auth;
mod call;
mod client;
mod joblog;
mod limits;
mod linking;
mod live;
mod measured;
mod media;
mod openapi;
mod pages;
mod pictures;
mod policy;
mod pull;
mod routes;
mod serving;
mod shape;
mod state;
mod unbroken;
mod views;

pub use limits::Limits;
pub use linking::Linking;
pub use openapi::document as openapi;
pub use routes::router;
pub use state::AppState;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower::util::MapRequest;

/// Serves until `stop` fires; live streams end then, and requests under way are answered, as far
/// as the limits give them time.
pub async fn serve(listener: TcpListener, state: AppState, stop: CancellationToken) {
    let limits = state.limits;
    let state = state.ending_with(stop.clone());
    let service = MapRequest::new(router(state), shape::one_form);
    serving::serve(listener, service, limits, stop).await;
}

/// Answers one request of this process's own, as [`serve`] would over a port.
pub async fn answer(router: &Router, request: Request) -> Response {
    let answered = router.clone().oneshot(shape::one_form(request)).await;
    match answered {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// Serves a few addresses on a port of their own, with the usual limits for connections.
pub async fn serve_beside(listener: TcpListener, router: Router, stop: CancellationToken) {
    serving::serve(listener, router, Limits::default(), stop).await;
}

/// Every address of the API below `/api/v2`, as a pattern, with the methods that it takes: for
/// whoever checks that something holds for all of them.
pub fn addresses() -> impl Iterator<Item = (&'static str, &'static str)> {
    views::all().map(|view| (view.path, view.allow))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What somebody asks over the network needs a permit that was asked for.
    #[test]
    fn nothing_here_is_done_by_the_program_itself() {
        fn look(folder: &Path) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    look(&path);
                } else if !path.ends_with("src/lib.rs") {
                    let text = std::fs::read_to_string(&path).unwrap_or_default();
                    assert!(!text.contains("BY_PROGRAM"), "{}", path.display());
                }
            }
        }
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }
}
