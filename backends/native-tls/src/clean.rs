//! OpenSSL takes any error in the thread's queue for the reason of its next result, even an error of another
//! connection. So the queue is emptied before each call, except in handshakes, which empty it themselves.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

/// Empties the thread's queue of errors, if native-tls uses OpenSSL.
pub(crate) fn clean() {
    #[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
    drop(openssl::error::ErrorStack::get());
}

/// A TLS stream that is read and written with an empty queue each time.
#[derive(Debug)]
pub(crate) struct Clean<S>(pub(crate) S);

impl<S: Unpin> Clean<S> {
    fn stream(&mut self) -> Pin<&mut S> {
        clean();
        Pin::new(&mut self.0)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Clean<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Clean<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_close(cx)
    }
}
