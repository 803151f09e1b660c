//! Many identifications at once: what is wrong with one is said beside it and the others are
//! made; what is wrong with all of them refuses the whole. Looked up in a fixed number of
//! statements, whatever their number.

use std::collections::{HashMap, HashSet};

use axum::Json;
use domain::permission::{Action, may};
use rest::field::{Field, Kind};
use rest::shape::Shape;
use rest::{ApiError, ApiResult, FieldErrors, Form, How, JsonBody};
use serde_json::{Value, json};
use store::identification::NewIdentification;
use store::occurrence::Occurrence;

use super::{AGREED_WITH_MODEL, AGREED_WITH_PERSON};
use crate::api::internal;
use crate::call::Call;

/// Identifications in one request.
const MOST: usize = 200;

const LIST: &str = "identifications";

const ITEM: &[Field] = &[
    Field::new("occurrence_id", "Occurrence id", Kind::Integer(None, None)).required(),
    Field::new("taxon_id", "Taxon id", Kind::Integer(None, None)).required(),
    Field::new("comment", "Comment", Kind::Text(None)).blank(),
    AGREED_WITH_PERSON,
    AGREED_WITH_MODEL,
];

/// What is sent.
pub const FIELDS: &[Field] = &[Field::new(LIST, "Identifications", Kind::List)
    .required()
    .holds(Shape::List(&Shape::Object(ITEM)))];

const RESULT: &[Field] = &[
    Field::shown("index", "Place in what was sent", Kind::Integer(None, None)),
    Field::shown("occurrence_id", "Occurrence", Kind::Integer(None, None)),
    Field::shown("status", "Whether it was made", Kind::Choice(OUTCOMES)),
    Field::shown("errors", "What is wrong with it", Kind::Any).sometimes(),
    Field::shown("id", "The identification", Kind::Integer(None, None)).sometimes(),
];

const OUTCOMES: &[(&str, &str)] = &[("created", "Created"), ("error", "Error")];

/// What is answered.
pub const MADE: &[Field] = &[
    Field::shown("created_count", "Made", Kind::Integer(None, None)),
    Field::shown("error_count", "Not made", Kind::Integer(None, None)),
    Field::shown("results", "Each of them", Kind::Rows(RESULT)),
];

/// Makes many identifications.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<Json<Value>> {
    let form = Form::read(FIELDS, body, How::Whole)?;
    form.finish()?;
    let items = read(form.value(LIST))?;
    let user = call.who.caller().id().ok_or(ApiError::NotAuthenticated)?;
    let known = Known::read(&call, &items).await?;
    known.one_project()?;
    let mut sound = Vec::new();
    let mut results = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let errors = known.errors(&call, item);
        let mut result = json!({"index": index, "occurrence_id": item.occurrence_id});
        if errors.is_empty() {
            sound.push((index, item.clone()));
        } else {
            result["status"] = json!("error");
            result["errors"] = ApiError::Fields(errors).body();
        }
        results.push(result);
    }
    let new: Vec<NewIdentification> = sound.iter().map(|(_, new)| new.clone()).collect();
    let made = call.store().identify(user, &new).await.map_err(internal)?;
    for ((index, _), row) in sound.iter().zip(&made) {
        results[*index]["status"] = json!("created");
        results[*index]["id"] = json!(row.id);
    }
    Ok(Json(json!({
        "created_count": made.len(),
        "error_count": results.len() - made.len(),
        "results": results,
    })))
}

