//! An upstream's response on its way to the client.

use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};
use std::time::Duration;

use super::ahead::{Ahead, NotTaken};
use super::chunk::push_chunk;
use super::connection::Connection;
use super::response::BodyLength;
use super::upload::{SourceError, Upload};
use crate::wire::chunked::Step;
use crate::wire::deadline::Deadline;
use crate::wire::framer::Framer;
use crate::wire::head::{Framing, Version};
use crate::wire::{Shared, lock};

/// How much is collected before it is written, in bytes: about one TLS record.
const GATHER: usize = 16 * 1024;

/// How relaying a response ended.
#[derive(Debug)]
pub(super) enum Relayed {
    /// All of it was forwarded, and nothing is left over.
    Whole,
    /// All of it was forwarded, but the upstream's connection cannot be used again.
    WholeAndDone,
    /// The upstream did not send all that it had announced. Unless `begun`, the client has nothing of it yet.
    Truncated { error: io::Error, begun: bool },
    /// The client accepts no more, or does not send all that it had announced.
    ClientLeft(io::Error),
}

/// A response on its way. The body follows the head as it arrives, and is read ahead of a slower client while
/// there is room. The rest of the request is sent at the same time: an upstream may respond while it reads, and
/// each side may wait for the other.
pub(super) struct Relay<'a, 's> {
    pub(super) shared: &'a Shared,
    pub(super) connection: &'a mut Connection,
    pub(super) upload: &'a mut Upload<'s>,
    /// The bytes to write to the client next: at first the head.
    pub(super) out: Vec<u8>,
    /// What was written and the client has not accepted yet.
    pub(super) ahead: &'a mut Ahead<'s>,
    /// Whether anything has been written.
    pub(super) begun: bool,
    pub(super) waiting: Deadline,
    /// How long the upstream may pause.
    pub(super) limit: Duration,
}

/// Which side made the response fail.
enum Fault {
    Upstream(io::Error),
    Client(io::Error),
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Client(error) => Self::Client(error),
            // An upstream that does not get the whole request will not finish its response.
            SourceError::Spool(error) => Self::Upstream(error),
        }
    }
}

impl From<NotTaken> for Fault {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::Client(error) => Self::Client(error),
            NotTaken::Spool(error) => {
                let what = format!("what was read ahead cannot be read back: {error}");
                Self::Upstream(io::Error::new(error.kind(), what))
            }
        }
    }
}

impl Relay<'_, '_> {
    /// Forwards the response, whose body has this `length`, to a client that speaks `version`. The upstream is
    /// then finished; the client may still have to accept what was read ahead.
    pub(super) async fn run(mut self, length: BodyLength, version: Version) -> Relayed {
        match self.hand_on(length, version).await {
            Ok(relayed) => relayed,
            Err(Fault::Client(error)) => Relayed::ClientLeft(error),
            Err(Fault::Upstream(error)) => Relayed::Truncated { error, begun: self.begun },
        }
    }

    async fn hand_on(&mut self, length: BodyLength, version: Version) -> Result<Relayed, Fault> {
        let chunked = length.is_open_ended() && version == Version::Http11;
        let mut framer = match length {
            BodyLength::None(_) | BodyLength::Known(0) => Some(Framer::default()),
            BodyLength::Known(length) => Some(Framer::new(Framing::Length(length))),
            BodyLength::Chunked => Some(Framer::new(Framing::Chunked)),
            BodyLength::UntilClose => None,
        };
        loop {
            match self.step(framer.as_mut())? {
                Step::Framing(n) => self.connection.input.consume(n),
                Step::Content(n) => {
                    let n = n.min(GATHER);
                    let content = self.connection.input.unread().get(..n).unwrap_or_default();
                    if chunked {
                        let framing = push_chunk(&mut self.out, content, &[]);
                        lock(self.shared).tally().frame(framing);
                    } else {
                        self.out.extend_from_slice(content);
                    }
                    self.connection.input.consume(n);
                    if let Some(framer) = &mut framer {
                        framer.took(n);
                    }
                }
                Step::Done => break,
                Step::NeedInput => {
                    self.write().await?;
                    if self.fill().await? == 0 {
                        if framer.is_none() {
                            break;
                        }
                        return Err(Fault::Upstream(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
            }
            if self.out.len() >= GATHER {
                self.write().await?;
                // A long response from a fast upstream to a fast client must not keep other connections
                // waiting.
                smol::future::yield_now().await;
            }
        }
        if chunked {
            let trailers = framer.as_mut().map(Framer::take_trailers).unwrap_or_default();
            let framing = push_chunk(&mut self.out, b"", &trailers);
            lock(self.shared).tally().frame(framing);
        }
        self.write().await?;
        let clean = framer.is_some() && self.connection.input.is_empty();
        Ok(if clean { Relayed::Whole } else { Relayed::WholeAndDone })
    }

    /// What the next bytes from the upstream are. Without a framer, all bytes are content.
    fn step(&self, framer: Option<&mut Framer>) -> Result<Step, Fault> {
        let input = self.connection.input.unread();
        match framer {
            Some(framer) => framer.step(input).map_err(|refusal| {
                Fault::Upstream(io::Error::new(io::ErrorKind::InvalidData, refusal.reason))
            }),
            None if input.is_empty() => Ok(Step::NeedInput),
            None => Ok(Step::Content(input.len())),
        }
    }

    /// Reads more bytes; 0 is the end.
    async fn fill(&mut self) -> Result<usize, Fault> {
        self.waiting.clear();
        poll_fn(|cx| {
            if self.upload.advance(cx, &mut self.connection.stream)? {
                self.waiting.clear();
            }
            if let Poll::Ready(filled) = self.connection.poll_fill(cx) {
                return Poll::Ready(filled.map_err(Fault::Upstream));
            }
            if let Poll::Ready(Err(error)) = self.ahead.poll_drain(cx) {
                return Poll::Ready(Err(error.into()));
            }
            if let Poll::Ready(error) = lock(self.shared).poll_left(cx) {
                return Poll::Ready(Err(Fault::Client(error)));
            }
            // While the client is slow to send, the upstream is not the one that is late.
            if self.upload.waits_for_client() {
                return Poll::Pending;
            }
            ready!(self.waiting.poll(cx, self.limit));
            Poll::Ready(Err(Fault::Upstream(io::ErrorKind::TimedOut.into())))
        })
        .await
    }

    /// Writes what has been collected, or puts it behind what the client has not accepted yet. Then starts
    /// collecting again.
    async fn write(&mut self) -> Result<(), Fault> {
        self.begun = true;
        poll_fn(|cx| {
            // Write before reading more of the request: what that sends to the client would spoil the response.
            // A client has one file at a time; the limits on clients rely on it.
            let has_file = self.upload.has_file();
            let wrote = self.ahead.poll_write(cx, &mut self.out, !has_file);
            if wrote.is_pending() {
                self.upload.advance(cx, &mut self.connection.stream)?;
                if has_file && !self.upload.has_file() {
                    cx.waker().wake_by_ref();
                }
            }
            wrote.map_err(Fault::from)
        })
        .await
    }
}
