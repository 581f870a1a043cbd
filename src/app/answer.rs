//! The app's response to a request.

use std::future::Future;

use http_types::{Request, Response, StatusCode};

use super::App;
use crate::common::field;
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
        match check(&response) {
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

/// Why a response that a handler made cannot be sent.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    #[error("the response field {0} has a name or value that HTTP cannot carry")]
    Field(String),
    #[error("the status {0} cannot end an exchange")]
    Status(StatusCode),
}

/// Checks that `response` can be sent. http-types accepts line breaks in values, with which anybody who
/// gets a string into a field could add fields, or a second response.
fn check(response: &Response) -> Result<(), Unsendable> {
    if response.status().is_informational() {
        return Err(Unsendable::Status(response.status()));
    }
    for (name, values) in response {
        let sound = |value: &str| value.bytes().all(field::is_text);
        if !field::is_token(name.as_str().as_bytes()) || !values.iter().all(|v| sound(v.as_str())) {
            return Err(Unsendable::Field(format!("{:?}", name.as_str())));
        }
    }
    Ok(())
}
