//! The bar at the top of every page: who is signed in, and the way in or out. The idea: it is the
//! same for all pages that answer a request, also for those about errors, so it is set around the
//! request and the layout reads it; no page hands it on.

use axum::http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::AppState;
use crate::auth::known::Known;
use crate::auth::{cookie, forgery};

/// Name of the cookie that the switch of colours sets.
const THEME: &str = "hawkmoth_theme";
/// What stands in it.
const THEMES: [&str; 2] = ["dark", "light"];

tokio::task_local! {
    static TOP: Top;
}

/// What the bar shows.
#[derive(Clone, Debug, Default)]
pub struct Top {
    /// Where our own pages begin; empty unless a web client has `/`.
    pub root: &'static str,
    /// Name of the person who is signed in.
    pub person: Option<String>,
    /// Whether that person may look at the server itself.
    pub superuser: bool,
    /// The colours that were chosen by the switch.
    pub theme: Option<&'static str>,
    /// What is said once, after something was done.
    pub said: Option<String>,
    /// What forms of the page must send back in `csrfmiddlewaretoken`; empty where no cookie
    /// vouches for them.
    pub word: String,
    /// Where to go on after signing in or out, encoded for a query.
    pub next: String,
}

impl Top {
    /// The bar for a request to this address.
    pub fn of(state: &AppState, known: &Known, address: &str) -> Top {
        let user = known.user();
        let secret = known.secret();
        let comes_back = !["/login", "/logout", "/auth/"]
            .iter()
            .any(|path| address.starts_with(path));
        let home = format!("{}/", state.root());
        let next = if comes_back { address } else { &home };
        Top {
            root: state.root(),
            person: user.map(|user| match user.name.trim() {
                "" => user.email.clone(),
                name => name.to_owned(),
            }),
            superuser: user.is_some_and(|user| user.is_superuser),
            theme: None,
            said: None,
            word: secret.map_or_else(String::new, |secret| forgery::word(&state.links, secret)),
            next: utf8_percent_encode(next, NON_ALPHANUMERIC).to_string(),
        }
    }

    /// The same, with something to be said.
    #[must_use]
    pub fn saying(self, said: Option<String>) -> Top {
        Top { said, ..self }
    }

    /// The same, in the colours that this browser has been told to use.
    #[must_use]
    pub fn dressed(self, headers: &HeaderMap) -> Top {
        let theme = cookie::plain(headers, THEME);
        let theme = theme.and_then(|chosen| THEMES.into_iter().find(|known| *known == chosen));
        Top { theme, ..self }
    }

    /// Shows this bar on all pages of a future.
    pub async fn above<F: Future>(self, future: F) -> F::Output {
        TOP.scope(self, future).await
    }

    /// Where the pages begin that the one being made leads to.
    pub fn root() -> &'static str {
        TOP.try_with(|top| top.root).unwrap_or_default()
    }

    /// The field that every form of a page holds.
    pub fn word() -> String {
        TOP.try_with(|top| top.word.clone()).unwrap_or_default()
    }

    /// The bar of the page that is being made.
    pub fn current() -> Top {
        TOP.try_with(Top::clone).unwrap_or_default()
    }
}
