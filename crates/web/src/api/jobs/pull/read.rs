//! Bodies that remote workers send. The idea: a sound result is read straight into its type,
//! however many scores it holds; only one that cannot be read so is looked at again to find the
//! reference's words for what is wrong with it.

use domain::wire::PullResult;
use rest::document::{self, Member, Shape};
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Longest name of a machine that is kept, in characters.
const MAX_NAME: usize = 200;
/// Receipts of one request to extend at most.
const MOST: usize = 10_000;

const REFERENCE: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("key", Shape::Text),
]);
const IMAGE: Shape = Shape::Model(&[
    Member::required("id", Shape::Text),
    Member::required("url", Shape::Text),
]);
const BOX: Shape = Shape::Model(&[
    Member::required("x1", Shape::Float),
    Member::required("y1", Shape::Float),
    Member::required("x2", Shape::Float),
    Member::required("y2", Shape::Float),
]);
const CLASSIFICATION: Shape = Shape::Model(&[
    Member::required("classification", Shape::Text),
    Member::optional("labels", Shape::List(&Shape::Text)),
    Member::optional("scores", Shape::List(&Shape::Float)),
    Member::optional("logits", Shape::List(&Shape::Float)),
    Member::optional("inference_time", Shape::Float),
    Member::required("algorithm", REFERENCE),
    Member::optional("terminal", Shape::Flag),
    Member::required("timestamp", Shape::Time),
]);
const DETECTION: Shape = Shape::Model(&[
    Member::required("source_image_id", Shape::Text),
    Member::optional("bbox", BOX),
    Member::optional("inference_time", Shape::Float),
    Member::required("algorithm", REFERENCE),
    Member::required("timestamp", Shape::Time),
    Member::optional("crop_image_url", Shape::Text),
    Member::optional("classifications", Shape::List(&CLASSIFICATION)),
]);
const SUCCESS: Shape = Shape::Model(&[
    Member::required("pipeline", Shape::Text),
    Member::optional("algorithms", Shape::Map),
    Member::required("total_time", Shape::Float),
    Member::required("source_images", Shape::List(&IMAGE)),
    Member::required("detections", Shape::List(&DETECTION)),
    Member::optional("errors", Shape::Any),
]);
const ERROR: Shape = Shape::Model(&[
    Member::required("error", Shape::Text),
    Member::optional("image_id", Shape::Text),
]);
const ITEM: Shape = Shape::Model(&[
    Member::required("reply_subject", Shape::Text),
    Member::required("result", Shape::Either(&[SUCCESS, ERROR])),
]);

/// What a worker says about itself (`processing-service.md` §7.6: an open object).
#[derive(Debug, Default)]
pub struct ClientInfo {
    pub name: Option<String>,
    pub host: Option<String>,
    pub version: Option<String>,
}

impl ClientInfo {
    fn of(value: &Value) -> ClientInfo {
        let first = |keys: &[&str]| {
            let texts = keys.iter().filter_map(|key| value.get(*key)?.as_str());
            let mut texts = texts.map(str::trim).filter(|text| !text.is_empty());
            let clean = |text: &str| text.replace('\0', "").chars().take(MAX_NAME).collect();
            texts.next().map(clean)
        };
        ClientInfo {
            name: first(&["name", "worker", "pod", "service_name"]),
            host: first(&["hostname", "host", "node"]),
            version: first(&["version", "software_version", "software"]),
        }
    }

    /// Reads the field where it was sent; what is wrong with it is noted.
    fn read(input: &mut Input) -> ClientInfo {
        if !input.has("client_info") {
            return ClientInfo::default();
        }
        let Some(value) = input.document("client_info") else {
            return ClientInfo::default();
        };
        match document(value, &Shape::Map) {
            Ok(value) => ClientInfo::of(&value),
            Err(faults) => {
                input.errors.put("client_info", faults);
                ClientInfo::default()
            }
        }
    }
}

/// A document in a field, also where it was sent as a text.
fn document(value: Value, shape: &Shape) -> Result<Value, Vec<Value>> {
    let value = match value {
        Value::String(text) => document::from_text(&text)?,
        other => other,
    };
    match document::faults(&value, shape, &[]) {
        faults if faults.is_empty() => Ok(value),
        faults => Err(faults),
    }
}

/// `{"batch_size": …, "client_info": …}`.
pub fn ask(content_type: Option<&str>, bytes: &[u8]) -> ApiResult<(usize, ClientInfo)> {
    let mut input = Input::new(JsonBody::read(content_type, bytes)?)?;
    let size = input.integer("batch_size", 1).unwrap_or(1);
    let client = ClientInfo::read(&mut input);
    input.finish((usize::try_from(size).unwrap_or(1), client))
}

/// One posted result; what cannot be read of it is a sentence.
#[derive(Debug)]
pub struct Posted {
    pub receipt: String,
    pub result: Result<PullResult, String>,
}

