//! Captures, uploads and capture sets (`ui.md` §A.5).

use crate::client::row::Made::{Photo as Sent, Row as Made};
use crate::client::row::Sent::{Json, Nothing, Photo};
use crate::client::row::Who::{self, Holds};
use crate::client::row::{Row, delete, get, patch, post};

const LIST: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,width,height,size,detections_count}: number",
    "results.*.{url,path,size_display}: string",
    "results.*.{timestamp,last_processed}: time",
    "results.*.thumbnails?.{small,medium,large}: string",
    "results.*.deployment.id: number",
    "results.*.deployment.name: string",
    "results.*.event.id: number",
    "results.*.event.name: string",
    "results.*.user_permissions: strings",
    "results.*.{occurrences_count,taxa_count}: number|null|absent",
    "results.*.detections: array|absent|null",
];

const COUNTED: &[&str] = &[
    "results.*.{id,detections_count,occurrences_count,taxa_count}: number",
    "results.*.user_permissions: strings",
];

const DETAIL: &[&str] = &[
    "{id,width,height,size,detections_count,occurrences_count,taxa_count}: number",
    "{url,path,size_display}: string",
    "{timestamp,last_processed}: time",
    "thumbnails.{small,medium,large}: string",
    "deployment.id: number",
    "deployment.name: string",
    "event.id: number",
    "event.name: string",
    "user_permissions: strings",
    "jobs.*?.id: number",
    "jobs.*?.status: string",
    "jobs.*?.job_type.key: string",
    "jobs.*?.updated_at: time",
    "collections.*.method: string",
    "{event_next_capture_id,event_prev_capture_id}: number",
    "{event_current_capture_index,event_total_captures}: number",
    "detections.*.id: number",
    "detections.*.bbox.{0,1,2,3}: number",
    "detections.*.occurrence.{id,determination_score}: number",
    "detections.*.occurrence.determination.name: string",
    "detections.*.occurrence_meets_criteria: boolean",
];

const SETS: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.id: number",
    "results.*.{name,description,method}: string",
    "results.*.kwargs: object",
    "results.*.{source_images_count,source_images_with_detections_count}: number",
    "results.*.source_images_processed_count: number",
    "results.*.{occurrences_count,taxa_count}: number|null",
    "results.*.jobs.*?.id: number",
    "results.*.jobs.*?.status: string",
    "results.*.jobs.*?.job_type.key: string",
    "results.*.jobs.*?.updated_at: time",
    "results.*.user_permissions: strings",
    "results.*.{created_at,updated_at}: time",
];

const PARTS: &[(&str, &str)] = &[("project_id", "$shop"), ("deployment", "$yard")];

const FULL: &str = r#"{"name": "Set $n", "description": "About it", "project": "$shop",
    "method": "full", "kwargs": {"date_start": "2026-07-14", "date_end": null,
    "hour_start": 22, "hour_end": 4, "deployment_ids": [$yard], "event_ids": []}}"#;
const INTERVAL: &str = r#"{"name": "Set $n", "project": "$shop", "method": "interval",
    "kwargs": {"minute_interval": 30, "max_num": 10, "date_start": null}}"#;
const RANDOM: &str = r#"{"name": "Set $n", "project": "$shop", "method": "random",
    "kwargs": {"size": 5}}"#;
const SET_PATH: &str = "/captures/collections/?project_id=$shop";

const MAKES: Who = Holds("create_sourceimagecollection");
const UPLOADS: Who = Holds("create_sourceimageupload");

pub const ROWS: &[Row] = &[
    get("/captures/?project_id=$project&ordering=-timestamp&limit=20&offset=0")
        .reads(LIST)
        .also(&["&limit=1000"])
        .narrowed(&[
            "&deployment=$station",
            "&collections=$set",
            "&processed=true",
            "&processed=false",
            "&event=$session",
        ]),
    get("/captures/?project_id=$project&limit=20&offset=0&ordering=timestamp")
        .reads(LIST)
        .also(&[
            "&ordering=deployment__name",
            "&ordering=-event__start",
            "&ordering=size",
            "&ordering=-width",
            "&ordering=path",
            "&ordering=-last_processed",
            "&ordering=-occurrences_count",
            "&ordering=taxa_count",
        ]),
    get("/captures/?project_id=$project&ordering=-timestamp&limit=20&offset=0&with_counts=true")
        .reads(COUNTED),
    get("/captures/$capture/?project_id=$project").reads(DETAIL),
    delete("/captures/$made/")
        .made(Sent)
        .by(Holds("delete_sourceimage")),
    post("/captures/$made/star/", Json("{}"), 200)
        .made(Sent)
        .by(Holds("star_sourceimage")),
    post("/captures/$made/unstar/", Json("{}"), 200)
        .made(Sent)
        .by(Holds("star_sourceimage")),
    post(
        "/captures/upload/?process_now=True",
        Photo(PARTS, "image"),
        201,
    )
    .by(UPLOADS)
    .reads(&["source_image.id: number"]),
    post(
        "/captures/upload/?process_now=False",
        Photo(PARTS, "image"),
        201,
    )
    .by(UPLOADS)
    .reads(&["source_image.id: number"]),
    get("/captures/collections/?project_id=$project&ordering=id&limit=20&offset=0")
        .reads(SETS)
        .also(&[
            "&ordering=name",
            "&ordering=-source_images_count",
            "&ordering=occurrences_count",
            "&ordering=taxa_count",
            "&ordering=created_at",
            "&ordering=-updated_at",
        ]),
    get("/captures/collections/?project_id=$project&ordering=id&limit=20&with_counts=true")
        .reads(SETS)
        .also(&["&offset=0"]),
    post(SET_PATH, Json(FULL), 201).by(MAKES).note("full"),
    post(SET_PATH, Json(INTERVAL), 201)
        .by(MAKES)
        .note("interval"),
    post(SET_PATH, Json(RANDOM), 201).by(MAKES).note("random"),
    patch("/captures/collections/$made/", Json(INTERVAL))
        .made(Made(SET_PATH, FULL))
        .by(Holds("update_sourceimagecollection")),
    post("/captures/collections/$made/populate/", Nothing, 200)
        .made(Made(SET_PATH, FULL))
        .by(Holds("populate_sourceimagecollection")),
    delete("/captures/collections/$made/?project_id=$shop")
        .made(Made(SET_PATH, FULL))
        .by(Holds("delete_sourceimagecollection")),
];
