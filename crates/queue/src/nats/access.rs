//! How a NATS server is opened. The idea: what its address says holds (a user with a password, or a
//! token alone, and `tls://`), files say the rest (credentials of a user, whose certificates are
//! believed), and no sentence about it ever shows a secret.

use std::path::{Path, PathBuf};

use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

use crate::{QueueError, QueueResult};

/// What opens a server beside its address.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// File of credentials, as `nsc` writes it: a JWT and the key of its user.
    pub credentials: Option<PathBuf>,
    /// File of certificates (PEM) that are believed instead of the system's; TLS is a must then.
    pub authorities: Option<PathBuf>,
}

/// What an address says of who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Visitor {
    User(String, String),
    Token(String),
}

fn refused(why: String) -> QueueError {
    QueueError::Nats(why)
}

/// The addresses of a setting, with commas between them.
pub(super) fn servers(url: &str) -> QueueResult<Vec<ServerAddr>> {
    let servers = url.split(',').map(|one| one.trim().parse());
    let servers: Result<Vec<ServerAddr>, _> = servers.collect();
    servers.map_err(|error| {
        let shown = shown(url);
        refused(format!("{shown} is no address of a NATS server: {error}"))
    })
}

/// The addresses as they may be read by everybody: a token alone stands where a user would.
pub(super) fn shown(url: &str) -> String {
    let one = |address: &str| {
        let address = address.trim();
        let start = address.find("://").map_or(0, |at| at + 3);
        let Some(at) = address.rfind('@').filter(|at| *at >= start) else {
            return address.to_owned();
        };
        let (scheme, host) = (&address[..start], &address[at + 1..]);
        match address[start..at].split_once(':') {
            Some((user, _)) => format!("{scheme}{user}@{host}"),
            None => format!("{scheme}{host}"),
        }
    };
    url.split(',').map(one).collect::<Vec<_>>().join(",")
}

/// Why there is no connection.
pub(super) fn why(url: &str, error: &ConnectError) -> QueueError {
    refused(words(url, &error.to_string()))
}

/// The same of an error of which only its words are left.
pub(super) fn words(url: &str, error: &str) -> String {
    use ConnectErrorKind::{Authentication, AuthorizationViolation};
    let shown = shown(url);
    let barred = [Authentication, AuthorizationViolation];
    match barred
        .iter()
        .any(|kind| error.starts_with(&kind.to_string()))
    {
        true => format!("NATS at {shown} does not let this server in: {error}"),
        false => format!("NATS does not answer at {shown}: {error}"),
    }
}

/// Whether the next try may succeed where nobody changes a setting of this process.
pub(super) fn may_pass(error: &ConnectError) -> bool {
    use ConnectErrorKind::{ServerParse, Tls};
    !matches!(error.kind(), ServerParse | Tls)
}

impl Access {
    /// How these servers are connected to.
    pub(super) async fn options(&self, servers: &[ServerAddr]) -> QueueResult<ConnectOptions> {
        let mut options = ConnectOptions::new();
        let visitor = visitor(servers)?;
        if visitor.is_some() && self.credentials.is_some() {
            let both =
                "NATS is opened by a file of credentials or by what its address says, not by both";
            return Err(refused(both.to_owned()));
        }
        options = match visitor {
            Some(Visitor::User(user, password)) => options.user_and_password(user, password),
            Some(Visitor::Token(token)) => options.token(token),
            None => options,
        };
        if let Some(file) = &self.credentials {
            let text = read(file, "credentials for NATS").await?;
            options = options.credentials(&text).map_err(|_| {
                let file = file.display();
                refused(format!("{file} holds no credentials for NATS"))
            })?;
        }
        if let Some(file) = &self.authorities {
            read(file, "certificates for NATS").await?;
            options = options
                .add_root_certificates(file.clone())
                .require_tls(true);
        }
        Ok(options)
    }
}

async fn read(file: &Path, what: &str) -> QueueResult<String> {
    let text = tokio::fs::read_to_string(file).await;
    text.map_err(|error| {
        let file = file.display();
        refused(format!("the {what} cannot be read from {file}: {error}"))
    })
}

/// Who comes: the same for all servers, for whoever connects again may come to any of them.
fn visitor(servers: &[ServerAddr]) -> QueueResult<Option<Visitor>> {
    let mut all = servers.iter().filter_map(said);
    let Some(first) = all.next() else {
        return Ok(None);
    };
    if all.any(|other| other != first) {
        let different = "the addresses of NATS hold different users, passwords or tokens: all servers \
                         of a cluster take the same";
        return Err(refused(different.to_owned()));
    }
    Ok(Some(first))
}

fn said(server: &ServerAddr) -> Option<Visitor> {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = plain(server.username()?);
    Some(match server.password() {
        Some(password) => Visitor::User(user, plain(password)),
        None => Visitor::Token(user),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        for (url, expected) in [
            ("nats://bob:secret@h:4222", "nats://bob@h:4222"),
            ("tls://secret@h", "tls://h"),
            (
                "nats://bob:se@cret@h, nats://secret@i:1",
                "nats://bob@h,nats://i:1",
            ),
            ("secret@h:1", "h:1"),
            ("h:4222,i", "h:4222,i"),
        ] {
            assert_eq!(shown(url), expected);
        }
        for url in ["ftp://secret@h", "nats://secret@h:notaport"] {
            let why = servers(url).unwrap_err().to_string();
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn a_try_that_failed_is_told_by_its_words() {
        let url = "nats://bob:secret@h:4222";
        for (kind, begins) in [
            (
                ConnectErrorKind::AuthorizationViolation,
                "NATS at nats://bob@h:4222 does not let this server in: ",
            ),
            (
                ConnectErrorKind::Authentication,
                "NATS at nats://bob@h:4222 does not let this server in: ",
            ),
            (
                ConnectErrorKind::Io,
                "NATS does not answer at nats://bob@h:4222: ",
            ),
            (
                ConnectErrorKind::Dns,
                "NATS does not answer at nats://bob@h:4222: ",
            ),
        ] {
            let error = ConnectError::with_source(kind, "because");
            let told = words(url, &error.to_string());
            assert!(told.starts_with(begins), "{told}");
            assert!(told.ends_with("because"), "{told}");
        }
    }

    #[test]
    fn an_address_says_who_comes() {
        let of = |url: &str| visitor(&servers(url).unwrap());
        let bob = Visitor::User("bob".to_owned(), "a/b c".to_owned());
        assert_eq!(of("nats://bob:a%2Fb%20c@h").unwrap(), Some(bob.clone()));
        let token = Visitor::Token("t+k".to_owned());
        assert_eq!(of("nats://t%2Bk@h").unwrap(), Some(token));
        assert_eq!(of("nats://h,nats://i").unwrap(), None);
        assert_eq!(of("nats://bob:a%2Fb%20c@h,nats://i").unwrap(), Some(bob));
        let why = of("nats://a:b@h,nats://c:d@i").unwrap_err().to_string();
        assert!(why.contains("different users"), "{why}");
    }
}
