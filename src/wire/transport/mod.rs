mod raw;
mod send_file;
mod watch;
mod writing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{io, mem};

use http_types::StatusCode;
use turnkey_backend::{Socket, Stream};

use self::writing::Interim;
use super::chunked::{Step, Trailer};
use super::deadline::Deadline;
use super::framer::Framer;
use super::head::Framing;
use super::head_limits::HeadLimits;
use super::input::Input;
use super::scanner::HeadScanner;
use super::tally::Tally;
use crate::common::limits::Limits;
use crate::common::refusal::Refusal;
use crate::common::units::seconds;

/// The connection as the wire sees it: a stream, what has been read of it ahead, and how far the
/// request at hand has come.
///
/// The connection loop and the body of the request share it, behind a lock that is held for the
/// length of a poll.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: Box<dyn Stream>,
    /// A handle on the socket below, if there is one.
    socket: Option<Socket>,
    input: Input,
    limits: Arc<Limits>,
    reading: Deadline,
    writing: Deadline,
    /// For what somebody else is waited for: it is kept from one request to the next, as the others.
    elsewhere: Deadline,
    /// How old the connection may get, if that is limited.
    age: Option<Box<Deadline>>,
    /// Counts the requests of this connection twice: odd while the body of one may be read.
    exchange: u64,
    body: Framer,
    content_taken: u64,
    interim: Interim,
    tally: Tally,
    /// What became of the body, if it went wrong.
    refusal: Option<Refusal>,
    /// The stream has failed, or the client takes nothing: there is nobody to talk to.
    broken: bool,
    /// The client will send no more.
    ended: bool,
    /// The answer at hand ends with the connection, and is not whole yet.
    until_close: bool,
}

/// A [`Transport`] as the connection loop and a request's body hold it.
pub(crate) type Shared = Arc<Mutex<Transport>>;

/// The transport for the length of a poll. A panic elsewhere leaves it as it was: its state
/// changes in steps that are whole in themselves.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Transport> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A head has come in: it begins and ends at these offsets of the input.
    Head(usize, usize),
    Refused(Refusal),
    /// The client has said that it sends no more.
    Left,
    /// Nothing came for too long, or the connection has failed.
    End,
}

impl Transport {
    pub(crate) fn new(stream: Box<dyn Stream>, limits: Arc<Limits>) -> Self {
        let end = limits.max_age.and_then(|age| Instant::now().checked_add(age));
        let age = end.map(|end| Box::new(Deadline::at(end)));
        Self {
            stream,
            socket: None,
            input: Input::default(),
            limits,
            reading: Deadline::default(),
            writing: Deadline::default(),
            elsewhere: Deadline::default(),
            age,
            exchange: 0,
            body: Framer::default(),
            content_taken: 0,
            interim: Interim::NotExpected,
            tally: Tally::default(),
            refusal: None,
            broken: false,
            ended: false,
            until_close: false,
        }
    }

    /// The same over `socket`.
    pub(crate) fn over(self, socket: Socket) -> Self {
        Self { socket: Some(socket), ..self }
    }

    /// Has the kernel notice when the client is gone without a word.
    pub(crate) fn keep_alive(&self) {
        if let Some(socket) = &self.socket {
            socket.keep_alive();
        }
    }

    /// Says whether the end of the connection is what ends the answer at hand, of which more is to come.
    pub(crate) fn set_until_close(&mut self, on: bool) {
        self.until_close = on;
    }

    /// Whether to end the connection now would pass off a part of an answer as the whole.
    pub(crate) fn would_deceive(&self) -> bool {
        self.until_close
    }

    /// Which request is at hand: by twos, and odd while its body may be read.
    pub(crate) fn exchange(&self) -> u64 {
        self.exchange
    }

    pub(crate) fn input(&self) -> &[u8] {
        self.input.unread()
    }

    /// The input, to be edited in place.
    pub(crate) fn input_mut(&mut self) -> &mut [u8] {
        self.input.unread_mut()
    }

