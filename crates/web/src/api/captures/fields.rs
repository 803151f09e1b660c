//! The fields of a capture and the words about its addresses, as OPTIONS and the pages show them.

use rest::field::{Field, Kind};

use crate::api::nested::fields as nested;

/// About captures.
pub const ABOUT: &str = "Captures: photographs of stations' sheets, grouped into sessions.\n\n\
A page of a session: `GET /captures/?project_id=1&event=1&limit=10&ordering=-timestamp`\n\n\
One of them: `GET /captures/1/?project_id=1`";
/// About starring.
pub const STAR: &str = "Put a capture into the project's set of starred captures.";
/// About the way back.
pub const UNSTAR: &str = "Take a capture out of the project's set of starred captures.";
/// About thumbnails.
pub const THUMBNAIL: &str = "Leads to a capture's thumbnail: `?label=small`, `medium` or `large`.";
/// About uploads.
pub const UPLOAD: &str = "Send photographs; with `?process_now=true` they are processed at once.";

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Active project", Kind::Link("projects")).required(),
    Field::new("deployment", "Deployment", Kind::Link("deployments")),
    Field::new("event", "Event", Kind::Link("events")),
    Field::new(
        "collections",
        "Capture sets",
        Kind::Links("captures/collections"),
    ),
    Field::new("processed", "Processed", Kind::Boolean),
    Field::new("has_detections", "With detections", Kind::Boolean),
    Field::new("with_detections", "Show detections", Kind::Boolean),
    Field::new("with_counts", "Show counts", Kind::Boolean),
];

/// What the detail takes.
pub const ONE: &[Field] =
    &[Field::new("project_id", "Active project", Kind::Link("projects")).required()];

/// The fields of a capture, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("deployment", "Deployment", Kind::Nested(nested::NAMED)).nullable(),
    Field::shown("event", "Event", Kind::Nested(nested::SESSION)).nullable(),
    Field::shown("url", "Url", Kind::Any),
    Field::new("path", "Path", Kind::Text(Some(255))),
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    nested::WIDTH,
    nested::HEIGHT,
    nested::SIZE,
    Field::shown("size_display", "Size display", Kind::Any),
    Field::shown(
        "detections_count",
        "Detections count",
        Kind::Integer(None, None),
    )
    .nullable(),
    Field::shown("occurrences_count", "Occurrences count", Kind::Any),
    Field::shown("taxa_count", "Taxa count", Kind::Any),
    Field::shown("last_processed", "Last processed", Kind::DateTime)
        .nullable()
        .sometimes(),
    Field::shown("detections", "Detections", Kind::Rows(nested::FOUND)),
    Field::new("project", "Project", Kind::Link("projects")).nullable(),
    Field::shown("uploaded_by", "Uploaded by", Kind::Any),
    Field::new("test_image", "Test image", Kind::Boolean),
    Field::shown("jobs", "Jobs", Kind::Rows(nested::JOB)),
    Field::shown("collections", "Collections", Kind::Rows(nested::SET)),
    Field::shown("event_next_capture_id", "Event next capture id", Kind::Any),
    Field::shown("event_prev_capture_id", "Event prev capture id", Kind::Any),
    Field::shown(
        "event_current_capture_index",
        "Event current capture index",
        Kind::Any,
    ),
    Field::shown("event_total_captures", "Event total captures", Kind::Any),
    Field::shown("thumbnails", "Thumbnails", Kind::Any),
];

/// What the answer to a change shows of a capture: nothing of what was found on it.
pub const CHANGED: &[Field] = &[
    FIELDS[0], FIELDS[1], FIELDS[2], FIELDS[3], FIELDS[4], FIELDS[5], FIELDS[6], FIELDS[7],
    FIELDS[8], FIELDS[9], FIELDS[10], FIELDS[11], FIELDS[12], FIELDS[13], FIELDS[16], FIELDS[17],
    FIELDS[18], FIELDS[19], FIELDS[20], FIELDS[21], FIELDS[22], FIELDS[23], FIELDS[24], FIELDS[25],
];

/// The fields of an upload, in the order of its JSON.
pub const UPLOADS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("image", "Image", Kind::Image).required(),
    Field::new("deployment", "Deployment", Kind::Link("deployments")).required(),
    Field::shown(
        "source_image",
        "Source image",
        Kind::Nested(nested::CAPTURE),
    )
    .nullable(),
    Field::shown("user", "User", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
];

/// What the list of uploads takes.
pub const UPLOAD_FILTERS: &[Field] =
    &[Field::new("project_id", "Active project", Kind::Link("projects")).required()];

/// What the query of an upload may hold.
pub const UPLOAD_ASKS: &[Field] = &[Field::new("process_now", "Process now", Kind::Boolean)];

/// What a list shows of a capture.
pub const ROW: &[Field] = &[
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    FIELDS[3],
    FIELDS[4],
    FIELDS[5],
    FIELDS[6],
    FIELDS[7],
    FIELDS[8],
    FIELDS[9],
    FIELDS[10],
    FIELDS[11],
    FIELDS[12],
    FIELDS[13],
    FIELDS[14],
    FIELDS[15].sometimes(),
    FIELDS[16],
    FIELDS[20].sometimes(),
    FIELDS[21].sometimes(),
    FIELDS[22].sometimes(),
    FIELDS[23].sometimes(),
    FIELDS[24].sometimes(),
    FIELDS[25],
];
