//! What handlers work with: one value, cheap to clone.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use domain::lease::LeaseTerms;
use files::{Files, Links};
use queue::{Embedded, EventBus, TaskQueue};
use rest::Zone;
use services::ServiceClient;
use store::Store;
use telling::Teller;
use tokio_util::sync::CancellationToken;

use crate::auth::limit::Limiter;
use crate::limits::Limits;
use crate::limits::rate::Rates;
use crate::linking::Linking;
use crate::live::Hub;
use crate::pull::Desk;

/// Where the pages lie when a web client has the addresses that they have otherwise.
const MOVED: &str = "/hawkmoth";

/// Shared by all requests.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) bus: Arc<dyn EventBus>,
    /// Tasks of pull jobs.
    pub(crate) queue: Arc<dyn TaskQueue>,
    /// On which terms they are handed out, unless a pipeline's settings say otherwise.
    pub(crate) leases: LeaseTerms,
    /// What is remembered of remote workers.
    pub(crate) desk: Arc<Desk>,
    /// Files that the server itself keeps: thumbnails, exports.
    pub(crate) files: Files,
    pub(crate) links: Links,
    /// Speaks to processing services.
    pub(crate) services: ServiceClient,
    /// Tells people what becomes of their jobs, and sends letters.
    pub(crate) teller: Teller,
    pub(crate) hub: Hub,
    /// Who must wait before guessing on.
    pub(crate) limiter: Limiter,
    /// How much is taken on.
    pub(crate) limits: Limits,
    /// Who must wait because of asking too often.
    pub(crate) rates: Rates,
    /// What those look at who run the server; taken out by the router.
    pub(crate) operations: Option<Router>,
    /// To whom lines of logs are linked; without it, no traces are kept.
    pub(crate) linking: Option<Linking>,
    /// The clock on which pages and API tell times.
    pub(crate) zone: Zone,
    /// Folder of a built web client, which then has every address that is not ours.
    pub(crate) client: Option<Arc<Path>>,
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
        teller: Teller,
    ) -> AppState {
        AppState {
            hub: Hub::new(store.clone(), bus.clone(), links.clone(), Zone::default()),
            queue: Arc::new(Embedded::new(store.clone())),
            leases: LeaseTerms::default(),
            desk: Arc::default(),
            store,
            bus,
            files,
            links,
            services,
            teller,
            limiter: Limiter::default(),
            limits: Limits::default(),
            rates: Rates::default(),
            operations: None,
            linking: None,
            zone: Zone::default(),
            client: None,
            stop: CancellationToken::new(),
        }
    }

    /// Hands out tasks from this queue, on these terms.
    #[must_use]
    pub fn leasing(mut self, queue: Arc<dyn TaskQueue>, leases: LeaseTerms) -> AppState {
        self.queue = queue;
        self.leases = leases;
        self
    }

    /// Takes on as much as these limits say.
    #[must_use]
    pub fn within(self, limits: Limits) -> AppState {
        let rates = Rates::new(&limits);
        AppState {
            limits,
            rates,
            ..self
        }
    }

    /// Answers these addresses too, before every limit.
    #[must_use]
    pub fn watched_by(self, operations: Router) -> AppState {
        AppState {
            operations: Some(operations),
            ..self
        }
    }

    /// Tells times in another zone than UTC.
    pub fn in_zone(self, zone: Zone) -> AppState {
        let (store, bus, links) = (self.store.clone(), self.bus.clone(), self.links.clone());
        AppState {
            hub: Hub::new(store, bus, links, zone).below(self.root()),
            zone,
            ..self
        }
    }

    /// Keeps traces of what is asked for, and links lines of logs to them.
    pub fn linked(self, linking: Option<Linking>) -> AppState {
        AppState { linking, ..self }
    }

    /// Serves a built web client from this folder; the pages of this server move below
    /// `/hawkmoth`.
    #[must_use]
    pub fn beside(mut self, client: &Path) -> AppState {
        self.hub = self.hub.below(MOVED);
        self.client = Some(Arc::from(client));
        self
    }

    /// Where our own pages begin: empty, or where a web client has `/`, the folder below which
    /// they lie then.
    pub(crate) fn root(&self) -> &'static str {
        self.client.as_ref().map_or("", |_| MOVED)
    }

    pub(crate) fn ending_with(mut self, stop: CancellationToken) -> AppState {
        self.stop = stop;
        self
    }
}
