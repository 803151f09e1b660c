//! Jobs: the list, one of them, and what is done with them (`ui.md` §A.4).

use crate::client::row::Made::{Job, Row as Made};
use crate::client::row::Sent::{Json, Nothing};
use crate::client::row::Who::{Holds, Superusers};
use crate::client::row::{Row, delete, get, post};

const LIST: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,delay}: number",
    "results.*.{name,status}: string",
    "results.*.user_permissions: strings",
    "results.*.{created_at,updated_at}: time",
    "results.*.{started_at,finished_at}: time|null",
    "results.*.project.name: string",
    "results.*.job_type.key: string",
    "results.*.deployment?.id: number",
    "results.*.deployment?.name: string",
    "results.*.pipeline?.id: number",
    "results.*.pipeline?.name: string",
    "results.*.source_image_single?.{id,event_id}: number|null",
    "results.*.source_image_collection?.id: number",
    "results.*.source_image_collection?.name: string",
    "results.*.data_export?.id: number",
    "results.*.data_export?.format: string",
    "results.*.progress.summary.status: string",
    "results.*.progress.summary.progress: number",
    "results.*.progress.summary.status_label: string|absent",
    "results.*.progress.stages.*?.{key,name,status}: string",
    "results.*.progress.stages.*?.status_label: string|absent",
    "results.*.progress.stages.*?.params.*?.{key,name}: string",
    "results.*.progress.stages.*?.params.*?.value: any",
];

const DETAIL: &[&str] = &[
    "{id,delay}: number",
    "{name,status}: string",
    "user_permissions: strings",
    "{created_at,updated_at}: time",
    "{started_at,finished_at}: time|null",
    "project.name: string",
    "job_type.key: string",
    "deployment?.{id,name}: any",
    "pipeline.id: number",
    "pipeline.name: string",
    "source_image_single?.{id,event_id}: any",
    "source_image_collection.id: number",
    "source_image_collection.name: string",
    "data_export?.{id,format}: any",
    "progress.summary.status: string",
    "progress.summary.progress: number",
    "progress.stages.*.{key,name,status}: string",
    "progress.stages.*.params.*.{key,name}: string",
    "progress.stages.*.params.*.value: any",
    "logs.{stdout,stderr}: strings",
];

const OF_SET: &str = r#"{"delay": 1, "name": "Row $n", "project_id": "$shop",
    "pipeline_id": "$pipeline", "source_image_collection_id": "$heap"}"#;
const OF_CAPTURE: &str = r#"{"delay": 0, "name": "Row $n", "project_id": "$project",
    "pipeline_id": "$pipeline", "source_image_single_id": "$capture"}"#;

pub const ROWS: &[Row] = &[
    get("/jobs/?project_id=$project&ordering=-created_at&limit=20&offset=0")
        .reads(LIST)
        .narrowed(&[
            "&status=SUCCESS",
            "&job_type_key=ml",
            "&deployment=$station",
            "&pipeline=$pipeline",
            "&source_image_collection=$set",
            "&source_image_single=$capture",
            // The client copies every filter that it finds in its own address.
            "&taxon=$taxon&verified=true&collections=$set&event=$session",
        ]),
    get("/jobs/?project_id=$project&limit=20&offset=0&ordering=name")
        .reads(LIST)
        .also(&[
            "&ordering=-status",
            "&ordering=deployment",
            "&ordering=-pipeline",
            "&ordering=source_image_collection",
            "&ordering=updated_at",
            "&ordering=-started_at",
            "&ordering=-finished_at",
        ]),
    get("/jobs/$job/").reads(DETAIL),
    post("/jobs/", Json(OF_SET), 201)
        .by(Holds("create_job"))
        .reads(&["id: number", "source_image_single: null"]),
    post("/jobs/?start_now", Json(OF_SET), 201)
        .by(Holds("run_ml_job"))
        .reads(&["id: number"]),
    post("/jobs/?start_now", Json(OF_CAPTURE), 201)
        .note("of a capture")
        .by(Holds("run_single_image_ml_job"))
        .reads(&["id: number", "source_image_single.id: number"]),
    post("/jobs/$made/run/", Nothing, 200)
        .made(Job("CREATED"))
        .by(Holds("run_ml_job"))
        .reads(&["id: number"]),
    post("/jobs/$made/cancel/", Nothing, 200)
        .made(Job("PENDING"))
        .by(Holds("run_ml_job"))
        .reads(&["id: number"]),
    post("/jobs/$made/retry/", Nothing, 200)
        .made(Job("REVOKED"))
        .by(Holds("run_ml_job"))
        .reads(&["id: number"]),
    delete("/jobs/$made/?project_id=$shop")
        .made(Made("/jobs/", OF_SET))
        .by(Superusers),
    // What the form of a new job chooses from.
    get("/captures/collections/?project_id=$project")
        .reads(&["results.*.id: number", "results.*.name: string"]),
    get("/ml/pipelines/?project_id=$project")
        .reads(&["results.*.id: number", "results.*.name: string"]),
];
