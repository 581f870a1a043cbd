use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use smol::Task;
use smol::future::Future;

use super::{FileBody, Piece, read_at, read_now};
use crate::common::buffered::Fill;

/// How much is read at a time, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Reads a body piece by piece, and waits for the disk outside the reactor.
pub(super) struct Reader {
    body: FileBody,
    /// The next piece, and the rest of the one before.
    next: usize,
    left: Range<u64>,
    reading: Option<Task<(io::Result<usize>, Vec<u8>)>>,
}

impl Reader {
    pub(super) fn new(body: FileBody) -> Self {
        Self { body, next: 0, left: 0..0, reading: None }
    }

    /// Reads from the rest, or starts a read.
    fn read(&mut self, buffer: &mut Vec<u8>) -> Option<io::Result<()>> {
        let left = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
        // The buffer need not be zeroed again: its old content is of this body too.
        buffer.resize(left.min(READ_SIZE), 0);
        let offset = self.left.start;
        match read_now(&self.body.file, buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let file = Arc::clone(&self.body.file);
                let mut buffer = std::mem::take(buffer);
                self.reading = Some(smol::unblock(move || {
                    let result = read_at(&file, &mut buffer, offset);
                    (result, buffer)
                }));
                None
            }
            result => Some(self.take(result, buffer)),
        }
    }

    fn take(&mut self, result: io::Result<usize>, buffer: &mut Vec<u8>) -> io::Result<()> {
        let n = match result {
            Ok(0) => Err(shrunk()),
            other => other,
        };
        buffer.truncate(*n.as_ref().unwrap_or(&0));
        self.left.start += n? as u64;
        Ok(())
    }
}

impl Fill for Reader {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<()>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let (result, read) = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                *buffer = read;
                return Poll::Ready(self.take(result, buffer));
            }
            if !self.left.is_empty() {
                match self.read(buffer) {
                    Some(result) => return Poll::Ready(result),
                    None => continue,
                }
            }
            buffer.clear();
            match self.body.pieces.get(self.next) {
                Some(Piece::File(range)) => self.left = range.clone(),
                Some(Piece::Bytes(bytes)) => buffer.extend_from_slice(bytes),
                None => return Poll::Ready(Ok(())),
            }
            self.next += 1;
            if !buffer.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// The error for a file that has become shorter than its announced length.
pub(crate) fn shrunk() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter while it was sent")
}
