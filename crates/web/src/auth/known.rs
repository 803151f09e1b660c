//! Who asks is found out once for each request, before everything else: layers, handlers and the
//! bar at the top of a page all read the same answer. A request that is refused is refused before
//! its handler runs, whether or not the handler asks who it is.

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rest::{ApiError, ApiResult};
use store::origin::{Origin, SPANS, Trace};
use store::user::User;
use store::{StoreError, StoreResult};
use tracing::{Instrument, Span};

use super::limit::From as Address;
use super::{Who, cookie, forgery, scope, token};
use crate::api::internal;
use crate::pages::PageError;
use crate::pages::said;
use crate::pages::top::Top;
use crate::shape::Asked;
use crate::{AppState, limits, measured};

/// What is known of who asks.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nobody said anything.
    #[default]
    Nobody,
    /// A person, by a token.
    Token(User),
    /// A person's worker, by a token that is for the jobs of this project alone.
    Worker(User, i64),
    /// A person, by the cookie with this secret.
    Session(User, String),
    /// A token that is none.
    Refused(&'static str),
    /// A cookie vouches for it, but it may not be from one of our pages.
    Forged(&'static str),
    /// The database did not answer in time.
    Slow,
    /// The database did not answer as it should.
    Broken(String),
}

impl Known {
    /// What was found out about a request.
    pub fn of(extensions: &Extensions) -> Known {
        extensions.get().cloned().unwrap_or_default()
    }

    /// The person, or why there is none.
    ///
    /// # Errors
    /// 401 for a token that is none, 403 for a request that may be forged.
    pub fn who(self) -> ApiResult<Who> {
        match self {
            Known::Nobody => Ok(Who(None)),
            Known::Token(user) | Known::Worker(user, _) | Known::Session(user, _) => {
                Ok(Who(Some(user)))
            }
            Known::Refused(words) => Err(ApiError::BadToken(words)),
            Known::Forged(words) => Err(ApiError::ForbiddenBecause(words)),
            Known::Slow => Err(internal(StoreError::Slow)),
            Known::Broken(why) => Err(ApiError::Internal(why)),
        }
    }

    /// The person.
    pub fn user(&self) -> Option<&User> {
        match self {
            Known::Token(user) | Known::Worker(user, _) | Known::Session(user, _) => Some(user),
            _ => None,
        }
    }

    /// The one project of a worker's token.
    pub fn only(&self) -> Option<i64> {
        match self {
            Known::Worker(_, project) => Some(*project),
            _ => None,
        }
    }

    /// The secret of the cookie by which the person is known.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Known::Session(_, secret) => Some(secret),
            _ => None,
        }
    }
}

/// Finds out who asks, and sets what holds for everything that answers: the server's clock, the
/// bar at the top of pages, and on whose behalf and in which trace things are done.
pub async fn know(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let span = span(&request);
    let (mut request, known) = recognise(&state, request).await;
    // Who could not be found out about is told of that, not that they should sign in.
    if known.user().is_none() && !matches!(known, Known::Slow | Known::Broken(_)) {
        limits::nobody_known(&request);
    }
    if let Err(error) = counted(&state, &request, &known) {
        return limits::refused("throttled", error);
    }
    let has_cookie = known.secret().is_some();
    let said = said::heard(request.headers(), &state.links);
    let has_said = said.is_some() && request.method() == Method::GET;
    let top = Top::of(&state, &known, &address(&request)).saying(said);
    let top = top.dressed(request.headers());
    let drawn = || state.linking.as_ref().map(|_| trace(request.headers()));
    let origin = Origin {
        user: known.user().map(|user| user.id),
        trace: Trace::of(&span).or_else(drawn),
    };
    request.extensions_mut().insert(known);
    let answered = state.zone.around(top.above(next.run(request)));
    let mut answer = origin.around(answered).instrument(span.clone()).await;
    // Numbers of other types would be sent as texts.
    let status = i64::from(answer.status().as_u16());
    span.record("http.response.status_code", status);
    if has_cookie {
        let headers = answer.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
        let private = HeaderValue::from_static("private, no-cache");
        headers.entry(header::CACHE_CONTROL).or_insert(private);
    }
    if has_said && is_page(answer.headers()) {
        let forgotten = said::forgotten(&state.links);
        answer.headers_mut().append(header::SET_COOKIE, forgotten);
    }
    answer
}

