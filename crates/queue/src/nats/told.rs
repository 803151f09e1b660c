//! What keeps this process from working with NATS, for the log. The idea: the client tries twice a
//! second and the caretaker each second, so a reason is said when it is new, and again every ten
//! seconds for as long as it holds.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use async_nats::{ClientError, ConnectErrorKind, Event, Server};

use super::access;

/// What was said is said again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// What was said last, and when.
#[derive(Default)]
pub(super) struct Told(Mutex<Option<(Instant, String)>>);

impl Told {
    fn last(&self) -> MutexGuard<'_, Option<(Instant, String)>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Says what is wrong, unless it was said a moment ago.
    pub(super) fn say(&self, why: &str) {
        if self.is_news(why, Instant::now()) {
            tracing::warn!("{why}");
        }
    }

    fn is_news(&self, why: &str, now: Instant) -> bool {
        let mut last = self.last();
        let is_known = last
            .as_ref()
            .is_some_and(|(at, said)| said == why && now.duration_since(*at) < AGAIN);
        if !is_known {
            *last = Some((now, why.to_owned()));
        }
        !is_known
    }

    /// Nothing is wrong now.
    pub(super) fn over(&self) {
        *self.last() = None;
    }

    /// The client begins another try: says why the last one failed, as each server has it.
    pub(super) fn missed(&self, servers: &[Server]) {
        let why = servers.iter().filter_map(|server| {
            let error = server.last_error.as_deref()?;
            Some(access::words(server.addr.as_url_str(), error))
        });
        let why: Vec<String> = why.collect();
        if !why.is_empty() {
            self.say(&why.join("; "));
        }
    }

    /// What the client says of itself; `url` is what it connects to.
    pub(super) fn hear(&self, url: &str, event: &Event) {
        match event {
            Event::Connected => {
                self.over();
                tracing::info!("connected to NATS");
            }
            Event::Disconnected => tracing::warn!("the connection to NATS is lost"),
            // Of a name that is not found the servers themselves know nothing.
            Event::ClientError(ClientError::Other(error))
                if *error == ConnectErrorKind::Dns.to_string() =>
            {
                self.say(&access::words(url, error));
            }
            other => tracing::debug!("NATS: {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_when_it_is_new_and_again_after_a_while() {
        let told = Told::default();
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        assert!(told.is_news("refused", now));
        assert!(!told.is_news("refused", after(9)));
        assert!(told.is_news("barred", after(9)));
        assert!(!told.is_news("barred", after(18)));
        assert!(told.is_news("barred", after(19)));
        told.over();
        assert!(told.is_news("barred", after(20)));
    }
}
