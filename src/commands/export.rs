//! `hawkmoth export`: has a project's occurrences written, waits for that, and fetches the file. The
//! idea: the file grows without its name beside its place and gets it when it is whole, so what
//! lies there is never half of one.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::course::{described, follow, state};
use super::{say_json, text, with};
use crate::client::{Client, Kind, id};
use crate::ending::Ending;
use crate::settings::ExportWhat;
use crate::table::{plain, say};

/// Runs the command.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn run(what: ExportWhat) -> anyhow::Result<ExitCode> {
    with(&what.at, async |client| export(client, &what).await).await
}

async fn export(client: &Client, what: &ExportWhat) -> anyhow::Result<Ending> {
    // Said before the server has worked for it.
    if let Some(file) = &what.output {
        let folder = folder_of(file);
        ensure!(
            folder.is_dir() && !file.is_dir(),
            "cannot write {}: give a file in a folder that is there with -o",
            file.display()
        );
    }
    let made = client.post("exports/", &body(client, what).await?).await?;
    let number = id(&made["id"])?;
    let job = follow(client, id(&made["job"]["id"])?, what.at.json).await?;
    let ending = Ending::of(state(&job)?);
    if ending != Ending::Done {
        match what.at.json {
            true => say_json(&job),
            false => say(&format!("\n{}", described(client, &job)?)),
        }
        return Ok(ending);
    }
    let export = client.get(&format!("exports/{number}/")).await?;
    let (file, size) = fetch(client, &export, what.output.as_deref()).await?;
    match what.at.json {
        true => say_json(&export),
        false => say(&format!(
            "Wrote {} occurrences to {} ({size} bytes).\n",
            export["record_count"],
            plain(&file.display().to_string())
        )),
    }
    Ok(Ending::Done)
}

async fn body(client: &Client, what: &ExportWhat) -> anyhow::Result<Value> {
    let project = client.number(Kind::Project, &what.project, None).await?;
    let set = client.number_if(Kind::CaptureSet, what.capture_set.as_deref(), Some(project));
    let mut filters: Map<String, Value> = what.filters.iter().cloned().collect();
    if let Some(set) = set.await? {
        filters.insert("collection_id".to_owned(), set.into());
    }
    Ok(json!({"project": project, "format": what.format, "filters": filters}))
}

/// Fetches the file of an export; where it is, and how large.
async fn fetch(
    client: &Client,
    export: &Value,
    output: Option<&Path>,
) -> anyhow::Result<(PathBuf, u64)> {
    let address = text(export, "file_url");
    ensure!(!address.is_empty(), "the export has no file");
    let file = match output {
        Some(file) => file.to_owned(),
        None => name_of(address).context("the export's file has no name: give one with -o")?,
    };
    let unusable = || format!("cannot write {}", file.display());
    let half = beside(&file).with_context(unusable)?;
    let mut writer = BufWriter::new(half);
    let size = client.download(address, &mut writer).await?;
    let expected = export["file_size"].as_u64();
    ensure!(
        expected.is_none_or(|expected| expected == size),
        "the file came with {size} bytes instead of {}: nothing was written",
        expected.unwrap_or(0)
    );
    let half = writer.into_inner().map_err(|error| error.into_error());
    let half = half.with_context(unusable)?;
    half.as_file().sync_all().with_context(unusable)?;
    let _: File = half.persist(&file).with_context(unusable)?;
    Ok((file, size))
}

/// A file in the folder of another one, for whom that one will be, which goes away unless it is
/// given that name.
fn beside(file: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hawkmoth-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: less what the person's own mask takes away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(file))
}

/// The folder that a file lies in.
fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// The name that the server gives the file.
fn name_of(address: &str) -> Option<PathBuf> {
    let path = address.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let plain = !name.is_empty() && name != "." && name != ".." && !name.contains('\\');
    plain.then(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_servers_name_and_lies_here() {
        let address = "http://localhost/media/exports/moths_export-7.csv?s=x/y";
        assert_eq!(name_of(address), Some(PathBuf::from("moths_export-7.csv")));
        assert_eq!(name_of("http://localhost/media/.."), None);
        assert_eq!(name_of("http://localhost/media/"), None);
    }

    #[test]
    fn a_file_without_a_folder_lies_here() {
        assert_eq!(folder_of(Path::new("a.csv")), Path::new("."));
        assert_eq!(folder_of(Path::new("b/a.csv")), Path::new("b"));
    }
}
