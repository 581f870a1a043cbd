//! native-tls, which knows of no waiting, for tasks that wait.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_io::{AsyncRead, AsyncWrite};
use native_tls::{Error, HandshakeError, TlsAcceptor, TlsConnector};

/// A stream whose handshake is done.
#[derive(Debug)]
pub(crate) struct TlsStream<S>(native_tls::TlsStream<Polled<S>>);

/// Does the handshake of a server.
pub(crate) async fn accept<S>(acceptor: &TlsAcceptor, stream: S) -> Result<TlsStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    handshake(stream, |stream| acceptor.accept(stream)).await
}

/// Does the handshake of a client, with a server that has to be called `name`.
pub(crate) async fn connect<S>(
    connector: &TlsConnector,
    name: &str,
    stream: S,
) -> Result<TlsStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    handshake(stream, |stream| connector.connect(name, stream)).await
}

type Step<S> = Result<native_tls::TlsStream<Polled<S>>, HandshakeError<Polled<S>>>;

async fn handshake<S>(
    stream: S,
    begin: impl FnOnce(Polled<S>) -> Step<S>,
) -> Result<TlsStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let mut step = begin(Polled { stream, waker });
    loop {
        match step {
            Ok(stream) => return Ok(TlsStream(stream)),
            Err(HandshakeError::Failure(error)) => return Err(error),
            Err(HandshakeError::WouldBlock(mut unfinished)) => {
                unfinished.get_mut().waker = woken().await;
                step = unfinished.handshake();
            }
        }
    }
}

/// Waits until this task is woken, and returns whom to wake the next time.
async fn woken() -> Waker {
    let mut has_waited = false;
    poll_fn(|cx| {
        if mem::replace(&mut has_waited, true) {
            Poll::Ready(cx.waker().clone())
        } else {
            Poll::Pending
        }
    })
    .await
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Does what would wake the task of `cx` if it has to wait.
    fn poll<T>(
        &mut self,
        cx: &Context<'_>,
        io: impl FnOnce(&mut native_tls::TlsStream<Polled<S>>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.0.get_mut().waker.clone_from(cx.waker());
        match io(&mut self.0) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            result => Poll::Ready(result),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |tls| tls.read(buf))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |tls| tls.write(buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, Write::flush)
    }

    /// Sends `close_notify`.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, native_tls::TlsStream::shutdown)
    }
}

/// A stream that says `WouldBlock` where there is something to wait for, of which it tells `waker`.
#[derive(Debug)]
struct Polled<S> {
    stream: S,
    waker: Waker,
}

impl<S: Unpin> Polled<S> {
    fn io<T>(
        &mut self,
        poll: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        match poll(Pin::new(&mut self.stream), &mut Context::from_waker(&self.waker)) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncRead + Unpin> Read for Polled<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.io(|stream, cx| stream.poll_read(cx, buf))
    }
}

impl<S: AsyncWrite + Unpin> Write for Polled<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.io(|stream, cx| stream.poll_write(cx, buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.io(AsyncWrite::poll_flush)
    }
}
