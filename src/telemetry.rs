//! What the program says about itself on standard error.

use rest::Zone;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Times on the server's clock, with their offset.
struct Clock(Zone);

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&self.0.with_offset(store::now()))
    }
}

/// Starts writing what `filter` lets through. A filter that cannot be read means "warn".
pub fn start(filter: &str, zone: Zone) {
    let parsed = EnvFilter::try_new(filter);
    let unreadable = parsed.is_err();
    tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_timer(Clock(zone))
        .with_writer(std::io::stderr)
        .with_ansi(
            std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none(),
        )
        .init();
    if unreadable {
        tracing::warn!("the log filter {filter:?} cannot be read; showing warnings");
    }
}
