//! Reads the body of a request before an upstream is asked, so that the upstream does not wait for the client.

use std::future::poll_fn;

use super::Forwarding;
use super::forward::Unanswered;
use super::spool::Spool;
use super::upload::BodySource;
use crate::wire::head::Framing;
use crate::wire::lock;

/// How much is read at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// Where the body of a request is when an upstream gets the request.
#[derive(Debug)]
pub(super) struct Held<'s> {
    pub(super) source: BodySource<'s>,
    /// Its length in bytes, if known.
    pub(super) length: Option<u64>,
    /// Whether the client sends it only now, so that the upstream decides about `Expect: 100-continue`.
    pub(super) streams: bool,
}

impl<'s> Forwarding<'s> {
    /// Reads the body while there is room for it. A body that arrived with the head stays where it is.
    ///
    /// When there is no room, the rest is streamed from the client. A body of unknown length is then rejected,
    /// because many upstreams take such a body for an empty one.
    pub(super) async fn hold_back(self) -> Result<Held<'s>, Unanswered> {
        let Self { proxy, shared, outgoing, .. } = self;
        let length = match outgoing.framing {
            Framing::Empty => {
                return Ok(Held { source: BodySource::Nowhere, length: None, streams: false });
            }
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        if proxy.streaming || lock(shared).has_whole_body() {
            return Ok(Held {
                source: BodySource::Client(shared),
                length,
                streams: proxy.streaming,
            });
        }
        let mut spool = Box::new(Spool::of_request(&proxy.buffers));
        let mut piece = vec![0; PIECE];
        loop {
            let n = poll_fn(|cx| lock(shared).poll_body(cx, &mut piece)).await;
            let n = n.map_err(Unanswered::Client)?;
            if n == 0 {
                let length = Some(spool.length());
                return Ok(Held { source: BodySource::Spool(spool, None), length, streams: false });
            }
            spool.push(piece.get(..n).unwrap_or_default());
            if !poll_fn(|cx| spool.poll_within(cx, true)).await {
                break;
            }
        }
        if length.is_some() {
            return Ok(Held {
                source: BodySource::Spool(spool, Some(shared)),
                length,
                streams: false,
            });
        }
        Err(spool.into_failure().map_or(Unanswered::NoRoom, Unanswered::Spool))
    }
}
