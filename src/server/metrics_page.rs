use std::sync::Arc;

use http_types::{Response, StatusCode};

use crate::app::App;
use crate::report::metrics::Metrics;

/// The text exposition format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The app on the listener for metrics.
pub(crate) fn app(metrics: Arc<Metrics>) -> App {
    let mut app = App::new();
    app.at("/metrics").get(move |_| {
        let text = metrics.text();
        async move {
            let mut response = Response::new(StatusCode::Ok);
            response.set_body(text?);
            response.insert_header("content-type", TEXT);
            Ok(response)
        }
    });
    app
}
