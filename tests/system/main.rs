//! The system from outside: the API and the pages over HTTP, the program as a process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod antenna;
mod apart;
mod api;
mod app;
mod bench;
mod browse;
mod browser;
mod chaos;
mod client;
mod cluster;
mod command;
mod found;
mod golden;
mod insects;
mod moving;
mod operations;
mod pages;
mod program;
mod pull;
mod push;
mod roles;
mod rooms;
mod seed;
mod session;
mod statements;
mod sync;
mod terminal;
mod ui;
mod versions;
