//! Tests of a single try: what a receiver gets, and what is said of each way not to take it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use store::webhook::Sent;
use tokio::net::TcpListener;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::mail::{Letter, Mailer};
use crate::post::{Parcel, Poster};
use crate::sign::signature;
use crate::testing::MailServer;

fn parcel(url: &str) -> Parcel<'_> {
    Parcel {
        url,
        event: "job.ended",
        delivery: "ab12",
        body: r#"{"event":"job.ended"}"#.to_owned(),
        secret: "swordfish",
    }
}

fn poster() -> Poster {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Poster::new().unwrap()
}

async fn receiver(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn why(sent: Sent) -> (Option<u16>, String, bool) {
    match sent {
        Sent::Not {
            status,
            reason,
            for_good,
        } => (status, reason, for_good),
        taken => panic!("{taken:?}"),
    }
}

#[tokio::test]
async fn a_receiver_can_prove_who_sent_it() {
    let server = receiver(ResponseTemplate::new(204)).await;
    let sent = poster().send(parcel(&server.uri())).await;
    assert_eq!(sent, Sent::Taken(Some(204)));
    let all = server.received_requests().await.unwrap();
    let request = &all[0];
    let header = |name: &str| request.headers[name].to_str().unwrap();
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("x-hawkmoth-event"), "job.ended");
    assert_eq!(header("x-hawkmoth-delivery"), "ab12");
    let time: i64 = header("x-hawkmoth-timestamp").parse().unwrap();
    let body = String::from_utf8(request.body.clone()).unwrap();
    assert_eq!(
        header("x-hawkmoth-signature"),
        signature("swordfish", time, &body)
    );
}

#[tokio::test]
async fn whatever_is_no_yes_is_told_in_a_sentence() {
    let broken = receiver(ResponseTemplate::new(503)).await;
    let (status, reason, for_good) = why(poster().send(parcel(&broken.uri())).await);
    assert_eq!(
        (status, reason.as_str(), for_good),
        (
            Some(503),
            "The receiver answered 503 Service Unavailable.",
            false
        )
    );
    let moved = ResponseTemplate::new(302).insert_header("location", "http://169.254.169.254/");
    let moved = receiver(moved).await;
    let (status, reason, _) = why(poster().send(parcel(&moved.uri())).await);
    assert_eq!(status, Some(302));
    assert!(reason.contains("Redirects are not followed"), "{reason}");
    let slow = receiver(ResponseTemplate::new(200).set_delay(Duration::from_secs(20))).await;
    let impatient = poster().waiting(Duration::from_millis(200));
    let (status, reason, for_good) = why(impatient.send(parcel(&slow.uri())).await);
    assert_eq!((status, for_good), (None, false));
    assert_eq!(reason, "The receiver did not answer within 0.2 seconds.");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let (_, reason, for_good) = why(poster().send(parcel(&url)).await);
    assert!(
        reason.starts_with("The receiver cannot be reached: "),
        "{reason}"
    );
    assert!(!for_good);
}

#[tokio::test]
async fn nothing_is_sent_to_the_metadata_of_a_cloud() {
    for url in [
        "http://169.254.169.254/latest",
        "http://metadata.google.internal/",
    ] {
        let (status, reason, for_good) = why(poster().send(parcel(url)).await);
        assert_eq!((status, for_good), (None, true), "{url}");
        assert!(
            reason.starts_with("This server sends no requests to "),
            "{reason}"
        );
    }
}

fn letter() -> Letter {
    Letter {
        to: "ann@example.org".to_owned(),
        subject: "[Moths] Job #7 \"Night\": FAILURE".to_owned(),
        text: "Job #7 has failed.\n\nhttp://h/projects/3/jobs/7".to_owned(),
        key: "ab12".to_owned(),
    }
}

const FROM: &str = "Hawkmoth <hawkmoth@moths.example>";

#[tokio::test]
async fn a_letter_arrives() {
    let server = MailServer::start().await;
    let mailer = Mailer::new(&server.url, FROM).unwrap();
    mailer.send(letter()).await.unwrap();
    let heard = server.heard();
    for words in [
        "EHLO moths.example",
        "MAIL FROM:<hawkmoth@moths.example>",
        "RCPT TO:<ann@example.org>",
        "Message-ID: <ab12@moths.example>",
        "Subject: [Moths] Job #7 \"Night\": FAILURE",
        "http://h/projects/3/jobs/7",
    ] {
        assert!(heard.contains(words), "{words}: {heard}");
    }
}

#[tokio::test]
async fn a_letter_that_is_refused_is_told_with_the_reason() {
    for (answer, for_good) in [("550 no such person", true), ("450 busy", false)] {
        let server = MailServer::answering(answer).await;
        let mailer = Mailer::new(&server.url, FROM).unwrap();
        let sent = mailer.send(letter()).await;
        let why = sent.unwrap_err();
        assert_eq!(why.for_good, for_good, "{why}");
        assert!(why.reason.contains(&answer[..3]), "{why}");
    }
    let nobody = Mailer::new("smtp://127.0.0.1:1", FROM).unwrap();
    assert!(!nobody.send(letter()).await.unwrap_err().for_good);
    let other = Letter {
        to: "ann".to_owned(),
        ..letter()
    };
    assert!(nobody.send(other).await.unwrap_err().for_good);
}

#[test]
fn settings_that_cannot_be_used_say_so_and_hide_the_password() {
    let wrong = Mailer::new("imap://ann:secret@host", FROM)
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("smtps://user:password@host"), "{wrong}");
    assert!(!wrong.contains("secret"), "{wrong}");
    let wrong = Mailer::new("smtp://host", "Hawkmoth")
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("\"Hawkmoth\""), "{wrong}");
    let mailer = Mailer::new("smtps://ann:secret@host", FROM).unwrap();
    assert!(!format!("{mailer:?}").contains("secret"));
}
