//! Stations, their sites and devices, and where their photographs lie (`ui.md` §A.6).

use crate::client::row::Made::Row as Made;
use crate::client::row::Sent::{Form, Json, Nothing, Photo};
use crate::client::row::Who::Holds;
use crate::client::row::{Row, delete, get, patch, post};

const LIST: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,events_count,captures_count,occurrences_count,taxa_count}: number",
    "results.*.name: string",
    "results.*.image: string|null",
    "results.*.{latitude,longitude}: number|null",
    "results.*.{first_date,last_date}: time|null",
    "results.*.{device,research_site}: object|null",
    "results.*.jobs: array",
    "results.*.data_source_connected: boolean|absent",
    "results.*.user_permissions: strings",
];

const DETAIL: &[&str] = &[
    "{id,events_count,captures_count,occurrences_count,taxa_count}: number",
    "{name,description}: string",
    "image: string|null",
    "{latitude,longitude}: number|null",
    "{first_date,last_date}: time",
    "device.id: number",
    "device.name: string",
    "research_site.id: number",
    "research_site.name: string",
    "data_source.id: number",
    "data_source.name: string",
    "{data_source_subdir,data_source_regex,data_source_uri}: string|null",
    "{data_source_total_files,data_source_total_size}: number|null",
    "data_source_total_size_display: string|null",
    "data_source_last_checked: time|null",
    "example_captures.*.id: number",
    "example_captures.*.url: string",
    "manually_uploaded_captures.*?.id: number",
    "manually_uploaded_captures.*?.url: string",
    "user_permissions: strings",
];

const PLACES: &[&str] = &[
    "user_permissions: strings",
    "results.*.id: number",
    "results.*.{name,description}: string",
    "results.*.{created_at,updated_at}: time",
    "results.*.user_permissions: strings",
];

const STORAGES: &[&str] = &[
    "user_permissions: strings",
    "results.*.{id,deployments_count}: number",
    // Null until a station has been synced.
    "results.*.{total_files_indexed,total_size_indexed}: number|null",
    "results.*.{name,bucket,total_size_indexed_display}: string",
    "results.*.{endpoint_url,public_base_url}: string|null",
    "results.*.last_checked: time|null",
    "results.*.user_permissions: strings",
];

/// Null is sent as an empty text, what is undefined not at all.
const STATION: &[(&str, &str)] = &[
    ("name", "Station $n"),
    ("description", "About it"),
    ("latitude", "51.5"),
    ("longitude", "-0.12"),
    ("device_id", ""),
    ("research_site_id", ""),
    ("data_source_id", ""),
    ("data_source_subdir", ""),
    ("data_source_regex", ""),
    ("project_id", "$shop"),
];
const CLEARED: &[(&str, &str)] = &[("name", "Station $n"), ("latitude", ""), ("image", "")];

const NEW_STATION: &str = r#"{"name": "Station $n", "project_id": $shop}"#;
const PLACE: &str = r#"{"name": "Place $n", "description": "About it", "project": "$shop"}"#;
const STORAGE: &str = r#"{"name": "Storage $n", "project": "$shop", "bucket": "moths",
    "public_base_url": "http://127.0.0.1:9/moths/", "endpoint_url": "http://127.0.0.1:9",
    "access_key": "key", "secret_key": "secret"}"#;

const SITES: &str = "/deployments/sites/?project_id=$shop";
const DEVICES: &str = "/deployments/devices/?project_id=$shop";
const STORES: &str = "/storage/?project_id=$shop";

pub const ROWS: &[Row] = &[
    get("/deployments/?project_id=$project&limit=200&offset=0&ordering=name")
        .reads(LIST)
        .also(&[
            "&ordering=-captures_count",
            "&ordering=events_count",
            "&ordering=-occurrences_count",
            "&ordering=taxa_count",
            "&ordering=first_capture_timestamp",
            "&ordering=-last_capture_timestamp",
            "&ordering=created_at",
            "&ordering=-updated_at",
        ]),
    get("/deployments/$station/").reads(DETAIL),
    post("/deployments/", Photo(STATION, "image"), 201).by(Holds("create_deployment")),
    patch("/deployments/$made/", Form(CLEARED))
        .made(Made("/deployments/", NEW_STATION))
        .by(Holds("update_deployment")),
    delete("/deployments/$made/")
        .made(Made("/deployments/", NEW_STATION))
        .by(Holds("delete_deployment")),
    delete("/deployments/$made/?project_id=$shop")
        .made(Made("/deployments/", NEW_STATION))
        .by(Holds("delete_deployment")),
    post("/deployments/$station/sync/", Nothing, 200)
        .by(Holds("sync_deployment"))
        .reads(&["{job_id,project_id}: number"]),
    post("/deployments/sync-all/?project_id=$project", Nothing, 200)
        .by(Holds("sync_deployment"))
        .reads(&["{queued,project_id}: number", "job_ids.*: number"]),
    get("/deployments/devices/?project_id=$project&ordering=name&limit=20&offset=0").reads(PLACES),
    get("/deployments/sites/?project_id=$project&ordering=name&limit=20&offset=0").reads(PLACES),
    post(DEVICES, Json(PLACE), 201).by(Holds("create_device")),
    post(SITES, Json(PLACE), 201).by(Holds("create_site")),
    patch("/deployments/devices/$made/", Json(PLACE))
        .made(Made(DEVICES, PLACE))
        .by(Holds("update_device")),
    patch("/deployments/sites/$made/", Json(PLACE))
        .made(Made(SITES, PLACE))
        .by(Holds("update_site")),
    delete("/deployments/devices/$made/?project_id=$shop")
        .made(Made(DEVICES, PLACE))
        .by(Holds("delete_device")),
    delete("/deployments/sites/$made/?project_id=$shop")
        .made(Made(SITES, PLACE))
        .by(Holds("delete_site")),
    get("/storage/?project_id=$project&ordering=name&limit=20&offset=0").reads(STORAGES),
    post(STORES, Json(STORAGE), 201).by(Holds("create_s3storagesource")),
    patch("/storage/$made/", Json(STORAGE))
        .made(Made(STORES, STORAGE))
        .by(Holds("update_s3storagesource")),
    delete("/storage/$made/?project_id=$shop")
        .made(Made(STORES, STORAGE))
        .by(Holds("delete_s3storagesource")),
    post(
        "/storage/$source/test/",
        Json(r#"{"subdir": "", "regex_filter": ""}"#),
        200,
    )
    .by(Holds("test_s3storagesource"))
    .reads(&[
        "{connection_successful,prefix_exists}: boolean",
        "{files_checked,latency,total_time}: number",
        "first_file_found: string|null",
        "full_uri: string",
        "{error_code,error_message}: string|null",
    ]),
    post("/storage/$made/test/", Json("{}"), 400)
        .note("nobody answers")
        .made(Made(STORES, STORAGE))
        .by(Holds("test_s3storagesource"))
        .reads(&["detail: string"]),
];
