//! Sends one request to one upstream after the other, until one responds.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Forwarding;
use super::balance::Member;
use super::connection::Connection;
use super::dial::dial;
use super::error::UpstreamError;
use super::fields::push;
use super::hold_back::Held;
use super::response::{self, Incoming, Malformed};
use super::upload::{SourceError, TURN, Upload};
use crate::wire::deadline::Deadline;
use crate::wire::head::{Framing, Version};
use crate::wire::lock;

/// How long to wait for an upstream to ask for the body that the client announced. After that the body is sent
/// anyway (RFC 9110 §10.1.1: a server may ignore the expectation).
const EXPECT: Duration = Duration::from_secs(1);

/// How many interim responses restart the response timeout: `102 Processing` means that the upstream works on
/// the request. Without a limit, an upstream that never responds would never time out.
const PROLONGING: usize = 16;

/// The beginning of an upstream's response.
#[derive(Debug)]
pub(super) struct Answered<'s> {
    pub(super) incoming: Incoming,
    pub(super) connection: Connection,
    /// The part of the request that is still to be sent: an upstream may respond while it reads.
    pub(super) upload: Upload<'s>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Unanswered {
    Upstream(UpstreamError),
    /// The client's body cannot be read. Unless the client has left, the transport knows the reason.
    Client(io::Error),
    /// The body cannot be buffered.
    Spool(io::Error),
    /// There is no room to buffer a body of unknown length.
    NoRoom,
}

impl From<SourceError> for Unanswered {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Client(error) => Self::Client(error),
            SourceError::Spool(error) => Self::Spool(error),
        }
    }
}

/// A request, and all that is needed to send it more than once.
pub(super) struct Attempt<'a> {
    pub(super) forwarding: Forwarding<'a>,
    pub(super) body: Held<'a>,
}

/// A request that was sent and got no response.
struct Failed {
    why: Unanswered,
    /// Whether the connection may already have been closed when the request was sent, and sending it again on a
    /// new one has no second effect.
    stale: bool,
}

impl<'a> Attempt<'a> {
    /// Sends the request to `member`, over the client's `private` connection, an idle one, or a new one. `Err`
    /// with `true` means that another upstream can be tried.
    pub(super) async fn send(
        &mut self,
        member: &Member,
        private: Option<Connection>,
    ) -> Result<Answered<'a>, (Unanswered, bool)> {
        let proxy = self.forwarding.proxy;
        if let Some(connection) = private.or_else(|| member.take_idle(&proxy.tls)) {
            match self.send_over(connection).await {
                Ok(answered) => return Ok(answered),
                // The upstream has closed the idle connection, which it may. Try again on a new one.
                Err(Failed { stale: true, .. }) => {}
                Err(Failed { why, .. }) => return Err((why, false)),
            }
        }
        let limit = proxy.connect_timeout();
        let connection = dial(&member.upstream, &proxy.tls, limit).await;
        let connection = connection.map_err(|error| (Unanswered::Upstream(error), true))?;
        let sent = self.send_over(connection).await;
        sent.map_err(|failed| (failed.why, false))
    }

    async fn send_over(&mut self, mut connection: Connection) -> Result<Answered<'a>, Failed> {
        let Held { length, streams, .. } = self.body;
        let Forwarding { proxy, shared, outgoing, .. } = self.forwarding;
        let source = mem::take(&mut self.body.source);
        let expects = streams && outgoing.expects_continue;
        let mut head = outgoing.head.clone();
        match (length, outgoing.framing) {
            (Some(length), _) => push(&mut head, "Content-Length", length.to_string().as_bytes()),
            (None, Framing::Chunked) => push(&mut head, "Transfer-Encoding", b"chunked"),
            // RFC 9110 §8.6: a request whose method usually has a body states the length 0 when it has none.
            (None, _) if outgoing.usually_has_body() => {
                push(&mut head, "Content-Length", b"0");
            }
            (None, _) => {}
        }
        if expects {
            push(&mut head, "Expect", b"100-continue");
        }
        if outgoing.is_last_on(&connection) {
            push(&mut head, "Connection", b"close");
        }
        head.extend_from_slice(b"\r\n");

        let chunked = (streams && length.is_none()).then_some(outgoing);
        let reused = connection.reused;
        let mut exchange = Exchange {
            upload: Upload::new(head, source, chunked, !expects),
            waiting: lock(shared).take_elsewhere(),
            expecting: Deadline::default(),
            limit: proxy.timeout,
            forwarding: self.forwarding,
            interim: None,
            interims: 0,
            heard: false,
        };
        let incoming = poll_fn(|cx| exchange.poll(cx, &mut connection)).await;
        lock(shared).keep_elsewhere(exchange.waiting);
        match incoming {
            Ok(incoming) => Ok(Answered { incoming, connection, upload: exchange.upload }),
            Err(why) => {
                let untouched = !exchange.heard && !exchange.upload.begun;
                let gone = matches!(
                    why,
                    Unanswered::Upstream(UpstreamError::Closed | UpstreamError::Broken(_))
                );
                let stale = reused && gone && untouched && outgoing.is_idempotent();
                self.body.source = exchange.upload.into_source();
                Err(Failed { why, stale })
            }
        }
    }
}