/// Whether an answer is read by a person, who has then seen what it says.
fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Counts a request against what whoever sends it may send. What is open to whoever has the link
/// is not counted: services fetch their photographs there.
fn counted(state: &AppState, request: &Request, known: &Known) -> ApiResult<()> {
    if request.uri().path().starts_with("/media/") {
        return Ok(());
    }
    match known {
        Known::Token(_) | Known::Worker(..) => state.rates.known(request.headers(), None),
        Known::Session(_, secret) => state.rates.known(request.headers(), Some(secret)),
        _ => state.rates.unknown(|| Address::of(request).0),
    }
}

/// The span of a request; a step of whoever asks, where they name theirs. Its address is told by
/// its pattern alone, for some addresses are secrets.
fn span(request: &Request) -> Span {
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        otel.kind = "server",
        otel.name = tracing::field::Empty,
        http.request.method = %request.method(),
        http.route = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let named = request.headers().get("traceparent");
    let named = named.and_then(|value| Trace::named_by(value.to_str().ok()?));
    if let Some(trace) = named {
        trace.leads_to(&span);
    }
    let route = measured::route(request);
    span.record("otel.name", format!("{} {route}", request.method()));
    span.record("http.route", route);
    span
}

/// The trace of whoever asks, or a new one.
fn trace(headers: &HeaderMap) -> Trace {
    let named = headers.get("traceparent").and_then(|v| v.to_str().ok());
    named
        .and_then(Trace::of_header)
        .unwrap_or_else(Trace::fresh)
}

/// The address as it was asked for, to come back to.
fn address(request: &Request) -> String {
    let path = match request.extensions().get::<Asked>() {
        Some(asked) => &asked.path,
        None => request.uri().path(),
    };
    match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

async fn recognise(state: &AppState, request: Request) -> (Request, Known) {
    let path = request.uri().path();
    let asset = path.strip_prefix(state.root());
    if path.starts_with("/media/") || asset.is_some_and(|path| path.starts_with("/assets/")) {
        return (request, Known::Nobody); // open to whoever has the link
    }
    match token(request.headers()) {
        Ok(None) => {}
        Ok(Some(token)) => {
            let found = state.store.user_by_token(&token).await;
            return (request, found_by_token(found));
        }
        Err(ApiError::BadToken(words)) => return (request, Known::Refused(words)),
        Err(other) => return (request, Known::Broken(other.to_string())),
    }
    let Some(secret) = cookie::read(request.headers(), &state.links, cookie::SESSION) else {
        return (request, Known::Nobody);
    };
    let user = match state.store.user_by_login(&secret).await {
        Ok(Some(user)) => user,
        Ok(None) => return (request, Known::Nobody),
        Err(error) => return (request, unknown(&error)),
    };
    if forgery::harmless(request.method()) {
        return (request, Known::Session(user, secret));
    }
    let (request, verdict) = forgery::check(&state.links, request, &secret).await;
    let known = match verdict {
        Ok(()) => Known::Session(user, secret),
        Err(words) => Known::Forged(words),
    };
    (request, known)
}

fn found_by_token(found: StoreResult<Option<(User, Option<i64>)>>) -> Known {
    match found {
        Ok(Some((user, None))) => Known::Token(user),
        // A machine is none of those who may do everything, whoever its token was made by.
        Ok(Some((user, Some(project)))) => Known::Worker(
            User {
                is_superuser: false,
                is_staff: false,
                ..user
            },
            project,
        ),
        Ok(None) => Known::Refused("Invalid token."),
        Err(error) => unknown(&error),
    }
}

fn unknown(error: &StoreError) -> Known {
    match error {
        StoreError::Slow => Known::Slow,
        other => Known::Broken(other.to_string()),
    }
}

/// Refuses below `/api/v2` before the handler runs.
pub async fn guard_api(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let known = Known::of(request.extensions());
    if let Some(project) = known.only() {
        let (method, path) = (request.method(), request.uri().path());
        if let Err(error) = scope::check(&state, method, path, project).await {
            return error.into_response();
        }
    }
    match known.who() {
        Ok(_) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Refuses a page before its handler runs.
pub async fn guard_page(request: Request, next: Next) -> Response {
    if Known::of(request.extensions()).only().is_some() {
        return PageError::from(ApiError::Forbidden).into_response();
    }
    match Known::of(request.extensions()).who() {
        Ok(_) => next.run(request).await,
        Err(error) => PageError::from(error).into_response(),
    }
}
