//! The built-in processing service: finds insects on photographs of a lit sheet without a neural
//! network, and says so over the contract that every processing service speaks. The idea: a
//! pure function from a picture to boxes, measured against what people marked, with a thin
//! service around it. May depend on `domain` only. Beside it, drawn sheets to show it on.

pub(crate) mod background;
pub mod classify;
pub mod decode;
pub mod detect;
pub mod evaluate;
pub(crate) mod frame;
pub(crate) mod grid;
pub mod preview;
pub(crate) mod region;
pub mod scene;
pub mod service;

pub use detect::{Detection, detect};
pub use service::{Settings, serve};
