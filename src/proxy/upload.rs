//! A request on its way to the upstream.

use std::io;
use std::task::{Context, Poll, ready};

use turnkey_backend::Stream;

use super::chunk::chunk;
use super::connection::poll_write_all;
use super::request::Outgoing;
use super::spool::Spool;
use crate::wire::{Shared, lock};

/// How much of a body is read at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// How many pieces are sent before other connections get their turn.
pub(super) const TURN: usize = 8;

/// Where the body of a request comes from.
#[derive(Debug, Default)]
pub(super) enum BodySource<'s> {
    #[default]
    Nowhere,
    /// Read from the client as it arrives.
    Client(&'s Shared),
    /// Buffered; and read from the client after that, if there was no room for all of it.
    Spool(Box<Spool>, Option<&'s Shared>),
}

/// Writes the head of a request, then its body, as fast as the upstream takes it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is another turn that it may have taken")]
pub(super) struct Upload<'s> {
    source: BodySource<'s>,
    /// What decides about the trailers, if the body is sent in chunks because its length is unknown.
    chunked: Option<&'s Outgoing>,
    piece: Vec<u8>,
    written: usize,
    /// Whether the piece has also left the TLS stack, which may accept more than the socket.
    flushed: bool,
    /// Whether the body may be sent; if the client waits for `100 Continue`, only when the upstream asks.
    pub(super) wanted: bool,
    /// Whether a part of the body has been sent, or is about to be.
    pub(super) begun: bool,
    ended: bool,
    /// Whether the upstream accepts no more.
    failed: bool,
    /// How much has been written in total, in bytes.
    moved: u64,
}

/// Why the body stops before its end.
#[derive(Debug)]
pub(super) enum SourceError {
    Client(io::Error),
    /// The buffered part cannot be read back.
    Spool(io::Error),
}

/// Which side failed.
#[derive(Debug)]
enum UploadError {
    BodySource(SourceError),
    Upstream,
}

impl<'s> Upload<'s> {
    pub(super) fn new(
        head: Vec<u8>,
        source: BodySource<'s>,
        chunked: Option<&'s Outgoing>,
        wanted: bool,
    ) -> Self {
        let ended = matches!(source, BodySource::Nowhere);
        Self {
            source,
            chunked,
            piece: head,
            written: 0,
            flushed: false,
            wanted,
            begun: false,
            ended,
            failed: false,
            moved: 0,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.ended && self.flushed
    }

    /// Whether there is more to send, and the upstream still accepts it.
    pub(super) fn goes_on(&self) -> bool {
        !self.failed && !self.is_done()
    }

    /// The body, for another attempt, if no part of it was sent.
    pub(super) fn into_source(self) -> BodySource<'s> {
        self.source
    }

    /// Whether the body, or a part of it, is in a file.
    pub(super) fn has_file(&self) -> bool {
        matches!(&self.source, BodySource::Spool(spool, _) if spool.has_file())
    }

    /// Whether the upload waits for the client to send more.
    pub(super) fn waits_for_client(&self) -> bool {
        self.goes_on()
            && self.wanted
            && self.flushed
            && matches!(self.source, BodySource::Client(_))
    }

