use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use smol::Task;
use smol::future::Future;
use smol::io::{AsyncBufRead, AsyncRead};

use super::{FileBody, Piece, read_at, read_now};
use crate::buffered;

/// How much is read at a time, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Reads a body piece by piece, and waits for the disk elsewhere than on the reactor.
pub(super) struct Reader {
    body: FileBody,
    /// The next piece, and what is left of the one before.
    next: usize,
    left: Range<u64>,
    /// What has been read ahead, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    reading: Option<Task<(io::Result<usize>, Vec<u8>)>>,
}

impl Reader {
    pub(super) fn new(body: FileBody) -> Self {
        Self { body, next: 0, left: 0..0, buffer: Vec::new(), start: 0, reading: None }
    }

    /// Fills the buffer with what is next. It stays empty at the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let (result, buffer) = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                return Poll::Ready(self.take(result, buffer));
            }
            if !self.left.is_empty() {
                match self.read() {
                    Some(result) => return Poll::Ready(result),
                    None => continue,
                }
            }
            match self.body.pieces.get(self.next) {
                Some(Piece::File(range)) => self.left = range.clone(),
                Some(Piece::Bytes(bytes)) => {
                    self.buffer.clone_from(bytes);
                    self.start = 0;
                }
                None => return Poll::Ready(Ok(())),
            }
            self.next += 1;
            if self.start < self.buffer.len() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Reads of what is left, or begins to.
    fn read(&mut self) -> Option<io::Result<()>> {
        let left = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(left.min(READ_SIZE), 0);
        let offset = self.left.start;
        match read_now(&self.body.file, &mut buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let file = Arc::clone(&self.body.file);
                self.reading = Some(smol::unblock(move || {
                    let result = read_at(&file, &mut buffer, offset);
                    (result, buffer)
                }));
                None
            }
            result => Some(self.take(result, buffer)),
        }
    }

    fn take(&mut self, result: io::Result<usize>, mut buffer: Vec<u8>) -> io::Result<()> {
        let n = match result {
            Ok(0) => Err(shrunk()),
            other => other,
        };
        buffer.truncate(*n.as_ref().unwrap_or(&0));
        self.buffer = buffer;
        self.start = 0;
        self.left.start += n? as u64;
        Ok(())
    }
}

/// Why less comes of a file than it had when its length was told.
pub(crate) fn shrunk() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter while it was sent")
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start >= this.buffer.len() {
            this.buffer.clear();
            this.start = 0;
            ready!(this.poll_next(cx))?;
        }
        Poll::Ready(Ok(this.buffer.get(this.start..).unwrap_or_default()))
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.start += n;
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        buffered::poll_read(self, cx, buf)
    }
}