/// Sends the request and reads the head of the response at the same time: an upstream may respond before it has
/// read a body that it does not want.
struct Exchange<'a, 's> {
    upload: Upload<'s>,
    waiting: Deadline,
    expecting: Deadline,
    limit: Duration,
    forwarding: Forwarding<'a>,
    /// An interim response on its way to the client, and how much of it has been sent.
    interim: Option<(Vec<u8>, usize)>,
    /// How many interim responses have arrived.
    interims: usize,
    /// Whether anything has arrived from the upstream.
    heard: bool,
}

impl Exchange<'_, '_> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
    ) -> Poll<Result<Incoming, Unanswered>> {
        loop {
            if let Some((bytes, written)) = &mut self.interim {
                match lock(self.forwarding.shared).poll_write_all(cx, bytes, written) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Unanswered::Client(error))),
                    Poll::Ready(Ok(())) => self.interim = None,
                }
            }
            match self.upload.advance(cx, &mut connection.stream) {
                Ok(true) => self.waiting.clear(),
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
            match self.read_head(connection) {
                Err(malformed) => return fail(UpstreamError::Malformed(malformed)),
                Ok(Some(incoming)) if incoming.is_interim() => {
                    self.take_interim(incoming);
                    self.interims += 1;
                    if self.interims <= PROLONGING {
                        self.waiting.clear();
                    }
                    // Endless interim responses must not keep other connections waiting.
                    if self.interims.is_multiple_of(TURN) {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    continue;
                }
                Ok(Some(incoming)) => return Poll::Ready(Ok(incoming)),
                Ok(None) => {}
            }
            match connection.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return fail(UpstreamError::Closed),
                // A part of a head does not extend the timeout for the whole.
                Poll::Ready(Ok(_)) => self.heard = true,
                Poll::Ready(Err(error)) => return fail(UpstreamError::Broken(error)),
                Poll::Pending => {
                    if !self.upload.wanted && self.expecting.poll(cx, EXPECT).is_ready() {
                        self.upload.wanted = true;
                        continue;
                    }
                    // While the client is slow to send, the upstream is not the one that is late.
                    if self.upload.waits_for_client() {
                        return Poll::Pending;
                    }
                    return match self.waiting.poll(cx, self.limit) {
                        Poll::Pending => Poll::Pending,
                        Poll::Ready(()) => fail(UpstreamError::TimedOut(
                            "did not answer",
                            self.limit.as_secs_f32(),
                        )),
                    };
                }
            }
        }
    }

    fn read_head(&self, connection: &mut Connection) -> Result<Option<Incoming>, Malformed> {
        if connection.input.is_empty() {
            return Ok(None);
        }
        let outgoing = self.forwarding.outgoing;
        let read = response::read(connection.input.unread(), outgoing.method)?;
        let Some((incoming, length)) = read else { return Ok(None) };
        if incoming.status == 101 && !outgoing.offers(incoming.upgrade.as_deref()) {
            return Err(Malformed::UPGRADE);
        }
        connection.input.consume(length);
        Ok(Some(incoming))
    }

    /// `100 Continue` starts sending the body; the client gets its own when its body is read. Other interim
    /// responses are forwarded to the client (RFC 9110 §15.2), if its version has them.
    fn take_interim(&mut self, incoming: Incoming) {
        if incoming.status == 100 {
            self.upload.wanted = true;
        } else if self.forwarding.asked.version == Version::Http11
            && !self.forwarding.outgoing.expects_continue
        {
            self.interim = Some((incoming.finish_interim(), 0));
        }
    }
}

fn fail(error: UpstreamError) -> Poll<Result<Incoming, Unanswered>> {
    Poll::Ready(Err(Unanswered::Upstream(error)))
}
