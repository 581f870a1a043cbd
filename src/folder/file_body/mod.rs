//! Bodies made of a file, which the kernel can send.

pub(crate) mod read_at;
mod reader;

use std::fs::File;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_types::headers::CONTENT_TYPE;
use http_types::{Body, Mime, Response};
use smol::io::AsyncBufRead;

pub(crate) use read_at::{read_at, read_now};
use reader::Reader;
pub(crate) use reader::shrunk;

use crate::common::buffered::Buffered;

/// The content of a response in pieces, most of them parts of a file.
#[derive(Debug, Clone)]
pub(crate) struct FileBody {
    pub(crate) file: Arc<File>,
    pub(crate) pieces: Arc<[Piece]>,
}

/// A piece of a body.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    /// These bytes of the file.
    File(Range<u64>),
}

/// Numbers bodies, so that they are not confused.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The parameter of a body's own type that holds its number.
const PARAMETER: &str = "file";

/// The body of a response, until it is replaced by another.
struct Attached {
    number: String,
    body: FileBody,
}

impl FileBody {
    /// Makes this the body of `response`, which has a content type.
    ///
    /// It can be read like any other body. http-types does not reveal what a body reads from, so the sender of the
    /// response recognises it by a number in the body's own type, which does not change the response's
    /// field.
    pub(crate) fn put_into(self, response: &mut Response) {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let length = usize::try_from(self.length()).ok();
        let mut body = Body::from_reader(self.reader(), length);
        if let Ok(mime) = Mime::from_str(&format!("application/octet-stream; {PARAMETER}={number}"))
        {
            body.set_mime(mime);
        }
        response.set_body(body);
        response.ext_mut().insert(Attached { number, body: self });
    }

    /// Whether the body of `response` may be a file.
    pub(crate) fn may_be_of(response: &Response) -> bool {
        response.ext().get::<Attached>().is_some()
    }

    /// The file of `response`'s body, if it is made of one.
    pub(crate) fn of(response: &mut Response) -> Option<Self> {
        let attached = response.ext_mut().remove::<Attached>()?;
        let named = response.header(CONTENT_TYPE).is_some();
        let body = response.take_body();
        let same = body.mime().param(PARAMETER).is_some_and(|n| n.as_str() == attached.number);
        response.set_body(body);
        if !named {
            // Setting a body sets the type too.
            response.remove_header(CONTENT_TYPE);
        }
        same.then_some(attached.body)
    }

    /// Reads it piece by piece, and never waits for the disk on the reactor.
    pub(crate) fn reader(&self) -> impl AsyncBufRead + Unpin + Send + Sync + 'static {
        Buffered::new(Reader::new(self.clone()))
    }

    /// In bytes.
    pub(crate) fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }
}

impl Piece {
    /// In bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => range.end.saturating_sub(range.start),
        }
    }
}

#[cfg(test)]
mod tests;
