//! Commands that ask a server or a data folder, a file for each noun. The idea: a command asks the
//! API, prints a table for people or the API's own JSON for programs, and says by its exit status
//! how it ended; Ctrl-C ends the command and never what it has started.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::Client;
use crate::ending::Ending;
use crate::settings::Asking;
use crate::startup;
use crate::table::{plain, say};

pub mod captures;
mod course;
pub mod export;
pub mod jobs;
pub mod login;
pub mod shell;
pub mod tokens;

/// Asks, until it is done or the person goes away.
async fn with(
    at: &Asking,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<Ending>,
) -> anyhow::Result<ExitCode> {
    let client = Client::open(at).await?;
    let ended = tokio::select! {
        ended = work(&client) => ended,
        () = startup::interrupted() => Ok(interrupted(&client)),
    };
    client.close().await;
    Ok(ended?.into())
}

/// Says what becomes of the job that was watched.
fn interrupted(client: &Client) -> Ending {
    match client.watching.get() {
        Some(job) => eprintln!(
            "\nJob {job} goes on without you: `hawkmoth jobs watch {job}` shows it again, \
             `hawkmoth jobs cancel {job}` ends it."
        ),
        None => eprintln!("\nInterrupted."),
    }
    Ending::Interrupted
}

/// Prints the API's own JSON.
fn say_json(answer: &Value) {
    say(&format!("{answer:#}\n"));
}

/// A text of an answer; empty where there is none.
fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer[key].as_str().unwrap_or_default()
}

/// A time of an answer, on the server's clock and to the second.
fn time(answer: &Value, key: &str) -> String {
    let text = text(answer, key);
    plain(text.get(..19).unwrap_or(text)).replace('T', " ")
}

/// The rows of a list.
fn rows(answer: &Value) -> &[Value] {
    let rows = answer["results"].as_array();
    rows.map(Vec::as_slice).unwrap_or_default()
}

/// Says on standard error that there is more than was shown.
fn say_more(answer: &Value, words: &str) {
    let shown = rows(answer).len();
    let count = answer["count"].as_u64().unwrap_or(0);
    if count > u64::try_from(shown).unwrap_or(u64::MAX) {
        eprintln!("{shown} of {count} {words}; --limit shows more.");
    }
}
