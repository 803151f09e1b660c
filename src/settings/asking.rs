//! Where a command that asks something is to ask: a server, or a data folder of this machine. The
//! idea: what stands on the command line counts more than a variable, and both more than what
//! `hawkmoth login` remembers; two places of the same weight are refused, never guessed.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::{Kept, Place};
use crate::client::Login;

/// Under which words these stand in `--help`.
const WHERE: &str = "Where to ask";

/// Where a command asks, and how it answers.
#[derive(Args, Clone, Debug)]
pub struct Asking {
    /// Print the API's own JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Address of the server; by default the one that `hawkmoth login` remembers
    #[arg(long, env = "HAWKMOTH_SERVER", value_name = "URL", value_parser = address, help_heading = WHERE)]
    pub server: Option<String>,
    /// Token to sign in with; better given in the variable than on the command line
    #[arg(
        long,
        env = "HAWKMOTH_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        help_heading = WHERE
    )]
    pub token: Option<String>,
    /// Data folder of this machine to work on without a server, as its first superuser; a server
    /// may run on it at the same time
    #[arg(long, env = "HAWKMOTH_DATA", value_name = "DIR", help_heading = WHERE)]
    pub data: Option<PathBuf>,
    /// Address of the database of that folder, where it is not in it
    #[arg(
        long,
        env = "HAWKMOTH_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        hide_short_help = true,
        help_heading = WHERE
    )]
    pub database_url: Option<String>,
    /// Key of that installation, where it is not in the folder
    #[arg(
        long,
        env = "HAWKMOTH_SECRET_KEY",
        value_name = "HEX",
        hide_env_values = true,
        hide_short_help = true,
        help_heading = WHERE
    )]
    pub secret_key: Option<String>,
    #[command(flatten, next_help_heading = WHERE)]
    pub kept: Kept,
}

/// What is asked.
#[derive(Debug)]
pub enum Asked {
    /// A server, with what is known of who asks.
    Server { url: String, token: Option<String> },
    /// The folder of an installation.
    Data(Place),
}

impl Asking {
    /// Chooses. `remembered` is read only where nothing is said.
    ///
    /// # Errors
    /// Where two places are named, or none is.
    pub fn choose(
        &self,
        remembered: impl FnOnce() -> anyhow::Result<Option<Login>>,
    ) -> anyhow::Result<Asked> {
        let token = self.token.clone().filter(|token| !token.trim().is_empty());
        match (&self.server, &self.data) {
            (Some(url), Some(data)) => {
                let variable = std::env::var("HAWKMOTH_SERVER").ok();
                let server = variable.and_then(|text| address(&text).ok());
                let by_server = server.as_ref() == Some(url);
                let by_data = std::env::var_os("HAWKMOTH_DATA").is_some_and(|text| *data == text);
                match (by_server, by_data) {
                    (false, true) => at_server(url, token, remembered),
                    (true, false) => Ok(Asked::Data(self.place(data))),
                    _ => bail!(
                        "both a server and a data folder are named: give --server or --data, not both"
                    ),
                }
            }
            (Some(url), None) => at_server(url, token, remembered),
            (None, Some(data)) => Ok(Asked::Data(self.place(data))),
            (None, None) => {
                let known = remembered()?.context(
                    "no server is named: sign in with `hawkmoth login --server URL`, or give --server, \
                     or --data for a data folder of this machine",
                )?;
                Ok(Asked::Server {
                    url: known.server,
                    token: token.or(Some(known.token)),
                })
            }
        }
    }

    fn place(&self, data: &std::path::Path) -> Place {
        Place {
            data: data.to_owned(),
            database_url: self.database_url.clone(),
            secret_key: self.secret_key.clone(),
        }
    }
}

/// A server that is named; a remembered token is shown to the server that it is of alone.
fn at_server(
    url: &str,
    token: Option<String>,
    remembered: impl FnOnce() -> anyhow::Result<Option<Login>>,
) -> anyhow::Result<Asked> {
    let token = match token {
        Some(token) => Some(token),
        None => remembered()?
            .filter(|known| known.server == url)
            .map(|known| known.token),
    };
    Ok(Asked::Server {
        url: url.to_owned(),
        token,
    })
}

/// The address of a server in its one form: without a last slash, and without the API's own path.
pub fn address(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("{error}; give http://host:port"))?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !is_web {
        return Err("an address begins with http:// or https:// and names a host".to_owned());
    }
    let bare = text.trim().trim_end_matches('/');
    Ok(bare.strip_suffix("/api/v2").unwrap_or(bare).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn login() -> Login {
        Login {
            server: "https://moths.example.org".to_owned(),
            token: "remembered".to_owned(),
        }
    }

    fn asking(server: Option<&str>, data: Option<&str>) -> Asking {
        Asking {
            json: false,
            server: server.map(str::to_owned),
            token: None,
            data: data.map(PathBuf::from),
            database_url: None,
            secret_key: None,
            kept: Kept::default(),
        }
    }

    #[test]
    fn addresses_have_one_form() {
        for text in [
            "https://moths.example.org",
            "https://moths.example.org/",
            "https://moths.example.org/api/v2/",
        ] {
            assert_eq!(address(text).unwrap(), "https://moths.example.org");
        }
        for text in [
            "moths.example.org",
            "ftp://moths.example.org",
            "localhost:8000",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_remembered_token_goes_to_its_own_server_alone() {
        let own = asking(Some("https://moths.example.org"), None);
        let Asked::Server { token, .. } = own.choose(|| Ok(Some(login()))).unwrap() else {
            panic!("a data folder was chosen");
        };
        assert_eq!(token.as_deref(), Some("remembered"));
        let other = asking(Some("https://other.example.org"), None);
        let Asked::Server { token, .. } = other.choose(|| Ok(Some(login()))).unwrap() else {
            panic!("a data folder was chosen");
        };
        assert_eq!(token, None);
    }

    #[test]
    fn two_places_and_none_are_refused() {
        let both = asking(Some("http://127.0.0.1:9"), Some("/somewhere/else"));
        let why = both.choose(|| Ok(None)).unwrap_err().to_string();
        assert!(why.contains("not both"), "{why}");
        let none = asking(None, None);
        let why = none.choose(|| Ok(None)).unwrap_err().to_string();
        assert!(why.contains("hawkmoth login"), "{why}");
    }
}
