//! Guessing passwords is slow: after some failures an account, and an address from which they
//! come, must wait. The idea: a failure is noted before the password is looked at and taken back
//! if it fits, so that many guesses at once are no way around. In memory, of bounded size.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use rest::{ApiError, ApiResult};

/// Failures count for so long.
const WINDOW: Duration = Duration::from_secs(300);
/// Failures of one account.
const ACCOUNT: usize = 10;
/// Failures from one address.
const ADDRESS: usize = 100;
/// Accounts and addresses that are remembered.
const MOST: usize = 10_000;

/// Remembers failures. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Limiter(Arc<Mutex<HashMap<String, VecDeque<Instant>>>>);

/// An attempt that was let through.
#[must_use]
#[derive(Debug)]
pub struct Attempt {
    limiter: Limiter,
    account: String,
    at: Instant,
    address: String,
}

impl Limiter {
    /// Lets an attempt through, and counts it as failed until it succeeds.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn attempt(&self, account: &str, from: IpAddr) -> ApiResult<Attempt> {
        self.attempt_at(account, from, Instant::now())
    }

    fn attempt_at(&self, account: &str, from: IpAddr, now: Instant) -> ApiResult<Attempt> {
        let account = format!("account {}", account.trim().to_lowercase());
        let address = format!("address {from}");
        let mut kept = self.0.lock().unwrap_or_else(|e| e.into_inner());
        for (key, most) in [(&account, ACCOUNT), (&address, ADDRESS)] {
            if let Some(times) = kept.get_mut(key) {
                times.retain(|at| now.duration_since(*at) < WINDOW);
                if let Some(first) = times.front().filter(|_| times.len() >= most) {
                    let left = WINDOW.saturating_sub(now.duration_since(*first));
                    return Err(ApiError::Throttled(left.as_secs().max(1)));
                }
            }
        }
        make_room(&mut kept, now);
        for key in [&account, &address] {
            kept.entry(key.clone()).or_default().push_back(now);
        }
        drop(kept);
        Ok(Attempt {
            limiter: self.clone(),
            account,
            at: now,
            address,
        })
    }
}

fn make_room(kept: &mut HashMap<String, VecDeque<Instant>>, now: Instant) {
    if kept.len() < MOST {
        return;
    }
    let fresh = |at: &Instant| now.duration_since(*at) < WINDOW;
    kept.retain(|_, times| times.back().is_some_and(fresh));
    if kept.len() < MOST {
        return;
    }
    let mut last: Vec<Instant> = kept.values().filter_map(|t| t.back().copied()).collect();
    last.sort_unstable();
    let middle = last.get(last.len() / 2).copied();
    kept.retain(|_, times| times.back().copied() > middle);
}

impl Attempt {
    /// The password fitted: the account starts anew, the address gets this attempt back.
    pub fn succeeded(self) {
        let mut kept = self.limiter.0.lock().unwrap_or_else(|e| e.into_inner());
        kept.remove(&self.account);
        if let Some(times) = kept.get_mut(&self.address)
            && let Some(place) = times.iter().position(|at| *at == self.at)
        {
            times.remove(place);
        }
    }
}

/// From where a request comes. A proxy on this machine or network is believed when it says for
/// whom it asks.
#[derive(Clone, Copy, Debug)]
pub struct From(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<From, Self::Rejection> {
        Ok(From::known(&parts.extensions, &parts.headers))
    }
}

impl From {
    /// From where this request comes.
    pub fn of(request: &Request) -> From {
        From::known(request.extensions(), request.headers())
    }

    fn known(extensions: &Extensions, headers: &HeaderMap) -> From {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.ip());
        From(behind(peer, headers))
    }
}

fn behind(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let near = match peer {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    let named = headers.get_all("x-forwarded-for").iter().next_back();
    let named = named
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
        .filter(|_| near);
    named.unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_account_waits_after_failures_and_not_after_success() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for i in 0..ACCOUNT {
            let from = ip(u8::try_from(i).unwrap());
            let _failed = limiter.attempt_at("Ann@example.org", from, now).unwrap();
        }
        let later = now + Duration::from_secs(100);
        let refused = limiter.attempt_at(" ann@example.org", ip(99), later);
        assert!(
            matches!(refused, Err(ApiError::Throttled(200))),
            "{refused:?}"
        );
        assert!(limiter.attempt_at("bob@example.org", ip(99), later).is_ok());
        let over = limiter.attempt_at("ann@example.org", ip(99), now + WINDOW);
        over.unwrap().succeeded();
        for _ in 0..ACCOUNT {
            let _failed = limiter
                .attempt_at("ann@example.org", ip(98), now + WINDOW)
                .unwrap();
        }
    }

    #[test]
    fn an_address_waits_whatever_accounts_it_tries() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for i in 0..ADDRESS {
            let good = limiter.attempt_at(&format!("good{i}"), ip(1), now);
            good.unwrap().succeeded();
            let _failed = limiter.attempt_at(&format!("bad{i}"), ip(1), now).unwrap();
        }
        assert!(limiter.attempt_at("another", ip(1), now).is_err());
        assert!(limiter.attempt_at("another", ip(2), now).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for i in 0..MOST * 2 {
            let from = IpAddr::from([10, (i >> 16) as u8, (i >> 8) as u8, i as u8]);
            let _failed = limiter.attempt_at(&i.to_string(), from, now).unwrap();
        }
        assert!(limiter.0.lock().unwrap().len() <= MOST + 1);
    }

    #[test]
    fn only_near_proxies_are_believed() {
        let headers = HeaderMap::from_iter([(
            "x-forwarded-for".parse().unwrap(),
            "1.2.3.4, 192.0.2.7".parse().unwrap(),
        )]);
        for (peer, from) in [
            ("127.0.0.1", "192.0.2.7"),
            ("::ffff:10.0.0.1", "192.0.2.7"),
            ("203.0.113.5", "203.0.113.5"),
        ] {
            let from: IpAddr = from.parse().unwrap();
            assert_eq!(behind(peer.parse().unwrap(), &headers), from, "{peer}");
        }
        let peer = ip(1);
        assert_eq!(behind(peer, &HeaderMap::new()), peer);
    }
}
