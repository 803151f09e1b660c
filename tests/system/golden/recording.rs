//! The recorded exchanges, read from their files. The idea: one file is one step, either a
//! request with its answer or a job watched to its end.

use std::path::Path;

use serde_json::Value;

/// One file.
pub struct Step {
    /// `jobs-list/018-limit-2`.
    pub name: String,
    pub what: What,
}

pub enum What {
    Exchange(Box<Exchange>),
    /// A job as it was when it had ended.
    Series {
        job: i64,
        last: Value,
    },
}

/// A request and its answer.
#[derive(Clone)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    /// As it was sent; `Token <role>` stands for that person's token.
    pub authorization: Option<String>,
    pub accept: Option<String>,
    pub content_type: Option<String>,
    /// Other headers of the request.
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// Fields of a multipart form; the recording kept the names of files only.
    pub parts: Vec<(String, String)>,
    pub status: u16,
    pub answer_headers: Value,
    pub answer: Value,
}

/// The steps of a folder in their order.
pub fn folder(root: &Path, name: &str) -> Vec<Step> {
    let folder = root.join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    files.iter().filter_map(|file| step(name, file)).collect()
}

/// Nothing for a file that only sums others up.
fn step(folder: &str, file: &Path) -> Option<Step> {
    let stem = file.file_stem().unwrap().to_string_lossy();
    let name = format!("{folder}/{stem}");
    let text = std::fs::read_to_string(file).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let what = if whole.get("request").is_some() {
        What::Exchange(Box::new(exchange(&whole)))
    } else {
        What::Series {
            job: whole["job_id"].as_i64()?,
            last: whole["final"].clone(),
        }
    };
    Some(Step { name, what })
}

fn exchange(whole: &Value) -> Exchange {
    let (request, response) = (&whole["request"], &whole["response"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pairs = |value: &Value| {
        let map = value.as_object().cloned().unwrap_or_default();
        let pair = |(name, value): (String, Value)| (name, text(&value).unwrap_or_default());
        map.into_iter().map(pair).collect::<Vec<_>>()
    };
    let mut headers = pairs(&request["headers"]);
    let mut take = |name: &str| {
        let at = headers
            .iter()
            .position(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(headers.remove(at).1)
    };
    Exchange {
        method: text(&request["method"]).unwrap(),
        path: text(&request["path"]).unwrap(),
        authorization: text(&request["authorization"]),
        accept: take("Accept"),
        content_type: take("Content-Type"),
        headers,
        body: request["body"].clone(),
        parts: pairs(&request["files"]),
        status: response["status"].as_u64().unwrap().try_into().unwrap(),
        answer_headers: response["headers"].clone(),
        answer: response["body"].clone(),
    }
}