    /// Sends as much as possible now. Returns whether the upstream has accepted any, which shows that it is
    /// alive; an error is the source's. An upstream may respond before it stops reading, so a failed write
    /// shows when its response is read.
    pub(super) fn advance(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Box<dyn Stream>,
    ) -> Result<bool, SourceError> {
        if !self.goes_on() {
            return Ok(false);
        }
        let before = self.progress();
        match self.poll(cx, stream) {
            Poll::Ready(Err(UploadError::Upstream)) => self.failed = true,
            Poll::Ready(Err(UploadError::BodySource(error))) => return Err(error),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        Ok(self.progress() != before)
    }

    /// A counter that grows with each byte that the upstream accepts.
    fn progress(&self) -> u64 {
        self.moved + u64::try_from(self.written).unwrap_or(u64::MAX)
    }

    /// Ready when everything has been written, or writing has failed.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Box<dyn Stream>,
    ) -> Poll<Result<(), UploadError>> {
        let mut pieces = 0;
        loop {
            if !self.flushed {
                ready!(poll_write_all(stream, cx, &self.piece, &mut self.written))
                    .map_err(|_| UploadError::Upstream)?;
                self.flushed = true;
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            if !self.wanted {
                return Poll::Pending;
            }
            // A fast client and a fast upstream must not keep other connections waiting.
            if pieces == TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            pieces += 1;
            ready!(self.poll_piece(cx)).map_err(UploadError::BodySource)?;
        }
    }

    /// Takes the next piece from the source.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SourceError>> {
        let mut piece = Vec::new();
        if let BodySource::Spool(spool, rest) = &mut self.source {
            piece = ready!(spool.poll_piece(cx)).map_err(SourceError::Spool)?;
            if piece.is_empty() {
                // Frees its memory and its file.
                self.source = rest.map_or(BodySource::Nowhere, BodySource::Client);
            }
        }
        if let BodySource::Client(shared) = &self.source {
            piece = vec![0; PIECE];
            let read = ready!(lock(shared).poll_body(cx, &mut piece));
            let n = read.map_err(SourceError::Client)?;
            piece.truncate(n);
        }
        self.begun = true;
        self.ended = piece.is_empty();
        if let Some(outgoing) = self.chunked {
            let mut trailers = match (&self.source, self.ended) {
                (BodySource::Client(shared), true) => lock(shared).take_trailers(),
                _ => Vec::new(),
            };
            trailers.retain(|(name, _)| outgoing.keeps(name));
            piece = chunk(&piece, &trailers);
        }
        self.moved += u64::try_from(self.written).unwrap_or(u64::MAX);
        (self.piece, self.written, self.flushed) = (piece, 0, false);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::task::Waker;

    use http_types::Method;
    use smol::io::{AsyncRead, AsyncWrite};

    use super::*;
    use crate::common::limits::Limits;
    use crate::proxy::fields::EndToEnd;
    use crate::wire::Transport;
    use crate::wire::head::Framing;

    /// Always has bytes to read, and always accepts a write.
    #[derive(Debug)]
    struct Eager;

    impl AsyncRead for Eager {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }
    }

    impl AsyncWrite for Eager {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Accepts all that is written, like a TLS stack whose socket is full. Only the second flush sends it.
    #[derive(Debug)]
    struct Full {
        flushes: usize,
        bytes: Arc<Mutex<Bytes>>,
    }

    /// How many bytes were accepted, and how many of them sent.
    #[derive(Debug, Default)]
    struct Bytes {
        taken: usize,
        sent: usize,
    }

    impl AsyncRead for Full {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Full {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.flushes = 0;
            self.bytes.lock().unwrap().taken += buf.len();
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            if self.flushes == 1 {
                return Poll::Pending;
            }
            let mut bytes = self.bytes.lock().unwrap();
            bytes.sent = bytes.taken;
            drop(bytes);
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn outgoing() -> Outgoing {
        Outgoing {
            method: Method::Post,
            head: Vec::new(),
            framing: Framing::Chunked,
            expects_continue: false,
            upgrade: None,
            authenticates: false,
            end_to_end: EndToEnd::of(&[]),
            lenient_names: false,
        }
    }

    #[test]
    fn what_the_tls_stack_has_taken_is_sent_too() {
        let outgoing = outgoing();
        for chunked in [false, true] {
            let mut transport = Transport::new(Box::new(Eager), Arc::new(Limits::default()));
            transport.begin(0, Framing::Length(100_000), false);
            let shared = Arc::new(Mutex::new(transport));
            let source = BodySource::Client(&shared);
            let chunked = chunked.then_some(&outgoing);
            let mut upload = Upload::new(b"head".to_vec(), source, chunked, true);
            let bytes = Arc::new(Mutex::new(Bytes::default()));
            let mut stream: Box<dyn Stream> =
                Box::new(Full { flushes: 0, bytes: Arc::clone(&bytes) });
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..100 {
                upload.advance(&mut cx, &mut stream).unwrap();
            }
            assert!(upload.is_done());
            let bytes = bytes.lock().unwrap();
            assert!(bytes.taken > 100_000, "{bytes:?}");
            assert_eq!(bytes.sent, bytes.taken);
        }
    }

    #[test]
    fn others_have_their_turn() {
        let mut transport = Transport::new(Box::new(Eager), Arc::new(Limits::default()));
        transport.begin(0, Framing::Length(1 << 20), false);
        let shared = Arc::new(Mutex::new(transport));
        let mut upload = Upload::new(Vec::new(), BodySource::Client(&shared), None, true);
        let mut stream: Box<dyn Stream> = Box::new(Eager);
        let mut cx = Context::from_waker(Waker::noop());
        let mut turns = 0;
        while !upload.is_done() {
            upload.advance(&mut cx, &mut stream).unwrap();
            turns += 1;
            assert!(turns < 100, "it stands still");
        }
        assert!(turns > 5, "it took {turns} turns");
    }
}
