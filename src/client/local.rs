//! A data folder without a server: the real router is asked within this process, as the first
//! superuser. The idea: a token is made for the one command and ended with it, so rights, checks
//! and the timeline of a job are those of the API. Another process may serve the same folder:
//! jobs are run by that one.

use std::io::Write;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use axum::response::Response;
use futures_util::StreamExt;
use store::Store;

use super::refusal;
use super::{Reply, Verb};
use crate::settings::{Kept, Mail, Place};
use crate::startup::{self, Carriers};

/// What addresses in answers begin with.
const HOST: &str = "localhost";
/// Name of the token, as a list of tokens shows it while the command runs.
const TOKEN: &str = "one command on the data folder";
/// Longest answer that is read; files are not read through it.
const MOST: usize = 256 * 1024 * 1024;

/// The folder of an installation.
pub struct Local {
    router: Router,
    store: Store,
    token: String,
}

impl Local {
    /// Opens an installation that is there.
    ///
    /// # Errors
    /// Where there is none, or nobody who may do everything.
    pub async fn open(place: &Place, kept: &Kept) -> anyhow::Result<Local> {
        let data = place.data.display();
        ensure!(
            place.database_url.is_some() || place.data.join("hawkmoth.db").is_file(),
            "there is no installation in {data}: name its data folder with --data"
        );
        let store = startup::open_store(place).await?;
        store.check_whole().await?;
        let user = store.first_superuser().await?.with_context(|| {
            format!(
                "nobody in {data} may do everything: make a superuser with `hawkmoth user create \
                 --superuser`"
            )
        })?;
        let alone = Carriers::alone(&store);
        let url = format!("http://{HOST}");
        let mail = Mail::default();
        let tools = startup::tools(place, kept, &mail, store.clone(), alone, &url).await?;
        let router = web::router(startup::web_state(&tools, store.clone()));
        let token = store.create_token(user.id, TOKEN).await?;
        Ok(Local {
            router,
            store,
            token,
        })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// Where the answer cannot be read.
    pub async fn ask(&self, verb: Verb, path: &str, body: Option<String>) -> anyhow::Result<Reply> {
        let method = match verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Delete => Method::DELETE,
        };
        read(self.send(method, path, body).await?).await
    }

    /// Reads a file into another one; its size.
    ///
    /// # Errors
    /// Where it is not there, or not whole.
    pub async fn download(&self, path: &str, into: &mut impl Write) -> anyhow::Result<u64> {
        let answer = self.send(Method::GET, path, None).await?;
        if !answer.status().is_success() {
            return Err(refusal::of(&read(answer).await?));
        }
        let mut chunks = answer.into_body().into_data_stream();
        let mut size = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.context("the file cannot be read to its end")?;
            into.write_all(&chunk).context("cannot write the file")?;
            size += u64::try_from(chunk.len()).unwrap_or(0);
        }
        Ok(size)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> anyhow::Result<Response> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, format!("Token {}", self.token));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, Body::from);
        let request = request.body(body).context("this cannot be asked")?;
        Ok(web::answer(&self.router, request).await)
    }

    /// Ends the token.
    pub async fn close(self) {
        if let Err(error) = self.store.delete_token(&self.token).await {
            tracing::warn!(%error, "the token \"{TOKEN}\" is left behind: end it with `hawkmoth tokens revoke`");
        }
    }
}

async fn read(answer: Response) -> anyhow::Result<Reply> {
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), MOST).await;
    let bytes = bytes.context("the answer cannot be read")?;
    Ok(Reply {
        status,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}
