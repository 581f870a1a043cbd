//! Makes TLS stacks for blocking streams usable in asynchronous tasks.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_io::{AsyncRead, AsyncWrite};

use crate::HandshakeIo;

/// A connection that returns `WouldBlock` instead of waiting, and wakes the task when it is ready.
#[derive(Debug)]
pub struct Polled {
    below: HandshakeIo,
    waker: Waker,
}

impl Polled {
    /// Wraps `below`, without a task to wake yet.
    #[must_use]
    pub fn new(below: HandshakeIo) -> Self {
        Self { below, waker: Waker::noop().clone() }
    }

    /// Sets the task of `cx` as the one to wake.
    pub fn set_waker(&mut self, cx: &Context<'_>) {
        self.waker.clone_from(cx.waker());
    }

    fn io<T>(
        &mut self,
        poll: impl FnOnce(Pin<&mut HandshakeIo>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        match poll(Pin::new(&mut self.below), &mut Context::from_waker(&self.waker)) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Polled {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.io(|below, cx| below.poll_read(cx, buf))
    }
}

impl Write for Polled {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.io(|below, cx| below.poll_write(cx, buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.io(AsyncWrite::poll_flush)
    }
}

/// A TLS stack's stream over a [`Polled`] connection.
pub trait Session {
    /// Plaintext is read from it and written to it. After `write` returned `WouldBlock`, it is called with the same
    /// bytes again.
    type Stream: Read + Write;

    /// The stream, ready for the next call.
    fn stream(&mut self) -> &mut Self::Stream;

    /// The connection.
    fn polled(&mut self) -> &mut Polled;

    /// Sends `close_notify` (RFC 8446 §6.1).
    fn close(&mut self) -> io::Result<()>;
}

/// An asynchronous stream over a [`Session`].
#[derive(Debug)]
pub struct TlsStream<T>(pub T);

impl<T: Session> TlsStream<T> {
    fn poll<R>(
        &mut self,
        cx: &Context<'_>,
        io: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.0.polled().set_waker(cx);
        match io(&mut self.0) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            result => Poll::Ready(result),
        }
    }
}

impl<T: Session + Unpin> AsyncRead for TlsStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |session| session.stream().read(buf))
    }
}

impl<T: Session + Unpin> AsyncWrite for TlsStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |session| session.stream().write(buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |session| session.stream().flush())
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, Session::close)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::{Shutdown, TcpStream};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::loopback::pair;
    use crate::{Reactor, Socket};

    /// Forwards all bytes, and marks the end when it is closed.
    struct Clear(Polled);

    impl Session for Clear {
        type Stream = Polled;

        fn stream(&mut self) -> &mut Polled {
            &mut self.0
        }

        fn polled(&mut self) -> &mut Polled {
            &mut self.0
        }

        fn close(&mut self) -> io::Result<()> {
            self.0.write_all(b"goodbye")
        }
    }

    fn stream(ours: TcpStream) -> TlsStream<Clear> {
        let (below, progress) = HandshakeIo::new(Socket::tcp(ours).unwrap());
        progress.establish();
        TlsStream(Clear(Polled::new(below)))
    }

    #[test]
    fn whoever_reads_is_woken() {
        let (ours, mut theirs) = pair();
        let answering = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            theirs.write_all(b"late").unwrap();
            let mut said = Vec::new();
            theirs.read_to_end(&mut said).unwrap();
            said
        });
        Reactor::new()
            .unwrap()
            .drive(async {
                let mut stream = stream(ours);
                let mut buf = [0; 8];
                let n = poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, &mut buf)).await.unwrap();
                assert_eq!(&buf[..n], b"late");
                let written = poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, b"thanks, ")).await;
                assert_eq!(written.unwrap(), 8);
                poll_fn(|cx| Pin::new(&mut stream).poll_flush(cx)).await.unwrap();
                poll_fn(|cx| Pin::new(&mut stream).poll_close(cx)).await.unwrap();
            })
            .unwrap();
        assert_eq!(answering.join().unwrap(), b"thanks, goodbye");
    }

    #[test]
    fn whoever_writes_is_woken_when_there_is_room() {
        const LENGTH: usize = 16 << 20;
        let (ours, mut theirs) = pair();
        let reading = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).unwrap();
            all.len()
        });
        let waited = Reactor::new().unwrap().drive(async {
            let mut stream = stream(ours);
            let (bytes, mut sent, mut waited) = (vec![7; LENGTH], 0, false);
            while sent < LENGTH {
                sent += poll_fn(|cx| {
                    let written = Pin::new(&mut stream).poll_write(cx, &bytes[sent..]);
                    waited |= written.is_pending();
                    written
                })
                .await
                .unwrap();
            }
            waited
        });
        assert!(waited.unwrap(), "it all went at once");
        assert_eq!(reading.join().unwrap(), LENGTH);
    }

    #[test]
    fn an_error_is_no_wait() {
        let (ours, _theirs) = pair();
        let written = Reactor::new().unwrap().drive(async {
            ours.shutdown(Shutdown::Write).unwrap();
            let mut stream = stream(ours);
            poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, b"too late")).await
        });
        assert!(written.unwrap().is_err());
    }
}
