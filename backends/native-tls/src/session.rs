//! TLS sessions with other servers.
//!
//! async-native-tls is not used here: its connector keeps a builder, and reads all CAs of the system for each
//! connection, which takes as long as a hundred handshakes.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::task::Poll;

use native_tls::{Error, HandshakeError, TlsConnector};
use turnkey_backend::{HandshakeIo, Polled, Session, TlsStream};

use crate::clean::clean;

/// A session of native-tls after its handshake.
#[derive(Debug)]
pub(crate) struct Native(native_tls::TlsStream<Polled>);

/// Does the handshake of a client with a server whose certificate must be for `name`.
pub(crate) async fn connect(
    connector: &TlsConnector,
    name: &str,
    below: HandshakeIo,
) -> Result<TlsStream<Native>, Error> {
    let mut polled = Polled::new(below);
    poll_fn(|cx| {
        polled.set_waker(cx);
        Poll::Ready(())
    })
    .await;
    let mut step = connector.connect(name, polled);
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

/// Waits until this task is woken, and registers it for the next time.
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
        clean();
        &mut self.0
    }

    fn polled(&mut self) -> &mut Polled {
        self.0.get_mut()
    }

    fn close(&mut self) -> io::Result<()> {
        self.stream().shutdown()
    }
}
