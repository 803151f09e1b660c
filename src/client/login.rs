//! What `hawkmoth login` remembers: a server and a token, in a file of the person's own
//! configuration folder. The idea: nobody else may read it, not even for the moment in which it is
//! written.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

/// A server, and the token that it knows a person by.
#[derive(Clone, Deserialize, Serialize)]
pub struct Login {
    /// Address of the server.
    pub server: String,
    /// The token.
    pub token: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// Where it is kept.
    ///
    /// # Errors
    /// Where the person has no home folder.
    pub fn file() -> anyhow::Result<PathBuf> {
        let strategy = etcetera::choose_base_strategy();
        let strategy = strategy.context("there is no home folder to remember a server in")?;
        Ok(strategy.config_dir().join("hawkmoth").join("login.json"))
    }

    /// What is remembered.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read() -> anyhow::Result<Option<Login>> {
        let file = Login::file()?;
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", file.display()));
            }
        };
        let login = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} holds no login: sign in again with `hawkmoth login`",
                file.display()
            )
        })?;
        Ok(Some(login))
    }

    /// Remembers it instead of what was remembered.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self) -> anyhow::Result<PathBuf> {
        let file = Login::file()?;
        let unusable = || format!("cannot write {}", file.display());
        let folder = file.parent().with_context(unusable)?;
        fs::create_dir_all(folder).with_context(unusable)?;
        // A temporary file is its owner's alone (0600), and keeps that when it gets its name.
        let mut half = tempfile::NamedTempFile::new_in(folder).with_context(unusable)?;
        let text = serde_json::to_string_pretty(self)?;
        half.write_all(text.as_bytes()).with_context(unusable)?;
        half.persist(&file).with_context(unusable)?;
        Ok(file)
    }

    /// Remembers nothing any more.
    ///
    /// # Errors
    /// Where the file stays.
    pub fn forget() -> anyhow::Result<()> {
        let file = Login::file()?;
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", file.display()))
            }
            _ => Ok(()),
        }
    }
}
