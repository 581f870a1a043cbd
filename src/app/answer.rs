//! The app's response to a request.

use std::future::Future;

use http_types::{Request, Response, StatusCode};

use super::{App, sendable};
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;

/// The app's response, or a 500 where it is none that can be sent.
pub(crate) fn answer(
    app: &App,
    request: Request,
    id: RequestId,
) -> impl Future<Output = Response> + Send + use<> {
    // The request is the handler's from here on: it must not make what waits for it larger.
    let answer = app.call(request);
    async move {
        let response = answer.await;
        match sendable::check(&response) {
            Ok(()) => response,
            Err(error) => {
                log::error!("request {id}: {error}");
                internal_error().response()
            }
        }
    }
}

pub(crate) fn internal_error() -> Refusal {
    Refusal::bare(StatusCode::InternalServerError)
}
