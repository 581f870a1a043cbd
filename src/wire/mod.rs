//! HTTP/1.1 framing (RFC 9112): what stands between the byte stream and async-h1.
//!
//! async-h1 never sees a byte that has not been framed and vetted here. For each request the wire
//! reads a bounded head, parses it once, decides how long the body is, refuses what is malformed
//! or ambiguous, and hands async-h1 exactly that request; for each response it takes what
//! async-h1's encoder yields, and decides whether the connection persists.
//!
//! A refusal is one response that says what was wrong, after which the connection closes. No byte
//! after a refused request is ever interpreted.

pub(crate) mod body;
pub(crate) mod chunked;
mod counted;
pub(crate) mod deadline;
mod exchange;
pub(crate) mod framer;
pub(crate) mod head;
pub(crate) mod input;
mod lasting;
pub(crate) mod request;
mod respond;
pub(crate) mod scanner;
mod serve;
mod tally;
mod transport;
mod underway;

pub(crate) use exchange::{After, answer, refuse};
pub(crate) use serve::serve;
pub(crate) use transport::{Shared, Transport, lock};
pub(crate) use underway::Underway;
