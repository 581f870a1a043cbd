use std::future::poll_fn;
use std::io;
use std::task::Poll;

use openssl::error::ErrorStack;
use openssl::ssl::{Error, ErrorCode, Ssl, SslRef, SslStream};
use turnkey_backend::{HandshakeIo, Polled, Session};

/// A session of OpenSSL.
///
/// OpenSSL takes any error in the thread's queue for the reason of its next result, also if the error is another
/// connection's. So the queue is emptied before each call.
#[derive(Debug)]
pub(crate) struct OpenSslSession(SslStream<Polled>);

impl OpenSslSession {
    /// Before its handshake.
    pub(crate) fn new(ssl: Ssl, below: HandshakeIo) -> Result<Self, ErrorStack> {
        SslStream::new(ssl, Polled::new(below)).map(Self)
    }

    pub(crate) fn ssl(&self) -> &SslRef {
        self.0.ssl()
    }

    /// Does the handshake of a server.
    pub(crate) async fn accept(&mut self) -> Result<(), Error> {
        self.handshake(SslStream::accept).await
    }

    /// Does the handshake of a client.
    pub(crate) async fn connect(&mut self) -> Result<(), Error> {
        self.handshake(SslStream::connect).await
    }

    async fn handshake(
        &mut self,
        go_on: impl Fn(&mut SslStream<Polled>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        poll_fn(|cx| {
            self.polled().set_waker(cx);
            match go_on(self.stream()) {
                Err(error)
                    if matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE) =>
                {
                    Poll::Pending
                }
                result => Poll::Ready(result),
            }
        })
        .await
    }
}

impl Session for OpenSslSession {
    type Stream = SslStream<Polled>;

    fn stream(&mut self) -> &mut Self::Stream {
        drop(ErrorStack::get());
        &mut self.0
    }

    fn polled(&mut self) -> &mut Polled {
        self.0.get_mut()
    }

    fn close(&mut self) -> io::Result<()> {
        match self.stream().shutdown() {
            Ok(_) => Ok(()),
            // The peer has sent `close_notify` before.
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => Ok(()),
            Err(error) => Err(error.into_io_error().unwrap_or_else(io::Error::other)),
        }
    }
}
