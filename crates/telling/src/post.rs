//! The POST of a webhook. The idea: a receiver gets ten seconds, nothing of its answer is read but
//! the status, and where it redirects to is not followed; so nobody holds a sender up, and nobody
//! learns through it what only this machine can reach.

use std::error::Error;
use std::time::Duration;

use outgoing::{Client, Redirects, Refused};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Response};
use store::webhook::Sent;

use crate::sign::signature;

/// How long a receiver may take.
const TIME: Duration = Duration::from_secs(10);

/// What is posted, and where.
pub(crate) struct Parcel<'a> {
    pub url: &'a str,
    pub event: &'a str,
    pub delivery: &'a str,
    pub body: String,
    pub secret: &'a str,
}

/// Posts.
#[derive(Clone)]
pub(crate) struct Poster {
    http: Client,
    time: Duration,
}

impl Poster {
    pub fn new() -> Result<Poster, reqwest::Error> {
        let builder =
            reqwest::Client::builder().user_agent(concat!("hawkmoth/", env!("CARGO_PKG_VERSION")));
        Ok(Poster {
            http: Client::new(builder, Redirects::Show)?,
            time: TIME,
        })
    }

    /// The same with another patience.
    #[cfg(test)]
    pub fn waiting(self, time: Duration) -> Poster {
        Poster { time, ..self }
    }

    /// Posts once.
    pub async fn send(&self, parcel: Parcel<'_>) -> Sent {
        let request = match self.http.request(Method::POST, parcel.url) {
            Ok(request) => request,
            Err(refused) => return not_sent(&refused),
        };
        let timestamp = store::now().timestamp();
        let signature = signature(parcel.secret, timestamp, &parcel.body);
        let answer = request
            .timeout(self.time)
            .header(CONTENT_TYPE, "application/json")
            .header("X-Hawkmoth-Event", parcel.event)
            .header("X-Hawkmoth-Delivery", parcel.delivery)
            .header("X-Hawkmoth-Timestamp", timestamp)
            .header("X-Hawkmoth-Signature", signature)
            .body(parcel.body)
            .send()
            .await;
        match answer {
            Ok(answer) => answered(&answer),
            Err(error) => match Refused::behind(&error) {
                Some(refused) => not_sent(refused),
                None => failed(None, self.unanswered(&error)),
            },
        }
    }

    fn unanswered(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            let seconds = self.time.as_secs_f64();
            return format!("The receiver did not answer within {seconds} seconds.");
        }
        format!("The receiver cannot be reached: {}.", innermost(error))
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn answered(answer: &Response) -> Sent {
    let status = answer.status();
    let code = Some(status.as_u16());
    if status.is_success() {
        return Sent::Taken(code);
    }
    let more = match status.is_redirection() {
        true => " Redirects are not followed: enter the address that it leads to.",
        false => "",
    };
    failed(code, format!("The receiver answered {status}.{more}"))
}

fn failed(status: Option<u16>, reason: String) -> Sent {
    Sent::Not {
        status,
        reason,
        for_good: false,
    }
}

/// Where nothing may be sent, nothing may be sent later either.
fn not_sent(refused: &Refused) -> Sent {
    let words = refused.to_string();
    crate::in_vain(&format!("T{}.", words.strip_prefix('t').unwrap_or(&words)))
}
