//! What those see who run the server: health, metrics, traces, limits and the end of a process.

mod bodies;
mod health;
mod late;
mod limits;
mod metrics;
mod server;
mod stops;
mod traces;
