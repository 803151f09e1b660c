//! `hawkmoth health`: asks a process of this machine whether it is ready. The idea: an image that
//! holds the program alone has nothing else in it that could ask.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::redirect::Policy;

use crate::settings::Health;
use crate::startup;

/// Each part of a process has two seconds to answer, some of them one behind the other.
const PATIENCE: Duration = Duration::from_secs(6);

/// Prints how its parts are.
///
/// # Errors
/// Where the process does not answer, or is not ready.
pub async fn ask(at: &Health) -> anyhow::Result<()> {
    let url = startup::url_at(at.ops_address.unwrap_or(at.bind));
    // What is on this machine is asked by no proxy.
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .build()
        .context("cannot start the HTTP client")?;
    let asked = http.get(format!("{url}/readyz")).send().await;
    let answer = asked.with_context(|| format!("no process answers at {url}"))?;
    let ready = answer.status().is_success();
    let told = answer.text().await;
    let told = told.with_context(|| format!("the process at {url} does not answer"))?;
    let told = told.trim();
    ensure!(ready, "the process at {url} is not ready: {told}");
    println!("{told}");
    Ok(())
}
