use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use http_types::trailers::{self, Trailers};
use smol::io::AsyncRead;

use super::chunked::{ChunkedDecoder, Step, Trailer};
use super::head::Framing;
use super::transport::{Shared, lock};

/// The content of a request, as a handler reads it.
///
/// It reads from the connection as it is asked to, so that a handler which does not read holds
/// the client back. It yields nothing any more once the request has been answered.
#[derive(Debug)]
pub(crate) struct RequestBody {
    transport: Shared,
    exchange: u64,
    /// Where trailers go, if there can be any.
    trailers: Option<trailers::Sender>,
}

impl RequestBody {
    /// The body of the exchange with this number.
    pub(crate) fn new(transport: &Shared, exchange: u64) -> Self {
        Self { transport: Arc::clone(transport), exchange, trailers: None }
    }

    /// Has the trailers sent to `sender` when the content has been read (RFC 9112 §7.1.2).
    pub(crate) fn send_trailers(&mut self, sender: trailers::Sender) {
        self.trailers = Some(sender);
    }

    fn end(&mut self, fields: Vec<Trailer>) {
        let Some(sender) = self.trailers.take() else { return };
        let mut trailers = Trailers::new();
        for (name, value) in fields {
            trailers.append(name.as_str(), value.as_str());
        }
        // The channel has room for this one message: there is nothing to wait for.
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

/// Where a request's body ends.
#[derive(Debug)]
pub(crate) enum Framer {
    /// It has ended, with these trailers.
    Done(Vec<Trailer>),
    Length(u64),
    Chunked(ChunkedDecoder),
}

impl Default for Framer {
    /// No body.
    fn default() -> Self {
        Self::Done(Vec::new())
    }
}

impl Framer {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Empty => Self::default(),
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkedDecoder::default()),
        }
    }

    /// What the next bytes of the input are.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Step, super::Refusal> {
        match self {
            Self::Done(_) => Ok(Step::Done),
            Self::Length(_) if input.is_empty() => Ok(Step::NeedInput),
            Self::Length(left) => {
                Ok(Step::Content(usize::try_from(*left).unwrap_or(usize::MAX).min(input.len())))
            }
            Self::Chunked(decoder) => {
                let step = decoder.step(input)?;
                if step == Step::Done {
                    *self = Self::Done(std::mem::take(decoder).into_trailers());
                }
                Ok(step)
            }
        }
    }

    /// Counts `n` bytes of content as taken.
    pub(crate) fn took(&mut self, n: usize) {
        match self {
            Self::Done(_) => {}
            Self::Length(left) => {
                *left = left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
                if *left == 0 {
                    *self = Self::default();
                }
            }
            Self::Chunked(decoder) => decoder.took(n),
        }
    }

    /// The trailers, once the body has ended; after that there are none.
    pub(crate) fn take_trailers(&mut self) -> Vec<Trailer> {
        match self {
            Self::Done(trailers) => std::mem::take(trailers),
            _ => Vec::new(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// How much content is still to come, if that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self {
            Self::Done(_) => Some(0),
            Self::Length(left) => Some(*left),
            Self::Chunked(_) => None,
        }
    }
}
