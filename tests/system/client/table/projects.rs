//! The list of projects, and what stands around every page of one (`ui.md` §A.3).

use super::sessions::OCCURRENCES;
use super::taxa::TAXA;
use crate::client::row::Made::Project;
use crate::client::row::Sent::{Form, Json, Photo};
use crate::client::row::Who::{Holds, Superusers};
use crate::client::row::{Row, delete, get, patch, post};

const LIST: &[&str] = &[
    "count: number",
    "{next,previous}: string|null",
    "user_permissions: strings",
    "results.*.id: number",
    "results.*.{name,description}: string",
    "results.*.image: string|null",
    "results.*.draft: boolean",
    "results.*.user_permissions: strings",
];

const DETAIL: &[&str] = &[
    "id: number",
    "{name,description}: string",
    "image: string|null",
    "{draft,is_member}: boolean",
    "feature_flags.tags: boolean",
    "user_permissions: strings",
    "deployments.*.{id,events_count}: number",
    "deployments.*.name: string",
    "deployments.*.image: string|null",
    "deployments.*.{latitude,longitude}: number|null",
    "deployments.*.user_permissions: strings",
    "settings.{session_time_gap_seconds,default_filters_score_threshold}: number",
    "settings.default_filters_include_taxa.*?.id: number",
    "settings.default_filters_include_taxa.*?.name: string",
    "settings.default_filters_exclude_taxa.*?.id: number",
    "settings.default_filters_exclude_taxa.*?.name: string",
    "settings.default_processing_pipeline?.id: number",
    "settings.default_processing_pipeline?.name: string",
];

const SUMMARY: &[&str] = &[
    "{num_deployments,num_captures,num_sessions,num_occurrences,num_species}: number",
    "num_detections: number|absent",
];

const CHARTS: &[&str] = &[
    "summary_data.*.{id,title}: string",
    "summary_data.*.plots.*.{title,type}: string",
    "summary_data.*.plots.*.orientation: string|absent",
    "summary_data.*.plots.*.data.x.*: string|number",
    "summary_data.*.plots.*.data.y.*: string|number",
    "summary_data.*.plots.*.data.{tickvals,ticktext}: array|absent",
];

const SETTINGS: &str = r#"{"settings": {"session_time_gap_seconds": 3600,
    "default_filters_score_threshold": 0.4, "default_filters_include_taxa_ids": [$taxon],
    "default_filters_exclude_taxa_ids": [], "default_processing_pipeline_id": "$pipeline"}}"#;

const NEW: &str = r#"{"name": "Row $n", "description": "About it", "draft": true,
    "settings": {"default_processing_pipeline_id": "$pipeline"}}"#;

pub const ROWS: &[Row] = &[
    get("/projects/?limit=40&offset=0").reads(LIST).also(&[
        "&ordering=name",
        "&ordering=-created_at",
        "&ordering=-updated_at",
        "&ordering=-last_capture_timestamp",
        "&ordering=-last_occurrence_updated_at",
        "&ordering=-last_job_updated_at",
    ]),
    // A superuser is a member of what it made.
    get("/projects/?limit=40&offset=0&user_id=$me")
        .signed_in()
        .reads(LIST)
        .nothing_for(&["outsider"]),
    post("/projects/", Json(NEW), 201)
        .by(Superusers)
        .reads(&["id: number"]),
    get("/projects/$project/?with_charts=false").reads(DETAIL),
    get("/status/summary/?project_id=$project").reads(SUMMARY),
    get("/projects/$project/charts").reads(CHARTS),
    get("/occurrences/?project_id=$project&ordering=-first_appearance_timestamp&limit=5&offset=0")
        .reads(OCCURRENCES),
    get("/taxa/?project_id=$project&ordering=-occurrences_count&limit=5&offset=0").reads(TAXA),
    get("/occurrences/stats/top-identifiers/?project_id=$project&limit=5").reads(&[
        "top_identifiers.*.{id,identification_count}: number",
        "top_identifiers.*.name: string",
        "top_identifiers.*.image: string|null",
    ]),
    patch(
        "/projects/$made/",
        Photo(
            &[
                ("name", "Name $n"),
                ("description", "About it"),
                ("draft", "false"),
                ("settings.default_processing_pipeline_id", "$pipeline"),
            ],
            "image",
        ),
    )
    .made(Project)
    .by(Holds("update_project")),
    patch(
        "/projects/$made/",
        Form(&[
            ("name", "Name $n"),
            ("image", ""),
            ("settings.default_processing_pipeline_id", ""),
        ]),
    )
    .note("cleared")
    .made(Project)
    .by(Holds("update_project")),
    patch("/projects/$made/", Json(SETTINGS))
        .made(Project)
        .by(Holds("update_project")),
    delete("/projects/$made/")
        .made(Project)
        .by(Holds("delete_project")),
    get("/pages/terms-of-service/").reads(&["id: number", "{name,slug,html}: string"]),
    get("/pages/code-of-conduct/").reads(&["id: number", "{name,slug,html}: string"]),
];
