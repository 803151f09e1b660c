//! Events over core NATS, beside the tasks in JetStream.

use async_nats::SubscribeError;
use futures_util::StreamExt;

use super::shared::SharedBus;
use crate::QueueError;
use crate::nats::Nats;

impl SharedBus {
    /// Joined over NATS. Listens when this returns; the client connects again by itself.
    ///
    /// # Errors
    /// Where the server does not take the subscription.
    pub async fn over_nats(nats: &Nats) -> Result<SharedBus, QueueError> {
        let subject = nats.name("changed");
        let refused = |error: SubscribeError| QueueError::nats("cannot listen to events", error);
        let heard = nats.client().subscribe(subject.clone()).await;
        let heard = heard.map_err(refused)?;
        let flushed = nats.client().flush().await;
        flushed.map_err(|error| QueueError::nats("cannot listen to events", error))?;
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
