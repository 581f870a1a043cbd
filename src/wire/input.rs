use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use smol::io::AsyncRead;

/// How much is read at a time, in bytes. The heads of most requests fit in it.
const READ_SIZE: usize = 8 * 1024;

thread_local! {
    /// The buffer for reads while the input is empty. Most of them find nothing, or a request of a few hundred
    /// bytes: the first kind allocates nothing, the second only what it needs.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Bytes that were read from the stream and are not yet interpreted.
///
/// It owns no memory while it is empty and waits.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// The bytes that are not yet consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        // `start <= end <= bytes.len()` holds after every method, so there is always a slice.
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn unread_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Marks the first `n` unread bytes as interpreted.
    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Reads once from `stream`; 0 is the end.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncRead + Unpin + ?Sized),
    ) -> Poll<io::Result<usize>> {
        if !self.is_empty() {
            let filled = Pin::new(stream).poll_read(cx, self.room());
            if let Poll::Ready(Ok(n)) = filled {
                self.end = (self.end + n).min(self.bytes.len());
            }
            return filled;
        }
        let mut scratch = SCRATCH.take();
        scratch.resize(READ_SIZE, 0);
        let filled = Pin::new(stream).poll_read(cx, &mut scratch);
        match filled {
            Poll::Ready(Ok(n)) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(scratch.get(..n).unwrap_or_default());
                self.end = self.bytes.len();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.release(),
        }
        SCRATCH.set(scratch);
        filled
    }

    /// Room to read into, after the bytes in it.
    fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && self.bytes.len() - self.end < READ_SIZE / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < READ_SIZE / 2 {
            self.bytes.resize(self.end + READ_SIZE, 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Frees the memory if it is empty.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Reads `bytes` into `input`, a thousand at a time, like a stream.
    fn put(input: &mut Input, bytes: &[u8]) {
        for piece in bytes.chunks(1000) {
            assert_eq!(fill(input, piece), Poll::Ready(piece.len()));
        }
    }

    /// A client that sends nothing.
    struct Silent;

    impl AsyncRead for Silent {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    fn fill(input: &mut Input, mut stream: impl AsyncRead + Unpin) -> Poll<usize> {
        let mut cx = Context::from_waker(Waker::noop());
        input.poll_fill(&mut cx, &mut stream).map(Result::unwrap)
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let all: Vec<u8> = (0..100_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let mut input = Input::default();
        let mut out = Vec::new();
        for piece in all.chunks(7_001) {
            put(&mut input, piece);
            let half = input.unread().len() / 2;
            out.extend_from_slice(&input.unread()[..half]);
            input.consume(half);
        }
        out.extend_from_slice(input.unread());
        assert_eq!(out, all);
    }

    #[test]
    fn holds_no_memory_while_it_waits_for_bytes() {
        let mut input = Input::default();
        put(&mut input, b"GET");
        assert_eq!(fill(&mut input, Silent), Poll::Pending);
        assert_eq!(input.unread(), b"GET", "what is held must not get lost");
        input.consume(3);
        assert!(input.bytes.capacity() > 0);
        assert_eq!(fill(&mut input, Silent), Poll::Pending);
        assert_eq!(input.bytes.capacity(), 0);
    }

    #[test]
    fn what_is_there_is_read_in_few_goes() {
        let all = vec![b'a'; 100_000];
        let (mut input, mut rest) = (Input::default(), smol::io::Cursor::new(&all));
        let mut reads = Vec::new();
        while input.unread().len() < all.len() {
            let Poll::Ready(n) = fill(&mut input, &mut rest) else { panic!("it is there") };
            reads.push(n);
        }
        assert_eq!((reads[0], input.unread().len()), (8192, all.len()));
        let (_, all_but_last) = reads.split_last().unwrap();
        assert!(all_but_last.iter().all(|&n| n >= 4096), "{reads:?}");
    }

    #[test]
    fn what_was_consumed_makes_room() {
        let mut input = Input::default();
        put(&mut input, &[0; 100]);
        for round in 0..1000 {
            let piece = vec![u8::try_from(round % 251).unwrap(); 1000];
            put(&mut input, &piece);
            input.consume(1000);
            assert_eq!(input.unread(), &piece[900..], "{round}");
            assert!(input.bytes.len() <= 3 * READ_SIZE, "{}", input.bytes.len());
        }
    }

    #[test]
    fn a_small_request_takes_little_memory() {
        let mut input = Input::default();
        put(&mut input, b"GET");
        assert!(input.bytes.capacity() < 100, "{}", input.bytes.capacity());
    }
}
