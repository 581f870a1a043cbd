//! How a response leaves: gathered, and in few writes.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::{io, mem};

use async_h1::server::Encoder;
use http_types::headers::HeaderName;
use smol::io::{AsyncBufRead, AsyncRead};

use crate::wire::transport::{Shared, lock};

/// Room for a response at first, in bytes: most need no more.
const FIRST_BUFFER: usize = 1024;

/// How much of a response is gathered before it is written, in bytes: one TLS record, about.
pub(super) const GATHER: usize = 16 * 1024;

/// The least room that the encoder is offered: it panics below 6 bytes, and makes small chunks of
/// little room (async-h1's `max_bytes_to_read`).
const LEAST_ROOM: usize = 512;

/// Gathers what a response is made of, so that head and body leave in one write (and one TLS
/// record) when they fit.
pub(super) struct Out<'s> {
    pub(super) shared: &'s Shared,
    buffer: Vec<u8>,
    filled: usize,
    begun: bool,
}

thread_local! {
    /// The buffer of the last response, for the next one: most are gone before the task is.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl<'s> Out<'s> {
    pub(super) fn new(shared: &'s Shared) -> Self {
        let mut buffer = SPARE.take();
        // Nothing of another response is in what a body is read into.
        buffer.clear();
        buffer.resize(FIRST_BUFFER, 0);
        Self { shared, buffer, filled: 0, begun: false }
    }

    /// Copies what `encoder` yields: a head, without the field `drop_field`, and a body, which
    /// must be `expected` bytes long if that is known. The result is how long the body is, with its
    /// framing.
    pub(super) async fn encode(
        &mut self,
        encoder: &mut Encoder,
        drop_field: Option<HeaderName>,
        expected: Option<usize>,
    ) -> io::Result<usize> {
        // The head comes first, and in one piece as long as it fits.
        let mut head = loop {
            let n = self.read(encoder).await?;
            let head_end = memchr::memmem::find(self.gathered(), b"\r\n\r\n");
            match head_end {
                Some(end) => break end + 4,
                None if n == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => self.grow(),
            }
        };
        if let Some(name) = drop_field {
            head -= self.drop_field(&name, head);
        }
        lock(self.shared).tally().head(head);
        let already = self.filled - head;
        let copied = already + self.copy(encoder).await?;
        match expected {
            Some(expected) if copied != expected => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the body ended after {copied} of {expected} bytes"),
            )),
            _ => Ok(copied),
        }
    }

    /// Copies all of `source`; the result is how much that was. What does not fit is written out
    /// on the way, and so is what waits while `source` has nothing to give.
    pub(super) async fn copy(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<usize> {
        let mut copied = 0;
        loop {
            if self.buffer.len() - self.filled < LEAST_ROOM {
                if self.buffer.len() < GATHER {
                    self.grow();
                } else {
                    self.write().await?;
                    // A long body that is always there, to a client that always reads, must not
                    // keep others waiting.
                    smol::future::yield_now().await;
                }
            }
            match self.read(source).await? {
                0 => return Ok(copied),
                n => copied += n,
            }
        }
    }

    /// Writes all of `source` as it comes, after what has been gathered: without a copy of its own, which
    /// pays where much comes at a time.
    pub(super) async fn pass(
        &mut self,
        source: &mut (impl AsyncBufRead + Unpin),
    ) -> io::Result<()> {
        self.write().await?;
        loop {
            let mut written = 0;
            let n = poll_fn(|cx| {
                let bytes = ready!(Pin::new(&mut *source).poll_fill_buf(cx))?;
                ready!(lock(self.shared).poll_write_all(cx, bytes, &mut written))?;
                Poll::Ready(io::Result::Ok(bytes.len()))
            })
            .await?;
            if n == 0 {
                return Ok(());
            }
            self.begun = true;
            Pin::new(&mut *source).consume(n);
            // As in `copy`.
            smol::future::yield_now().await;
        }
    }

    /// One read of `source`, before which everything gathered goes out if it has to be waited for.
    async fn read(&mut self, source: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        let mut written = 0;
        let n = poll_fn(|cx| {
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match Pin::new(&mut *source).poll_read(cx, room) {
                Poll::Pending if self.filled > 0 => {
                    self.begun = true;
                    let gathered = self.buffer.get(..self.filled).unwrap_or_default();
                    if let Poll::Ready(result) =
                        lock(self.shared).poll_write_all(cx, gathered, &mut written)
                    {
                        self.filled = 0;
                        written = 0;
                        if let Err(e) = result {
                            return Poll::Ready(Err(e));
                        }
                    }
                    Poll::Pending
                }
                other => other,
            }
        })
        .await?;
        // What went out while `source` was waited for must not go out again.
        if written > 0 {
            self.buffer.copy_within(written..self.filled + n, 0);
        }
        self.filled = self.filled + n - written;
        Ok(n)
    }

    /// Whether the client may have got some of the response.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Writes what has been gathered.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        if self.filled == 0 {
            return Ok(());
        }
        self.begun = true;
        let mut written = 0;
        let gathered = self.buffer.get(..self.filled).unwrap_or_default();
        poll_fn(|cx| lock(self.shared).poll_write_all(cx, gathered, &mut written)).await?;
        self.filled = 0;
        Ok(())
    }

    /// What has been gathered and has not gone out.
    fn gathered(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn grow(&mut self) {
        let size = self.buffer.len() * 2;
        self.buffer.resize(size, 0);
    }

    /// http-types 2.12 calls 304 `Modified`, which is the opposite of what it is.
    pub(super) fn fix_reason(&mut self) {
        const WRONG: &[u8] = b"HTTP/1.1 304 Modified";
        if let Some(rest) = self.gathered().strip_prefix(WRONG) {
            self.buffer = [b"HTTP/1.1 304 Not Modified", rest].concat();
            self.filled = self.buffer.len();
            // An answer like this is all head.
            lock(self.shared).tally().head(self.filled);
        }
    }

    /// Takes the field `name` out of the head, which is the first `head` bytes. The result is how
    /// many bytes went.
    fn drop_field(&mut self, name: &HeaderName, head: usize) -> usize {
        let line = format!("\r\n{name}: ");
        let found = self.gathered().get(..head).and_then(|head| {
            let start = memchr::memmem::find(head, line.as_bytes())?;
            let rest = head.get(start + 2..)?;
            Some((start, 2 + memchr::memmem::find(rest, b"\r\n")?))
        });
        let Some((start, length)) = found else { return 0 };
        self.buffer.copy_within(start + length..self.filled, start);
        self.filled -= length;
        length
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        // One that has grown for a head without measure is not kept.
        if self.buffer.capacity() <= 2 * GATHER {
            SPARE.set(mem::take(&mut self.buffer));
        }
    }
}
