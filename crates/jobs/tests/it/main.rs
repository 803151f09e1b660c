//! Jobs run by a real runner against a processing service that the tests play, on each kind of
//! database that can be had.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod away;
mod caretaker;
mod choice;
mod crops;
mod deliveries;
mod exports;
mod faults;
mod kinds;
mod post;
mod push;
mod reprocess;
mod schedules;
mod service;
mod stops;
mod sweep;
mod world;
