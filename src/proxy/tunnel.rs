//! A connection that has changed to another protocol (RFC 9110 §7.8): bytes in both directions.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::connection::{Connection, poll_write_all};
use super::hand_back::answer;
use super::response::Incoming;
use super::upload::TURN;
use super::{Forwarded, Forwarding};
use crate::wire::asked::Asked;
use crate::wire::deadline::Deadline;
use crate::wire::{Shared, lock};

/// How much is read from the client at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// Forwards the response that changes the protocol, then the bytes of the new one.
pub(super) async fn change_protocol(
    forwarding: Forwarding<'_>,
    incoming: Incoming,
    mut connection: Connection,
) -> Forwarded {
    let Forwarding { proxy, shared, asked: Asked { id, .. }, .. } = forwarding;
    lock(shared).keep_alive();
    connection.keep_alive();
    let head = incoming.finish_upgrade();
    let mut written = 0;
    answer(shared, 101, &head);
    let told = poll_fn(|cx| lock(shared).poll_write_all(cx, &head, &mut written)).await;
    if told.is_ok() {
        let limits = Limits { quiet: proxy.tunnel_timeout, last: proxy.timeout };
        match tunnel(shared, &mut connection, limits).await {
            Ok(()) => log::debug!("request {id}: the tunnel ended"),
            Err(error) => log::debug!("request {id}: the tunnel broke off: {error}"),
        }
    }
    connection.close().await;
    Forwarded::Close
}

/// The timeouts of a tunnel.
struct Limits {
    /// The longest time without a byte in either direction.
    quiet: Duration,
    /// For the upstream to finish after the client has.
    last: Duration,
}

/// Carries bytes in both directions until the upstream finishes. When the client finishes first, the upstream
/// learns of it, and may go on until it pauses for the timeout. An idle tunnel holds no buffer.
async fn tunnel(shared: &Shared, connection: &mut Connection, limits: Limits) -> io::Result<()> {
    let mut up = Vec::new();
    let (mut up_written, mut down_written) = (0, 0);
    let mut client = Client::Speaks;
    let (mut waiting, mut idle) = (Deadline::default(), Deadline::default());
    let (mut said, mut before) = (0, None);
    poll_fn(|cx| {
        if client == Client::Speaks
            && poll_up(cx, shared, connection, &mut up, &mut up_written, &mut said)?.is_ready()
        {
            client = Client::HasFinished;
        }
        if client == Client::HasFinished && connection.poll_finish(cx)?.is_ready() {
            client = Client::IsSilent;
        }
        let heard = connection.heard;
        let ended = poll_down(cx, shared, connection, &mut down_written);
        if ended.is_ready() {
            return ended;
        }
        if before.replace((said, connection.heard)) != Some((said, connection.heard)) {
            idle.clear();
        }
        if idle.poll(cx, limits.quiet).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if client == Client::Speaks {
            return Poll::Pending;
        }
        if connection.heard != heard {
            waiting.clear();
        }
        waiting.poll(cx, limits.last).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}

/// The state of the client's side of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Speaks,
    /// The client has finished, and the upstream does not know yet.
    HasFinished,
    IsSilent,
}

fn poll_up(
    cx: &mut Context<'_>,
    shared: &Shared,
    connection: &mut Connection,
    bytes: &mut Vec<u8>,
    written: &mut usize,
    said: &mut u64,
) -> Poll<io::Result<()>> {
    for _ in 0..TURN {
        ready!(poll_write_all(&mut connection.stream, cx, bytes, written))?;
        *bytes = Vec::new();
        *written = 0;
        let mut piece = [0; PIECE];
        let n = ready!(lock(shared).poll_raw(cx, &mut piece))?;
        if n == 0 {
            return Poll::Ready(Ok(()));
        }
        *said += u64::try_from(n).unwrap_or(u64::MAX);
        bytes.extend_from_slice(piece.get(..n).unwrap_or_default());
    }
    others_first(cx)
}

fn poll_down(
    cx: &mut Context<'_>,
    shared: &Shared,
    connection: &mut Connection,
    written: &mut usize,
) -> Poll<io::Result<()>> {
    for _ in 0..TURN {
        if connection.input.is_empty() && ready!(connection.poll_fill(cx))? == 0 {
            return Poll::Ready(Ok(()));
        }
        let bytes = connection.input.unread();
        ready!(lock(shared).poll_write_all(cx, bytes, written))?;
        let all = bytes.len();
        connection.input.consume(all);
        *written = 0;
    }
    others_first(cx)
}

/// Yields: a fast peer must not keep other connections waiting.
fn others_first<T>(cx: &mut Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}
