//! What the program says about itself: lines on standard error, as text or as JSON, and, where a
//! collector is named, spans of requests and jobs.

use operations::traces::Traces;
use rest::Zone;
use store::origin::SPANS;
use tracing::Metadata;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, filter, fmt};

use crate::settings::{LogFormat, Telemetry};

/// Times on the server's clock, with their offset.
struct Clock(Zone);

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&self.0.with_offset(store::now()))
    }
}

/// Starts writing what the filter lets through, and sending spans. A filter that cannot be read
/// means "warn". What sends spans is handed back, to be ended last.
///
/// # Errors
/// Where the address of the collector is none.
pub fn start(settings: &Telemetry, zone: Zone) -> anyhow::Result<Option<Traces>> {
    let traces = settings.otlp_endpoint.as_ref().map(|endpoint| {
        let share = settings.otlp_share;
        Traces::start(endpoint.as_str(), share)
    });
    let traces = traces.transpose()?;
    let spans = traces.as_ref().map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter::filter_fn(is_exported))
    });
    let parsed = EnvFilter::try_new(&settings.log);
    let unreadable = parsed.is_err();
    let allowed = parsed.unwrap_or_else(|_| EnvFilter::new("warn"));
    let lines = fmt::layer()
        .with_timer(Clock(zone))
        .with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(is_coloured()).boxed(),
    };
    tracing_subscriber::registry()
        .with(spans)
        .with(lines.with_filter(allowed))
        .init();
    if unreadable {
        let filter = &settings.log;
        tracing::warn!("the log filter {filter:?} cannot be read; showing warnings");
    }
    Ok(traces)
}

fn is_exported(what: &Metadata<'_>) -> bool {
    what.is_span() && what.target() == SPANS
}

fn is_coloured() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none()
}
