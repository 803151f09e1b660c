//! The table of contents: every address that the server answers.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{AppState, api, assets, live, media, pages};

/// Largest body that is read, in bytes (`processing-service.md` §7.3).
const MAX_BODY: usize = 100 * 1024 * 1024;

/// All routes with the layers around them.
pub fn router(state: AppState) -> Router {
    let header = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    Router::new()
        .merge(api_routes())
        .merge(page_routes())
        .route("/media/{*name}", get(media::show))
        .route("/assets/{name}", get(assets::show))
        .fallback(pages::not_found)
        .layer(CatchPanicLayer::custom(pages::panicked))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("referrer-policy", "same-origin"))
        .with_state(state)
}

/// Each address with and without its last slash: a POST must never be redirected
/// (`adc-worker.md` §2).
fn api_routes() -> Router<AppState> {
    let both =
        |router: Router<AppState>, path: &str, methods: axum::routing::MethodRouter<AppState>| {
            router
                .route(&format!("/api/v2{path}"), methods.clone())
                .route(&format!("/api/v2{path}/"), methods)
        };
    let mut router = Router::new();
    for (path, methods) in [
        ("/auth/token/login", post(api::login::login)),
        ("/jobs", get(api::jobs::list).post(api::jobs::create)),
        ("/jobs/{id}", get(api::jobs::detail)),
        ("/jobs/{id}/run", post(api::jobs::run)),
        ("/jobs/{id}/cancel", post(api::jobs::cancel)),
    ] {
        router = both(router, path, methods.fallback(api::method_not_allowed));
    }
    router.route("/api/{*rest}", axum::routing::any(api::not_found))
}

fn page_routes() -> Router<AppState> {
    Router::new()
        .route("/", get(pages::projects::home))
        .route("/projects/{project}/jobs", get(pages::jobs::show))
        .route("/projects/{project}/jobs/{job}", get(pages::job::show))
        .route(
            "/projects/{project}/jobs/{job}/log.txt",
            get(pages::job::log),
        )
        .route("/projects/{project}/jobs/{job}/live", get(live::stream))
        .route(
            "/projects/{project}/captures/{capture}",
            get(pages::capture::show),
        )
}
