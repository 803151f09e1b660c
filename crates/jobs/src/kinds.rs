//! The kinds of jobs, one file each.

pub mod export;
pub mod ml;
pub mod populate;
pub mod post;
pub mod regroup;
mod sessions;
pub mod sync;
