//! What errors and panics say, in one line each.

use std::any::Any;
use std::error::Error;

/// An error and the causes behind it ([`Error::source`]), on one line, each saying its own level: `cannot listen
/// on 127.0.0.1:80: Permission denied`.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries print the cause and return it as the source too.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    // The texts of some libraries have several lines.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The message of a panic, if it has one.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
