//! The fields of a station and the words about its addresses, in the order of its JSON.

use rest::field::{Field, Kind};
use rest::shape;

use super::super::nested::fields::{JOB, NAMED, PROJECT, counter};

/// About stations.
pub const ABOUT: &str = "Stations: camera traps, each at a place and with a folder of captures.";
/// About looking into storage.
pub const SYNC: &str = "Look into the station's storage for new captures, as a job.";
/// About looking into all storages.
pub const SYNC_ALL: &str = "Look into the storage of every station of a project, one job each.";
/// About regrouping.
pub const REGROUP: &str = "Group the station's captures into sessions again, as a job.";

const SESSION: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Any).holds(shape::TEXT_OR_NULL),
    Field::details(),
    counter("occurrences_count", "Occurrences count"),
    Field::shown("taxa_count", "Taxa count", Kind::Any).holds(shape::INTEGER_OR_NULL),
];

const SESSION_OF_CAPTURE: &[Field] = &[Field::id(), Field::details()];

const CAPTURE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any).holds(shape::ADDRESS_OR_NULL),
    counter("width", "Width"),
    counter("height", "Height"),
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    Field::shown("event", "Event", Kind::Nested(SESSION_OF_CAPTURE)).nullable(),
];

const ID: Field = Field::id();
const NAME: Field = Field::new("name", "Name", Kind::Text(Some(80))).required();
const DETAILS: Field = Field::details();
const IMAGE: Field = Field::new("image", "Image", Kind::Image).nullable();
const OCCURRENCES: Field = Field::shown("occurrences", "Occurrences", Kind::Any);
const COUNTS: [Field; 4] = [
    counter("events_count", "Events count"),
    counter("captures_count", "Captures count"),
    counter("occurrences_count", "Occurrences count"),
    counter("taxa_count", "Taxa count"),
];
const OF_PROJECT: Field = Field::shown("project", "Project", Kind::Nested(PROJECT));
const CREATED: Field = Field::shown("created_at", "Created at", Kind::DateTime);
const UPDATED: Field = Field::shown("updated_at", "Updated at", Kind::DateTime);
const LATITUDE: Field = Field::new("latitude", "Latitude", Kind::Float).nullable();
const LONGITUDE: Field = Field::new("longitude", "Longitude", Kind::Float).nullable();
const FIRST: Field = Field::shown("first_date", "First date", Kind::Any);
const LAST: Field = Field::shown("last_date", "Last date", Kind::Any);
const DEVICE: Field = Field::shown("device", "Device", Kind::Nested(NAMED)).nullable();
const SITE: Field = Field::shown("research_site", "Research site", Kind::Nested(NAMED)).nullable();
const JOBS: Field = Field::shown("jobs", "Jobs", Kind::Rows(JOB));
const CONNECTED: Field = Field::shown("data_source_connected", "Data source connected", Kind::Any);

/// A station in a list.
pub const ROW: &[Field] = &[
    ID,
    NAME,
    DETAILS,
    IMAGE,
    Field::shown("events", "Events", Kind::Any),
    OCCURRENCES,
    COUNTS[0],
    COUNTS[1],
    COUNTS[2],
    COUNTS[3],
    OF_PROJECT,
    CREATED,
    UPDATED,
    LATITUDE,
    LONGITUDE,
    FIRST,
    LAST,
    DEVICE,
    SITE,
    JOBS,
    CONNECTED,
];

/// A station as it is sent, and shown alone.
pub const FIELDS: &[Field] = &[
    ID,
    NAME,
    DETAILS,
    IMAGE,
    Field::shown("events", "Events", Kind::Rows(SESSION)),
    OCCURRENCES,
    COUNTS[0],
    COUNTS[1],
    COUNTS[2],
    COUNTS[3],
    OF_PROJECT,
    CREATED,
    UPDATED,
    LATITUDE,
    LONGITUDE,
    FIRST,
    LAST,
    DEVICE,
    SITE,
    JOBS,
    CONNECTED,
    Field::link("project_id", "Project id", "projects").required(),
    Field::link("device_id", "Device id", "deployments/devices"),
    Field::link("research_site_id", "Research site id", "deployments/sites"),
    Field::shown("data_source", "Data source", Kind::Any),
    Field::link("data_source_id", "Data source id", "storage"),
    Field::shown("data_source_uri", "Data source uri", Kind::Any),
    Field::shown(
        "data_source_total_files",
        "Data source total files",
        Kind::Integer(None, None),
    )
    .nullable(),
    Field::shown(
        "data_source_total_size",
        "Data source total size",
        Kind::Integer(None, None),
    )
    .nullable(),
    Field::shown(
        "data_source_total_size_display",
        "Data source total size display",
        Kind::Text(None),
    )
    .nullable(),
    Field::shown(
        "data_source_last_checked",
        "Data source last checked",
        Kind::DateTime,
    )
    .nullable(),
    Field::new(
        "data_source_subdir",
        "Data source subdir",
        Kind::Text(Some(255)),
    )
    .nullable()
    .blank(),
    Field::new(
        "data_source_regex",
        "Data source regex",
        Kind::Text(Some(255)),
    )
    .nullable()
    .blank(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::shown("example_captures", "Example captures", Kind::Rows(CAPTURE)).sometimes(),
    Field::shown(
        "manually_uploaded_captures",
        "Manually uploaded captures",
        Kind::Rows(CAPTURE),
    )
    .sometimes(),
];

const NUMBER: Kind = Kind::Integer(None, None);

/// The job that looks into the storage.
pub const SYNCING: &[Field] = &[
    Field::shown("job_id", "The job", NUMBER),
    Field::shown("project_id", "Its project", NUMBER),
];

/// The jobs that look into the storage.
pub const QUEUED: &[Field] = &[
    Field::shown("job_ids", "The jobs", Kind::Integers),
    Field::shown("queued", "How many", NUMBER),
    Field::shown("project_id", "Their project", NUMBER),
];

/// The job that groups captures.
pub const REGROUPING: &[Field] = &[
    Field::shown("job_id", "The job", NUMBER),
    Field::shown("deployment_id", "The station", NUMBER),
    Field::shown("project_id", "Its project", NUMBER),
];
