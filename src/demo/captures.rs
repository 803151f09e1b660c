//! Where the demo's photographs come from: a folder of the person's, or sheets drawn here.
//! Only names and headers are read; the photographs stay where they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::capture::is_image_key;
use store::Store;
use store::capture::NewCapture;
use store::station::{NewStation, Station};

use crate::settings::Demo;

/// A folder with the photographs found in it.
pub struct Found {
    pub folder: PathBuf,
    pub captures: Vec<NewCapture>,
    /// How many have no time in their name.
    pub without_time: usize,
    name: String,
}

/// Finds the photographs of the folder that the person named, or draws some.
pub async fn find(settings: &Demo) -> anyhow::Result<Found> {
    let (folder, name) = match &settings.captures {
        Some(folder) => (folder.clone(), folder_name(folder)),
        None => (
            drawn(&settings.place.data).await?,
            "Drawn light sheet".to_owned(),
        ),
    };
    let folder = folder
        .canonicalize()
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let captures = read(&folder).await?;
    if captures.is_empty() {
        bail!("there are no JPEG or PNG files in {}", folder.display());
    }
    Ok(Found {
        without_time: captures.iter().filter(|c| c.taken_at.is_none()).count(),
        folder,
        captures,
        name,
    })
}

fn folder_name(folder: &Path) -> String {
    let name = folder
        .canonicalize()
        .ok()
        .and_then(|full| Some(full.file_name()?.to_string_lossy().into_owned()));
    format!("Folder {}", name.unwrap_or_else(|| "/".to_owned()))
}

/// The station of a folder, found by the folder or made with it as its storage source.
pub async fn station(store: &Store, project: i64, found: &Found) -> anyhow::Result<Station> {
    let folder = found
        .folder
        .to_str()
        .context("the folder's path is not valid UTF-8")?;
    let source = match store.local_source(project, folder).await? {
        Some(source) => source,
        None => {
            store
                .create_local_source(project, &found.name, folder)
                .await?
        }
    };
    if let Some(station) = store.station_of_source(source.id).await? {
        return Ok(station);
    }
    Ok(store
        .create_station(NewStation {
            project_id: project,
            name: found.name.clone(),
            source_id: Some(source.id),
            ..Default::default()
        })
        .await?)
}

/// Reads names, sizes and dimensions of all photographs below a folder.
async fn read(folder: &Path) -> anyhow::Result<Vec<NewCapture>> {
    let files = files::Files::local(folder)
        .with_context(|| format!("cannot use the folder {}", folder.display()))?;
    let mut captures = Vec::new();
    let mut listing = files.walk("", None).await?;
    while let Some(page) = listing.next(1000).await? {
        let folder = folder.to_owned();
        let batch = tokio::task::spawn_blocking(move || {
            page.into_iter()
                .filter(|file| wanted(&file.key))
                .map(|file| capture(&folder, file))
                .collect::<Vec<_>>()
        });
        captures.extend(batch.await?);
    }
    Ok(captures)
}

/// The kinds of files that the detector reads.
fn wanted(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    is_image_key(key)
        && [".jpg", ".jpeg", ".png"]
            .iter()
            .any(|end| lower.ends_with(end))
}

fn capture(folder: &Path, file: files::Entry) -> NewCapture {
    // A damaged file has no dimensions; the job will say what is wrong with it.
    let dimensions = image::image_dimensions(folder.join(&file.key)).ok();
    let side = |n: u32| i32::try_from(n).ok();
    NewCapture {
        taken_at: domain::timestamp::from_file_name(&file.key),
        size: i64::try_from(file.size).ok(),
        last_modified_at: Some(file.last_modified),
        width: dimensions.and_then(|(w, _)| side(w)),
        height: dimensions.and_then(|(_, h)| side(h)),
        path: file.key,
        ..Default::default()
    }
}

/// Draws two nights of sheets into the data folder, unless they are there.
async fn drawn(data: &Path) -> anyhow::Result<PathBuf> {
    let folder = data.join("drawn");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let scenes = detector::scene::demo_nights();
    let missing: Vec<_> = scenes
        .into_iter()
        .filter(|scene| !folder.join(&scene.name).exists())
        .collect();
    if missing.is_empty() {
        return Ok(folder);
    }
    println!("Drawing {} light sheets", missing.len());
    let halves = std::thread::available_parallelism().map_or(1, usize::from);
    let size = missing.len().div_ceil(halves);
    let mut tasks = tokio::task::JoinSet::new();
    for part in missing.chunks(size) {
        let (part, folder) = (part.to_vec(), folder.clone());
        tasks.spawn_blocking(move || part.iter().try_for_each(|scene| write(&folder, scene)));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(folder)
}

/// Writes one scene beside its name first, so that a half-written file is never taken for one.
fn write(folder: &Path, scene: &detector::scene::Scene) -> anyhow::Result<()> {
    let target = folder.join(&scene.name);
    let half = target.with_extension("part");
    std::fs::write(&half, scene.jpeg())
        .and_then(|()| std::fs::rename(&half, &target))
        .with_context(|| format!("cannot write {}", target.display()))
}
