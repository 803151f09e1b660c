//! Pure rules of Hawkmoth: what a job, a session, a capture and a permission are, and which
//! messages processing services exchange. No I/O, no async, no clock: every function is a
//! function of its arguments. May depend on nothing of the workspace.

pub mod agreement;
pub mod capture;
pub mod chance;
pub mod determination;
pub mod export;
pub mod job;
pub mod lease;
pub mod metric;
pub mod permission;
pub mod post;
pub mod progress;
pub mod sampling;
pub mod schedule;
pub mod session;
pub mod state;
pub mod storage;
pub mod telling;
pub mod timestamp;
pub mod wire;
