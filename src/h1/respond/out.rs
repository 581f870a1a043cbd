//! Gathers a response and sends it in few writes.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::{io, mem};

use async_h1::server::Encoder;
use smol::io::{AsyncBufRead, AsyncRead};

use super::Written;
use crate::wire::transport::{Shared, lock};

/// The initial buffer of a response, in bytes: most need no more.
const FIRST_BUFFER: usize = 1024;

/// How much of a response is gathered before it is written, in bytes: about one TLS record.
pub(super) const GATHER: usize = 16 * 1024;

/// The least room to offer to the encoder, in bytes. It panics below 6 bytes, and makes small chunks if there is
/// little room (async-h1's `max_bytes_to_read`).
const LEAST_ROOM: usize = 512;

/// Gathers the parts of a response, so that head and body leave in one write (and one TLS record) if they fit.
pub(super) struct Out<'s> {
    pub(super) shared: &'s Shared,
    buffer: Vec<u8>,
    filled: usize,
    begun: bool,
}

thread_local! {
    /// The buffer of the last response, for reuse: most responses end before their task does.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl<'s> Out<'s> {
    pub(super) fn new(shared: &'s Shared) -> Self {
        let mut buffer = SPARE.take();
        buffer.clear();
        Self { shared, buffer, filled: 0, begun: false }
    }

    /// Lets `push` append a whole head.
    pub(super) fn head(&mut self, push: impl FnOnce(&mut Vec<u8>)) {
        self.append(push);
        lock(self.shared).tally().head(self.filled);
    }

    /// Lets `push` append bytes that are ready.
    pub(super) fn append(&mut self, push: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.truncate(self.filled);
        push(&mut self.buffer);
        self.filled = self.buffer.len();
    }

    /// Copies the output of `encoder`: a head and a body. Returns the length of the body, with its framing.
    pub(super) async fn encode(&mut self, encoder: &mut Encoder) -> io::Result<usize> {
        // The head comes first, and in one piece if it fits.
        let head = loop {
            self.grow();
            let n = self.read(encoder).await?;
            let head_end = memchr::memmem::find(self.gathered(), b"\r\n\r\n");
            match head_end {
                Some(end) => break end + 4,
                None if n == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => {}
            }
        };
        lock(self.shared).tally().head(head);
        let already = self.filled - head;
        Ok(already + self.copy(encoder).await?)
    }

    /// Copies all of `source`, which must be `length` bytes long.
    pub(super) async fn copy_all(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
        length: usize,
    ) -> io::Result<()> {
        let copied = self.copy(source).await?;
        if copied != length {
            let what = format!("the body ended after {copied} of {length} bytes");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        Ok(())
    }

    /// Copies all of `source` and returns its length. Writes when the buffer is full, and while `source` is not
    /// ready.
    pub(super) async fn copy(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<usize> {
        let mut copied = 0;
        loop {
            if self.buffer.len() - self.filled < LEAST_ROOM {
                if self.filled + LEAST_ROOM <= GATHER {
                    self.grow();
                } else {
                    self.write().await?;
                    // A body that is always ready must not make others wait, even if its client always reads.
                    smol::future::yield_now().await;
                }
            }
            match self.read(source).await? {
                0 => return Ok(copied),
                n => copied += n,
            }
        }
    }

    /// Writes all of `source` as it comes, after what has been gathered. It skips the buffer, which pays off for
    /// large reads.
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

    /// Reads once from `source`. If it is not ready, everything gathered is written first.
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
        // What was written while `source` was not ready must not be written again.
        if written > 0 {
            self.buffer.copy_within(written..self.filled + n, 0);
        }
        self.filled = self.filled + n - written;
        Ok(n)
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

    /// Writes the rest of an answer whose state so far is `result`.
    pub(super) async fn end(mut self, result: io::Result<()>, persistent: bool) -> Written {
        let written = match result {
            Ok(()) => self.write().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => Written::Whole { persistent },
            Err(error) if self.begun => Written::BrokenOff(error),
            Err(error) => Written::NotBegun(error),
        }
    }

    /// What has been gathered and not yet written.
    fn gathered(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Makes room for at least [`LEAST_ROOM`] bytes.
    fn grow(&mut self) {
        let size = (self.filled + LEAST_ROOM).next_power_of_two().max(FIRST_BUFFER);
        if size > self.buffer.len() {
            // Zeroed: a body must not see bytes of another response in its buffer.
            self.buffer.resize(size, 0);
        }
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        // A buffer that grew for a huge head is not kept.
        if self.buffer.capacity() <= 2 * GATHER {
            SPARE.set(mem::take(&mut self.buffer));
        }
    }
}
