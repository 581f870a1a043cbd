use super::chunked::{ChunkedDecoder, Step, Trailer};
use super::head::Framing;
use crate::common::refusal::Refusal;

/// Finds the end of a request's body.
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

    /// The meaning of the next bytes of the input.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Step, Refusal> {
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

    /// Counts `n` bytes of content as consumed.
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

    /// Takes the trailers, after the body has ended.
    pub(crate) fn take_trailers(&mut self) -> Vec<Trailer> {
        match self {
            Self::Done(trailers) => std::mem::take(trailers),
            _ => Vec::new(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// How much content is still to come at least, in bytes: what has been announced.
    pub(crate) fn announced(&self) -> u64 {
        match self {
            Self::Done(_) => 0,
            Self::Length(left) => *left,
            Self::Chunked(decoder) => decoder.announced(),
        }
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
