//! From the table of addresses to a router, with the layers around it.

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware;
use axum::routing::get;
use axum::routing::post;
use axum::{Extension, Router};
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::auth::known;
use crate::limits::{self, Guard};
use crate::pages::act::Api;
use crate::{AppState, api, assets, client, media, pages, shape};
use crate::{measured, policy, unbroken, views};

/// All routes with the layers around them. Addresses of the API are expected in the form that
/// `shape::one_form` gives them.
pub fn router(mut state: AppState) -> Router {
    let operations = state.operations.take().unwrap_or_default();
    let header = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    let api = api(&state);
    let ours = page_routes(state.root(), api.clone()).route("/media/{*name}", get(media::show));
    let all = match &state.client {
        None => ours.merge(reset_routes()).fallback_service(api),
        // The client has a page of its own for a new password, at the same address.
        Some(folder) => ours
            .route_service("/api/{*rest}", api)
            .fallback_service(client::serve(folder)),
    };
    let guard = Guard::new(state.limits);
    let served = all
        .layer(middleware::from_fn_with_state(state.clone(), known::know))
        .layer(CatchPanicLayer::custom(pages::panicked))
        // Bodies are bounded by the guard, which knows what for.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(guard, limits::guard))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            pages::wrong::refused,
        ))
        .layer(middleware::from_fn(policy::keep))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("referrer-policy", "same-origin"))
        .layer(middleware::from_fn(measured::measure));
    // No limit stands before those who ask whether the server lives.
    served.with_state(state).merge(operations)
}

/// The API, and the page about everything else. `shape` stands around the whole router, so that
/// the handler is chosen by the method that it found in a form.
fn api(state: &AppState) -> Router {
    let mut router = Router::new();
    for view in views::all() {
        let methods = (view.methods)().fallback(rest::allow::only(view.allow));
        router = router.route(&format!("/api/v2{}", view.path), methods);
    }
    let router = router
        .route_layer(middleware::from_fn(unbroken::finish))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            known::guard_api,
        ))
        .route("/api/{*rest}", axum::routing::any(api::not_found))
        .fallback(pages::not_found)
        .with_state(state.clone());
    let shape = middleware::from_fn_with_state(state.clone(), shape::shape);
    Router::new().fallback_service(shape.layer(router))
}

/// The pages, which begin at `root`, and signing in and out.
fn page_routes(root: &str, api: Router) -> Router<AppState> {
    let below = |path: &str| format!("{root}{path}");
    let mut all = match root {
        "" => Router::new(),
        root => Router::new()
            .route(root, get(pages::projects::home))
            .route(&below("/{*rest}"), get(pages::not_found)),
    };
    for (path, methods) in pages::ROUTES.iter().copied().flatten() {
        let methods = methods().fallback(pages::above::instead);
        all = all.route(&below(path), methods);
    }
    all.route(
        "/logout",
        get(pages::login::leave).post(pages::login::logout),
    )
    .route_layer(middleware::from_fn(known::guard_page))
    .route_layer(middleware::from_fn(pages::wrong::told))
    .layer(Extension(Api(api)))
    .route(&below("/assets/{name}"), get(assets::show))
    // Not guarded: who has an old cookie must be able to sign in again.
    .route(
        "/login",
        get(pages::login::form).merge(post(pages::login::login)),
    )
}

/// Choosing a new password.
fn reset_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/auth/reset-password",
            get(pages::reset::ask).post(pages::reset::send),
        )
        .route(
            "/auth/reset-password-confirm",
            get(pages::reset::choose).post(pages::reset::replace),
        )
        .route_layer(middleware::from_fn(known::guard_page))
}
