//! `hawkmoth captures sync`: looks into the storage of a station for new photographs.

use std::process::ExitCode;

use serde_json::json;

use super::course::watch;
use super::{say_json, with};
use crate::client::{Client, Kind, id};
use crate::ending::Ending;
use crate::settings::{CapturesCommand, SyncStation};
use crate::table::say;

/// Runs one of the commands.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn run(what: CapturesCommand) -> anyhow::Result<ExitCode> {
    match what {
        CapturesCommand::Sync(what) => {
            with(&what.at, async |client| sync(client, &what).await).await
        }
    }
}

async fn sync(client: &Client, what: &SyncStation) -> anyhow::Result<Ending> {
    let project = client.number_if(Kind::Project, what.project.as_deref(), None);
    let project = project.await?;
    let station = client.number(Kind::Station, &what.station, project);
    let path = format!("deployments/{}/sync/", station.await?);
    let asked = client.post(&path, &json!({})).await?;
    let job = id(&asked["job_id"])?;
    if what.watch {
        return watch(client, job, what.at.json).await;
    }
    match what.at.json {
        true => say_json(&asked),
        false => say(&format!(
            "Job {job} looks into the storage: `hawkmoth jobs watch {job}` shows how it goes.\n"
        )),
    }
    Ok(Ending::Done)
}
