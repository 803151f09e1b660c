//! Services that answer in every way, asked whether they are ready and what they offer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use domain::wire::PipelineRequest;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{ServiceClient, ServiceError};

const LIMIT: Duration = Duration::from_secs(5);

fn client() -> ServiceClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    ServiceClient::new(LIMIT).unwrap()
}

async fn answering(at: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let mock = Mock::given(method("GET")).and(path(at));
    mock.respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn a_ready_service_names_its_pipelines() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({"status": ["a", "b"]}));
    let server = answering("/deep/readyz", answer).await;
    for endpoint in ["/deep", "/deep/"] {
        let address = format!("{}{endpoint}", server.uri());
        let health = client().ready(&address, LIMIT).await;
        assert!(health.live);
        assert_eq!(health.pipelines, ["a", "b"]);
        assert_eq!(health.error, None);
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_only_an_answer_counts_as_live() {
    let client = client();
    let busy = ResponseTemplate::new(503).set_body_json(json!({"status": []}));
    let server = answering("/readyz", busy).await;
    let health = client.ready(&server.uri(), LIMIT).await;
    assert!(!health.live);
    assert!(health.error.unwrap().contains("HTTP 503: status: []"));

    let page = ResponseTemplate::new(200).set_body_string("<html>");
    let server = answering("/readyz", page).await;
    let health = client.ready(&server.uri(), LIMIT).await;
    assert!(health.live, "it answers, if not in JSON");
    assert!(health.error.is_some());

    for dead in ["http://127.0.0.1:1", "not a url"] {
        let health = client.ready(dead, LIMIT).await;
        assert!(!health.live);
        let words = format!("Error connecting to {dead}/readyz: ");
        assert!(health.error.unwrap().starts_with(&words));
    }
}

#[tokio::test]
async fn a_service_is_not_looked_for_where_secrets_are() {
    let client = client();
    for address in ["http://169.254.169.254/", "http://[fe80::1]:2000"] {
        let health = client.ready(address, LIMIT).await;
        assert!(!health.live && health.refused.is_some());
        let words = health.error.unwrap();
        assert!(
            words.contains("this server sends no requests to"),
            "{words}"
        );
        let info = client.info(address).await;
        assert!(matches!(info, Err(ServiceError::Refused(_))));
        let answer = client.process(address, &request()).await;
        assert!(matches!(answer, Err(ServiceError::Refused(_))));
    }
    let away = ResponseTemplate::new(302).insert_header("Location", "http://169.254.169.254/");
    let server = answering("/readyz", away).await;
    assert!(client.ready(&server.uri(), LIMIT).await.refused.is_some());
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 2 * 1024 * 1024]);
    let server = answering("/readyz", endless).await;
    let health = client().ready(&server.uri(), LIMIT).await;
    assert!(health.error.unwrap().ends_with("longer than 1 MiB"));

    let quiet = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    let server = answering("/readyz", quiet).await;
    let short = Duration::from_millis(50);
    assert!(!client().ready(&server.uri(), short).await.live);
    let info = client().info(&server.uri()).await;
    assert!(matches!(info, Err(ServiceError::Status { code: 404, .. })));
}

fn request() -> PipelineRequest {
    PipelineRequest {
        pipeline: "p".to_owned(),
        source_images: Vec::new(),
        detections: Vec::new(),
        config: serde_json::Map::new(),
    }
}

/// What a service's answer to `/process` is said to be.
async fn said(answer: ResponseTemplate) -> String {
    let server = MockServer::start().await;
    let mock = Mock::given(method("POST")).and(path("/a/b/process"));
    mock.respond_with(answer).mount(&server).await;
    let address = format!("{}/a/b", server.uri());
    let client = client().bounded(1024 * 1024);
    let said = client.process(&address, &request()).await;
    said.map_or_else(|error| error.to_string(), |answer| answer.pipeline)
}

#[tokio::test]
async fn what_is_wrong_with_results_is_said() {
    let good = r#"{"pipeline": "p", "total_time": 1, "source_images": [], "detections": []}"#;
    let text = |body: &str| ResponseTemplate::new(200).set_body_string(body);
    assert_eq!(said(text(good)).await, "p");
    let nan = said(text(&good.replace("1,", "NaN,"))).await;
    assert!(nan.contains("NaN is no number in JSON"), "{nan}");
    let endless = said(text(&good.replace("1,", "\n-Infinity,"))).await;
    assert!(
        endless.contains("Infinity is no number in JSON"),
        "{endless}"
    );
    let half = said(text(&good[..40])).await;
    assert!(half.contains("it breaks off after 40 bytes"), "{half}");
    let long = said(text(&" ".repeat(1024 * 1024 + 1))).await;
    assert!(long.ends_with("longer than 1 MiB"), "{long}");
    let away = ResponseTemplate::new(307).insert_header("Location", "http://127.0.0.1:1/process");
    let away = said(away).await;
    assert!(
        away.contains("HTTP 307: the service redirects to"),
        "{away}"
    );
}
