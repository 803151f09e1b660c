//! `/api/v2/ml/`: pipelines, what they are made of, and who runs them. The idea: all of it is
//! shared by projects, so all may read it where they see one of its projects, and staff write it.

pub mod algorithms;
pub mod labels;
pub mod pipelines;
pub mod services;
