//! What every place for files must do, asked of a folder and of a bucket behind a real S3 server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conformance;
mod homes;
mod moves;
pub(crate) mod s3;
