//! `serve`, `web` and `work`: the same parts, together or apart. What runs is handed back at
//! Ctrl-C, so another process goes on with it.

use std::net::SocketAddr;

use jobs::{Runner, Tools};
use operations::recorder::Recorder;
use operations::{Access, Operations, Parts};
use rest::Zone;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::settings::{Looked, Serve, Work};
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
    outgoing::Reach::from(settings.outgoing).set_for_process();
    let store = startup::open_to_run(&settings.place, settings.schema).await?;
    let listener = startup::listen(settings.bind).await?;
    let url = match &settings.public.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => startup::own_url(&listener)?,
    };
    let bounded = startup::bounded(&settings.place, &store, &settings.limits).await?;
    let (place, kept, nats) = (&settings.place, &settings.kept, &settings.nats);
    let carriers = startup::carriers(place, kept, &store, nats, settings.running.leases).await?;
    let mut tools = startup::tools(place, kept, &settings.mail, store, carriers, &url).await?;
    tools.zone = zone;
    tools.pace = settings.running.pace();
    let stop = startup::stop_at_signal();
    let looked = look(&tools, bounded.clone(), &stop)?;
    let limits = startup::within_machine(settings.limits.into());
    let mut state = startup::web_state(&tools, bounded)
        .in_zone(zone)
        .within(limits)
        .watched_by(looked.router(beside(&settings.looked)))
        .linked(startup::linking(&settings.traces));
    if let Some(folder) = &settings.ui {
        state = state.beside(startup::client(folder)?);
    }
    let apart = apart(&looked, &settings.looked).await?;
    println!("Hawkmoth serves on {url}");
    // Crops are kept that are cut ahead of time, if they are.
    let crops = settings
        .running
        .requests
        .cut_crops
        .then(|| tools.files.clone());
    let runner = with_worker.then(|| Runner::new(tools).cutting(crops));
    let worker = runner.map(|runner| tokio::spawn(runner.run(stop.clone())));
    web::serve(listener, state, stop.clone()).await;
    if let Some(worker) = worker {
        worker.await?;
    }
    end(apart).await
}

/// `hawkmoth work`: jobs only.
///
/// # Errors
/// What is wrong at start, in one sentence.
pub async fn work(settings: Work, zone: Zone) -> anyhow::Result<()> {
    outgoing::Reach::from(settings.outgoing).set_for_process();
    let store = startup::open_to_run(&settings.place, settings.schema).await?;
    let url = settings.public_url.as_str().trim_end_matches('/');
    let (place, kept, nats) = (&settings.place, &settings.kept, &settings.nats);
    let carriers = startup::carriers(place, kept, &store, nats, settings.running.leases).await?;
    let mut tools = startup::tools(place, kept, &settings.mail, store, carriers, url).await?;
    tools.zone = zone;
    tools.pace = settings.running.pace();
    let stop = startup::stop_at_signal();
    let looked = look(&tools, tools.store.clone(), &stop)?;
    let apart = apart(&looked, &settings.looked).await?;
    println!("Hawkmoth runs jobs");
    // Crops are kept that are cut ahead of time, if they are.
    let crops = settings
        .running
        .requests
        .cut_crops
        .then(|| tools.files.clone());
    Runner::new(tools).cutting(crops).run(stop).await;
    end(apart).await
}

/// Begins to record metrics, and what those look at who run the server.
fn look(
    tools: &Tools,
    store: store::Store,
    stop: &CancellationToken,
) -> anyhow::Result<Operations> {
    let recorder = Recorder::install()?;
    tokio::spawn(recorder.clone().tidy());
    let parts = Parts {
        store,
        queue: tools.queue.clone(),
        files: tools.files.clone(),
        leases: tools.pace.leases,
        stop: stop.clone(),
    };
    Ok(Operations::new(parts, recorder))
}

/// Who may read the metrics on the port of the API.
fn beside(looked: &Looked) -> Access {
    match (&looked.metrics_token, looked.ops_address) {
        (Some(token), _) => Access::Token(token.clone()),
        (None, Some(_)) => Access::Nobody,
        (None, None) => Access::ThisMachine,
    }
}

/// A port of its own, and what ends it.
type Apart = (JoinHandle<()>, CancellationToken);

/// Answers on a port of its own, where one is set: until everything else has ended, so that it can
/// be seen how that goes.
async fn apart(operations: &Operations, looked: &Looked) -> anyhow::Result<Option<Apart>> {
    let Some(address) = looked.ops_address else {
        return Ok(None);
    };
    let access = match &looked.metrics_token {
        Some(token) => Access::Token(token.clone()),
        None => Access::Everybody,
    };
    let listener = startup::listen_at(address, "--ops-address").await?;
    let at: SocketAddr = listener.local_addr()?;
    println!("Health and metrics are at http://{at}");
    let last = CancellationToken::new();
    let serving = web::serve_beside(listener, operations.router(access), last.clone());
    Ok(Some((tokio::spawn(serving), last)))
}

async fn end(apart: Option<Apart>) -> anyhow::Result<()> {
    if let Some((serving, last)) = apart {
        last.cancel();
        serving.await?;
    }
    Ok(())
}
