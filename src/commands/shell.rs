//! `hawkmoth completions` and `hawkmoth man`: what a shell completes and what `man` shows, made of the
//! definition by which commands are read, so neither can tell of what is not there.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::ending::STATUSES;
use crate::settings::{Completions, Hawkmoth, ManPages};
use crate::table::say;

/// Prints what completes commands in a shell.
pub fn completions(what: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(
        what.shell,
        &mut Hawkmoth::command(),
        "hawkmoth",
        &mut script,
    );
    say(&String::from_utf8_lossy(&script));
}

/// Writes a page for each command.
///
/// # Errors
/// Where a file cannot be written.
pub fn man(what: &ManPages) -> anyhow::Result<()> {
    let folder = &what.folder;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut whole = Hawkmoth::command().disable_help_subcommand(true);
    whole.build();
    let written = pages(&whole, folder)?;
    eprintln!("Wrote {written} pages into {}.", folder.display());
    Ok(())
}

/// The page of a command and those of the commands below it; how many. Once it is built, each
/// knows the words that lead to it.
fn pages(command: &clap::Command, folder: &Path) -> anyhow::Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let file = folder.join(format!("{name}.1"));
    let page = clap_mangen::Man::new(command.clone().after_long_help(statuses()));
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    let mut written = 1;
    for sub in command.get_subcommands() {
        written += pages(sub, folder)?;
    }
    Ok(written)
}

/// The table of exit statuses.
fn statuses() -> String {
    let lines = STATUSES
        .iter()
        .map(|(code, means)| format!("{code}: {means}"));
    format!("Exit status:\n\n{}", lines.collect::<Vec<_>>().join("\n\n"))
}
