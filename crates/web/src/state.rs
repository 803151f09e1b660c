//! What handlers work with: one value, cheap to clone.

use std::sync::Arc;

use files::{Files, Links};
use queue::EventBus;
use services::ServiceClient;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::live::Hub;

/// Shared by all requests.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) bus: Arc<dyn EventBus>,
    /// Files that the server itself keeps: thumbnails, exports.
    pub(crate) files: Files,
    pub(crate) links: Links,
    /// Speaks to processing services.
    pub(crate) services: ServiceClient,
    pub(crate) hub: Hub,
    /// Fires when the server ends: live streams must not hold it up.
    pub(crate) stop: CancellationToken,
}

impl AppState {
    /// Puts the parts together.
    pub fn new(
        store: Store,
        bus: Arc<dyn EventBus>,
        files: Files,
        links: Links,
        services: ServiceClient,
    ) -> AppState {
        AppState {
            hub: Hub::new(store.clone(), bus.clone(), links.clone()),
            store,
            bus,
            files,
            links,
            services,
            stop: CancellationToken::new(),
        }
    }

    pub(crate) fn ending_with(mut self, stop: CancellationToken) -> AppState {
        self.stop = stop;
        self
    }
}
