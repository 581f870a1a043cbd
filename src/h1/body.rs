use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use http_types::trailers::{self, Trailers};
use smol::io::AsyncRead;

use crate::peer::trust::may_be_trailer;
use crate::wire::chunked::Trailer;
use crate::wire::transport::{Shared, lock};

/// The content of a request, as a handler reads it.
///
/// It reads from the connection on demand, so a handler that does not read slows the client down. It ends once the
/// request has been answered.
#[derive(Debug)]
pub(crate) struct RequestBody {
    transport: Shared,
    exchange: u64,
    /// Where to send trailers, if the request can have any.
    trailers: Option<trailers::Sender>,
}

impl RequestBody {
    /// The body of exchange number `exchange`.
    pub(crate) fn new(transport: &Shared, exchange: u64) -> Self {
        Self { transport: Arc::clone(transport), exchange, trailers: None }
    }

    /// Sends the trailers to `sender` when the content has been read (RFC 9112 §7.1.2).
    pub(crate) fn send_trailers(&mut self, sender: trailers::Sender) {
        self.trailers = Some(sender);
    }

    fn end(&mut self, fields: Vec<Trailer>) {
        let Some(sender) = self.trailers.take() else { return };
        let mut trailers = Trailers::new();
        for (name, value) in fields.into_iter().filter(|(name, _)| may_be_trailer(name)) {
            // http-types accepts ASCII only.
            if let Some(value) = str::from_utf8(&value).ok().filter(|value| value.is_ascii()) {
                trailers.append(name.as_str(), value);
            }
        }
        // The channel has room for this one message, so the send does not wait.
        let mut sending = pin!(sender.send(trailers));
        _ = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

impl AsyncRead for RequestBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut transport = lock(&self.transport);
        if transport.exchange() != self.exchange {
            let ended = "the request has been answered: its body cannot be read any more";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, ended)));
        }
        let n = ready!(transport.poll_body(cx, buf))?;
        if n == 0 && !buf.is_empty() {
            let trailers = transport.take_trailers();
            drop(transport);
            self.end(trailers);
        }
        Poll::Ready(Ok(n))
    }
}
