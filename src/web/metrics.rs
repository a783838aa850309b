//! Figures for a monitoring system, in the text format of Prometheus.
//!
//! Nothing here names a customer, a case or an address.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::error::Problem;
use super::page::{Frame, framed};
use crate::app::App;
use crate::store::cases;

/// Upper ends of the buckets of the time to answer, in seconds.
const BUCKETS: [f64; 17] = [
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25,
    0.5, 1.0, 2.5,
];

/// The recorder of this process; `None` when another one was installed before ours.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let time = Matcher::Full("saihakko_request_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(time, &BUCKETS).ok()?;
        builder.install_recorder().ok()
    };
    RECORDER.get_or_init(install).as_ref()
}

/// Counts an answer: by the route as it was declared, never by the address that was asked for.
pub(super) fn answered(route: &str, status: u16, took: Duration) {
    let route = route.to_owned();
    counter!("saihakko_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    histogram!("saihakko_request_seconds", "route" => route).record(took.as_secs_f64());
}

/// The figures of this node.
pub fn router(app: App, frame: Frame) -> Router {
    // Installed before the first request is counted.
    let _ = recorder();
    framed(Router::new().route("/metrics", get(show)).with_state(app), frame)
}

async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let mut tx = app.tools.db.read().await?;
    let (waiting, dead) = cases::outbox_counts(&mut tx).await?;
    drop(tx);
    let figure = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
    gauge!("saihakko_outbox_waiting").set(figure(waiting));
    gauge!("saihakko_outbox_dead").set(figure(dead));
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}
