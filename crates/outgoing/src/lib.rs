//! Requests that this server sends by itself: to processing services and storages, whose addresses
//! people enter. The idea: an address is judged after its name was resolved, by whoever is about to
//! connect, so that neither a name nor a redirect leads to what only this machine can reach, such
//! as a cloud's metadata with the keys of the machine. Knows nothing of what is sent.

mod address;
mod resolve;

use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use reqwest::dns::Resolve;
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, RequestBuilder};
use url::{Host, Url};

use address::Kind;
use resolve::{Guarded, System};

/// Names of what tells a machine of a cloud its own secrets.
const METADATA: [&str; 6] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "instance-data",
    "instance-data.ec2.internal",
];

/// To which addresses requests may go, beside public ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Link-local addresses and those under which clouds tell a machine its secrets.
    pub link_local: bool,
    /// Private networks and this machine itself.
    pub private: bool,
}

impl Default for Reach {
    /// Services and storages often stand in the same private network.
    fn default() -> Reach {
        Reach {
            link_local: false,
            private: true,
        }
    }
}

/// A request that is not sent because of where it would go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this server sends no requests to {host}: {why}")]
pub struct Refused {
    host: String,
    why: String,
}

impl Refused {
    /// The refusal behind an error, however deep.
    pub fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refused> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(refused) = error.downcast_ref() {
                return Some(refused);
            }
            cause = error.source();
        }
        None
    }
}

/// What holds for the process; set once at its start.
static REACH: OnceLock<Reach> = OnceLock::new();

impl Reach {
    /// For addresses that only whoever runs the server sets, such as that of its own storage.
    pub const OF_OPERATOR: Reach = Reach {
        link_local: true,
        private: true,
    };

    /// What was set for this process, or else the default.
    pub fn of_process() -> Reach {
        REACH.get().copied().unwrap_or_default()
    }

    /// Sets what holds for this process; the first word counts.
    pub fn set_for_process(self) {
        REACH.get_or_init(|| self);
    }

    /// Whether a request may be sent to an address as it is written. What a name leads to is
    /// looked at when it is resolved.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(self, url: &Url) -> Result<(), Refused> {
        match url.host() {
            None => Ok(()),
            Some(Host::Domain(name)) => self.check_name(name),
            Some(Host::Ipv4(ip)) => self.check_ip(&ip.to_string(), ip.into()),
            Some(Host::Ipv6(ip)) => self.check_ip(&format!("[{ip}]"), ip.into()),
        }
    }

    fn check_name(self, name: &str) -> Result<(), Refused> {
        let bare = name.trim_end_matches('.').to_ascii_lowercase();
        if self.link_local || !METADATA.contains(&bare.as_str()) {
            return Ok(());
        }
        Err(Refused {
            host: name.to_owned(),
            why: "it is the name of a cloud's metadata service".to_owned(),
        })
    }

    fn check_ip(self, host: &str, ip: IpAddr) -> Result<(), Refused> {
        let kind = address::kind(ip);
        let allowed = match kind {
            Kind::Public => true,
            Kind::LinkLocal | Kind::Metadata => self.link_local,
            Kind::Private | Kind::Loopback => self.private,
        };
        if allowed {
            return Ok(());
        }
        let words = kind.words();
        let literal = host.trim_matches(['[', ']']).parse() == Ok(ip);
        Err(Refused {
            host: host.to_owned(),
            why: match literal {
                true => format!("it is {words}"),
                false => format!("it leads to {ip}, {words}"),
            },
        })
    }
}

/// Sends requests only where its reach allows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    reach: Reach,
}

/// Whether a client follows redirects; each one is judged like an address that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// Up to ten.
    Follow,
    /// None: the answer is the redirect itself.
    Show,
}

impl Client {
    /// A client with these settings and the reach of the process.
    ///
    /// # Errors
    /// Where it cannot be built: no cryptography provider.
    pub fn new(builder: ClientBuilder, redirects: Redirects) -> Result<Client, reqwest::Error> {
        Client::within(Reach::of_process(), builder, redirects)
    }

    /// The same with a reach of its own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn within(
        reach: Reach,
        builder: ClientBuilder,
        redirects: Redirects,
    ) -> Result<Client, reqwest::Error> {
        Client::reaching(reach, Arc::new(System), builder, redirects)
    }

    /// The same with a reach and a resolver of names of its own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn reaching(
        reach: Reach,
        names: Arc<dyn Resolve>,
        builder: ClientBuilder,
        redirects: Redirects,
    ) -> Result<Client, reqwest::Error> {
        let policy = match redirects {
            Redirects::Show => Policy::none(),
            Redirects::Follow => Policy::custom(move |next| match reach.check(next.url()) {
                Ok(()) => Policy::default().redirect(next),
                Err(refused) => next.error(refused),
            }),
        };
        let http = builder
            .redirect(policy)
            .dns_resolver(Guarded { reach, names })
            .build()?;
        Ok(Client { http, reach })
    }

    /// Begins a request. An address that is none is told by sending it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, Refused> {
        if let Ok(url) = Url::parse(url) {
            self.reach.check(&url)?;
        }
        Ok(self.http.request(method, url))
    }

    /// Begins a GET.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn get(&self, url: &str) -> Result<RequestBuilder, Refused> {
        self.request(Method::GET, url)
    }

    /// The client for a library that makes its own requests: it must ask [`Client::check`] for
    /// each, since numbers are not resolved.
    pub fn bare(&self) -> &reqwest::Client {
        &self.http
    }

    /// As [`Reach::check`]. What cannot be read as an address leads nowhere.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, url: &str) -> Result<(), Refused> {
        Url::parse(url).map_or(Ok(()), |url| self.reach.check(&url))
    }
}

#[cfg(test)]
mod tests;
