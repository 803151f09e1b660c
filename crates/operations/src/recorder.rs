//! What records metrics in this process and renders them for Prometheus: whatever is in the list
//! of `domain::metric`, under the bounds that stand there.

use std::time::Duration;

use domain::metric::{self, Kind, Metric};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

/// How often what was recorded is put together: a process that nobody asks would keep it all.
const TIDY: Duration = Duration::from_secs(5);

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be recorded: {0}")]
pub struct RecorderError(String);

/// Renders what was recorded. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    handle: PrometheusHandle,
    process: Collector,
}

impl Recorder {
    /// Records for the whole process from now on.
    ///
    /// # Errors
    /// Where something records already.
    pub fn install() -> Result<Recorder, RecorderError> {
        let mut builder = PrometheusBuilder::new();
        for metric in metric::ALL {
            if let Kind::Histogram(bounds) = metric.kind {
                let name = Matcher::Full(metric.name.to_owned());
                let with_bounds = builder.set_buckets_for_metric(name, bounds);
                builder = with_bounds.map_err(|error| RecorderError(error.to_string()))?;
            }
        }
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| RecorderError(error.to_string()))?;
        metric::ALL.iter().for_each(describe);
        let version = env!("CARGO_PKG_VERSION");
        metrics::gauge!(metric::BUILD.name, "version" => version).set(1.0);
        Ok(Recorder {
            handle,
            process: Collector::new("hawkmoth_"),
        })
    }

    /// Puts together what was recorded, again and again.
    pub async fn tidy(self) {
        loop {
            tokio::time::sleep(TIDY).await;
            self.handle.run_upkeep();
        }
    }

    /// Everything, in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }
}

/// Says what a metric is; one without labels is there from the beginning.
fn describe(metric: &Metric) {
    let Metric {
        name,
        kind,
        labels,
        about,
    } = *metric;
    match kind {
        Kind::Counter => {
            metrics::describe_counter!(name, about);
            if labels.is_empty() {
                metrics::counter!(name).increment(0);
            }
        }
        Kind::Gauge => metrics::describe_gauge!(name, about),
        Kind::Histogram(_) => metrics::describe_histogram!(name, about),
    }
}
