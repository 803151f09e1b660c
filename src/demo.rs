//! `hawkmoth demo`: a folder of photographs becomes sessions, detections and a finished job.
//! The idea: nothing here is special. The demo makes a project as a person would, asks for its
//! jobs through the HTTP API, and watches the same rows that the pages show; when the job has
//! ended, people say what some of it really is, and all of it is exported. Run again on the same
//! data folder, it goes on.

mod api;
mod captures;
mod export;
mod naming;
mod pages;
mod prepare;
mod show;
mod team;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use domain::state::JobState;
use jobs::Runner;
use rest::Zone;
use store::job::Job;
use tokio_util::sync::CancellationToken;

use crate::settings::{Demo, Mail};
use crate::startup;
use prepare::Prepared;

/// What the name of a demo's runner begins with.
const RUNNER: &str = "demo-";

/// Runs the demo; the status is 0 if its job succeeded.
///
/// # Errors
/// What is wrong at start, in one sentence.
pub async fn run(settings: Demo, zone: Zone) -> anyhow::Result<ExitCode> {
    let store = startup::open_and_migrate(&settings.place).await?;
    let listener = startup::listen(settings.bind).await?;
    let url = startup::own_url(&listener)?;
    let (place, kept) = (&settings.place, &settings.kept);
    let alone = startup::Carriers::alone(&store);
    let mut tools =
        startup::tools(place, kept, &Mail::default(), store.clone(), alone, &url).await?;
    tools.zone = zone;
    let state = startup::web_state(&tools, tools.store.clone()).in_zone(zone);
    // What an earlier demo held that was killed goes on at once. Others may work on this database:
    // their jobs are theirs.
    store.rescue_jobs_of(RUNNER).await?;

    let stop = startup::stop_at_signal();
    let web = tokio::spawn(web::serve(listener, state, stop.clone()));
    let detector_address = start_detector(stop.clone()).await?;
    let prepared = prepare::prepare(&settings, &store, &tools, &url, &detector_address).await?;
    let runner = Runner::new(tools.clone()).named(RUNNER);
    let worker = tokio::spawn(runner.run(stop.clone()));

    let ended = tokio::select! {
        ended = work(&prepared, &store) => Some(ended?),
        () = stop.cancelled() => None,
    };
    prepare::forget_token(&store, &prepared).await?;
    let succeeded = match &ended {
        Some(job) => {
            show::table(&store, &prepared, job).await?;
            job.job_state() == JobState::Success
        }
        None => false,
    };
    if !settings.exit && ended.is_some() {
        println!("\nServing on {url} until Ctrl-C.");
        stop.cancelled().await;
    }
    stop.cancel();
    worker.await?;
    web.await?;
    Ok(if succeeded || !settings.exit {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Starts the built-in processing service on a port of its own, for this machine only.
async fn start_detector(stop: CancellationToken) -> anyhow::Result<String> {
    let listener = startup::listen(([127, 0, 0, 1], 0).into()).await?;
    let address = startup::own_url(&listener)?;
    tokio::spawn(async move {
        let stopped = async move { stop.cancelled().await };
        if let Err(error) = detector::serve(listener, Default::default(), stopped).await {
            tracing::error!(%error, "the built-in detector has stopped");
        }
    });
    Ok(format!("{address}/"))
}

/// Sessions, the capture set, then the ML job; each a job like any other.
async fn work(prepared: &Prepared, store: &store::Store) -> anyhow::Result<Job> {
    // Asked first: what was cut off may end while the groundwork is laid again.
    let unfinished = prepare::unfinished(store, prepared).await?;
    for request in prepared.groundwork() {
        let job = prepared.api.run_job(&request).await?;
        let job = until_final(store, job).await?;
        anyhow::ensure!(
            job.job_state() == JobState::Success,
            "the job \"{}\" ended as {}; its log says why: {}/projects/{}/jobs/{}",
            job.name,
            job.state,
            prepared.url,
            job.project_id,
            job.id
        );
    }
    let job = match unfinished {
        Some(job) => job.id,
        None => prepared.api.run_job(&prepared.detection()).await?,
    };
    let job = show::watch(store, prepared, job).await?;
    if job.job_state() == JobState::Success {
        let team = team::gather(store, prepared.project).await?;
        naming::name(store, prepared, &team).await?;
        export::write(store, prepared).await?;
    }
    Ok(job)
}

async fn until_final(store: &store::Store, id: i64) -> anyhow::Result<Job> {
    loop {
        let job = store.job(id).await.context("the job was deleted")?;
        if job.job_state().is_final() {
            return Ok(job);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