    /// What has gone over the connection for the request at hand.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// A limit on a wait for somebody else than the client, which is to be given back.
    pub(crate) fn take_elsewhere(&mut self) -> Deadline {
        mem::take(&mut self.elsewhere)
    }

    /// Takes back what [`Transport::take_elsewhere`] has given.
    pub(crate) fn keep_elsewhere(&mut self, mut deadline: Deadline) {
        deadline.clear();
        self.elsewhere = deadline;
    }

    /// Waits for the head of the next request.
    pub(crate) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        scanner: &mut HeadScanner,
    ) -> Poll<Next> {
        let Limits { max_head, idle_timeout, head_timeout, .. } = *self.limits;
        let mut was_idle = false;
        loop {
            let found = scanner.scan(self.input.unread(), HeadLimits::of(max_head));
            let idle = scanner.is_idle(self.input.unread()) && found.is_ok();
            if !idle {
                self.tally.begin();
            }
            match found {
                Ok(Some((start, end))) => {
                    self.reading.clear();
                    return Poll::Ready(Next::Head(start, end));
                }
                Ok(None) => {}
                Err(refusal) => return Poll::Ready(Next::Refused(refusal)),
            }
            if was_idle && !idle {
                // The wait for a request is over; the wait for all of its head begins.
                self.reading.clear();
            }
            was_idle = idle;
            let limit = if idle { idle_timeout } else { head_timeout };
            match ready!(self.poll_fill(cx, limit)) {
                Ok(0) if idle => return Poll::Ready(Next::Left),
                Ok(0) => {
                    let early = "the request ended before its head was complete";
                    return Poll::Ready(Next::Refused(Refusal::bad_request(early)));
                }
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::TimedOut && !idle => {
                    return Poll::Ready(Next::Refused(Refusal::new(
                        StatusCode::RequestTimeout,
                        format!(
                            "the request head was not complete within {}",
                            seconds(head_timeout)
                        ),
                    )));
                }
                Err(_) => return Poll::Ready(Next::End),
            }
        }
    }

    /// Begins the exchange whose head is the first `head` bytes of the input.
    pub(crate) fn begin(&mut self, head: usize, framing: Framing, expects_continue: bool) {
        self.input.consume(head);
        self.exchange += 1;
        self.body = Framer::new(framing);
        self.content_taken = 0;
        self.refusal = None;
        self.interim = if expects_continue && framing != Framing::Empty {
            Interim::Expected
        } else {
            Interim::NotExpected
        };
    }

    /// Ends the exchange: takes the body away from whoever still holds it, and gives away what has gone
    /// over the connection for it.
    pub(crate) fn end(&mut self) -> Tally {
        self.take_body_away();
        mem::take(&mut self.tally)
    }

    /// Whoever was given the body has no more of it.
    pub(crate) fn take_body_away(&mut self) {
        self.exchange = self.exchange.next_multiple_of(2);
    }

    /// Reads content of the request's body. Zero bytes mean that it has ended well.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let available = ready!(self.poll_content(cx))?;
        let n = available.min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), self.input.unread().get(..n)) {
            to.copy_from_slice(from);
        }
        self.take_content(n);
        Poll::Ready(Ok(n))
    }

    /// Whether all of the request's body stands in the input already, as it is.
    pub(crate) fn has_whole_body(&self) -> bool {
        let there = u64::try_from(self.input.unread().len()).unwrap_or(u64::MAX);
        self.body.remaining().is_some_and(|left| left <= there)
    }

    /// Whether a part of the request's body is still to come.
    pub(crate) fn is_receiving(&self) -> bool {
        !self.body.is_done()
    }

    /// The trailers of a body that has ended.
    pub(crate) fn take_trailers(&mut self) -> Vec<Trailer> {
        self.body.take_trailers()
    }

    /// How much content of the request's body has been taken, in bytes.
    pub(crate) fn content_taken(&self) -> u64 {
        self.content_taken
    }

    /// Reads content of the request's body and forgets it, until `until` bytes have been taken in
    /// all. The result is whether the body has ended, and the next request can be read.
    pub(crate) fn poll_discard(&mut self, cx: &mut Context<'_>, until: u64) -> Poll<bool> {
        loop {
            match ready!(self.poll_content(cx)) {
                Ok(0) => return Poll::Ready(true),
                Ok(n) => self.take_content(n),
                Err(_) => return Poll::Ready(false),
            }
            if self.content_taken > until {
                return Poll::Ready(false);
            }
        }
    }

    /// Why the body cannot be read, if that is the client's doing.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Whether the client is gone, so that whatever fails is nobody's fault here.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether what is left of the body can be passed over, to get at the next request.
    pub(crate) fn can_discard(&self, bound: u64) -> bool {
        // A client that still waits for `100 Continue` may send the body after the final answer,
        // or leave it out: there is no telling where the next request begins (RFC 9110 §10.1.1).
        self.refusal.is_none()
            && (self.body.is_done() || self.interim == Interim::NotExpected)
            && self.body.remaining().is_none_or(|left| left <= bound)
    }

    /// Makes content available: so many bytes stand at the front of the input.
    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Some(refusal) = &self.refusal {
            return Poll::Ready(Err(refusal.clone().into()));
        }
        loop {
            match self.body.step(self.input.unread()) {
                Ok(Step::Content(n)) => return Poll::Ready(Ok(n)),
                Ok(Step::Framing(n)) => {
                    self.input.consume(n);
                    // A length has been checked before the body began, the size of a chunk is known now.
                    if self.is_over_limit() {
                        return self.refuse(Refusal::too_large(self.limits.max_body));
                    }
                }
                Ok(Step::Done) => return Poll::Ready(Ok(0)),
                Ok(Step::NeedInput) => ready!(self.poll_body_input(cx))?,
                Err(refusal) => return self.refuse(refusal),
            }
        }
    }

    /// Whether the body has more content than it may, with what has been announced.
    fn is_over_limit(&self) -> bool {
        let content = self.content_taken.saturating_add(self.body.announced());
        self.limits.max_body.is_some_and(|max| content > max)
    }

    fn poll_body_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = self.limits.body_timeout;
        let Poll::Ready(filled) = self.poll_fill(cx, limit) else {
            // Only now: a client that is sending already waits for nothing.
            ready!(self.poll_interim(cx))?;
            return Poll::Pending;
        };
        match filled {
            Ok(0) => self.refuse(Refusal::bad_request("the request ended before its body did")),
            Ok(_) => {
                self.reading.clear();
                Poll::Ready(Ok(()))
            }
            Err(e) if e.kind() == io::ErrorKind::TimedOut => self.refuse(Refusal::new(
                StatusCode::RequestTimeout,
                format!("no byte of the request body came for {}", seconds(limit)),
            )),
            Err(e) => Poll::Ready(Err(e)),
        }
    }

    fn take_content(&mut self, n: usize) {
        if self.interim == Interim::Expected {
            self.interim = Interim::NotExpected;
        }
        self.input.consume(n);
        self.body.took(n);
        self.tally.took(n);
        self.content_taken += u64::try_from(n).unwrap_or(u64::MAX);
    }

    fn refuse<T>(&mut self, refusal: Refusal) -> Poll<io::Result<T>> {
        let error = refusal.clone().into();
        self.refusal = Some(refusal);
        Poll::Ready(Err(error))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        match self.input.poll_fill(cx, &mut self.stream) {
            Poll::Ready(Ok(n)) => Poll::Ready(Ok(n)),
            Poll::Ready(Err(e)) => self.fail(e),
            Poll::Pending => {
                ready!(self.reading.poll(cx, limit));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn fail<T>(&mut self, error: io::Error) -> Poll<io::Result<T>> {
        self.broken = true;
        Poll::Ready(Err(error))
    }
}
