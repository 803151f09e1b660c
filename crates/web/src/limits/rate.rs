//! How often somebody may ask: by token or cookie where one was shown that is good, else by
//! address. The idea: a bound is off unless it is set, because workers that fetch and post as fast
//! as they are served are the normal case here.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use rest::{ApiError, ApiResult};

use super::Limits;
use crate::auth::token;

/// Callers that are remembered before those are forgotten who have long been quiet.
const MOST: usize = 10_000;

type Buckets<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

/// Counts requests. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rates {
    known: Option<Arc<Buckets<u64>>>,
    addresses: Option<Arc<Buckets<IpAddr>>>,
}

impl Rates {
    /// Counts against these limits.
    pub fn new(limits: &Limits) -> Rates {
        Rates {
            known: limits.per_token.map(|most| Arc::new(buckets(most))),
            addresses: limits.per_address.map(|most| Arc::new(buckets(most))),
        }
    }

    /// Counts a request of somebody who showed a good token or cookie.
    ///
    /// # Errors
    /// [`ApiError::Throttled`] where it is one too many.
    pub fn known(&self, headers: &HeaderMap, secret: Option<&str>) -> ApiResult<()> {
        let Some(buckets) = &self.known else {
            return Ok(());
        };
        count(buckets, &caller(headers, secret))
    }

    /// Counts a request of somebody who showed nothing.
    ///
    /// # Errors
    /// As [`Rates::known`].
    pub fn unknown(&self, from: impl FnOnce() -> IpAddr) -> ApiResult<()> {
        match &self.addresses {
            Some(buckets) => count(buckets, &from()),
            None => Ok(()),
        }
    }
}

/// Under which number somebody is counted: by the cookie's secret, or by the token, however its
/// header is spelled.
fn caller(headers: &HeaderMap, secret: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match secret {
        Some(secret) => secret.hash(&mut hasher),
        None => token(headers).ok().flatten().hash(&mut hasher),
    }
    hasher.finish()
}

/// A second's worth may come at once.
fn buckets<K: Hash + Eq + Clone>(most: NonZeroU32) -> Buckets<K> {
    RateLimiter::dashmap(Quota::per_second(most))
}

fn count<K: Hash + Eq + Clone>(buckets: &Buckets<K>, key: &K) -> ApiResult<()> {
    if buckets.len() > MOST {
        buckets.retain_recent();
    }
    buckets.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        ApiError::Throttled(wait.as_secs().saturating_add(1))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn a_token_is_counted_however_it_is_spelled() {
        let by_token = |spelled: &'static str| {
            let value = HeaderValue::from_static(spelled);
            caller(&HeaderMap::from_iter([(AUTHORIZATION, value)]), None)
        };
        let one = by_token("Token abc");
        for spelled in ["token abc", "TOKEN abc", "Token   abc", "toKen\tabc "] {
            assert_eq!(by_token(spelled), one, "{spelled:?}");
        }
        for other in ["Token abd", "Token ABC"] {
            assert_ne!(by_token(other), one, "{other:?}");
        }
        let by_cookie = |secret| caller(&HeaderMap::new(), Some(secret));
        assert_eq!(by_cookie("one"), by_cookie("one"));
        assert_ne!(by_cookie("one"), by_cookie("two"));
    }
}
