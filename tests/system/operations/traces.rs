//! A trace follows a job from its POST to the last saved result: a collector in the test receives
//! what the program sends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use store::testing;

use super::server::Server;

/// What a collector has received.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<Span>>>);

async fn receive(State(received): State<Received>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|r| r.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    received.0.lock().unwrap().extend(spans);
}

async fn collector() -> (String, Received) {
    let received = Received::default();
    let router = Router::new()
        .route("/v1/traces", post(receive))
        .with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ASKED: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number among a span's attributes.
fn number(span: &Span, key: &str) -> i64 {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let found = span.attributes.iter().find(|a| a.key == key);
    let value = found.and_then(|a| a.value.clone()?.value);
    match value {
        Some(Value::IntValue(n)) => n,
        other => panic!("{key} of {} is {other:?}", span.name),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_follows_a_pull_job_from_its_post_to_the_last_result() {
    for fresh in testing::fresh().await {
        let (url, received) = collector().await;
        let mut server = Server::start(&fresh, &["--otlp-endpoint", &url]).await;
        let job = server
            .job(24, Some(&format!("00-{TRACE}-{ASKED}-01")))
            .await;
        let ended = server.worked(job).await;
        assert_eq!(ended.state, "SUCCESS");
        assert_eq!(ended.trace_id.as_deref(), Some(TRACE));
        // The last spans are sent at the end.
        assert!(
            server.terminated().await.success(),
            "{}",
            server.process.said()
        );
        let spans = received.0.lock().unwrap().clone();
        let ids: BTreeMap<String, &Span> = spans.iter().map(|s| (hex(&s.span_id), s)).collect();
        let of_job: Vec<&Span> = spans.iter().filter(|s| hex(&s.trace_id) == TRACE).collect();
        let named = |name: &str| -> Vec<&Span> {
            let all = of_job.iter().copied();
            all.filter(|span| span.name == name).collect()
        };
        let posted = named("POST /api/v2/jobs");
        assert_eq!(posted.len(), 1, "{of_job:?}");
        assert_eq!(hex(&posted[0].parent_span_id), ASKED);
        assert_eq!(number(posted[0], "http.response.status_code"), 201);
        let post = hex(&posted[0].span_id);
        assert_eq!(ended.span_id.as_ref(), Some(&post));
        for (name, parent) in [
            ("run", "POST /api/v2/jobs"),
            ("work", "run"),
            ("feed", "work"),
        ] {
            let [span] = named(name)[..] else {
                panic!("one {name}: {of_job:?}");
            };
            assert_eq!(ids[&hex(&span.parent_span_id)].name, parent, "{name}");
        }
        for name in ["lease", "save"] {
            let steps = named(name);
            assert!(!steps.is_empty(), "{name}");
            for step in steps {
                assert_eq!(hex(&step.parent_span_id), post, "{name}");
                // About the requests of workers, which are traces of their own.
                assert!(!step.links.is_empty(), "{name}");
                for link in &step.links {
                    let request = ids[&hex(&link.span_id)];
                    assert!(
                        request.name.starts_with("POST /api/v2/jobs/{id}/"),
                        "{request:?}"
                    );
                    assert_eq!(link.trace_id, request.trace_id);
                    assert_ne!(hex(&link.trace_id), TRACE);
                }
            }
        }
        let saved: i64 = named("save")
            .iter()
            .map(|span| number(span, "images"))
            .sum();
        assert_eq!(saved, 24, "every result is in it");
        let lines = server.store.job_log(job, 100).await.unwrap();
        let traced: Vec<_> = lines.into_iter().filter_map(|line| line.trace).collect();
        let feeding = hex(&named("work")[0].span_id);
        let of_run = |trace: &store::origin::Trace| trace.span_id == feeding;
        assert!(
            traced.iter().any(of_run),
            "lines name the spans that are sent: {traced:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_holds_nobody_up() {
    let fresh = testing::fresh_sqlite().await;
    let nobody = format!("http://{}", crate::chaos::process::free_port());
    let mut server = Server::start(&fresh, &["--otlp-endpoint", &nobody]).await;
    let job = server.job(4, None).await;
    assert_eq!(server.worked(job).await.state, "SUCCESS");
    assert!(
        server.terminated().await.success(),
        "{}",
        server.process.said()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_the_log_may_be_json() {
    let fresh = testing::fresh_sqlite().await;
    let settings = ["--log", "info", "--log-format", "json"];
    let mut server = Server::start(&fresh, &settings).await;
    let job = server.job(4, None).await;
    server.worked(job).await;
    assert!(server.terminated().await.success());
    let said = server.process.said();
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("Hawkmoth "))
        .collect();
    let read = |line: &&str| serde_json::from_str::<serde_json::Value>(line).expect(line);
    let lines: Vec<serde_json::Value> = lines.iter().map(read).collect();
    let running = lines.iter().find(|line| line["message"] == "running job");
    let running = running.unwrap_or_else(|| panic!("{said}"));
    assert_eq!(running["job.id"], job);
    assert_eq!(running["level"], "INFO");
    let time = running["timestamp"].as_str().unwrap();
    assert!(time.ends_with("+00:00") || time.ends_with('Z'), "{time}");
}
