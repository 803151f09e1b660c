//! Sessions, occurrences and what people say of them (`ui.md` §A.8).

use crate::client::row::Made::Own;
use crate::client::row::Sent::Json;
use crate::client::row::Who::{self, Holds, SignedIn};
use crate::client::row::{Row, delete, get, post};

const SESSIONS: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,captures_count,detections_count,occurrences_count,taxa_count}: number",
    "results.*.{name,duration_label}: string",
    "results.*.{start,end}: time",
    "results.*.deployment.id: number",
    "results.*.deployment.name: string",
    "results.*.example_captures.*.url: string",
    "results.*.example_captures.*.thumbnails.medium: string",
    "results.*.user_permissions: strings",
];

const SESSION: &[&str] = &[
    "{id,captures_count,detections_count,occurrences_count,taxa_count}: number",
    "{name,duration_label}: string",
    "{start,end}: time",
    "deployment.id: number",
    "deployment.name: string",
    "first_capture.id: number",
    "first_capture.url: string",
    "first_capture.{width,height}: number",
    "first_capture.timestamp: time",
    "first_capture.user_permissions: strings",
    "stats.detections_max_count: number",
    "summary_data.*.{title,type}: string",
    "summary_data.*.data.x.*: string|number",
    "summary_data.*.data.y.*: string|number",
    "capture_page_offset: number|null",
    "user_permissions: strings",
];

const TIMELINE: &[&str] = &[
    "data.*.{start,end}: time",
    "data.*.first_capture?.id: number",
    "data.*.top_capture?.id: number",
    "data.*.{captures_count,detections_count,detections_avg}: number",
];

/// What a list of occurrences reads.
pub const OCCURRENCES: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,detections_count}: number",
    "results.*.determination.id: number",
    "results.*.determination_details.taxon.{id,name,rank}: string|number",
    "results.*.determination_details.taxon.parents.*?.{id,name,rank}: string|number",
    "results.*.determination_details.score: number|null",
    "results.*.determination_details.identification?.id: number",
    "results.*.determination_details.identification?.user.id: number",
    "results.*.determination_details.prediction?.id: number",
    "results.*.detection_images.*: string",
    "results.*.deployment.{id,name}: string|number",
    "results.*.event.id: number",
    "results.*.event.name: string",
    "results.*.first_appearance_timestamp: time",
    "results.*.duration_label: string|null",
    "results.*.identifications: array",
    "results.*.user_permissions: strings",
];

const OCCURRENCE: &[&str] = &[
    "{id,detections_count}: number",
    "details: string",
    "determination.id: number",
    "determination_details.taxon.id: number",
    "determination_details.taxon.{name,rank}: string",
    "determination_details.taxon.parents: array",
    "determination_details.score: number",
    "detection_images.*: string",
    "user_permissions: strings",
    "detections.*.id: number",
    // The recordings have null too, while the crop is not cut.
    "detections.*.{width,height}: number|null",
    "detections.*.url: string",
    "detections.*.timestamp: time",
    "detections.*.capture.id: number",
    "detections.*.classifications: array",
    "identifications.*.id: number",
    "identifications.*.taxon.{id,name}: any",
    "identifications.*.user.{id,name}: any",
    "identifications.*.comment: string",
    "identifications.*.created_at: time",
    "identifications.*.user_permissions: strings",
    "predictions.*.id: number",
    "predictions.*.taxon.{id,name}: any",
    "predictions.*.score: number",
    "predictions.*.terminal: boolean",
    "predictions.*.algorithm.{id,name}: any",
    "predictions.*.created_at: time",
    "predictions.*.user_permissions: strings",
];

const SAID: &str = r#"{"occurrence_id": "$occurrence", "taxon_id": "$taxon", "comment": "c"}"#;
const AGREED: &str = r#"{"occurrence_id": "$occurrence", "taxon_id": "$taxon", "comment": "",
    "agreed_with_prediction_id": "$classification"}"#;
const BULK: &str = r#"{"identifications": [{"occurrence_id": "$occurrence",
    "taxon_id": "$taxon", "comment": ""}]}"#;
const IDENTIFIES: Who = Holds("create_identification");

pub const ROWS: &[Row] = &[
    get("/events/?project_id=$project&ordering=-occurrences_count&limit=20&offset=0")
        .reads(SESSIONS)
        .also(&["&deployment=$station"]),
    get("/events/$session").reads(SESSION),
    get("/events/$session/?capture=$capture").reads(SESSION),
    get("/events/$session/?occurrence=$occurrence").reads(SESSION),
    get("/events/$session/timeline/").reads(TIMELINE),
    get("/occurrences/?project_id=$project&ordering=-updated_at&limit=20&offset=0")
        .reads(OCCURRENCES)
        .also(&["&apply_defaults=false"])
        .narrowed(&[
            "&taxon=$taxon",
            "&verified=true",
            "&verified=false",
            "&verified_by_me=true",
            "&date_start=2026-07-15&date_end=2026-07-16",
            "&collection=$set",
            "&deployment=$station",
            "&algorithm=$algorithm",
            "&not_algorithm=$algorithm",
            "&taxa_list_id=$listed",
            "&not_taxa_list_id=$listed",
            "&event=$session",
            "&detections__source_image=$capture",
        ]),
    get("/occurrences/$occurrence/").reads(OCCURRENCE),
    post("/identifications/", Json(SAID), 201).by(IDENTIFIES),
    post("/identifications/", Json(AGREED), 201)
        .by(IDENTIFIES)
        .note("agreeing"),
    // Who may not hears it of each identification.
    post("/identifications/bulk/", Json(BULK), 200)
        .by(SignedIn)
        .reads(&["results.*.index: number", "results.*.status: string"]),
    delete("/identifications/$made")
        .made(Own("/identifications/", SAID))
        .by(Holds("delete_identification")),
    get("/classifications/$classification/").reads(&[
        "algorithm.{id,name}: any",
        "taxon.{id,name}: any",
        "score: number",
        "top_n.*.taxon.{id,name}: any",
        "top_n.*.score: number",
        "top_n.*.logit: number|null",
    ]),
];
