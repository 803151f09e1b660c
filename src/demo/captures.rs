//! Where the demo's photographs come from: a folder of the person's, or sheets drawn here.
//! Only names and headers are read; the photographs stay where they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use detector::scene::{self, Scene};
use domain::capture::is_image_key;
use domain::permission::Permit;
use store::Store;
use store::capture::NewCapture;
use store::place::{PlaceFilter, PlaceKind};
use store::station::{NewStation, Station, StationChange};

use crate::settings::Demo;

/// A folder with the photographs found in it.
pub struct Found {
    pub folder: PathBuf,
    pub captures: Vec<NewCapture>,
    /// How many have no time in their name.
    pub without_time: usize,
    /// What is really on them, where they were drawn here.
    pub scenes: Vec<Scene>,
    name: String,
    device: &'static str,
}

/// Finds the photographs of the folder that the person named, or draws those of two stations.
pub async fn find(settings: &Demo) -> anyhow::Result<Vec<Found>> {
    if let Some(folder) = &settings.captures {
        let found = found(folder, folder_name(folder), "Camera trap", Vec::new());
        return Ok(vec![found.await?]);
    }
    let data = &settings.place.data;
    let mut all = Vec::new();
    for (folder, name, scenes) in [
        ("drawn", "Drawn light sheet", scene::demo_nights()),
        (
            "drawn-wood",
            "Drawn sheet by the wood",
            scene::demo_wood_nights(),
        ),
    ] {
        let folder = drawn(&data.join(folder), &scenes).await?;
        let device = "Hawkmoth's drawing board";
        all.push(found(&folder, name.to_owned(), device, scenes).await?);
    }
    Ok(all)
}

async fn found(
    folder: &Path,
    name: String,
    device: &'static str,
    scenes: Vec<Scene>,
) -> anyhow::Result<Found> {
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
        scenes,
        name,
        device,
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
    let site = place(store, PlaceKind::Site, project, &found.name).await?;
    let device = place(store, PlaceKind::Device, project, found.device).await?;
    Ok(store
        .create_station(NewStation {
            project_id: project,
            name: found.name.clone(),
            source_id: Some(source.id),
            more: StationChange {
                site_id: Some(Some(site)),
                device_id: Some(Some(device)),
                ..Default::default()
            },
            ..Default::default()
        })
        .await?)
}

/// The project's site or device with this name, found or made.
async fn place(store: &Store, kind: PlaceKind, project: i64, name: &str) -> anyhow::Result<i64> {
    let filter = PlaceFilter {
        project_id: Some(project),
        ..Default::default()
    };
    let (places, _) = store.places(kind, &filter, 1000, 0).await?;
    if let Some(place) = places.iter().find(|place| place.name == name) {
        return Ok(place.id);
    }
    let made = store.create_place(Permit::BY_PROGRAM, kind, project, name, "");
    Ok(made.await?.id)
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

/// Draws these sheets into a folder, unless they are there.
async fn drawn(folder: &Path, scenes: &[Scene]) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let missing = scenes
        .iter()
        .filter(|scene| !folder.join(&scene.name).exists());
    let missing: Vec<&Scene> = missing.collect();
    if missing.is_empty() {
        return Ok(folder.to_owned());
    }
    println!("Drawing {} light sheets", missing.len());
    let halves = std::thread::available_parallelism().map_or(1, usize::from);
    let size = missing.len().div_ceil(halves);
    let mut tasks = tokio::task::JoinSet::new();
    for part in missing.chunks(size) {
        let part: Vec<Scene> = part.iter().map(|scene| (*scene).clone()).collect();
        let folder = folder.to_owned();
        tasks.spawn_blocking(move || part.iter().try_for_each(|scene| write(&folder, scene)));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(folder.to_owned())
}

/// Writes one scene beside its name first, so that a half-written file is never taken for one.
fn write(folder: &Path, scene: &Scene) -> anyhow::Result<()> {
    let target = folder.join(&scene.name);
    let half = target.with_extension("part");
    std::fs::write(&half, scene.jpeg())
        .and_then(|()| std::fs::rename(&half, &target))
        .with_context(|| format!("cannot write {}", target.display()))
}
