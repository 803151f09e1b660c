//! NATS: the connection that tasks and events share, and its gate. The idea: a server that is gone
//! fails at once and not after a time-out, and every name begins with the prefix of this
//! installation, so several may share a server.
//!
//! Tasks: what the server does stands in `nats/tasks.rs`, what the database says to it in
//! `nats/streamed.rs`, how both are brought together again in `nats/care.rs`.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{self};
use async_nats::{Client, ConnectOptions, ServerAddr};

use crate::{QueueError, QueueResult};

mod access;
mod care;
mod known;
mod message;
pub(crate) mod names;
mod streamed;
mod tasks;
mod told;

pub use access::Access;
pub use streamed::{Mending, Streamed};
use told::Told;

/// A server that does not answer a request within this has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// The client tries to connect again this often.
const AGAIN: Duration = Duration::from_millis(500);

/// A connection to NATS. Cheap to clone; it connects again by itself.
#[derive(Clone)]
pub struct Nats {
    client: Client,
    context: jetstream::Context,
    prefix: Arc<str>,
}

impl Nats {
    /// Connects to `url`, `nats://user:password@host:4222` (several with commas between them), which
    /// needs nothing else to be opened. All names on the server begin with `prefix`.
    ///
    /// # Errors
    /// [`QueueError::Nats`] with a sentence where an address or the prefix cannot be used or no
    /// server answers.
    pub async fn connect(url: &str, prefix: &str) -> QueueResult<Nats> {
        Nats::connect_with(url, prefix, &Access::default()).await
    }

    /// As [`Nats::connect`], with what opens the server.
    ///
    /// # Errors
    /// As [`Nats::connect`], and where a file of `access` cannot be used.
    pub async fn connect_with(url: &str, prefix: &str, access: &Access) -> QueueResult<Nats> {
        let (options, servers) = settings(url, prefix, access).await?;
        let client = options.connect(servers).await;
        let client = client.map_err(|error| access::why(url, &error))?;
        Ok(Nats::over(client, prefix))
    }

    /// As [`Nats::connect_with`], but no server need answer yet, or let this process in: it goes on
    /// trying and says why in the log, and until it is connected all calls fail as they do when a
    /// server goes away later.
    ///
    /// # Errors
    /// Where an address, the prefix or a file of `access` cannot be used.
    pub async fn reach(url: &str, prefix: &str, access: &Access) -> QueueResult<Nats> {
        let (options, servers) = settings(url, prefix, access).await?;
        let client = match options.clone().connect(servers.clone()).await {
            Err(error) if access::may_pass(&error) => {
                let why = access::why(url, &error);
                tracing::warn!("{why}; until it does, no images of pull jobs are handed out");
                options.retry_on_initial_connect().connect(servers).await
            }
            tried => tried,
        };
        let client = client.map_err(|error| access::why(url, &error))?;
        Ok(Nats::over(client, prefix))
    }

    fn over(client: Client, prefix: &str) -> Nats {
        let context = ContextBuilder::new()
            .timeout(PATIENCE)
            .build(client.clone());
        Nats {
            client,
            context,
            prefix: Arc::from(prefix),
        }
    }

    /// Deletes everything that lies on the server under the prefix. Jobs whose tasks were there send
    /// them again.
    ///
    /// # Errors
    /// [`QueueError::Nats`] where the server does not do it.
    pub async fn forget(&self) -> QueueResult<()> {
        let stream = names::Names::new(&self.prefix).stream();
        let deleted = self.context.delete_stream(stream).await;
        deleted.map_err(|e| QueueError::nats("the stream cannot be deleted", e))?;
        Ok(())
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// A name of this installation.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{}.{what}", self.prefix)
    }

    /// Fails at once while there is no connection: a call would wait for its time-out, and what it
    /// sends would be kept and land later.
    pub(crate) fn answers(&self) -> QueueResult<()> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(QueueError::Nats(
                "NATS, where the tasks are, does not answer".to_owned(),
            )),
        }
    }
}

/// How the servers of a setting are connected to.
async fn settings(
    url: &str,
    prefix: &str,
    access: &Access,
) -> QueueResult<(ConnectOptions, Vec<ServerAddr>)> {
    if !names::is_prefix(prefix) {
        let why = "may hold letters, digits, - and _ only";
        return Err(QueueError::Nats(format!("the prefix {prefix:?} {why}")));
    }
    let servers = access::servers(url)?;
    let options = access.options(&servers).await?;
    let told = Arc::new(Told::default());
    let (missed, url) = (told.clone(), url.to_owned());
    let options = options
        .name("hawkmoth")
        .connection_timeout(Duration::from_secs(5))
        .request_timeout(Some(PATIENCE))
        .reconnect_delay_callback(|tries| {
            let tries = u32::try_from(tries).unwrap_or(u32::MAX);
            (Duration::from_millis(50) * tries.min(100)).min(AGAIN)
        })
        // It chooses none: it is asked before each try, and hears how the last one ended.
        .reconnect_to_server_callback(move |servers, _| {
            missed.missed(&servers);
            std::future::ready(None)
        })
        .event_callback(move |event| {
            told.hear(&url, &event);
            std::future::ready(())
        });
    Ok((options, servers))
}
