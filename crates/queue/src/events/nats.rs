//! Events over core NATS, beside the tasks in JetStream.

use async_nats::SubscribeError;
use futures_util::StreamExt;

use super::shared::SharedBus;
use crate::QueueError;
use crate::nats::{Nats, PATIENCE};

impl SharedBus {
    /// Joined over NATS. Listens when this returns, or as soon as there is a connection: the client
    /// connects again by itself.
    ///
    /// # Errors
    /// Where the client does not take the subscription.
    pub async fn over_nats(nats: &Nats) -> Result<SharedBus, QueueError> {
        let subject = nats.name("changed");
        let refused = |error: SubscribeError| QueueError::nats("cannot listen to events", error);
        let heard = nats.client().subscribe(subject.clone()).await;
        let heard = heard.map_err(refused)?;
        // Without a connection it waits within the client, as it does when one is lost later.
        if nats.answers().is_ok()
            && let Err(error) = read_by_server(nats).await
        {
            tracing::warn!(%error, "other processes are not heard yet");
        }
        let words = heard
            .filter_map(|message| async move { String::from_utf8(message.payload.into()).ok() });
        let nats = nats.clone();
        let send = move |word: String| {
            let (nats, subject) = (nats.clone(), subject.clone());
            async move {
                nats.answers()?;
                let sent = nats.client().publish(subject, word.into()).await;
                sent.map_err(|error| QueueError::nats("an event cannot be sent", error))
            }
        };
        Ok(SharedBus::joined(send, words))
    }
}

/// Returns when the server has read what was sent before: it reads a connection in order, so what
/// comes back to us came after it. Written is not read: others could tell something in between.
async fn read_by_server(nats: &Nats) -> Result<(), QueueError> {
    let failed = |error: &dyn std::fmt::Display| {
        QueueError::Nats(format!("cannot listen to events: {error}"))
    };
    let client = nats.client();
    let inbox = client.new_inbox();
    let mut echo = client
        .subscribe(inbox.clone())
        .await
        .map_err(|e| failed(&e))?;
    let sent = client.publish(inbox, "".into()).await;
    sent.map_err(|e| failed(&e))?;
    match tokio::time::timeout(3 * PATIENCE, echo.next()).await {
        Ok(Some(_)) => Ok(()),
        _ => Err(failed(&"the server does not answer")),
    }
}
