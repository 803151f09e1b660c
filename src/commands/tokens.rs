//! `hawkmoth tokens …`: one's own tokens, for programs and for workers.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Map, Value};

use super::{rows, say_json, say_more, text, time, with};
use crate::client::{Client, Kind};
use crate::ending::Ending;
use crate::settings::{CreateToken, ListTokens, RevokeToken, TokensCommand};
use crate::table::{self, Table, plain, say};

const PATH: &str = "users/me/tokens/";

/// Runs one of the commands.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn run(what: TokensCommand) -> anyhow::Result<ExitCode> {
    match what {
        TokensCommand::List(what) => with(&what.at, async |client| list(client, &what).await).await,
        TokensCommand::Create(what) => {
            with(&what.at, async |client| create(client, &what).await).await
        }
        TokensCommand::Revoke(what) => {
            with(&what.at, async |client| revoke(client, &what).await).await
        }
    }
}

async fn list(client: &Client, what: &ListTokens) -> anyhow::Result<Ending> {
    let found = client.get(&format!("{PATH}?limit=1000")).await?;
    if what.at.json {
        say_json(&found);
        return Ok(Ending::Done);
    }
    let mut table = Table::new(&["id", "name", "for", "created", "last used"]).shrinking(&[1]);
    for token in rows(&found) {
        let scope = match token["project"].as_i64() {
            Some(project) => format!("worker of project {project}"),
            None => "everything".to_owned(),
        };
        let used = time(token, "last_used_at");
        table.row(vec![
            token["id"].to_string(),
            text(token, "name").to_owned(),
            scope,
            time(token, "created_at"),
            if used.is_empty() {
                "never".to_owned()
            } else {
                used
            },
        ]);
    }
    say(&table.text(table::width()));
    say_more(&found, "tokens");
    Ok(Ending::Done)
}

async fn create(client: &Client, what: &CreateToken) -> anyhow::Result<Ending> {
    let project = client.number_if(Kind::Project, what.project.as_deref(), None);
    let mut body = Map::new();
    body.insert("name".to_owned(), what.name.clone().into());
    if let Some(project) = project.await? {
        body.insert("project".to_owned(), project.into());
    }
    let made = client.post(PATH, &Value::Object(body)).await?;
    if what.at.json {
        say_json(&made);
        return Ok(Ending::Done);
    }
    eprintln!(
        "Token {} \"{}\"; it is not shown again:",
        made["id"], what.name
    );
    // Alone on standard output, for TOKEN=$(hawkmoth tokens create …).
    say(&format!("{}\n", plain(text(&made, "token"))));
    Ok(Ending::Done)
}

async fn revoke(client: &Client, what: &RevokeToken) -> anyhow::Result<Ending> {
    let ended = client.delete(&format!("{PATH}{}/", what.token_id)).await;
    ended.with_context(|| format!("token {}", what.token_id))?;
    eprintln!("Token {} is no longer good for anything.", what.token_id);
    Ok(Ending::Done)
}
