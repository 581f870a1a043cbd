use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;

use http_types::{Method, Request, Response, StatusCode};
use smol::future::FutureExt;

use super::head::Version;
use super::refusal::Refusal;
use super::respond::{self, Asked, Written};
use super::transport::{Shared, lock};
use crate::app::App;

/// How much of a body that the handler left unread is passed over to get at the next request, in
/// bytes. To read more costs more than a new connection.
const DISCARD: u64 = 64 * 1024;

/// A request on its way to its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// Whether the client wants the connection to go on.
    pub(crate) persistent: bool,
    pub(crate) id: RequestId,
}

/// What the log calls a request: the connection, and which of its requests it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestId {
    pub(crate) connection: u64,
    pub(crate) number: u64,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.connection, self.number)
    }
}

/// What becomes of the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request follows.
    Persist,
    /// It ends, and the client shall be able to read what it was told.
    Close,
    /// It is of no use any more.
    Abort,
}

impl Exchange {
    /// Has `app` answer the request and sends what it says.
    pub(crate) async fn run(self, shared: &Shared, app: &App) -> After {
        let Self { request, method, version, persistent, id } = self;
        let response = answer(app, request, id).await;
        let refusal = lock(shared).refusal().cloned();
        if let Some(refusal) = refusal {
            // The handler was told so when it read the body; the client is told what was wrong.
            return refuse(shared, &refusal, method).await;
        }
        let persistent = persistent && may_persist(shared);
        let asked = Asked { method, version, persistent };
        match respond::write_response(shared, response, asked).await {
            Written::Whole { persistent: false } => After::Close,
            Written::Whole { persistent: true } => pass_over_body(shared).await,
            Written::NotBegun(error) | Written::BrokenOff(error) if lock(shared).is_broken() => {
                log::debug!("request {id}: the client left: {error}");
                After::Abort
            }
            Written::NotBegun(error) => {
                let refusal = lock(shared).refusal().cloned();
                let refusal = refusal.unwrap_or_else(|| {
                    log::error!("request {id}: the response body failed: {error}");
                    internal_error()
                });
                refuse(shared, &refusal, method).await
            }
            Written::BrokenOff(error) => {
                log::warn!("request {id}: the response broke off: {error}");
                After::Abort
            }
        }
    }
}

/// Tells the client why its request is not served, and ends the connection.
pub(crate) async fn refuse(shared: &Shared, refusal: &Refusal, method: Method) -> After {
    match respond::write_refusal(shared, refusal, method).await {
        Written::Whole { .. } => After::Close,
        Written::NotBegun(_) | Written::BrokenOff(_) => After::Abort,
    }
}

/// The handler's response, or a 500 that tells the client nothing and the log everything.
async fn answer(app: &App, request: Request, id: RequestId) -> Response {
    // A panic unwinds through the handler's future, which is dropped and never polled again.
    let response = match AssertUnwindSafe(app.call(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let status = error.status();
            if status.is_server_error() {
                log::error!("request {id}: the handler failed: {error:?}");
            }
            return Refusal::new(status, status.canonical_reason()).response();
        }
        Err(panic) => {
            log::error!("request {id}: the handler panicked: {}", panic_message(&*panic));
            return internal_error().response();
        }
    };
    match respond::check(&response) {
        Ok(()) => response,
        Err(error) => {
            log::error!("request {id}: {error}");
            internal_error().response()
        }
    }
}

fn internal_error() -> Refusal {
    let status = StatusCode::InternalServerError;
    Refusal::new(status, status.canonical_reason())
}

/// What a panic was about, as far as it says.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// Whether the next request can be got at. While the response may still read the body, it may.
fn may_persist(shared: &Shared) -> bool {
    let body_in_use = std::sync::Arc::strong_count(shared) > 1;
    body_in_use || lock(shared).can_discard(DISCARD)
}

async fn pass_over_body(shared: &Shared) -> After {
    if !lock(shared).can_discard(DISCARD) {
        return After::Close;
    }
    let until = lock(shared).content_taken().saturating_add(DISCARD);
    if poll_fn(|cx| lock(shared).poll_discard(cx, until)).await {
        After::Persist
    } else {
        After::Close
    }
}
