//! Jobs: their changes of state, the feed, and the saving of results.

mod claims;
mod counterexamples;
mod feeding;
mod line;
mod lists;
mod lives;
mod pages;
mod post;
mod results;
mod stages;
mod targets;
mod together;
pub mod waiting;
pub mod world;
