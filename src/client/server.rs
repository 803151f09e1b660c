//! A server over HTTP. The idea: what can go wrong on the way is one sentence that names the
//! address, and a server that sends elsewhere is not followed, for a POST would lose its body.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, header};

use super::refusal;
use super::{Reply, Verb};

/// For a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// In which something of an answer arrives.
const SILENCE: Duration = Duration::from_secs(120);

/// A server, and who asks it.
pub struct Server {
    /// Its address, without a last slash.
    pub url: String,
    token: Option<String>,
    http: reqwest::Client,
}

impl Server {
    /// Speaks to this server.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(url: &str, token: Option<String>) -> anyhow::Result<Server> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(Policy::none())
            .user_agent(concat!("hawkmoth/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("cannot start the HTTP client")?;
        Ok(Server {
            url: url.to_owned(),
            token,
            http,
        })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn ask(&self, verb: Verb, path: &str, body: Option<String>) -> anyhow::Result<Reply> {
        let method = match verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Delete => Method::DELETE,
        };
        let answer = self.send(method, path, body).await?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| self.silent(&error))?;
        Ok(Reply { status, text })
    }

    /// Reads a file into another one; its size.
    ///
    /// # Errors
    /// Where the server does not give it, or not all of it.
    pub async fn download(&self, path: &str, into: &mut impl Write) -> anyhow::Result<u64> {
        let mut answer = self.send(Method::GET, path, None).await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            let text = answer.text().await.map_err(|error| self.silent(&error))?;
            return Err(refusal::of(&Reply { status, text }));
        }
        let mut size = 0;
        loop {
            let chunk = answer.chunk().await.map_err(|error| self.silent(&error))?;
            let Some(chunk) = chunk else {
                return Ok(size);
            };
            into.write_all(&chunk).context("cannot write the file")?;
            size += u64::try_from(chunk.len()).unwrap_or(0);
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> anyhow::Result<Response> {
        let call = self.http.request(method, format!("{}{path}", self.url));
        let call = call.header(header::ACCEPT, "application/json");
        let call = match &self.token {
            Some(token) => call.header(header::AUTHORIZATION, format!("Token {token}")),
            None => call,
        };
        let call = match body {
            Some(body) => call
                .header(header::CONTENT_TYPE, "application/json")
                .body(body),
            None => call,
        };
        let answer = call.send().await.map_err(|error| self.silent(&error))?;
        if answer.status().is_redirection() {
            let to = answer.headers().get(header::LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            bail!("{} sends to {to}: give that server's own address", self.url);
        }
        Ok(answer)
    }

    /// Why there is no answer, for people.
    fn silent(&self, error: &reqwest::Error) -> anyhow::Error {
        let url = &self.url;
        if error.is_builder() {
            return anyhow::anyhow!("the token or the address {url} holds what cannot be sent");
        }
        let why = match error.is_timeout() {
            true => "it took too long".to_owned(),
            false => root(error),
        };
        anyhow::anyhow!(
            "the server at {url} does not answer ({why}): is the address right, and does it run?"
        )
    }
}

/// The last of the causes, which says the most.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
