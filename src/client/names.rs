//! Rows by number or by name. The idea: a number is taken as it is, a name must be of exactly one
//! row that the person sees, and where it is not, the sentence says which there are.

use anyhow::{Context, bail};
use serde_json::Value;

use super::{Client, query};
use crate::table::plain;

/// Rows that are looked at for one of a name.
const MOST: usize = 1000;
/// Names that are told where none fits.
const TOLD: usize = 10;

/// What is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Project,
    Station,
    CaptureSet,
    Pipeline,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Kind::Project => "project",
            Kind::Station => "station",
            Kind::CaptureSet => "capture set",
            Kind::Pipeline => "pipeline",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Kind::Project => "projects/",
            Kind::Station => "deployments/",
            Kind::CaptureSet => "captures/collections/",
            Kind::Pipeline => "ml/pipelines/",
        }
    }
}

impl Client {
    /// The number of a row, which is looked for in a project where one is given.
    ///
    /// # Errors
    /// Where no row or several have that name.
    pub async fn number(
        &self,
        kind: Kind,
        text: &str,
        project: Option<i64>,
    ) -> anyhow::Result<i64> {
        if let Ok(id) = text.trim().parse() {
            return Ok(id);
        }
        let named = |search: Option<String>| {
            query(
                kind.path(),
                &[
                    ("project_id", project.map(|id| id.to_string())),
                    ("limit", Some(MOST.to_string())),
                    ("search", search),
                ],
            )
        };
        let found = self.get(&named(Some(text.to_owned()))).await?;
        let fitting = fitting(&found, text);
        match fitting.as_slice() {
            [one] => Ok(*one),
            [] => {
                let all = self.get(&named(None)).await?;
                bail!("there is no {} \"{text}\"{}", kind.word(), told(&all))
            }
            several => {
                let ids: Vec<String> = several.iter().map(i64::to_string).collect();
                bail!(
                    "several {}s are named \"{text}\": give one of the numbers {}",
                    kind.word(),
                    ids.join(", ")
                )
            }
        }
    }

    /// The same where something is named.
    ///
    /// # Errors
    /// As [`Client::number`].
    pub async fn number_if(
        &self,
        kind: Kind,
        text: Option<&str>,
        project: Option<i64>,
    ) -> anyhow::Result<Option<i64>> {
        match text {
            Some(text) => self.number(kind, text, project).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The rows of an answer.
fn rows(answer: &Value) -> &[Value] {
    let rows = answer["results"].as_array();
    rows.map(Vec::as_slice).unwrap_or_default()
}

/// The numbers of the rows with this name or slug.
fn fitting(answer: &Value, text: &str) -> Vec<i64> {
    let fits = |row: &&Value| row["name"] == text || row["slug"] == text;
    let fitting = rows(answer).iter().filter(fits);
    fitting.filter_map(|row| row["id"].as_i64()).collect()
}

/// Which there are.
fn told(answer: &Value) -> String {
    let rows = rows(answer);
    let names = rows.iter().filter_map(|row| row["name"].as_str());
    let names = names.take(TOLD).map(|name| format!("\"{}\"", plain(name)));
    let names: Vec<String> = names.collect();
    match (names.is_empty(), rows.len() > TOLD) {
        (true, _) => ", and none that you may see".to_owned(),
        (false, false) => format!("; there is {}", names.join(", ")),
        (false, true) => format!("; there is {} and others", names.join(", ")),
    }
}

/// The number of a row that an answer names.
///
/// # Errors
/// Where it names none.
pub fn id(answer: &Value) -> anyhow::Result<i64> {
    answer.as_i64().context("the server's answer has no number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_is_taken_whole() {
        let answer = json!({"results": [
            {"id": 1, "name": "Moths"}, {"id": 2, "name": "Moths of Vermont"},
            {"id": 3, "name": "Other", "slug": "moths"},
        ]});
        assert_eq!(fitting(&answer, "Moths"), [1]);
        assert_eq!(fitting(&answer, "moths"), [3]);
        assert!(fitting(&answer, "Mot").is_empty());
        assert!(told(&answer).contains("\"Moths of Vermont\""));
    }
}
