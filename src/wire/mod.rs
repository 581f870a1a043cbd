//! HTTP/1.1 framing (RFC 9112): turns the byte stream into valid requests.
//!
//! Nobody sees a byte that has not been framed and vetted here. For each request the wire reads a
//! bounded head, parses it once, decides how long the body is, and refuses what is malformed or
//! ambiguous. What it has read is the request from there on.
//!
//! A refusal is one response that says what was wrong, after which the connection closes. No byte
//! after a refused request is ever interpreted.

pub(crate) mod asked;
pub(crate) mod chunked;
pub(crate) mod deadline;
pub(crate) mod framer;
pub(crate) mod head;
pub(crate) mod head_limits;
pub(crate) mod input;
mod lines;
pub(crate) mod scanner;
pub(crate) mod tally;
pub(crate) mod transport;

pub(crate) use transport::{Shared, Transport, lock};
