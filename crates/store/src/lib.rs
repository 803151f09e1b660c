//! All SQL of Hawkmoth, on SQLite and PostgreSQL from one source. The idea: what must not be
//! torn apart (a change of state, a saved result with its counts) is one transaction here, and
//! nobody above sees a connection or a transaction, so nothing slow can happen inside one.
//! May depend on `domain` only.

mod connection;
#[allow(dead_code)] // some tables are here before the features that fill them
mod entity;
mod migration;

pub mod algorithm;
pub mod antenna;
pub mod audit;
pub mod capture;
pub mod capture_set;
pub mod category_map;
pub mod chart;
pub mod copy;
pub mod counters;
pub mod defaults;
pub mod detection;
pub mod duty;
pub mod export;
pub mod identification;
pub mod job;
mod kept;
pub mod listing;
pub mod log;
pub mod login;
pub mod member;
pub mod notice;
pub mod occurrence;
pub mod order;
pub mod origin;
pub mod page;
mod password;
pub mod pipeline;
pub mod place;
pub mod post;
pub mod progress;
pub mod project;
pub mod recount;
pub mod result;
pub mod schedule;
mod schema;
pub mod service;
pub mod session;
pub mod source;
pub mod standing;
pub mod station;
mod statistics;
pub mod summary;
pub mod tag;
pub mod taxa_list;
pub mod taxon;
#[doc(hidden)]
pub mod testing;
pub mod ticket;
pub mod token;
mod transfer;
pub mod upload;
pub mod user;
pub mod webhook;
pub mod worker;

pub use connection::{Pool, Store, StoreError, StoreResult, now, without_password};
pub use sea_orm::prelude::Json;

#[cfg(test)]
mod tests;
