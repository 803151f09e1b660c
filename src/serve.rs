//! `serve`, `web` and `work`: the same parts, together or apart. What runs is handed back at
//! Ctrl-C, so another process goes on with it.

use jobs::Runner;
use rest::Zone;

use crate::settings::{Serve, Work};
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
    let store = startup::open_to_run(&settings.place, settings.schema).await?;
    let listener = startup::listen(settings.bind).await?;
    let url = match &settings.public.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => startup::own_url(&listener)?,
    };
    let mut tools = startup::tools(&settings.place, &settings.kept, store, &url).await?;
    tools.zone = zone;
    tools.pace.leases = settings.leases.into();
    tools.pace.silence = settings.rescue.silence();
    tools.pace.requests_per_service = settings.requests.service_requests;
    tools.pace.log_days = settings.upkeep.log_days;
    let mut state = startup::web_state(&tools)
        .in_zone(zone)
        .linked(startup::linking(&settings.traces));
    if let Some(folder) = &settings.ui {
        state = state.beside(startup::client(folder)?);
    }
    let stop = startup::stop_at_signal();
    println!("Hawkmoth serves on {url}");
    // Crops are kept that are cut ahead of time, if they are.
    let crops = settings.requests.cut_crops.then(|| tools.files.clone());
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
    let store = startup::open_to_run(&settings.place, settings.schema).await?;
    let url = settings.public_url.as_str().trim_end_matches('/');
    let mut tools = startup::tools(&settings.place, &settings.kept, store, url).await?;
    tools.zone = zone;
    tools.pace.leases = settings.leases.into();
    tools.pace.silence = settings.rescue.silence();
    tools.pace.requests_per_service = settings.requests.service_requests;
    tools.pace.log_days = settings.upkeep.log_days;
    let stop = startup::stop_at_signal();
    println!("Hawkmoth runs jobs");
    // Crops are kept that are cut ahead of time, if they are.
    let crops = settings.requests.cut_crops.then(|| tools.files.clone());
    Runner::new(tools).cutting(crops).run(stop).await;
    Ok(())
}
