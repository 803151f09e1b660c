//! Events over the PostgreSQL that the processes share anyway.

use std::time::Duration;

use futures_util::{Stream, stream};
use store::notice::Notices;
use store::{Store, StoreResult};

use super::shared::SharedBus;

/// The channel; every installation has a database of its own.
const CHANNEL: &str = "hawkmoth_changed";
/// So long after a failure the database is asked again.
const PAUSE: Duration = Duration::from_secs(1);

impl SharedBus {
    /// Joined over PostgreSQL. Listens when this returns, and by itself again after a failure.
    ///
    /// # Errors
    /// Where the database is not PostgreSQL or does not answer.
    pub async fn over_postgres(store: Store) -> StoreResult<SharedBus> {
        let notices = store.listen(CHANNEL).await?;
        let send = move |word: String| {
            let store = store.clone();
            async move { store.notify(CHANNEL, &word).await }
        };
        Ok(SharedBus::joined(send, words(notices)))
    }
}

fn words(notices: Notices) -> impl Stream<Item = String> {
    stream::unfold(notices, |mut notices| async move {
        loop {
            match notices.next().await {
                Ok(word) => return Some((word, notices)),
                Err(error) => {
                    tracing::debug!(%error, "other processes are not heard");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}