#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow)]
    results: &'a RawValue,
    #[serde(borrow)]
    client_info: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item {
    reply_subject: Value,
    result: PullResult,
}

/// `{"results": […], "client_info": …}`.
pub fn results(content_type: Option<&str>, bytes: &[u8]) -> ApiResult<(Vec<Posted>, ClientInfo)> {
    let is_json = content_type.is_some_and(|t| t.starts_with("application/json"));
    if is_json
        && let Ok(outer) = serde_json::from_slice::<Outer<'_>>(bytes)
        && outer
            .client_info
            .is_none_or(|info| info.get().starts_with('{'))
        && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(outer.results.get())
    {
        let client = outer
            .client_info
            .and_then(|info| serde_json::from_str(info.get()).ok())
            .map_or_else(ClientInfo::default, |info: Value| ClientInfo::of(&info));
        let texts = items.iter().map(|raw| raw.get());
        return Ok((all_of(texts)?, client));
    }
    let mut input = Input::new(JsonBody::read(content_type, bytes)?)?;
    let value = input.document("results");
    let client = ClientInfo::read(&mut input);
    let list = match value.map(|value| document(value, &Shape::List(&Shape::Any))) {
        Some(Ok(Value::Array(list))) => list,
        Some(Err(faults)) => {
            input.errors.put("results", faults);
            Vec::new()
        }
        _ => Vec::new(),
    };
    let list = input.finish(list)?;
    let texts: Vec<String> = list.iter().map(Value::to_string).collect();
    Ok((all_of(texts.iter().map(String::as_str))?, client))
}

/// All results; an error where there are some and not one of them can be read.
fn all_of<'a>(texts: impl Iterator<Item = &'a str>) -> ApiResult<Vec<Posted>> {
    let mut faults = Vec::new();
    let mut readable = 0;
    let posted: Vec<Posted> = texts
        .enumerate()
        .map(|(i, text)| match serde_json::from_str::<Item>(text) {
            Ok(item)
                if !item.reply_subject.is_array()
                    && !item.reply_subject.is_object()
                    && !item.reply_subject.is_null() =>
            {
                readable += 1;
                Posted {
                    receipt: spelled(&item.reply_subject),
                    result: Ok(item.result),
                }
            }
            other => {
                let words = other.err().map(|error| error.to_string());
                let (posted, found) = unreadable(i, text, words);
                faults.extend(found);
                posted
            }
        })
        .collect();
    if readable == 0 && !posted.is_empty() {
        let mut errors = rest::FieldErrors::new();
        errors.put("results", faults);
        return Err(ApiError::Fields(errors));
    }
    Ok(posted)
}

fn spelled(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn unreadable(i: usize, text: &str, words: Option<String>) -> (Posted, Vec<Value>) {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let place = i.to_string();
    let mut faults = document::faults(&value, &ITEM, &[&place]);
    if faults.is_empty() {
        let words = words.unwrap_or_else(|| "value cannot be read".to_owned());
        faults.push(serde_json::json!({
            "loc": ["__root__", place, "result"], "msg": words, "type": "value_error",
        }));
    }
    let first = |fault: &Value| {
        let place = fault["loc"].as_array().into_iter().flatten().skip(2);
        let place: Vec<&str> = place.filter_map(Value::as_str).collect();
        let words = fault["msg"].as_str().unwrap_or_default();
        format!("it cannot be read: {}: {words}", place.join("."))
    };
    let why = faults.first().map(first).unwrap_or_default();
    let receipt = value.get("reply_subject").map(spelled).unwrap_or_default();
    let posted = Posted {
        receipt,
        result: Err(why),
    };
    (posted, faults)
}

/// A request to keep leases.
pub struct Extend {
    pub receipts: Vec<String>,
    pub seconds: Option<u32>,
    pub client: ClientInfo,
}

/// `{"reply_subjects": […], "lease_seconds": …, "client_info": …}`.
pub fn extend(content_type: Option<&str>, bytes: &[u8]) -> ApiResult<Extend> {
    const LONGEST: i32 = 86_400;
    let mut input = Input::new(JsonBody::read(content_type, bytes)?)?;
    let receipts = input.document("reply_subjects");
    let seconds = input.optional_integer("lease_seconds", 1);
    let client = ClientInfo::read(&mut input);
    let mut list = Vec::new();
    match receipts {
        Some(Value::Array(texts)) if texts.len() <= MOST => {
            list = texts.iter().map(spelled).collect();
        }
        Some(Value::Array(_)) => {
            let words = format!("Ensure this field has no more than {MOST} elements.");
            input.errors.add("reply_subjects", words);
        }
        Some(_) => input
            .errors
            .add("reply_subjects", "Expected a list of items."),
        None => {}
    }
    if seconds.is_some_and(|seconds| seconds > LONGEST) {
        let words = format!("Ensure this value is less than or equal to {LONGEST}.");
        input.errors.add("lease_seconds", words);
    }
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
    input.finish(Extend {
        receipts: list,
        seconds,
        client,
    })
}
