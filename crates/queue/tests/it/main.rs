//! Every task queue and every carrier of events passes the suite of its kind, and what NATS does
//! wrong is healed. Servers that are killed or frozen are the tests' own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod conformance;
mod events;
mod losses;
mod server;
mod stops;
mod world;
