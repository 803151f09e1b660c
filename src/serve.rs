//! `serve`, `web` and `work`: the same parts, together or apart. What runs is handed back at
//! Ctrl-C, so another process goes on with it.

use jobs::Runner;
use rest::Zone;

use crate::settings::{Place, Requests, Serve, Work};
use crate::startup;

/// `hawkmoth serve`: pages, API and jobs.
///
/// # Errors
/// What is wrong at start, in one sentence.
pub async fn serve(settings: Serve, zone: Zone) -> anyhow::Result<()> {
    run(settings, zone, true).await
}

/// `hawkmoth web`: pages and API.
///
/// # Errors
/// What is wrong at start, in one sentence.
pub async fn web(settings: Serve, zone: Zone) -> anyhow::Result<()> {
    run(settings, zone, false).await
}

async fn run(settings: Serve, zone: Zone, with_worker: bool) -> anyhow::Result<()> {
    let store = startup::open_store(&settings.place).await?;
    store.check_whole().await?;
    let listener = startup::listen(settings.bind).await?;
    let url = match &settings.public.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => startup::own_url(&listener)?,
    };
    let (place, nats) = (&settings.place, &settings.nats);
    let carriers = startup::carriers(place, &store, nats, settings.leases).await?;
    let mut tools = startup::tools(place, store, carriers, &url)?;
    tools.zone = zone;
    tools.pace.leases = settings.leases.into();
    tools.pace.silence = settings.rescue.silence();
    tools.pace.requests_per_service = settings.requests.service_requests;
    tools.pace.log_days = settings.upkeep.log_days;
    let mut state = startup::web_state(&settings.place, &tools)?
        .in_zone(zone)
        .linked(startup::linking(&settings.traces));
    if let Some(folder) = &settings.ui {
        state = state.beside(startup::client(folder)?);
    }
    let stop = startup::stop_at_signal();
    println!("Hawkmoth serves on {url}");
    let crops = cropped(&settings.place, settings.requests)?;
    let runner = with_worker.then(|| Runner::new(tools).cutting(crops));
    let worker = runner.map(|runner| tokio::spawn(runner.run(stop.clone())));
    web::serve(listener, state, stop.clone()).await?;
    stop.cancel();
    if let Some(worker) = worker {
        worker.await?;
    }
    Ok(())
}

/// `hawkmoth work`: jobs only.
///
/// # Errors
/// What is wrong at start, in one sentence.
pub async fn work(settings: Work, zone: Zone) -> anyhow::Result<()> {
    let store = startup::open_store(&settings.place).await?;
    store.check_whole().await?;
    let url = settings.public_url.as_str().trim_end_matches('/');
    let (place, nats) = (&settings.place, &settings.nats);
    let carriers = startup::carriers(place, &store, nats, settings.leases).await?;
    let mut tools = startup::tools(place, store, carriers, url)?;
    tools.zone = zone;
    tools.pace.leases = settings.leases.into();
    tools.pace.silence = settings.rescue.silence();
    tools.pace.requests_per_service = settings.requests.service_requests;
    tools.pace.log_days = settings.upkeep.log_days;
    let stop = startup::stop_at_signal();
    println!("Hawkmoth runs jobs");
    let crops = cropped(&settings.place, settings.requests)?;
    Runner::new(tools).cutting(crops).run(stop).await;
    Ok(())
}

/// Where crops are kept that are cut ahead of time, if they are.
fn cropped(place: &Place, requests: Requests) -> anyhow::Result<Option<files::Files>> {
    requests.cut_crops.then(|| startup::kept(place)).transpose()
}
