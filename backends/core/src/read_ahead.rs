use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::AsyncRead;

/// The minimum to read at a time, in bytes: most records of requests fit in it.
const PIECE: usize = 4 * 1024;

thread_local! {
    /// The buffer for reads. Copying out of it costs less than zeroing a new buffer each time.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream that is read in larger pieces than requested.
///
/// OpenSSL reads the five bytes at the start of a record, then the rest of it, and, since both reads were full,
/// reads once more: three system calls for each request, of which this leaves one. It holds no memory while it
/// is empty.
#[derive(Debug)]
pub(crate) struct ReadAhead<S> {
    pub(crate) stream: S,
    ahead: Vec<u8>,
    taken: usize,
}

impl<S> ReadAhead<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new(), taken: 0 }
    }

    /// Copies bytes that were read ahead to `buf`; the result is their number.
    fn take(&mut self, buf: &mut [u8]) -> usize {
        let n = copy(self.ahead.get(self.taken..).unwrap_or_default(), buf);
        self.taken += n;
        if self.taken == self.ahead.len() {
            (self.ahead, self.taken) = (Vec::new(), 0);
        }
        n
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Ok(self.take(buf)));
        }
        if buf.is_empty() || buf.len() >= PIECE {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let mut piece = SCRATCH.take();
        piece.resize(PIECE, 0);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut piece);
        let read = read.map_ok(|n| {
            let came = piece.get(..n).unwrap_or_default();
            let taken = copy(came, buf);
            self.ahead.extend_from_slice(came.get(taken..).unwrap_or_default());
            taken
        });
        SCRATCH.set(piece);
        read
    }
}

/// Copies as much of `from` to the beginning of `to` as fits; the result is that number.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..n), from.get(..n)) {
        to.copy_from_slice(from);
    }
    n
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Returns its bytes, and counts the reads.
    struct Counting<'b> {
        bytes: &'b [u8],
        asked: usize,
    }

    impl AsyncRead for Counting<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.asked += 1;
            Poll::Ready(io::Read::read(&mut self.bytes, buf))
        }
    }

    /// Reads like OpenSSL: the header of each record, then its content.
    fn read(stream: &mut ReadAhead<Counting<'_>>, mut count: usize) -> Vec<u8> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut out = Vec::new();
        while count > 0 {
            let mut buf = vec![0; count];
            match Pin::new(&mut *stream).poll_read(&mut cx, &mut buf) {
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(Ok(n)) => {
                    out.extend_from_slice(&buf[..n]);
                    count -= n;
                }
                other => panic!("{other:?}"),
            }
        }
        out
    }

    #[test]
    fn a_small_record_takes_one_read() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut stream = ReadAhead::new(Counting { bytes: &bytes, asked: 0 });
        assert_eq!(read(&mut stream, 5), bytes[..5]);
        assert_eq!(read(&mut stream, 95), bytes[5..]);
        assert_eq!(stream.stream.asked, 1);
        assert_eq!(stream.ahead.capacity(), 0, "it holds memory");
        assert!(read(&mut stream, 5).is_empty(), "the end");
    }

    #[test]
    fn what_is_asked_for_is_not_read_in_smaller_pieces() {
        let bytes = vec![7; 3 * PIECE];
        let mut stream = ReadAhead::new(Counting { bytes: &bytes, asked: 0 });
        assert_eq!(read(&mut stream, bytes.len()), bytes);
        assert_eq!(stream.stream.asked, 1);
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        let mut stream = ReadAhead::new(Counting { bytes: &bytes, asked: 0 });
        let mut out = Vec::new();
        for size in [5, 16_384, 5, 300, 5, 4_096, 4_095, 1, 20_000].into_iter().cycle() {
            let piece = read(&mut stream, size);
            if piece.is_empty() {
                break;
            }
            out.extend(piece);
        }
        assert_eq!(out, bytes);
    }
}
