//! The conventions of Django REST framework: error bodies word for word, validation messages,
//! the envelope of lists, flags in queries, naive times. The idea: who speaks to the reference
//! platform reads the same words here. Knows nothing of insects or jobs.

pub mod allow;
pub mod body;
pub mod document;
pub mod error;
pub mod field;
pub mod form;
mod json;
pub mod negotiate;
pub mod openapi;
pub mod page;
pub mod python;
pub mod query;
pub mod shape;
pub mod size;
pub mod time;
pub mod validate;
pub mod yaml;
pub mod zone;

pub use body::{JsonBody, Upload};
pub use error::{ApiError, ApiResult, FieldErrors};
pub use form::{Form, How};
pub use zone::Zone;
