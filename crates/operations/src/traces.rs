//! Spans, sent to a collector by OTLP over HTTP. The idea: what is sent is what the program marks
//! with the target `store::origin::SPANS`, and whether it is sent at all is known only here and
//! where the program starts.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

/// How long the collector may take for a batch of spans.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of the process waits for the last spans.
const END: Duration = Duration::from_secs(5);

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be sent to {endpoint}: {why}")]
pub struct TracesError {
    endpoint: String,
    why: String,
}

/// Sends spans until it is ended.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send to the collector at this address; of all traces this share is sent, each of
    /// them whole.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn start(endpoint: &str, share: f64) -> Result<Traces, TracesError> {
        let failed = |why: String| TracesError {
            endpoint: endpoint.to_owned(),
            why,
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address(endpoint))
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let resource = Resource::builder().with_service_name("hawkmoth").build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .with_sampler(Sampler::TraceIdRatioBased(share))
            .build();
        Ok(Traces(provider))
    }

    /// What turns the program's spans into those that are sent.
    pub fn tracer(&self) -> SdkTracer {
        self.0.tracer("hawkmoth")
    }

    /// Sends what is left, within a bounded time. Not to be called where async code runs.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(END) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// The address of a collector's traces: the usual one, unless another is named.
fn address(endpoint: &str) -> String {
    let bare = endpoint.trim_end_matches('/');
    match bare.split_once("://") {
        Some((_, rest)) if rest.contains('/') => bare.to_owned(),
        _ => format!("{bare}/v1/traces"),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_collector_needs_no_path() {
        for (given, used) in [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("http://c:4318/", "http://c:4318/v1/traces"),
            ("https://c/v1/traces", "https://c/v1/traces"),
            ("https://c/otlp/v1/traces/", "https://c/otlp/v1/traces"),
        ] {
            assert_eq!(address(given), used);
        }
    }
}
