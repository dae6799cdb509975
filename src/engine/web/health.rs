//! Health checks and metrics, for load balancers and monitoring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use super::finish::set_done;
use crate::base::db::Db;
use crate::base::error::Error;
use crate::base::secrets;
use crate::engine::cluster::ClusterStatus;

/// Answered without a session, and counted against no limit.
pub(super) const ROUTES: [&str; 3] = ["/health/live", "/health/ready", "/metrics"];

/// State of the health routes. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    db: Db,
    cluster: ClusterStatus,
    metrics: PrometheusHandle,
    metrics_token: Arc<str>,
    stopping: Arc<AtomicBool>,
}

impl Health {
    /// `metrics_token` is the bearer token of `/metrics`.
    pub fn new(
        db: Db,
        cluster: ClusterStatus,
        metrics: PrometheusHandle,
        metrics_token: &str,
    ) -> Self {
        Self {
            db,
            cluster,
            metrics,
            metrics_token: metrics_token.into(),
            stopping: Arc::default(),
        }
    }

    /// Makes `/health/ready` answer 503, so that a load balancer sends no new requests.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn routes(self) -> Router {
        Router::new()
            .route("/health/live", get(|| async { "ok\n" }))
            .route("/health/ready", get(ready))
            .route("/metrics", get(scrape))
            .with_state(self)
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let stopping = health.stopping.load(Ordering::Acquire);
    match health.db.check().await {
        // It serves all the same, from the database: without NATS all instances say so, and a load
        // balancer needs one.
        Ok(()) if !stopping && health.cluster.is_cut_off() => {
            "ok, but cut off from the other instances: NATS does not answer\n".into_response()
        }
        Ok(()) if !stopping => "ok\n".into_response(),
        Ok(()) => unavailable("stopping\n"),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            unavailable("the database does not answer\n")
        }
    }
}

/// Plain text, not an error page: probes and their operators read it.
fn unavailable(why: &'static str) -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    set_done(&mut response);
    response
}

async fn scrape(State(health): State<Health>, headers: HeaderMap) -> Result<String, Error> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if !given.is_some_and(|token| secrets::is_equal(token, &health.metrics_token)) {
        return Err(Error::Forbidden("error-metrics-token"));
    }
    Ok(health.metrics.render())
}
