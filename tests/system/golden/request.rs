//! Recorded requests sent again. The idea: what was made anew since (tokens, receipts, the address
//! of the push service) stands in pairs of texts, swapped in what is sent.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::recording::Exchange;
use super::replay::Replay;
use super::{bucket, service, unwritten};

/// The address that the recorded server had.
pub const HOST: &str = "127.0.0.1:8000";

/// What the server answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Replay<'_> {
    pub async fn send(&self, name: &str, recorded: &Exchange) -> Answer {
        let url = format!("{}{}", self.app.url, recorded.path);
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: &str| {
            // Bytes and not text: one recorded header is not ASCII.
            let bytes: Vec<u8> = value.chars().map(|c| c as u32 as u8).collect();
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_bytes(&bytes).unwrap());
        };
        set("Host", HOST);
        for (name, value) in &recorded.headers {
            set(name, value);
            if name == "Origin" && recorded.method == "OPTIONS" {
                set("Access-Control-Request-Method", "GET");
            }
        }
        if let Some(accept) = &recorded.accept {
            set("Accept", accept);
        }
        if let Some(kind) = &recorded.content_type {
            set("Content-Type", kind);
        }
        if recorded.authorization.is_some() {
            set("Authorization", &self.authorized(recorded));
        }
        let method = reqwest::Method::from_bytes(recorded.method.as_bytes()).unwrap();
        let call = self.http.request(method, url).headers(headers);
        let body = unwritten::body(name, recorded).unwrap_or_else(|| body(recorded));
        let body = match String::from_utf8(body) {
            Ok(text) => self.renewed(&text).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        let call = if body.is_empty() {
            call
        } else {
            call.body(body)
        };
        self.told(read(call).await)
    }

    /// The words by which the recorded caller is known.
    pub fn authorized(&self, recorded: &Exchange) -> String {
        let text = recorded.authorization.as_deref().unwrap_or_default();
        let role = text.strip_prefix("Token <");
        match role.and_then(|role| role.strip_suffix('>')) {
            Some(role) => format!("Token {}", self.tokens[role]),
            None => self.renewed(text),
        }
    }

    /// The answer with the addresses that the push service and the storage had.
    pub fn told(&self, mut answer: Answer) -> Answer {
        for (here, there) in [
            (&self.service.address, service::ADDRESS),
            (&self.bucket.address, bucket::ADDRESS),
        ] {
            answer.text = answer.text.replace(here, there);
        }
        answer
    }

    fn renewed(&self, text: &str) -> String {
        let swap = |text: String, (old, new): &(String, String)| text.replace(old, new);
        self.made.iter().fold(text.to_owned(), swap)
    }

    /// Tokens and receipts that later requests show again.
    pub fn remember(&mut self, recorded: &Exchange, answer: &Answer) {
        let Ok(ours) = serde_json::from_str::<Value>(&answer.text) else {
            return;
        };
        let mut pair = |old: &Value, new: &Value| {
            if let (Some(old), Some(new)) = (old.as_str(), new.as_str()) {
                self.made.push((old.to_owned(), new.to_owned()));
            }
        };
        let theirs = &recorded.answer;
        pair(&theirs["auth_token"], &ours["auth_token"]);
        let tasks = |value: &Value| value["tasks"].as_array().cloned().unwrap_or_default();
        for task in tasks(theirs) {
            let same = tasks(&ours)
                .into_iter()
                .find(|ours| ours["id"] == task["id"]);
            if let Some(same) = same {
                pair(&task["reply_subject"], &same["reply_subject"]);
            }
        }
    }
}

pub async fn read(call: reqwest::RequestBuilder) -> Answer {
    let answer = call.send().await.unwrap();
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

/// The body as it was sent.
fn body(recorded: &Exchange) -> Vec<u8> {
    let kind = recorded.content_type.as_deref().unwrap_or_default();
    match &recorded.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(fields) if kind.starts_with("application/x-www-form-urlencoded") => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                form.append_pair(name, value.as_str().unwrap_or_default());
            }
            form.finish().into_bytes()
        }
        other => other.to_string().into_bytes(),
    }
}
