//! Where tasks wait and events go on the ground of a test: in its database, or in NATS.

use std::sync::Arc;
use std::time::Duration;

use domain::lease::LeaseTerms;
use queue::{Embedded, EventBus, LocalBus, Nats, SharedBus, Streamed, TaskQueue};
use store::testing::Fresh;

/// Tasks in NATS under a prefix of the test's own; dropped, they are gone.
pub struct Stream(pub String);

impl Drop for Stream {
    fn drop(&mut self) {
        let prefix = self.0.clone();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let url = store::testing::nats().unwrap_or_default();
            runtime.block_on(async {
                if let Ok(nats) = Nats::connect(&url, &prefix).await {
                    nats.forget().await.ok();
                }
            });
        };
        std::thread::spawn(work).join().ok();
    }
}

/// Where tasks wait and events go on this ground.
pub async fn carriers(fresh: &Fresh, prefix: &str) -> (Arc<dyn TaskQueue>, Arc<dyn EventBus>) {
    let store = fresh.store.clone();
    if !fresh.streams {
        return (Arc::new(Embedded::new(store)), Arc::new(LocalBus::new()));
    }
    let url = store::testing::nats().unwrap();
    let nats = Nats::connect(&url, prefix).await.unwrap();
    let bus = SharedBus::over_nats(&nats).await.unwrap();
    let wait = Duration::from_secs(u64::from(LeaseTerms::default().seconds));
    let queue = Streamed::open(store, nats, "test", wait).await.unwrap();
    (Arc::new(queue), Arc::new(bus))
}
