//! Converts errors and panics into responses. A client gets only the text that is meant for it.

use std::panic::{self, AssertUnwindSafe};
use std::{io, thread};

use http_types::{Error, Result, StatusCode};
use smol::future::FutureExt;
use turnkey_backend::BoxFuture;

use super::answer::{Answered, internal_error};
use crate::common::causes::{panic_message, with_causes};
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;

/// The maximum length of a parser's message about a body, in characters: it may quote the body.
const MAX_REASON: usize = 200;

/// An error with a text for the client, in place of the name of the status.
///
/// The texts of other errors are only in the log: they may have queries, paths or addresses in them.
///
/// ```
/// use turnkey::{Params, Request, Result, StatusCode, public_error};
///
/// async fn user(request: Request) -> Result<String> {
///     match Params::of(&request).get("id")? {
///         1 => Ok("alice".to_owned()),
///         id => Err(public_error(StatusCode::NotFound, format!("there is no user {id}"))),
///     }
/// }
/// ```
pub fn public_error(status: StatusCode, text: impl Into<String>) -> Error {
    Error::new(status, PublicText(text.into()))
}

/// The text for the client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct PublicText(String);

/// A started answer, or the panic of its start.
pub(super) type Begun = thread::Result<BoxFuture<'static, Result<Answered>>>;

/// Calls a handler, which owns its request from then on: the caller keeps nothing of it while it waits.
pub(super) fn begin(call: impl FnOnce() -> BoxFuture<'static, Result<Answered>>) -> Begun {
    // The handler is not called again, so nobody sees what it may have left half done.
    panic::catch_unwind(AssertUnwindSafe(call))
}

/// Waits for an answer, and turns an error or a panic into one. `id` is the request's name in the log.
pub(super) async fn settle(begun: Begun, id: Option<RequestId>) -> Answered {
    let answer = match begun {
        // A panic unwinds through the future, which is dropped and never polled again.
        Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await,
        Err(panic) => Err(panic),
    };
    match answer {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => failed(&error, id).into(),
        Err(panic) => {
            log::error!("{}: the handler panicked: {}", name(id), panic_message(&*panic));
            internal_error().into()
        }
    }
}

fn failed(error: &Error, id: Option<RequestId>) -> Refusal {
    // The body could not be read because of a fault of the client, and the handler has only passed the error on.
    let refusal = error.downcast_ref().and_then(io::Error::get_ref).and_then(|e| e.downcast_ref());
    if let Some(refusal @ Refusal { .. }) = refusal {
        return refusal.clone();
    }
    let status = error.status();
    if status.is_server_error() {
        log::error!("{}: the handler failed: {}", name(id), with_causes(cause(error)));
    } else {
        log::debug!("{}: {}: {}", name(id), u16::from(status), with_causes(cause(error)));
    }
    match reason(error) {
        Some(reason) => Refusal::new(status, reason),
        None => Refusal::bare(status),
    }
}

/// The cause of `error`: http-types returns it as several types.
fn cause(error: &Error) -> &(dyn std::error::Error + 'static) {
    error.as_ref()
}

/// The text of `error` for the client.
fn reason(error: &Error) -> Option<String> {
    if let Some(PublicText(text)) = error.downcast_ref() {
        return Some(text.clone());
    }
    // The errors of `body_json` and `body_form` are about the client's own data.
    if error.status() != StatusCode::UnprocessableEntity {
        return None;
    }
    let (form, said) = match (
        error.downcast_ref::<serde_json::Error>(),
        error.downcast_ref::<serde::de::value::Error>(),
    ) {
        (Some(error), _) => ("JSON", error.to_string()),
        (None, Some(error)) => ("form", error.to_string()),
        (None, None) => return None,
    };
    let said: String = said.chars().take(MAX_REASON).flat_map(shown).collect();
    Some(format!("the body is not the {form} that is expected: {said}"))
}

/// A character, escaped if it is invisible or ends a line.
fn shown(c: char) -> impl Iterator<Item = char> {
    let (escaped, plain) = match c {
        '"' | '\'' | '\\' => (None, Some(c)),
        c => (Some(c.escape_debug()), None),
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

fn name(id: Option<RequestId>) -> String {
    id.map_or_else(|| "a request".to_owned(), |id| format!("request {id}"))
}
