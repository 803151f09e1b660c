//! Filters that name a row: it must exist, and what is none is refused in the reference's words.

use rest::query::Query;
use rest::{ApiError, ApiResult};
use store::StoreError;

use super::internal;

const NO_CHOICE: &str = "Select a valid choice. That choice is not one of the available choices.";

/// The number of the row that a filter names; an empty one counts as not given.
///
/// # Errors
/// 400 with the message of the filter.
pub fn row(query: &Query, name: &str) -> ApiResult<Option<i64>> {
    match query.get(name) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(ApiError::field(name, NO_CHOICE)),
        },
    }
}

/// The number, where the row was found.
///
/// # Errors
/// 400 with the message of the filter; errors of the database.
pub fn exists<T>(name: &str, id: i64, found: Result<T, StoreError>) -> ApiResult<i64> {
    match found {
        Ok(_) => Ok(id),
        Err(StoreError::NotFound(_)) => Err(ApiError::field(name, NO_CHOICE)),
        Err(other) => Err(internal(other)),
    }
}

/// The numbers of the rows that a filter names several of.
///
/// # Errors
/// 400 with the message of the filter.
pub fn rows(query: &Query, name: &str) -> ApiResult<Vec<i64>> {
    let read = |text: &str| match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => {
            let words = format!("\u{201c}{text}\u{201d} is not a valid value.");
            Err(ApiError::field(name, words))
        }
    };
    query.values(name).into_iter().map(read).collect()
}

/// The refusal of one of several rows.
pub fn none_such(name: &str, id: i64) -> ApiError {
    let words = format!("Select a valid choice. {id} is not one of the available choices.");
    ApiError::field(name, words)
}

/// A flag that narrows only where it is given.
pub fn yes_or_no(query: &Query, name: &str) -> Option<bool> {
    let given = query.get(name).filter(|text| !text.is_empty());
    given.map(|_| query.flag(name))
}
