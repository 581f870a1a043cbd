//! Whether a response that a handler made can be sent.

use http_types::{Response, StatusCode};

use crate::common::field;

/// Why a response that a handler made cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsendable {
    #[error("the response field {0} has a name or value that HTTP cannot carry")]
    Field(String),
    #[error("the status {0} cannot end an exchange")]
    Status(StatusCode),
}

/// Whether `response` can be sent as it is. http-types takes line breaks in values, which would
/// let whoever gets a string into a field write fields, or a response, of their own.
pub(crate) fn check(response: &Response) -> Result<(), Unsendable> {
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