/// The items, where each has the right shape; messages stand under the place in the list.
fn read(list: Option<&Value>) -> ApiResult<Vec<NewIdentification>> {
    let Some(list) = list.and_then(Value::as_array) else {
        let words = "Expected a list of items but got another type.";
        return Err(ApiError::field(LIST, words));
    };
    if list.is_empty() {
        return Err(ApiError::field(LIST, "This list may not be empty."));
    }
    if list.len() > MOST {
        let words = format!("Ensure this field has no more than {MOST} elements.");
        return Err(ApiError::field(LIST, words));
    }
    let mut items = Vec::with_capacity(list.len());
    let mut seen = HashSet::new();
    let mut wrong = FieldErrors::new();
    for (place, value) in list.iter().enumerate() {
        let place = place.to_string();
        let Ok(form) = Form::read(ITEM, value.clone().into(), How::Whole) else {
            wrong.add(&place, "Invalid data. Expected a dictionary.");
            continue;
        };
        wrong.add_nested(&place, form.errors.clone());
        let item = NewIdentification {
            occurrence_id: form.integer("occurrence_id").unwrap_or_default(),
            taxon_id: form.integer("taxon_id").unwrap_or_default(),
            comment: form.text("comment").unwrap_or_default(),
            agreed_with_identification_id: form.integer(AGREED_WITH_PERSON.name),
            agreed_with_prediction_id: form.integer(AGREED_WITH_MODEL.name),
        };
        if form.errors.is_empty() && !seen.insert(item.occurrence_id) {
            let words = format!("Occurrence {} is named more than once.", item.occurrence_id);
            return Err(ApiError::field(LIST, words));
        }
        items.push(item);
    }
    let mut errors = FieldErrors::new();
    errors.add_nested(LIST, wrong);
    errors.check()?;
    Ok(items)
}

/// What the items name, as far as it exists.
struct Known {
    occurrences: HashMap<i64, Occurrence>,
    facts: HashMap<i64, domain::permission::ProjectFacts>,
    taxa: HashSet<i64>,
    said: HashMap<i64, i64>,
    found: HashMap<i64, i64>,
}

impl Known {
    async fn read(call: &Call, items: &[NewIdentification]) -> ApiResult<Known> {
        let store = call.store();
        let ids = |pick: fn(&NewIdentification) -> Option<i64>| -> Vec<i64> {
            items.iter().filter_map(pick).collect()
        };
        let rows = store
            .occurrences_by_id(&ids(|item| Some(item.occurrence_id)))
            .await;
        let rows = rows.map_err(internal)?;
        let projects: Vec<i64> = rows.iter().filter_map(|row| row.project_id).collect();
        let facts = call.facts(&projects).await?;
        let taxa = store.taxa_by_id(&ids(|item| Some(item.taxon_id))).await;
        let people = ids(|item| item.agreed_with_identification_id);
        let models = ids(|item| item.agreed_with_prediction_id);
        let known = store.agreeable(&people, &models).await;
        let (said, found) = known.map_err(internal)?;
        Ok(Known {
            occurrences: rows.into_iter().map(|row| (row.id, row)).collect(),
            facts,
            taxa: taxa.map_err(internal)?.into_keys().collect(),
            said,
            found,
        })
    }

    fn one_project(&self) -> ApiResult<()> {
        let projects = self.occurrences.values().filter_map(|row| row.project_id);
        if projects.collect::<HashSet<i64>>().len() > 1 {
            let words = "All occurrences must belong to the same project.";
            return Err(ApiError::field(LIST, words));
        }
        Ok(())
    }

    fn errors(&self, call: &Call, item: &NewIdentification) -> FieldErrors {
        let mut errors = FieldErrors::new();
        let missing = |id: i64| format!("Invalid pk \"{id}\" - object does not exist.");
        let project = self.occurrences.get(&item.occurrence_id);
        let facts = project.and_then(|row| self.facts.get(&row.project_id?));
        let caller = call.who.caller();
        match facts {
            Some(facts) if facts.visible_to(caller) => {
                if !may(caller, facts, Action::Create("create_identification")) {
                    errors.add_general("You do not have permission to perform this action.");
                }
            }
            _ => errors.add("occurrence_id", missing(item.occurrence_id)),
        }
        if !self.taxa.contains(&item.taxon_id) {
            errors.add("taxon_id", missing(item.taxon_id));
        }
        for (field, id, of) in [
            (
                AGREED_WITH_PERSON.name,
                item.agreed_with_identification_id,
                &self.said,
            ),
            (
                AGREED_WITH_MODEL.name,
                item.agreed_with_prediction_id,
                &self.found,
            ),
        ] {
            if let Some(id) = id
                && of.get(&id) != Some(&item.occurrence_id)
            {
                errors.add(field, missing(id));
            }
        }
        errors
    }
}
