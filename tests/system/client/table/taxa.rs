//! Taxa, lists of them, tags and the team (`ui.md` §A.9).

use crate::client::row::Made::{Listed, Row as Made, Stranger};
use crate::client::row::Sent::Json;
use crate::client::row::Who::{Holds, Members, Superusers};
use crate::client::row::{Row, delete, get, patch, post};

/// What a list of taxa reads. What the recordings lack too the client takes as unknown.
pub const TAXA: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.{id,occurrences_count,verified_count}: number",
    "results.*.{name,rank}: string",
    "results.*.parents: array",
    "results.*.cover_image_url: string|null",
    "results.*.last_detected: time|null",
    "results.*.best_determination_score: number|null",
    "results.*.tags.*?.{id,name}: string|number",
    "results.*.user_permissions: strings",
    "results.*.parent: object|null|absent",
    "results.*.{cover_image_credit,fieldguide_id}: string|null|absent",
    "results.*.{detections_count,inat_taxon_id}: number|null|absent",
];

const TAXON: &[&str] = &[
    "{id,occurrences_count,verified_count}: number",
    "{name,rank}: string",
    "parent?.{id,name}: any",
    "parents: array",
    "{cover_image_url,cover_image_credit,fieldguide_id,common_name_en}: string|null",
    "last_detected: time",
    "best_determination_score: number",
    "inat_taxon_id: number|null",
    "tags.*?.{id,name}: any",
    "occurrences.0.best_detection.url: string",
    "summary_data.*.{title,type}: string",
    "summary_data.*.data.x.*: string|number",
    "summary_data.*.data.y.*: string|number",
    "user_permissions: strings",
];

const LISTS: &[&str] = &[
    "user_permissions: strings",
    "results.*.{id,taxa_count}: number",
    "results.*.{name,description}: string",
    "results.*.user_permissions: strings",
];

const LIST: &[&str] = &[
    "{id,taxa_count}: number",
    "{name,description}: string",
    "user_permissions: strings",
];

const TEAM: &[&str] = &[
    "count: number",
    "user_permissions: strings",
    "results.*.id: number",
    "results.*.user.id: number",
    "results.*.user.{name,email}: string",
    "results.*.user.image: string|null",
    "results.*.{role,role_display_name,role_description}: string",
    "results.*.{created_at,updated_at}: time",
    "results.*.user_permissions: strings",
];

const NEW_LIST: &str = r#"{"name": "List $n", "description": "About it"}"#;
const LISTED: &str = r#"{"taxon_id": "$taxon"}"#;
const MEMBER: &str = r#"{"email": "$email", "role_id": "BasicMember"}"#;
const LISTS_OF: &str = "/taxa/lists/?project_id=$shop";
const TEAM_OF: &str = "/projects/$shop/members/";

pub const ROWS: &[Row] = &[
    get("/taxa/?project_id=$project&ordering=name&limit=20&offset=0")
        .reads(TAXA)
        .also(&["&include_unobserved=true", "&apply_defaults=false"])
        .narrowed(&[
            "&event=$session",
            "&deployment=$station",
            "&taxon=$taxon",
            "&verified=true",
            "&tag_id=$tag",
            "&not_tag_id=$tag",
            "&taxa_list_id=$listed",
        ]),
    get("/taxa/$taxon/?project_id=$project").reads(TAXON),
    get("/taxa/suggest/?q=Noct&limit=5&project_id=$project")
        .bare()
        .reads(&[
            "*.id: number",
            "*.{name,rank}: string",
            "*.parent?.name: string",
        ]),
    post(
        "/taxa/$taxon/assign_tags/?project_id=$project",
        Json(r#"{"tag_ids": ["$tag"]}"#),
        200,
    )
    .by(Superusers),
    get("/tags/?project_id=$project").reads(&["results.*.id: number", "results.*.name: string"]),
    get("/taxa/lists/?project_id=$project&limit=20&offset=0").reads(LISTS),
    get("/taxa/lists/$listed/?project_id=$project").reads(LIST),
    post(LISTS_OF, Json(NEW_LIST), 201).by(Members),
    patch("/taxa/lists/$made/?project_id=$shop", Json(NEW_LIST))
        .made(Made(LISTS_OF, NEW_LIST))
        .by(Members),
    delete("/taxa/lists/$made/?project_id=$shop")
        .made(Made(LISTS_OF, NEW_LIST))
        .by(Members),
    post(
        "/taxa/lists/$made/taxa/?project_id=$shop",
        Json(LISTED),
        201,
    )
    .made(Made(LISTS_OF, NEW_LIST))
    .by(Members),
    delete("/taxa/lists/$made/taxa/$taxon/?project_id=$shop")
        .made(Listed)
        .by(Members),
    get("/projects/$project/members/?limit=20&offset=0&ordering=name")
        .by(Holds("view_userprojectmembership"))
        .reads(TEAM),
    post(TEAM_OF, Json(MEMBER), 201)
        .made(Stranger)
        .by(Holds("create_userprojectmembership")),
    patch(
        "/projects/$shop/members/$made/",
        Json(r#"{"role_id": "Identifier"}"#),
    )
    .made(Made(TEAM_OF, MEMBER))
    .by(Holds("update_userprojectmembership")),
    delete("/projects/$shop/members/$made/")
        .made(Made(TEAM_OF, MEMBER))
        .by(Holds("delete_userprojectmembership")),
];
