//! What handlers work with: one value, cheap to clone.

use std::sync::Arc;

use files::{Files, Links};
use queue::EventBus;
use rest::Zone;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::auth::limit::Limiter;
use crate::live::Hub;

/// Shared by all requests.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) bus: Arc<dyn EventBus>,
    /// Files that the server itself keeps: thumbnails, exports.
    pub(crate) files: Files,
    pub(crate) links: Links,
    pub(crate) hub: Hub,
    /// Who must wait before guessing on.
    pub(crate) limiter: Limiter,
    /// The clock on which pages and API tell times.
    pub(crate) zone: Zone,
    /// Fires when the server ends: live streams must not hold it up.
    pub(crate) stop: CancellationToken,
}

impl AppState {
    /// Puts the parts together.
    pub fn new(store: Store, bus: Arc<dyn EventBus>, files: Files, links: Links) -> AppState {
        AppState {
            hub: Hub::new(store.clone(), bus.clone(), links.clone(), Zone::default()),
            store,
            bus,
            files,
            links,
            limiter: Limiter::default(),
            zone: Zone::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Tells times in another zone than UTC.
    pub fn in_zone(self, zone: Zone) -> AppState {
        let (store, bus, links) = (self.store.clone(), self.bus.clone(), self.links.clone());
        AppState {
            hub: Hub::new(store, bus, links, zone),
            zone,
            ..self
        }
    }

    pub(crate) fn ending_with(mut self, stop: CancellationToken) -> AppState {
        self.stop = stop;
        self
    }
}
