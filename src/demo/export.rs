//! The demo's export: what was found, as an archive that portals of biodiversity read. It is looked
//! for first, so a second run makes none.

use anyhow::Context;
use domain::export::DARWIN_CORE;
use domain::state::JobState;
use store::Store;
use store::export::{Export, ExportFilter};

use super::prepare::Prepared;

/// Finds the project's first export, or makes it; waits until its file is there and says where.
pub async fn write(store: &Store, prepared: &Prepared) -> anyhow::Result<()> {
    let known = newest(store, prepared.project).await?;
    if known.as_ref().is_some_and(|known| known.file_url.is_some()) {
        return Ok(());
    }
    let job = match known {
        Some(known) => {
            let jobs = store.jobs_of_exports(&[known.id]).await?;
            jobs.get(&known.id).context("the export has no job")?.id
        }
        None => prepared.api.export(prepared.project, DARWIN_CORE).await?,
    };
    let job = super::until_final(store, job).await?;
    if job.job_state() != JobState::Success {
        println!("The export ended as {}; its log says why.", job.state);
    } else if let Some(export) = newest(store, prepared.project).await? {
        let file = export.file_url.unwrap_or_default();
        println!("\n  Export    {}{file}", prepared.url);
    }
    Ok(())
}

async fn newest(store: &Store, project: i64) -> anyhow::Result<Option<Export>> {
    let filter = ExportFilter {
        project_id: Some(project),
        ..Default::default()
    };
    let (rows, _) = store.exports(&filter, 1, 0).await?;
    Ok(rows.into_iter().next())
}
