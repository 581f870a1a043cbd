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

/// The state of a connection: the stream, the bytes read ahead, and the progress of the request at hand.
///
/// The connection loop and the body of the request share it, behind a lock that is held during a poll.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: Box<dyn Stream>,
    /// A handle of the socket below, if there is one.
    socket: Option<Socket>,
    input: Input,
    limits: Arc<Limits>,
    reading: Deadline,
    writing: Deadline,
    /// For waits for another party than the client. It is kept for the next request, like the others.
    elsewhere: Deadline,
    /// The end of the connection's maximum age, if there is one.
    age: Option<Box<Deadline>>,
    /// Grows by two for each request: odd while its body may be read.
    exchange: u64,
    body: Framer,
    content_taken: u64,
    interim: Interim,
    tally: Tally,
    /// Why the body was refused, if it was.
    refusal: Option<Refusal>,
    /// The stream has failed, or the client reads nothing.
    broken: bool,
    /// The client will send no more.
    ended: bool,
    /// The answer at hand ends with the connection, and is not complete yet.
    until_close: bool,
}

/// A [`Transport`] as the connection loop and a request's body hold it.
pub(crate) type Shared = Arc<Mutex<Transport>>;

/// Locks the transport for a poll. A panic does not poison it: each change of its state is complete in
/// itself.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Transport> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A complete head: it begins and ends at these offsets of the input.
    Head(usize, usize),
    Refused(Refusal),
    /// The client has ended its sending direction.
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

    /// Makes the kernel notice a client that has disappeared (keep-alive probes).
    pub(crate) fn keep_alive(&self) {
        if let Some(socket) = &self.socket {
            socket.keep_alive();
        }
    }

    /// Sets whether the end of the connection ends the answer at hand, which is not complete.
    pub(crate) fn set_until_close(&mut self, on: bool) {
        self.until_close = on;
    }

    /// Whether the client would take a part of an answer for the whole if the connection ended now.
    pub(crate) fn would_deceive(&self) -> bool {
        self.until_close
    }

    /// The number of the request at hand: grows by two, and is odd while its body may be read.
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

    /// The counts of the request at hand.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Takes the deadline for a wait for another party than the client. The caller must return it.
    pub(crate) fn take_elsewhere(&mut self) -> Deadline {
        mem::take(&mut self.elsewhere)
    }

    /// Returns the deadline of [`Transport::take_elsewhere`].
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
                // The wait for a request is over; the wait for its complete head begins.
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

    /// Ends the exchange: its body cannot be read any more. The result is its counts.
    pub(crate) fn end(&mut self) -> Tally {
        self.take_body_away();
        mem::take(&mut self.tally)
    }

    /// Makes the request's body unreadable for those who still have it.
    pub(crate) fn take_body_away(&mut self) {
        self.exchange = self.exchange.next_multiple_of(2);
    }

    /// Reads content of the request's body. Zero bytes mean that it is complete.
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

    /// Whether the input contains the whole body of the request, without chunks.
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

    /// Reads and discards content of the request's body, up to `until` bytes in total. The result is whether the body
    /// has ended, so that the next request can be read.
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

    /// Why the body cannot be read, if that is the client's fault.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Whether the client is gone, which explains any failure.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the rest of the body can be discarded, to read the next request.
    pub(crate) fn can_discard(&self, bound: u64) -> bool {
        // A client that still waits for `100 Continue` may send the body after the final answer, or omit it: it
        // is not known where the next request begins (RFC 9110 §10.1.1).
        self.refusal.is_none()
            && (self.body.is_done() || self.interim == Interim::NotExpected)
            && self.body.remaining().is_none_or(|left| left <= bound)
    }

    /// Makes content available: this many bytes at the front of the input.
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
            // Only now: a client that already sends does not wait for it.
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
