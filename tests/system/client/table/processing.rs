//! Pipelines, algorithms, processing services and exports (`ui.md` §A.7).

use crate::client::row::Made::Row as Made;
use crate::client::row::Sent::{Json, Nothing};
use crate::client::row::Who::{Holds, Superusers};
use crate::client::row::{Row, delete, get, patch, post};

const PIPELINES: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.id: number",
    "results.*.{name,slug,description}: string",
    "results.*.version: number|absent",
    "results.*.version_name: string|absent",
    "results.*.{created_at,updated_at}: time",
    "results.*.algorithms.*.{id,name}: any",
    "results.*.stages.*?.{key,name}: string",
    "results.*.stages.*?.params: array",
    "results.*.processing_services.*.{id,name}: any",
    "results.*.processing_services.*.last_seen: time|null",
    "results.*.processing_services.*.last_seen_live: boolean|null",
    "results.*.processing_services.*.is_async: boolean",
    "results.*.project_pipeline_configs.0.enabled: boolean",
];

const PIPELINE: &[&str] = &[
    "id: number",
    "{name,slug,description}: string",
    "{created_at,updated_at}: time",
    "algorithms.*.name: string",
    "stages.*?.params: array",
    "processing_services.*.last_seen_live: boolean|null",
    "project_pipeline_configs.0.enabled: boolean",
];

const ALGORITHMS: &[&str] = &[
    "results.*.{id,version}: number",
    "results.*.{key,name,description}: string",
    "results.*.{uri,task_type}: string|null",
    "results.*.category_map?.id: number",
    "results.*.category_map?.details: string",
    "results.*.category_count: number|null",
];

const ALGORITHM: &[&str] = &[
    "{id,version}: number",
    "{key,name,description}: string",
    "{uri,task_type}: string|null",
    "category_map?.id: number",
    "category_count: number|null",
];

const SERVICES: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.id: number",
    "results.*.{name,description}: string",
    "results.*.endpoint_url: string|null",
    "results.*.is_async: boolean",
    "results.*.last_seen: time|null",
    "results.*.last_seen_live: boolean|null",
    "results.*.pipelines.*.id: number",
    "results.*.pipelines.*.name: string",
    "results.*.{created_at,updated_at}: time",
    "results.*.user_permissions: strings",
];

const SERVICE: &[&str] = &[
    "id: number",
    "{name,description}: string",
    "endpoint_url: string|null",
    "is_async: boolean",
    "last_seen: time|null",
    "last_seen_live: boolean|null",
    "pipelines.*.{id,name}: any",
    "user_permissions: strings",
];

/// The job's progress is the newest; the file is there when the job has written it.
const EXPORTS: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,record_count}: number",
    "results.*.format: string",
    "results.*.filters: object",
    "results.*.{file_url,file_size_display}: string|null",
    "results.*.{created_at,updated_at}: time",
    "results.*.user_permissions: strings",
    "results.*.job?.id: number",
    "results.*.job?.name: string",
    "results.*.job?.project: object",
    "results.*.job?.progress.summary.progress: number",
];

const EXPORT: &[&str] = &[
    "{id,record_count}: number",
    "format: string",
    "filters: object",
    "{file_url,file_size_display}: string|null",
    "user_permissions: strings",
    "job.progress.summary.progress: number",
];

const NEW_SERVICE: &str = r#"{"name": "Service $n", "description": "", "project": "$shop",
    "endpoint_url": null}"#;
const NEW_EXPORT: &str = r#"{"project": "$shop", "format": "occurrences_simple_csv",
    "filters": {}}"#;
const OF_SET: &str = r#"{"project": "$shop", "format": "occurrences_api_json",
    "filters": {"collection_id": "$heap"}}"#;

const SERVICES_OF: &str = "/ml/processing_services/?project_id=$shop";
const EXPORTS_OF: &str = "/exports/?project_id=$shop";

pub const ROWS: &[Row] = &[
    get("/ml/pipelines/?project_id=$project&ordering=id&limit=20&offset=0")
        .reads(PIPELINES)
        .also(&[
            "&ordering=name",
            "&ordering=-created_at",
            "&ordering=updated_at",
            // Columns that the client offers and the reference does not know.
            "&ordering=processing_services_online",
            "&ordering=-processing_services_online_last_seen",
        ]),
    get("/ml/pipelines/?project_id=$project").reads(PIPELINES),
    get("/ml/pipelines/$pipeline/").reads(PIPELINE),
    get("/ml/algorithms/?project_id=$project&ordering=name&limit=20&offset=0")
        .reads(ALGORITHMS)
        .also(&[
            "&ordering=id",
            "&ordering=-task_type",
            "&ordering=category_count",
            "&ordering=-created_at",
            "&ordering=updated_at",
        ]),
    get("/ml/algorithms/$algorithm/").reads(ALGORITHM),
    get("/occurrences/algorithms/?project_id=$project")
        .reads(&["results.*.id: number", "results.*.name: string"]),
    get("/ml/processing_services/?project_id=$project&ordering=id&limit=20&offset=0")
        .reads(SERVICES),
    get("/ml/processing_services/$service/?project_id=$project").reads(SERVICE),
    get("/ml/processing_services/$service/status/")
        .bare()
        .reads(&[
            "server_live: boolean",
            "pipelines_online.*: string",
            "error_code: string|number|null|absent",
            "error_message: string|null|absent",
        ]),
    post(
        "/ml/processing_services/$service/register_pipelines/",
        Nothing,
        200,
    )
    .by(Superusers),
    post(SERVICES_OF, Json(NEW_SERVICE), 201).by(Superusers),
    patch("/ml/processing_services/$made/", Json(NEW_SERVICE))
        .made(Made(SERVICES_OF, NEW_SERVICE))
        .by(Superusers),
    delete("/ml/processing_services/$made/?project_id=$shop")
        .made(Made(SERVICES_OF, NEW_SERVICE))
        .by(Superusers),
    get("/exports/?project_id=$shop&ordering=-created_at&limit=20&offset=0")
        .made(Made(EXPORTS_OF, NEW_EXPORT))
        .reads(EXPORTS)
        .also(&["&ordering=format", "&ordering=-updated_at"]),
    get("/exports/$made/")
        .made(Made(EXPORTS_OF, NEW_EXPORT))
        .reads(EXPORT),
    post(EXPORTS_OF, Json(NEW_EXPORT), 201)
        .by(Holds("create_dataexport"))
        .reads(EXPORT),
    post(EXPORTS_OF, Json(OF_SET), 201)
        .note("of a capture set")
        .by(Holds("create_dataexport"))
        .reads(EXPORT),
    delete("/exports/$made/?project_id=$shop")
        .made(Made(EXPORTS_OF, NEW_EXPORT))
        .by(Holds("delete_dataexport")),
];
