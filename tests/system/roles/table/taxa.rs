//! Taxa and tags, which staff writes, and lists of taxa, which members write.

use super::super::target::Of::*;
use super::super::target::Target::*;
use super::heard::*;
use super::{NAME, Row, row};

const TAXON: &str = r#"{"name": "New taxon $n", "parent_id": null}"#;
const TAGS: &str = r#"{"tag_ids": []}"#;
const LIST: &str = r#"{"name": "New list $n"}"#;
const LISTED: &str = r#"{"taxon_id": $taxon}"#;
const TAG: &str = r#"{"name": "New tag $n", "project_id": $project}"#;
const PROJECT: &str = "?project_id=$project";
const OF_DRAFT: &str = "?project_id=$draft";

/// Members who delete something.
const MEMBERS_END: [u16; 10] = [204, 204, 204, 204, 204, 204, 204, 403, 403, 401];

pub const ROWS: &[Row] = &[
    row("GET", "/taxa", Nothing, "", ALL),
    row("POST", "/taxa", Nothing, TAXON, STAFF_MAKE),
    row("GET", "/taxa/suggest", Nothing, "", ALL).query("?q=van"),
    row("GET", "/taxa/{id}", Taxon(Open), "", ALL),
    row("GET", "/taxa/{id}", Taxon(Hidden), "", DRAFT),
    row("PUT", "/taxa/{id}", Taxon(Open), TAXON, STAFF_CHANGE),
    row("PATCH", "/taxa/{id}", Taxon(Open), NAME, STAFF_CHANGE),
    row("DELETE", "/taxa/{id}", Taxon(Open), "", STAFF_END),
    row(
        "POST",
        "/taxa/{id}/assign_tags",
        Taxon(Open),
        TAGS,
        STAFF_CHANGE,
    ),
    row("GET", "/taxa/lists", Nothing, "", ALL).query(PROJECT),
    row("GET", "/taxa/lists", Nothing, "", DRAFT).query(OF_DRAFT),
    row("POST", "/taxa/lists", Nothing, LIST, MEMBERS_MAKE).query(PROJECT),
    row(
        "POST",
        "/taxa/lists",
        Nothing,
        LIST,
        [201, 201, 404, 404, 404, 404, 404, 404, 404, 404],
    )
    .query(OF_DRAFT),
    row("GET", "/taxa/lists/{id}", TaxaList(Open), "", ALL),
    row("GET", "/taxa/lists/{id}", TaxaList(Hidden), "", DRAFT),
    row("PUT", "/taxa/lists/{id}", TaxaList(Open), LIST, MEMBERS),
    row("PATCH", "/taxa/lists/{id}", TaxaList(Open), NAME, MEMBERS),
    row("PATCH", "/taxa/lists/{id}", TaxaList(Hidden), NAME, DRAFT),
    row(
        "DELETE",
        "/taxa/lists/{id}",
        TaxaList(Open),
        "",
        MEMBERS_END,
    ),
    row(
        "POST",
        "/taxa/lists/{id}/taxa",
        TaxaList(Open),
        LISTED,
        MEMBERS_MAKE,
    ),
    row(
        "DELETE",
        "/taxa/lists/{id}/taxa/{taxon}",
        ListedTaxon,
        "",
        MEMBERS_END,
    ),
    row("GET", "/tags", Nothing, "", ALL),
    row("POST", "/tags", Nothing, TAG, STAFF_MAKE),
    row("GET", "/tags/{id}", Tag(Open), "", ALL),
    row("GET", "/tags/{id}", Tag(Hidden), "", DRAFT),
    row("PUT", "/tags/{id}", Tag(Open), TAG, STAFF_CHANGE),
    row("PATCH", "/tags/{id}", Tag(Open), NAME, STAFF_CHANGE),
    row("PATCH", "/tags/{id}", Tag(Hidden), NAME, STAFF_OUTSIDE),
    row("DELETE", "/tags/{id}", Tag(Open), "", STAFF_END),
];
