//! What the program says about itself on standard error.

use tracing_subscriber::EnvFilter;

/// Starts writing what `filter` lets through. A filter that cannot be read means "warn".
pub fn start(filter: &str) {
    let parsed = EnvFilter::try_new(filter);
    let unreadable = parsed.is_err();
    tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new("warn")))
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
