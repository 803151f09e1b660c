//! The bucket of the recording, filled again. The idea: what lay there stands in the table of
//! captures, and only names and sizes were ever read of it.

use std::collections::HashSet;
use std::path::Path;

use files::Vault;

use super::sheet;
use crate::sync::s3::{KEYS, S3};

/// The address that the recorded S3 server had.
pub const ADDRESS: &str = "http://127.0.0.1:9000";

/// The word that was both keys to it.
pub const KEY: &str = "amistorage";

/// An S3 server that answers until the test ends.
pub struct Bucket {
    /// Where it answers.
    pub address: String,
    /// Its keys, as they are stored.
    pub sealed: (String, String),
    _server: S3,
}

impl Bucket {
    pub async fn start(root: &Path, vault: &Vault) -> Bucket {
        let server = S3::new().await;
        let stations = sheet::read(root, "main_deployment");
        let synced = stations
            .iter()
            .filter(|s| s.int("data_source_id").is_some());
        let synced: HashSet<Option<i64>> = synced.map(|s| s.int("id")).collect();
        let captures = sheet::read(root, "main_sourceimage");
        let objects = captures
            .iter()
            .filter(|c| synced.contains(&c.int("deployment_id")));
        server.empty_files(
            "ami-test",
            objects.map(|c| (c.text("path"), c.int("size").unwrap())),
        );
        Bucket {
            address: server.endpoint.clone(),
            sealed: (vault.close(KEYS.0), vault.close(KEYS.1)),
            _server: server,
        }
    }
}
