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

/// A fatal alert, `protocol_version`, in a record of the version that every client takes before it
/// knows the server's (RFC 8446 §5.1, §6.2).
const NO_TLS: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// A request on its way to its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) work: Work,
    pub(crate) asked: Asked,
}

/// A request, as whoever answers it takes it.
#[derive(Debug)]
pub(crate) enum Work {
    App(Box<Request>),
    Proxy(Box<Outgoing>),
    /// The server says itself how it is, which is on its way out if it drains.
    Health {
        draining: bool,
    },
    /// The head says all that the answer depends on.
    Answer(Box<Answer>),
}

/// What becomes of the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request follows.
    Persist,
    /// It ends, and the client shall be able to read what it was told.
    Close,
    /// The same for a client that began a TLS handshake, and has got an alert.
    BeganTls,
    /// The same for one that began with a PROXY header, which nobody asks for.
    ProxyHeader,
    /// It ends, as the client has said: nothing more comes that could keep it from what it was told.
    Left,
    /// It is of no use any more.
    Abort,
    /// The same, and the end of the connection must not pass for the end of the answer.
    Reset,
}

impl Exchange {
    /// Has `content` answer the request, and sends what it says. `private` is for the requests of this
    /// connection alone.
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
                // What is larger must not make that of an app larger.
                Box::pin(hand_on(Forwarding { proxy, shared, asked, outgoing }, private)).await
            }
            (_, Work::Health { draining }) => tell(health(draining), asked, shared).await,
            (_, Work::Answer(answer)) => tell(*answer, asked, shared).await,
            // Each is made for the other.
            _ => After::Abort,
        }
    }
}

/// Answers for the server itself.
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
    // What it was a while ago is of no use.
    Answer::text(status, text).with("cache-control", "no-store")
}

/// Has an upstream answer the request and hands on what it says.
async fn hand_on(forwarding: Forwarding<'_>, private: &mut Private) -> After {
    let Forwarding { shared, asked, .. } = forwarding;
    match forwarding.run(private).await {
        Forwarded::Persist => pass_over_body(shared).await,
        Forwarded::Close => After::Close,
        Forwarded::Refused(refusal) => refuse(shared, &refusal, *asked).await,
        // Who took nothing for too long, and counts as gone, may read on.
        Forwarded::BrokenOff | Forwarded::Abort => broken_off(asked.version),
    }
}

/// Has `app` answer the request and sends what it says.
async fn serve(app: &App, request: Box<Request>, asked: Asked, shared: &Shared) -> After {
    let Asked { id, persistent, .. } = asked;
    let answered = answer(app, *request, id).await;
    let (refusal, can_discard) = {
        let transport = lock(shared);
        (transport.refusal().cloned(), transport.can_discard(DISCARD))
    };
    if let Some(refusal) = refusal {
        // The handler was told so when it read the body; the client is told what was wrong.
        return refuse(shared, &refusal, asked).await;
    }
    // While the response may still read the body, the next request may yet be got at.
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
            // Or it took nothing for too long, and may read on.
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

/// What becomes of a connection on which an answer broke off. To HTTP/1.0 the end of the connection
/// may be what ends an answer (RFC 9112 §6.3).
fn broken_off(version: Version) -> After {
    match version {
        Version::Http10 => After::Reset,
        Version::Http11 => After::Abort,
    }
}

/// Tells the client why its request is not served, and ends the connection.
pub(crate) async fn refuse(shared: &Shared, refusal: &Refusal, asked: Asked) -> After {
    // On the heap: what is rare must not make the exchange larger.
    match Box::pin(respond::write_refusal(shared, refusal, asked)).await {
        Written::Whole { .. } => After::Close,
        Written::NotBegun(_) | Written::BrokenOff(_) => After::Abort,
    }
}

/// Tells a client that began a TLS handshake, in its own terms, that there is no TLS to be had.
pub(crate) async fn refuse_tls(shared: &Shared) -> After {
    let mut written = 0;
    // Whoever is gone before that misses nothing.
    _ = poll_fn(|cx| lock(shared).poll_write_all(cx, &NO_TLS, &mut written)).await;
    After::BeganTls
}

/// Passes over what the handler left of the body, if it is not too much, to get at the next request.
async fn pass_over_body(shared: &Shared) -> After {
    // A handler may have left it to somebody who still reads: half of it must not pass for all.
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
