//! Telemetry: log lines on stderr, metrics for `/metrics`.

use std::io::IsTerminal;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::base::settings::Settings;

/// Bounds of the buckets of time histograms, in seconds: from a cached fragment to a slow disk.
const BUCKET_SECONDS: [f64; 12] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5,
];

/// A histogram keeps every value until upkeep sorts them into its buckets. A scrape does that, too,
/// but many servers are never scraped.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Starts logging at the settings' level (`RUST_LOG` wins).
pub fn start_logging(settings: &Settings) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&settings.log));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    // A second start in one process (tests) keeps the first logger.
    let started = if settings.log_json {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
    drop(started);
}

/// Counts what a limit refused, by the name of the limit: `tidepool_refused_total`.
pub fn refused(why: &'static str) {
    metrics::counter!("tidepool_refused_total", "why" => why).increment(1);
}

/// Starts the metrics, with upkeep on the current runtime. The handle renders them as Prometheus
/// text.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKET_SECONDS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Only the first recorder of a process is used: a test with two servers sees both in it.
    drop(metrics::set_global_recorder(recorder));
    tokio::spawn({
        let handle = handle.clone();
        async move {
            loop {
                tokio::time::sleep(UPKEEP_INTERVAL).await;
                handle.run_upkeep();
            }
        }
    });
    Ok(handle)
}
