//! What is sent to and shown of the pipelines of a project.

use rest::field::{Field, Kind};
use rest::shape::{self, Shape};

/// About the pipelines of a project.
pub const REGISTER: &str = "Pipelines for a specific project. GET lists, POST registers.";
/// What a worker sends to register.
pub const REGISTER_FIELDS: &[Field] = &[
    Field::new(
        "processing_service_name",
        "Processing service name",
        Kind::Text(Some(255)),
    )
    .required(),
    Field::new("pipelines", "Pipelines", Kind::Any).holds(Shape::Document(&super::CONFIGS)),
];

/// What has been registered.
pub const REGISTERED: &[Field] = &[
    Field::shown("timestamp", "When", Kind::DateTime),
    Field::shown("success", "Always true", Kind::Boolean),
    Field::shown("error", "Always null", Kind::Any).holds(Shape::Null),
    Field::shown("pipelines", "As they were read", Kind::List).holds(OBJECTS),
    Field::shown("pipelines_created", "Slugs of new pipelines", Kind::List).holds(shape::TEXTS),
    Field::shown("algorithms_created", "Keys of new algorithms", Kind::List).holds(shape::TEXTS),
];

const OBJECTS: Shape = Shape::List(&shape::OBJECT);
