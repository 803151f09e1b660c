//! Kind `data_export`: a project's occurrences written to a file (`domain-rules.md` §7). The idea:
//! the database is read page by page along the order of the file, each page is written before the
//! one after it is kept, and the file is shown when it is whole. A run that was cut off begins its
//! file again; what stands in it depends on the export alone, so it ends with the same bytes.

use std::sync::Arc;

use anyhow::Context;
use domain::export::{Format as Name, capture_set, file_key};
use domain::job::{EXPORT, UPLOAD_STAGE};
use domain::state::JobState;
use files::Unfinished;
use store::StoreError;
use store::capture_set::CaptureSet;
use store::export::{Export, ExportFile, Exported, Mark};
use store::project::Project;

use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};
use format::Writer;
use page::{About, Page};

mod format;
mod page;

/// Occurrences that are read and written at once.
const PAGE: u64 = 500;
/// Names of the stage's figures, as recorded.
const DONE: &str = "Number of records exported";
const TOTAL: &str = "Total records to export";

/// Kind `data_export`.
pub struct DataExport;

/// What is to be written.
struct Wanted {
    export: Export,
    project: Project,
    set: Option<CaptureSet>,
    which: Exported,
    name: &'static Name,
    total: u64,
}

#[async_trait::async_trait]
impl JobKind for DataExport {
    fn key(&self) -> &'static str {
        EXPORT
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        let wanted = Wanted::read(cx).await?;
        let (id, name) = (wanted.project.id, &wanted.project.name);
        cx.info(format!("Starting export for project #{id} {name}"));
        if wanted.total == 0 {
            cx.warn(format!(
                "{} no occurrence with a detection and a determination: the file holds none",
                match &wanted.set {
                    Some(set) => format!("On the captures of the set \"{}\" there is", set.name),
                    None => "The project has".to_owned(),
                }
            ));
        }
        let key = file_key(name, wanted.export.id, wanted.name);
        let file = cx.tools.files.begin(&key, cx.fence.claim_no).await?;
        let records = write(cx, &wanted, &file).await?;
        publish(cx, &wanted, &key, file, records).await?;
        Ok(Outcome::Done)
    }
}

impl Wanted {
    /// Looks up what the job's export asks for.
    async fn read(cx: &JobContext) -> anyhow::Result<Wanted> {
        let store = &cx.tools.store;
        let export = cx.job.export_id.context(
            "The job has no export. Ask for one at /api/v2/exports/, which makes its job too.",
        )?;
        let export = store.export(export).await?;
        let name = domain::export::format(&export.format).with_context(|| {
            let known: Vec<&str> = domain::export::FORMATS.iter().map(|f| f.key).collect();
            let known = known.join(", ");
            format!(
                "The format \"{}\" cannot be written: it must be one of {known}.",
                export.format
            )
        })?;
        let project = store.project(export.project_id).await?;
        let set = match capture_set(&export.filters) {
            Some(id) => Some(set(cx, &project, id).await?),
            None => None,
        };
        let which = Exported {
            project_id: project.id,
            capture_set_id: set.as_ref().map(|set| set.id),
        };
        Ok(Wanted {
            total: store.exportable(which).await?,
            which,
            export,
            project,
            set,
            name,
        })
    }
}

/// The capture set that the filters name; it may be gone since the export was asked for.
async fn set(cx: &JobContext, project: &Project, id: i64) -> anyhow::Result<CaptureSet> {
    let gone = || {
        anyhow::anyhow!(
            "Capture set {id}, whose occurrences the file was to hold, is no longer in this \
             project. Ask for an export of another set, or of the whole project."
        )
    };
    match cx.tools.store.capture_set(id).await {
        Ok(set) if set.project_id == project.id => Ok(set),
        Ok(_) | Err(StoreError::NotFound(_)) => Err(gone()),
        Err(other) => Err(other.into()),
    }
}

/// Writes all occurrences; returns how many.
async fn write(cx: &JobContext, wanted: &Wanted, file: &Unfinished) -> anyhow::Result<u64> {
    let about = Arc::new(About {
        project: wanted.project.clone(),
        export: wanted.export.clone(),
        links: cx.tools.links.clone(),
        zone: cx.tools.zone,
        folder: file.folder().to_owned(),
    });
    let format = format::find(wanted.name.key).context("the format has no writer")?;
    let mut writer = format.begin(file.open()?, about.clone())?;
    let (mut mark, mut done) = (None, 0);
    show(cx, done, wanted.total).await?;
    cx.write_stages().await?;
    let mut page = read(cx, wanted, &about, mark).await?;
    while let Some(last) = page.rows.last() {
        cx.check()?;
        mark = Some(Mark::behind(last));
        done += page.rows.len() as u64;
        // The next page is read while this one is written.
        let (next, written) = tokio::join!(read(cx, wanted, &about, mark), put(writer, page));
        (page, writer) = (next?, written?);
        show(cx, done, wanted.total).await?;
    }
    tokio::task::spawn_blocking(move || writer.end()).await??;
    Ok(done)
}

async fn read(
    cx: &JobContext,
    wanted: &Wanted,
    about: &Arc<About>,
    after: Option<Mark>,
) -> anyhow::Result<Page> {
    let store = &cx.tools.store;
    let rows = store.export_page(wanted.which, after, PAGE).await?;
    Page::read(store, about.clone(), rows).await
}

/// Writes a page beside the tasks that must not wait.
async fn put(mut writer: Box<dyn Writer>, page: Page) -> anyhow::Result<Box<dyn Writer>> {
    let written = tokio::task::spawn_blocking(move || {
        writer.write(&page)?;
        std::io::Result::Ok(writer)
    });
    Ok(written.await??)
}

/// Shows how many occurrences are written.
async fn show(cx: &JobContext, done: u64, total: u64) -> anyhow::Result<()> {
    cx.stage(EXPORT, |s| {
        s.set(DONE, done);
        s.set(TOTAL, total);
        if done > 0 {
            s.advance((done as f64 / total.max(1) as f64).min(0.99));
        }
    })
    .await
}

/// Puts the file in its place and notes it on the export.
async fn publish(
    cx: &JobContext,
    wanted: &Wanted,
    key: &str,
    file: Unfinished,
    records: u64,
) -> anyhow::Result<()> {
    let files = &cx.tools.files;
    cx.stage(EXPORT, |s| {
        s.set(DONE, records);
        s.end(JobState::Success);
    })
    .await?;
    let size = file.keep().await?;
    let url = format!("/media/{key}");
    cx.info(format!("Export completed: {url}"));
    let written = ExportFile {
        url: url.clone(),
        records: i64::try_from(records).unwrap_or(i64::MAX),
        size: i64::try_from(size).unwrap_or(i64::MAX),
    };
    let store = &cx.tools.store;
    let noted = store.note_export_file(&cx.fence, wanted.export.id, written);
    match noted.await {
        Ok(before) => {
            let before = before.filter(|before| *before != url);
            if let Some(old) = before
                .as_deref()
                .and_then(|old| old.strip_prefix("/media/"))
            {
                files.delete(old).await?;
            }
        }
        Err(StoreError::NotFound(what)) => {
            files.delete(key).await?;
            return Err(StoreError::NotFound(what).into());
        }
        Err(other) => return Err(other.into()),
    }
    cx.info(format!("File uploaded to Project Storage: {url}"));
    cx.stage(UPLOAD_STAGE, |s| {
        s.set("File URL", url);
        s.end(JobState::Success);
    })
    .await
}
