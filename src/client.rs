//! The API as commands speak it: to a server over HTTP, or to the real router within this process,
//! on a data folder. The idea: both are asked with the same words and answer with the same JSON,
//! so a command does not know which it is.

use std::cell::Cell;
use std::io::Write;

use anyhow::Context;
use serde_json::Value;

use crate::settings::{Asked, Asking};

mod local;
mod login;
mod names;
mod refusal;
mod server;

pub use login::Login;
pub use names::{Kind, id};
pub use refusal::read;
pub use server::Server;

use local::Local;

/// How something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Delete,
}

/// An answer, read to its end.
pub struct Reply {
    pub status: u16,
    pub text: String,
}

enum Way {
    Server(Server),
    Local(Local),
}

/// Whoever is asked.
pub struct Client {
    way: Way,
    /// The job that the person watches just now.
    pub watching: Cell<Option<i64>>,
}

impl Client {
    /// Chooses whom to ask.
    ///
    /// # Errors
    /// Where nobody is named, or the data folder cannot be used.
    pub async fn open(at: &Asking) -> anyhow::Result<Client> {
        let way = match at.choose(Login::read)? {
            Asked::Server { url, token } => Way::Server(Server::new(&url, token)?),
            Asked::Data(place) => Way::Local(Local::open(&place, &at.kept).await?),
        };
        Ok(Client {
            way,
            watching: Cell::new(None),
        })
    }

    /// What lies at an address below the API.
    ///
    /// # Errors
    /// What the server has against it.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Verb::Get, path, None).await
    }

    /// Sends a body to an address below the API.
    ///
    /// # Errors
    /// What the server has against it.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Verb::Post, path, Some(body)).await
    }

    /// Deletes what lies at an address below the API.
    ///
    /// # Errors
    /// What the server has against it.
    pub async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.ask(Verb::Delete, path, None).await.map(drop)
    }

    async fn ask(&self, verb: Verb, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let path = format!("/api/v2/{path}");
        let body = body.map(Value::to_string);
        let reply = match &self.way {
            Way::Server(server) => server.ask(verb, &path, body).await?,
            Way::Local(local) => local.ask(verb, &path, body).await?,
        };
        refusal::read(&reply)
    }

    /// Reads a file of the server's into another one; its size. The address may be one under which
    /// others reach the server: the file is asked for where everything else is.
    ///
    /// # Errors
    /// Where the server does not give it, or not all of it.
    pub async fn download(&self, address: &str, into: &mut impl Write) -> anyhow::Result<u64> {
        let path = path_of(address).context("the address of the file cannot be read")?;
        match &self.way {
            Way::Server(server) => server.download(&path, into).await,
            Way::Local(local) => local.download(&path, into).await,
        }
    }

    /// The address of a job's page, where there is a server to look at it.
    pub fn page(&self, project: i64, job: i64) -> Option<String> {
        match &self.way {
            Way::Server(server) => Some(format!("{}/projects/{project}/jobs/{job}", server.url)),
            Way::Local(_) => None,
        }
    }

    /// Leaves nothing behind.
    pub async fn close(self) {
        if let Way::Local(local) = self.way {
            local.close().await;
        }
    }
}

/// Path and query of an address.
fn path_of(address: &str) -> Option<String> {
    let base = url::Url::parse("http://localhost").ok()?;
    let url = base.join(address).ok()?;
    Some(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

/// An address with its query; what has no value is left out.
pub fn query(path: &str, pairs: &[(&str, Option<String>)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    let text = text.finish();
    match text.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_asked_for_by_its_path() {
        let signed = path_of("https://moths.example.org/media/a%20b.csv?s=1&e=2");
        assert_eq!(signed.as_deref(), Some("/media/a%20b.csv?s=1&e=2"));
        assert_eq!(path_of("/media/x").as_deref(), Some("/media/x"));
    }

    #[test]
    fn a_query_holds_what_has_a_value() {
        let none: &[(&str, Option<String>)] = &[("a", None)];
        assert_eq!(query("jobs/", none), "jobs/");
        let some = [("a", None), ("b", Some("x y".to_owned()))];
        assert_eq!(query("jobs/", &some), "jobs/?b=x+y");
    }
}
