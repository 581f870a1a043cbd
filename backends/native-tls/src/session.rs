use std::future::poll_fn;
use std::io;
use std::mem;
use std::task::Poll;

use native_tls::{Error, HandshakeError, TlsAcceptor, TlsConnector};
use turnkey_backend::{Below, Polled, Session, TlsStream};

/// A session as native-tls has it, its handshake done.
///
/// Where that is OpenSSL, it takes whatever stands in the thread's queue of errors for the reason of what it
/// says next, whichever connection that is about. So the queue is emptied before each call.
#[derive(Debug)]
pub(crate) struct Native(native_tls::TlsStream<Polled>);

/// Does the handshake of a server.
pub(crate) async fn accept(
    acceptor: &TlsAcceptor,
    below: Below,
) -> Result<TlsStream<Native>, Error> {
    handshake(below, |polled| acceptor.accept(polled)).await
}

/// Does the handshake of a client, with a server that has to be called `name`.
pub(crate) async fn connect(
    connector: &TlsConnector,
    name: &str,
    below: Below,
) -> Result<TlsStream<Native>, Error> {
    handshake(below, |polled| connector.connect(name, polled)).await
}

type Step = Result<native_tls::TlsStream<Polled>, HandshakeError<Polled>>;

async fn handshake(
    below: Below,
    begin: impl FnOnce(Polled) -> Step,
) -> Result<TlsStream<Native>, Error> {
    let mut polled = Polled::new(below);
    poll_fn(|cx| {
        polled.set_waker(cx);
        Poll::Ready(())
    })
    .await;
    let mut step = begin(polled);
    loop {
        match step {
            Ok(stream) => return Ok(TlsStream(Native(stream))),
            Err(HandshakeError::Failure(error)) => return Err(error),
            Err(HandshakeError::WouldBlock(mut unfinished)) => {
                woken(unfinished.get_mut()).await;
                step = unfinished.handshake();
            }
        }
    }
}

/// Waits until this task is woken, for what it waits for here, and has it woken the next time too.
async fn woken(polled: &mut Polled) {
    let mut has_waited = false;
    poll_fn(|cx| {
        if mem::replace(&mut has_waited, true) {
            polled.set_waker(cx);
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

impl Session for Native {
    type Stream = native_tls::TlsStream<Polled>;

    fn stream(&mut self) -> &mut Self::Stream {
        #[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
        drop(openssl::error::ErrorStack::get());
        &mut self.0
    }

    fn polled(&mut self) -> &mut Polled {
        self.0.get_mut()
    }

    fn close(&mut self) -> io::Result<()> {
        self.stream().shutdown()
    }
}
