use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use http_types::{Request, StatusCode};

use super::content::Content;
use super::respond::{self, Written};
use crate::app::App;
use crate::app::answer::{Answered, answer, internal_error};
use crate::common::answer::Answer;
use crate::common::refusal::Refusal;
use crate::proxy::{Forwarded, Forwarding, Outgoing, Private};
use crate::wire::asked::{Asked, DISCARD};
use crate::wire::head::Version;
use crate::wire::transport::{Shared, lock};

/// A fatal alert, `protocol_version`. Its record has the version that every client accepts before it knows the
/// server's (RFC 8446 §5.1, §6.2).
const NO_TLS: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// A request and who answers it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) work: Work,
    pub(crate) asked: Asked,
}

/// A request in the form that its handler takes.
#[derive(Debug)]
pub(crate) enum Work {
    App(Box<Request>),
    Proxy(Box<Outgoing>),
    /// The health page. It reports whether the server drains.
    Health {
        draining: bool,
    },
    /// An answer that depends on the head only.
    Answer(Box<Answer>),
}

/// What happens to the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Wait for the next request.
    Persist,
    /// Close it, so that the client can still read the answer.
    Close,
    /// Like `Close`, for a client that began a TLS handshake and got an alert.
    BeganTls,
    /// Like `Close`, for a client that sent a PROXY header which the server does not expect.
    ProxyHeader,
    /// Close it. The client has closed its side: no more bytes can come that would keep it from reading the answer.
    Left,
    /// Drop it: it is of no further use.
    Abort,
    /// Like `Abort`, but the client must not take the end of the connection for the end of the answer.
    Reset,
}

impl Exchange {
    /// Lets `content` answer the request, and sends the answer. `private` serves the requests of this connection
    /// only.
    pub(crate) async fn run(
        self,
        shared: &Shared,
        content: &Content,
        private: &mut Private,
    ) -> After {
        let asked = self.asked;
        match (content, self.work) {
            (Content::App(app), Work::App(request)) => serve(app, request, asked, shared).await,
            (Content::Proxy(proxy), Work::Proxy(outgoing)) => {
                let (asked, outgoing) = (&asked, &*outgoing);
                // Boxed: the proxy's larger future must not make that of an app larger.
                Box::pin(hand_on(Forwarding { proxy, shared, asked, outgoing }, private)).await
            }
            (_, Work::Health { draining }) => tell(health(draining), asked, shared).await,
            (_, Work::Answer(answer)) => tell(*answer, asked, shared).await,
            // `begin` chooses the work by the content, so they always match.
            _ => After::Abort,
        }
    }
}

/// Sends the server's own answer.
async fn tell(answer: Answer, asked: Asked, shared: &Shared) -> After {
    let asked = Asked { persistent: asked.persists(shared), ..asked };
    match respond::write_answer(shared, answer, asked).await {
        Written::Whole { persistent: true } => pass_over_body(shared).await,
        Written::Whole { persistent: false } => After::Close,
        Written::NotBegun(_) | Written::BrokenOff(_) => After::Abort,
    }
}

fn health(draining: bool) -> Answer {
    let (status, text) = if draining {
        (StatusCode::ServiceUnavailable, "draining\n")
    } else {
        (StatusCode::Ok, "serving\n")
    };
    // An old health report is useless.
    Answer::text(status, text).with("cache-control", "no-store")
}

/// Forwards the request to an upstream, and the answer to the client.
async fn hand_on(forwarding: Forwarding<'_>, private: &mut Private) -> After {
    let Forwarding { shared, asked, .. } = forwarding;
    match forwarding.run(private).await {
        Forwarded::Persist => pass_over_body(shared).await,
        Forwarded::Close => After::Close,
        Forwarded::Refused(refusal) => refuse(shared, &refusal, *asked).await,
        // A client that read nothing for too long counts as gone, but may read again.
        Forwarded::BrokenOff | Forwarded::Abort => broken_off(asked.version),
    }
}

/// Lets `app` answer the request, and sends the answer.
async fn serve(app: &App, request: Box<Request>, asked: Asked, shared: &Shared) -> After {
    let Asked { id, persistent, .. } = asked;
    let answered = answer(app, *request, id).await;
    let (refusal, can_discard) = {
        let transport = lock(shared);
        (transport.refusal().cloned(), transport.can_discard(DISCARD))
    };
    if let Some(refusal) = refusal {
        // The handler got this error when it read the body. The client is told what was wrong.
        return refuse(shared, &refusal, asked).await;
    }
    // The response may still read the body, so the next request may still be reachable.
    let body_in_use = Arc::strong_count(shared) > 1;
    let asked = Asked { persistent: persistent && (body_in_use || can_discard), ..asked };
    let written = match answered {
        Answered::Ready(answer) => respond::write_answer(shared, answer, asked).await,
        Answered::Response(response) => respond::write_response(shared, *response, asked).await,
    };
    match written {
        Written::Whole { persistent: false } => After::Close,
        Written::Whole { persistent: true } => pass_over_body(shared).await,
        Written::NotBegun(error) | Written::BrokenOff(error) if lock(shared).is_broken() => {
            log::debug!("request {id}: the client left: {error}");
            // Or it read nothing for too long, but may read again.
            broken_off(asked.version)
        }
        Written::NotBegun(error) => {
            let refusal = lock(shared).refusal().cloned();
            let refusal = refusal.unwrap_or_else(|| {
                log::error!("request {id}: the response body failed: {error}");
                internal_error()
            });
            refuse(shared, &refusal, asked).await
        }
        Written::BrokenOff(error) => {
            log::warn!("request {id}: the response broke off: {error}");
            broken_off(asked.version)
        }
    }
}

/// What happens to a connection whose answer broke off. For an HTTP/1.0 client, the end of the connection may be the
/// end of an answer (RFC 9112 §6.3).
fn broken_off(version: Version) -> After {
    match version {
        Version::Http10 => After::Reset,
        Version::Http11 => After::Abort,
    }
}

/// Tells the client why its request is not served, and ends the connection.
pub(crate) async fn refuse(shared: &Shared, refusal: &Refusal, asked: Asked) -> After {
    // Boxed: rare work must not make the exchange larger.
    match Box::pin(respond::write_refusal(shared, refusal, asked)).await {
        Written::Whole { .. } => After::Close,
        Written::NotBegun(_) | Written::BrokenOff(_) => After::Abort,
    }
}

/// Tells a client that began a TLS handshake, with a TLS alert, that this port does not speak TLS.
pub(crate) async fn refuse_tls(shared: &Shared) -> After {
    let mut written = 0;
    // A client that is already gone does not need the alert.
    _ = poll_fn(|cx| lock(shared).poll_write_all(cx, &NO_TLS, &mut written)).await;
    After::BeganTls
}

/// Discards what the handler left of the body, if it is not too much, to reach the next request.
async fn pass_over_body(shared: &Shared) -> After {
    // The handler may have passed the body on, and it may still be read. Its reader must not take half of it for all.
    lock(shared).take_body_away();
    let mut until = None;
    let passed = poll_fn(|cx| {
        let mut transport = lock(shared);
        let until = match until {
            Some(until) => until,
            None if !transport.can_discard(DISCARD) => return Poll::Ready(false),
            None => *until.insert(transport.content_taken().saturating_add(DISCARD)),
        };
        transport.poll_discard(cx, until)
    });
    if passed.await { After::Persist } else { After::Close }
}
