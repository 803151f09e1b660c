//! Taxa as other rows show them: with the one above, with all above, or as a determination. The
//! idea: a page's taxa and those right above them are read once, in two statements.

use std::collections::HashMap;

use domain::permission::pipeline_permissions;
use rest::ApiResult;
use rest::field::{Field, Kind};
use serde_json::{Map, Value, json};
use store::taxon::Taxon;

use crate::api::internal;
use crate::call::Call;

/// Bounds of a long number in the API.
const LONG: Kind = Kind::Integer(Some(i64::MIN), Some(i64::MAX));

/// The ranks, from the widest to the narrowest.
pub const RANKS: &[(&str, &str)] = &[
    ("KINGDOM", "KINGDOM"),
    ("PHYLUM", "PHYLUM"),
    ("CLASS", "CLASS"),
    ("ORDER", "ORDER"),
    ("SUPERFAMILY", "SUPERFAMILY"),
    ("FAMILY", "FAMILY"),
    ("SUBFAMILY", "SUBFAMILY"),
    ("TRIBE", "TRIBE"),
    ("SUBTRIBE", "SUBTRIBE"),
    ("GENUS", "GENUS"),
    ("SPECIES", "SPECIES"),
    ("UNKNOWN", "UNKNOWN"),
];

/// A taxon's name.
pub const NAME: Field = Field::new("name", "Name", Kind::Text(Some(255))).required();
/// Its rank.
pub const RANK: Field = Field::new("rank", "Rank", Kind::Choice(RANKS));
/// Its number at GBIF.
pub const GBIF: Field = Field::new("gbif_taxon_key", "GBIF taxon key", LONG).nullable();
/// Its key at Fieldguide.
pub const FIELDGUIDE: Field = Field::new("fieldguide_id", "Fieldguide id", Kind::Text(Some(255)))
    .nullable()
    .blank();
/// Its number at iNaturalist.
pub const INAT: Field = Field::new("inat_taxon_id", "INaturalist taxon ID", LONG).nullable();
/// A picture of it.
pub const COVER: Field = Field::new("cover_image_url", "Cover image url", Kind::Url(255))
    .nullable()
    .blank();
/// Whose picture.
pub const CREDIT: Field = Field::new(
    "cover_image_credit",
    "Cover image credit",
    Kind::Text(Some(255)),
)
.nullable()
.blank();

/// The taxon right above another.
pub const PARENT: &[Field] = &[
    Field::id(),
    NAME,
    RANK,
    Field::details(),
    GBIF,
    FIELDGUIDE,
    INAT,
    COVER,
    CREDIT,
];

/// One of all taxa above another.
pub const ABOVE: &[Field] = &[
    Field::new("id", "Id", Kind::Integer(None, None)).required(),
    Field::new("name", "Name", Kind::Text(None)).required(),
    Field::shown("rank", "Rank", Kind::Any),
];

/// A taxon within another row.
pub const FIELDS: &[Field] = &[
    Field::id(),
    NAME,
    RANK,
    Field::details(),
    GBIF,
    FIELDGUIDE,
    INAT,
    COVER,
    CREDIT,
    Field::shown("parent", "Parent", Kind::Nested(PARENT)).nullable(),
    Field::shown("parents", "Parents", Kind::Rows(ABOVE)),
];

/// A taxon as what an occurrence is determined as.
pub const DETERMINATION: &[Field] = &[
    Field::id(),
    NAME,
    Field::shown("parent", "Parent", Kind::Nested(PARENT)).nullable(),
    // OPTIONS names it, and no answer has it.
    Field::shown("parents", "Parents", Kind::Rows(ABOVE)).sometimes(),
    RANK,
    Field::details(),
];

/// A taxon as a suggestion.
pub const SUGGESTION: &[Field] = &[
    Field::id(),
    NAME,
    RANK,
    Field::shown("parent", "Parent", Kind::Nested(PARENT)).nullable(),
    Field::permissions(),
];

fn named(call: &Call, taxon: &Taxon) -> Map<String, Value> {
    let pairs = [
        ("id", json!(taxon.id)),
        ("name", json!(taxon.name)),
        ("rank", json!(taxon.rank)),
        ("details", json!(call.addresses.row("taxa", taxon.id))),
        ("gbif_taxon_key", json!(taxon.gbif_key)),
        ("fieldguide_id", json!(taxon.fieldguide_id)),
        ("inat_taxon_id", json!(taxon.inat_taxon_id)),
        ("cover_image_url", json!(taxon.cover_image_url)),
        ("cover_image_credit", json!(taxon.cover_image_credit)),
    ];
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    pairs.collect()
}

fn words(call: &Call) -> Value {
    json!(pipeline_permissions(call.who.caller()))
}

/// A taxon without what stands above it.
pub fn flat(call: &Call, taxon: &Taxon) -> Value {
    let mut map = named(call, taxon);
    map.insert("user_permissions".into(), words(call));
    Value::Object(map)
}

fn parent(call: &Call, taxon: &Taxon, taxa: &HashMap<i64, Taxon>) -> Value {
    let parent = taxon.parent_id.and_then(|id| taxa.get(&id));
    parent.map_or(Value::Null, |parent| flat(call, parent))
}

/// A taxon with all above it; the one right above is looked for among these.
pub fn whole(call: &Call, taxon: &Taxon, taxa: &HashMap<i64, Taxon>) -> Value {
    let mut map = named(call, taxon);
    map.insert("parent".into(), parent(call, taxon, taxa));
    map.insert("parents".into(), taxon.parents.clone());
    map.insert("user_permissions".into(), words(call));
    Value::Object(map)
}

/// Taxa by number, with those right above them.
pub struct Tree<'a> {
    call: &'a Call,
    taxa: HashMap<i64, Taxon>,
}

impl<'a> Tree<'a> {
    /// Reads these taxa and those right above them.
    pub async fn read(call: &'a Call, ids: impl IntoIterator<Item = i64>) -> ApiResult<Tree<'a>> {
        let mut ids: Vec<i64> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let store = call.store();
        let mut taxa = store.taxa_by_id(&ids).await.map_err(internal)?;
        let parents: Vec<i64> = taxa.values().filter_map(|taxon| taxon.parent_id).collect();
        taxa.extend(store.taxa_by_id(&parents).await.map_err(internal)?);
        Ok(Tree { call, taxa })
    }

    /// The taxon right above this one.
    pub fn parent(&self, taxon: &Taxon) -> Value {
        parent(self.call, taxon, &self.taxa)
    }

    /// The taxon with all above it.
    pub fn taxon(&self, id: Option<i64>) -> Value {
        match id.and_then(|id| self.taxa.get(&id)) {
            Some(taxon) => whole(self.call, taxon, &self.taxa),
            None => Value::Null,
        }
    }

    /// The taxon as what something is determined as.
    pub fn determination(&self, id: Option<i64>) -> Value {
        let Some(taxon) = id.and_then(|id| self.taxa.get(&id)) else {
            return Value::Null;
        };
        json!({
            "id": taxon.id,
            "name": taxon.name,
            "parent": self.parent(taxon),
            "rank": taxon.rank,
            "details": self.call.addresses.row("taxa", taxon.id),
            "user_permissions": [],
        })
    }

    /// The taxon as a suggestion.
    pub fn suggestion(&self, taxon: &Taxon) -> Value {
        json!({
            "id": taxon.id,
            "name": taxon.name,
            "rank": taxon.rank,
            "parent": self.parent(taxon),
            "user_permissions": words(self.call),
        })
    }
}
