use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use smol::io::AsyncRead;

use super::chunked::{ChunkedDecoder, Step};
use super::head::Framing;
use super::transport::Shared;

/// The content of a request, as a handler reads it.
///
/// It reads from the connection as it is asked to, so that a handler which does not read holds
/// the client back. It yields nothing any more once the request has been answered.
#[derive(Debug)]
pub(crate) struct RequestBody {
    transport: Shared,
    exchange: u64,
}

impl RequestBody {
    /// The body of the exchange that `transport` is in.
    pub(crate) fn new(transport: &Shared, exchange: u64) -> Self {
        Self { transport: Arc::clone(transport), exchange }
    }
}

impl AsyncRead for RequestBody {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut transport = super::transport::lock(&self.transport);
        if transport.exchange() != self.exchange {
            let ended = "the request has been answered: its body cannot be read any more";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, ended)));
        }
        transport.poll_body(cx, buf)
    }
}

/// Where a request's body ends.
#[derive(Debug, Default)]
pub(crate) enum Framer {
    #[default]
    Done,
    Length(u64),
    Chunked(ChunkedDecoder),
}

impl Framer {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Empty => Self::Done,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkedDecoder::default()),
        }
    }

    /// What the next bytes of the input are.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Step, super::Refusal> {
        match self {
            Self::Done => Ok(Step::Done),
            Self::Length(_) if input.is_empty() => Ok(Step::NeedInput),
            Self::Length(left) => {
                Ok(Step::Content(usize::try_from(*left).unwrap_or(usize::MAX).min(input.len())))
            }
            Self::Chunked(decoder) => {
                let step = decoder.step(input)?;
                if step == Step::Done {
                    *self = Self::Done;
                }
                Ok(step)
            }
        }
    }

    /// Counts `n` bytes of content as taken.
    pub(crate) fn took(&mut self, n: usize) {
        match self {
            Self::Done => {}
            Self::Length(left) => {
                *left = left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
                if *left == 0 {
                    *self = Self::Done;
                }
            }
            Self::Chunked(decoder) => decoder.took(n),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// How much content is still to come, if that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self {
            Self::Done => Some(0),
            Self::Length(left) => Some(*left),
            Self::Chunked(_) => None,
        }
    }
}
