//! Settings of where the server keeps its own files, and of what opens a bucket.

use clap::Args;
use files::{Home, Keys};

/// Where the server's own files are kept: uploads, pictures, thumbnails, crops and exports.
#[derive(Args, Clone, Debug, Default)]
pub struct Kept {
    /// Where files are kept: a folder, or s3://bucket/prefix?endpoint=https://host&region=name; by
    /// default the folder "files" in the data folder. Processes on several machines need the same
    /// bucket, or a folder that they share
    #[arg(long, env = "HAWKMOTH_FILES", value_name = "PLACE")]
    pub files: Option<Home>,
    #[command(flatten)]
    pub opened: BucketKeys,
}

/// What opens a bucket that files are kept in.
#[derive(Args, Clone, Default)]
pub struct BucketKeys {
    /// Name of the key of that bucket
    #[arg(
        long,
        env = "AWS_ACCESS_KEY_ID",
        value_name = "NAME",
        hide_env_values = true
    )]
    files_access_key: Option<String>,
    /// The key; better given in the variable than on the command line
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    files_secret_key: Option<String>,
    /// What belongs to a key that is good for a while only
    #[arg(
        long,
        env = "AWS_SESSION_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    files_session_token: Option<String>,
}

impl BucketKeys {
    /// As what opens a bucket.
    pub fn keys(&self) -> Keys {
        Keys {
            access_key: self.files_access_key.clone(),
            secret_key: self.files_secret_key.clone(),
            session_token: self.files_session_token.clone(),
        }
    }
}

impl std::fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketKeys").finish_non_exhaustive()
    }
}
