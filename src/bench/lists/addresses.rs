//! The lists of the API that a client asks for: address, filters, and what each can be ordered by,
//! and single rows. The first name of an order that is empty stands for the list's own order. The
//! pages of this server, whose addresses begin with a slash, stand in `pages.rs`.

/// A list with its orders; words in braces are filled in.
pub struct List {
    /// Path and query without the order.
    pub address: &'static str,
    /// What the client offers to order it by; each is asked for in both directions.
    pub orders: &'static [&'static str],
}

pub(super) const fn list(address: &'static str, orders: &'static [&'static str]) -> List {
    List { address, orders }
}

/// All of them.
pub const LISTS: &[List] = &[
    list(
        "projects/?limit=40",
        &[
            "",
            "name",
            "created_at",
            "updated_at",
            "last_capture_timestamp",
            "last_occurrence_updated_at",
            "last_job_updated_at",
        ],
    ),
    list(
        "captures/?project_id={project}",
        &[
            "",
            "timestamp",
            "deployment__name",
            "event__start",
            "size",
            "width",
            "path",
            "last_processed",
            "detections_count",
            "occurrences_count",
            "taxa_count",
        ],
    ),
    list(
        "captures/?project_id={project}&with_counts=true",
        &["", "timestamp", "occurrences_count", "taxa_count"],
    ),
    list(
        "captures/?project_id={project}&deployment={station}",
        &["", "timestamp", "size", "path"],
    ),
    list(
        "captures/?project_id={project}&event={session}",
        &["", "timestamp", "size"],
    ),
    list(
        "captures/?project_id={project}&processed=false",
        &["", "timestamp", "size", "deployment__name"],
    ),
    list(
        "captures/?project_id={project}&processed=true",
        &["", "timestamp", "last_processed"],
    ),
    list(
        "captures/?project_id={project}&collections={everything}",
        &["", "timestamp", "size"],
    ),
    list(
        "captures/?project_id={project}&collections={sample}",
        &["", "timestamp", "size"],
    ),
    list(
        "captures/collections/?project_id={project}",
        &[
            "",
            "id",
            "name",
            "source_images_count",
            "occurrences_count",
            "taxa_count",
            "created_at",
            "updated_at",
        ],
    ),
    list(
        "captures/collections/?project_id={project}&with_counts=true",
        &["", "occurrences_count"],
    ),
    list(
        "deployments/?project_id={project}&limit=200",
        &[
            "",
            "name",
            "captures_count",
            "events_count",
            "occurrences_count",
            "taxa_count",
            "first_capture_timestamp",
            "last_capture_timestamp",
            "created_at",
            "updated_at",
        ],
    ),
    list("deployments/devices/?project_id={project}", &["", "name"]),
    list("deployments/sites/?project_id={project}", &["", "name"]),
    list("storage/?project_id={project}", &[""]),
    list(
        "events/?project_id={project}",
        &[
            "",
            "start",
            "end",
            "deployment",
            "captures_count",
            "detections_count",
            "occurrences_count",
            "taxa_count",
            "created_at",
            "updated_at",
        ],
    ),
    list(
        "events/?project_id={project}&deployment={station}",
        &["", "occurrences_count"],
    ),
    list(
        "occurrences/?project_id={project}",
        &[
            "",
            "id",
            "created_at",
            "updated_at",
            "event",
            "deployment",
            "determination",
            "determination_score",
            "detections_count",
            "first_appearance_timestamp",
            "duration",
        ],
    ),
    list(
        "occurrences/?project_id={project}&apply_defaults=false",
        &["", "updated_at", "determination_score"],
    ),
    list(
        "occurrences/?project_id={project}&taxon={genus}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&taxon={order}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&verified=true",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&verified=false",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&verified_by_me=true",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&deployment={station}",
        &["", "updated_at", "determination"],
    ),
    list(
        "occurrences/?project_id={project}&event={session}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&date_start=2020-02-01&date_end=2020-02-10",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&collection={sample}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&algorithm={algorithm}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&not_algorithm={algorithm}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&taxa_list_id={list}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&not_taxa_list_id={list}",
        &["", "updated_at"],
    ),
    list(
        "occurrences/?project_id={project}&detections__source_image={capture}",
        &["", "updated_at"],
    ),
    list(
        "taxa/?project_id={project}",
        &[
            "",
            "name",
            "rank",
            "parent",
            "occurrences_count",
            "last_detected",
            "best_determination_score",
            "created_at",
            "updated_at",
        ],
    ),
    list(
        "taxa/?project_id={project}&include_unobserved=true",
        &["", "occurrences_count"],
    ),
    list(
        "taxa/?project_id={project}&apply_defaults=false",
        &["", "occurrences_count"],
    ),
    list(
        "taxa/?project_id={project}&deployment={station}",
        &["", "occurrences_count"],
    ),
    list(
        "taxa/?project_id={project}&event={session}",
        &["", "occurrences_count"],
    ),
    list(
        "taxa/?project_id={project}&taxon={family}",
        &["", "occurrences_count"],
    ),
    list(
        "taxa/?project_id={project}&verified=true",
        &["", "occurrences_count"],
    ),
    list("taxa/lists/?project_id={project}", &["", "name"]),
    list("tags/?project_id={project}", &[""]),
    list(
        "detections/?project_id={project}",
        &["", "created_at", "timestamp"],
    ),
    list("classifications/?project_id={project}", &["", "created_at"]),
    list("identifications/?project_id={project}", &[""]),
    list(
        "jobs/?project_id={project}",
        &[
            "",
            "name",
            "status",
            "created_at",
            "updated_at",
            "finished_at",
        ],
    ),
    list("exports/?project_id={project}", &["", "created_at"]),
    list("ml/pipelines/?project_id={project}", &["", "id", "name"]),
    list("ml/algorithms/?project_id={project}", &["", "id", "name"]),
    list("ml/processing_services/?project_id={project}", &["", "id"]),
    list("projects/{project}/members/", &[""]),
    list("status/summary/?project_id={project}", &[""]),
    list("projects/{project}/", &[""]),
    list("captures/{capture}/?project_id={project}", &[""]),
    list("deployments/{station}/?project_id={project}", &[""]),
    list("events/{session}/?project_id={project}", &[""]),
    list("events/{session}/timeline/?project_id={project}", &[""]),
    list(
        "captures/collections/{everything}/?project_id={project}",
        &[""],
    ),
    list("occurrences/{occurrence}/?project_id={project}", &[""]),
    list("taxa/{species}/?project_id={project}", &[""]),
    list("jobs/{job}/", &[""]),
];
