use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::handshake_io::HandshakeProgress;

/// A TLS stream after its handshake, over [`HandshakeIo`](crate::HandshakeIo).
///
/// Its end is an error unless the peer has sent `close_notify` (RFC 8446 §6.1): anybody on the path can end the
/// TCP connection, and the data may be incomplete then.
#[derive(Debug)]
pub struct EstablishedStream<S> {
    stream: S,
    progress: Arc<HandshakeProgress>,
    words: fn(io::Error) -> io::Error,
}

impl<S> EstablishedStream<S> {
    /// `stream` over a connection with this `progress`.
    pub fn new(stream: S, progress: Arc<HandshakeProgress>) -> Self {
        progress.establish();
        Self { stream, progress, words: |error| error }
    }

    /// The same, with its errors converted by `words`: those of some stacks are not readable for people.
    #[must_use]
    pub fn in_words(self, words: fn(io::Error) -> io::Error) -> Self {
        Self { words, ..self }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EstablishedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.stream).poll_read(cx, buf)).map_err(self.words)?;
        // After `close_notify`, TLS does not read from TCP any more.
        if n == 0 && !buf.is_empty() && self.progress.has_ended() {
            let cut = "the connection ended without close_notify: what came may not be the whole";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut)));
        }
        Poll::Ready(Ok(n))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for EstablishedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf).map_err(self.words)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs).map_err(self.words)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(self.words)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.progress.close();
        Pin::new(&mut self.stream).poll_close(cx).map_err(self.words)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use smol::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{HandshakeIo, Socket, loopback};

    /// A connection that is its own TLS stream, and the peer's end of it.
    fn pair() -> (EstablishedStream<HandshakeIo>, Arc<HandshakeProgress>, TcpStream) {
        let (peer, accepted) = loopback::pair();
        let (below, progress) = HandshakeIo::new(Socket::tcp(accepted).unwrap());
        (EstablishedStream::new(below, Arc::clone(&progress)), progress, peer)
    }

    #[test]
    fn an_end_below_is_no_good_end() {
        let (mut whole, _course, mut peer) = pair();
        smol::block_on(async {
            peer.write_all(b"abc").unwrap();
            let mut buf = [0; 8];
            assert_eq!(whole.read(&mut buf).await.unwrap(), 3);
            assert_eq!(&buf[..3], b"abc");
            drop(peer);
            let error = whole.read(&mut buf).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            assert!(error.to_string().contains("without close_notify"), "{error}");
            assert_eq!(whole.read(&mut []).await.unwrap(), 0, "nothing was asked for");
        });
    }

    #[test]
    fn an_end_that_tls_tells_of_is() {
        let progress = Arc::default();
        let mut whole = EstablishedStream::new(smol::io::empty(), Arc::clone(&progress));
        assert_eq!(smol::block_on(whole.read(&mut [0; 8])).unwrap(), 0);
        assert!(!progress.has_ended());
    }

    #[test]
    fn what_is_written_flushed_and_closed_is_the_stream() {
        let (peer, accepted) = loopback::pair();
        peer.set_nonblocking(true).unwrap();
        let socket = Socket::tcp(accepted).unwrap();
        let (below, progress) = HandshakeIo::new(socket.clone());
        let came = || {
            let mut buf = [0; 16];
            (&peer).read(&mut buf).map(|n| buf[..n].to_vec()).unwrap_or_default()
        };
        // It buffers what is written until it is flushed or closed.
        let mut whole = EstablishedStream::new(smol::io::BufWriter::new(below), progress);
        smol::block_on(async {
            assert_eq!(whole.write(b"abc").await.unwrap(), 3);
            let bufs = [IoSlice::new(b"de"), IoSlice::new(b"f")];
            let n = whole.write_vectored(&bufs).await.unwrap();
            assert_eq!(came(), b"");
            whole.flush().await.unwrap();
            assert_eq!(came(), b"abcdef"[..3 + n]);
            whole.write_all(b"goodbye").await.unwrap();
            assert_eq!(came(), b"");
            whole.close().await.unwrap();
            // Which the last bytes may wait for.
            socket.shutdown_write().unwrap();
            assert_eq!(came(), b"goodbye");
        });
    }
}
