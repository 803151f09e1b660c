//! Whether push services live: all of them every five minutes, as a piece of `upkeep`, and one of
//! them whenever its word counts (`processing-service.md` §12).

use std::time::Duration;

use futures_util::StreamExt;
use services::Health;
use store::StoreResult;
use store::service::{ONLINE_SECONDS, ProcessingService};

use crate::Tools;

/// How long a service may take to say that it is ready.
const READY: Duration = Duration::from_secs(8);
/// Services asked at once.
const AT_ONCE: usize = 8;

/// Asks a service whether it is ready, and writes down what it said. `None` where it has no
/// address.
///
/// # Errors
/// Errors of the store.
pub async fn check(tools: &Tools, service: &ProcessingService) -> StoreResult<Option<Health>> {
    let Some(url) = &service.endpoint_url else {
        return Ok(None);
    };
    let health = tools.services.ready(url, READY).await;
    let latency = health.latency.as_secs_f64();
    let seen = tools.store.service_seen(service.id, health.live, latency);
    seen.await?;
    Ok(Some(health))
}

/// Asks all services.
///
/// # Errors
/// Errors of the store.
pub async fn round(tools: &Tools) -> StoreResult<()> {
    let store = &tools.store;
    let silence = chrono::Duration::seconds(ONLINE_SECONDS);
    store.expire_pull_services(silence).await?;
    store.note_pull_services().await?;
    let services = store.services_with_address().await?;
    let checks = services
        .into_iter()
        .map(|service| async move { check(tools, &service).await });
    let mut checks = futures_util::stream::iter(checks).buffer_unordered(AT_ONCE);
    while let Some(checked) = checks.next().await {
        checked?;
    }
    Ok(())
}
