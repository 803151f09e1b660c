//! The fields of a session and the words about its addresses, as OPTIONS and the pages show them.

use rest::field::{Field, Kind};

use crate::api::nested::fields as nested;

/// About sessions.
pub const ABOUT: &str = "Sessions: one night of one station, captures without a long pause.";
/// About the timeline.
pub const TIMELINE: &str = "A session in intervals of `resolution_minutes` (1 where none is \
given), those without captures too, with what was found in each.";

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Active project", Kind::Link("projects")),
    Field::new("deployment", "Deployment", Kind::Link("deployments")),
];

/// What the detail takes.
pub const ONE: &[Field] = &[
    Field::new("capture", "Capture", Kind::Link("captures"))
        .help("Tells in `capture_page_offset` where it stands in the session."),
    Field::new("occurrence", "Occurrence", Kind::Link("occurrences"))
        .help("The same for its first capture."),
];

/// What the timeline takes.
pub const TIMELINE_FILTERS: &[Field] = &[Field::new(
    "resolution_minutes",
    "Minutes",
    Kind::Integer(Some(1), None),
)];

const FIRST: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any),
    nested::WIDTH,
    nested::HEIGHT,
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    count("detections_count", "Detections count"),
    Field::shown("detections", "Detections", Kind::Rows(nested::FOUND)),
    Field::shown("thumbnails", "Thumbnails", Kind::Any),
];

const fn count(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, nested::INT).nullable()
}

/// The fields of a session alone, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Any),
    Field::details(),
    Field::shown("deployment", "Deployment", Kind::Nested(nested::NAMED)).nullable(),
    Field::link("deployment_id", "Deployment id", "deployments").required(),
    Field::shown("start", "Start", Kind::DateTime).nullable(),
    Field::shown("end", "End", Kind::DateTime).nullable(),
    Field::shown("day", "Day", Kind::Any),
    Field::shown("date_label", "Date label", Kind::Any),
    Field::shown("duration", "Duration", Kind::Any),
    Field::shown("duration_label", "Duration label", Kind::Any),
    count("captures_count", "Captures count"),
    count("detections_count", "Detections count"),
    count("occurrences_count", "Occurrences count"),
    Field::shown("stats", "Stats", Kind::Any),
    Field::shown("taxa_count", "Taxa count", Kind::Any),
    Field::shown("captures", "Captures", Kind::Any),
    Field::shown("first_capture", "First capture", Kind::Nested(FIRST)).nullable(),
    Field::shown("summary_data", "Summary data", Kind::Any),
    Field::shown("capture_page_offset", "Capture page offset", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

const EXAMPLE: &[Field] = &[
    FIRST[0], FIRST[1], FIRST[2], FIRST[3], FIRST[4], FIRST[5], FIRST[8],
];

/// What a list shows of a session.
pub const ROW: &[Field] = &[
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    FIELDS[3],
    FIELDS[5],
    FIELDS[6],
    FIELDS[7],
    FIELDS[8],
    FIELDS[9],
    FIELDS[10],
    FIELDS[11],
    FIELDS[12],
    FIELDS[13],
    FIELDS[15],
    FIELDS[16],
    Field::shown("example_captures", "Example captures", Kind::Rows(EXAMPLE)),
    FIELDS[20],
    FIELDS[21],
];
