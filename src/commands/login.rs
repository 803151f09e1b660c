//! `hawkmoth login` and `logout`: a server and a token that later commands take. The idea: nothing is
//! remembered before the server has said whose token it is.

use anyhow::{Context, bail};
use console::Term;
use serde_json::{Value, json};

use super::text;
use crate::client::{Login, Server, Verb, read};
use crate::settings::SignIn;
use crate::table::plain;

/// `hawkmoth login`.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn login(what: SignIn) -> anyhow::Result<()> {
    let given = what.token.clone().filter(|token| !token.trim().is_empty());
    let token = match given {
        Some(token) => token.trim().to_owned(),
        None => by_password(&what).await?,
    };
    let server = Server::new(&what.server, Some(token.clone()))?;
    let me = read(&server.ask(Verb::Get, "/api/v2/users/me/", None).await?)?;
    let login = Login {
        server: what.server,
        token,
    };
    let file = login.write()?;
    eprintln!(
        "Signed in to {} as {}; remembered in {}.",
        login.server,
        plain(text(&me, "email")),
        file.display()
    );
    Ok(())
}

/// A new token for an e-mail address and a password.
async fn by_password(what: &SignIn) -> anyhow::Result<String> {
    let email = match &what.email {
        Some(email) => email.clone(),
        None => asked("E-mail address: ", "--email", Term::read_line)?,
    };
    let password = match &what.password {
        Some(password) => password.clone(),
        None => asked("Password: ", "HAWKMOTH_PASSWORD", Term::read_secure_line)?,
    };
    let body = json!({"email": email, "password": password}).to_string();
    let server = Server::new(&what.server, None)?;
    let path = "/api/v2/auth/token/login/";
    let answer: Value = read(&server.ask(Verb::Post, path, Some(body)).await?)?;
    let token = answer["auth_token"].as_str();
    Ok(token.context("the server gave no token")?.to_owned())
}

/// Asks the person, where there is one.
fn asked(
    words: &str,
    instead: &str,
    read: fn(&Term) -> std::io::Result<String>,
) -> anyhow::Result<String> {
    let term = Term::stderr();
    if !term.is_term() {
        bail!("nobody can be asked here: give {instead}, or a token in HAWKMOTH_TOKEN");
    }
    term.write_str(words)?;
    Ok(read(&term)?)
}

/// `hawkmoth logout`.
///
/// # Errors
/// Where the file stays, or the token may still be good.
pub async fn logout() -> anyhow::Result<()> {
    let Some(login) = Login::read()? else {
        eprintln!("No server is remembered.");
        return Ok(());
    };
    let ended = end(&login).await;
    Login::forget()?;
    ended.with_context(|| {
        format!(
            "{} is forgotten, but the token may still be good there: end it with `hawkmoth tokens \
             revoke` or on the page of your tokens",
            login.server
        )
    })?;
    eprintln!("Signed out of {}.", login.server);
    Ok(())
}

/// Ends the token; one that is ended already is no fault.
async fn end(login: &Login) -> anyhow::Result<()> {
    let server = Server::new(&login.server, Some(login.token.clone()))?;
    let path = "/api/v2/auth/token/logout/";
    let reply = server.ask(Verb::Post, path, None).await?;
    match reply.status {
        401 => Ok(()),
        _ => read(&reply).map(drop),
    }
}
