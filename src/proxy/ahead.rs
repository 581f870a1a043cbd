//! The client's side of a response: what is read ahead while the client is slower than the upstream.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{io, mem};

use super::spool::Spool;
use crate::common::buffers::Buffers;
use crate::wire::deadline::Deadline;
use crate::wire::{Shared, lock};

/// The part of a response that the client has not accepted yet. Bytes go to the client as soon as it accepts
/// them. Only the others are buffered, so that the upstream does not wait.
#[derive(Debug)]
pub(super) struct Ahead<'a> {
    shared: &'a Shared,
    /// `None` if nothing is read ahead.
    buffers: Option<&'a Arc<Buffers>>,
    /// The next bytes for the client, and how many of them have been sent.
    piece: Vec<u8>,
    written: usize,
    /// The bytes that follow.
    spool: Option<Box<Spool>>,
    patience: Patience,
}

/// Why a response does not reach the client.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// The client accepts no more.
    Client(io::Error),
    /// What was read ahead cannot be read back.
    Spool(io::Error),
}

impl<'a> Ahead<'a> {
    pub(super) fn new(shared: &'a Shared, buffers: Option<&'a Arc<Buffers>>) -> Self {
        Self {
            shared,
            buffers,
            piece: Vec::new(),
            written: 0,
            spool: None,
            patience: Patience::default(),
        }
    }

    /// Takes over the bytes in `out`, for the client or into the buffer. Pending while the upstream has to
    /// wait. Uses a file only with `use_file`.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        use_file: bool,
    ) -> Poll<Result<(), NotTaken>> {
        let wrote = self.poll_take_over(cx, out, use_file);
        if wrote.is_ready() {
            self.patience.pause();
        }
        wrote
    }

    fn poll_take_over(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        use_file: bool,
    ) -> Poll<Result<(), NotTaken>> {
        if self.poll_drain(cx)?.is_ready() {
            let wrote = lock(self.shared).poll_write_all(cx, out, &mut self.written);
            if let Poll::Ready(wrote) = wrote {
                self.written = 0;
                self.patience.taken += out.len();
                out.clear();
                return Poll::Ready(wrote.map_err(NotTaken::Client));
            }
            if self.buffers.is_some() {
                // A TLS stack must get the same bytes again after a pending write.
                self.piece = mem::take(out);
                return Poll::Ready(Ok(()));
            }
        }
        let Some(buffers) = self.buffers else { return Poll::Pending };
        let spool = self.spool.get_or_insert_with(|| Box::new(Spool::of_answer(buffers)));
        if !out.is_empty() {
            spool.push(out);
            out.clear();
        }
        if spool.poll_within(cx, use_file && spool.has_file()) == Poll::Ready(true) {
            return Poll::Ready(Ok(()));
        }
        // The upstream waits for the client.
        ready!(self.patience.poll(cx));
        match spool.poll_within(cx, use_file) {
            Poll::Ready(true) => Poll::Ready(Ok(())),
            Poll::Ready(false) | Poll::Pending => Poll::Pending,
        }
    }

    /// Writes what has been read ahead, as fast as the client accepts it. Ready when all is written.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NotTaken>> {
        while !self.is_drained() {
            let wrote = lock(self.shared).poll_write_all(cx, &self.piece, &mut self.written);
            ready!(wrote).map_err(NotTaken::Client)?;
            self.patience.taken += self.piece.len();
            (self.piece, self.written) = (Vec::new(), 0);
            let Some(spool) = &mut self.spool else { break };
            match ready!(spool.poll_piece(cx)) {
                Ok(piece) => self.piece = piece,
                Err(error) => {
                    // What follows the lost part must not be sent.
                    self.spool = None;
                    return Poll::Ready(Err(NotTaken::Spool(error)));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn is_drained(&self) -> bool {
        self.piece.is_empty() && self.spool.as_ref().is_none_or(|spool| spool.is_empty())
    }

    /// Sends the rest to the client, after the upstream has finished.
    pub(super) async fn deliver(mut self) -> Result<(), NotTaken> {
        poll_fn(|cx| self.poll_drain(cx)).await
    }
}

/// How long a client may keep the upstream waiting while it accepts [`PACE`] bytes, before a file is used. The
/// limit corresponds to 40 MiB/s; for a faster client a file would cost more time than it saves.
const PATIENCE: Duration = Duration::from_millis(50);
const PACE: usize = 2 << 20;

/// Distinguishes slow clients from fast ones.
#[derive(Debug, Default)]
struct Patience {
    /// How many bytes the client has accepted, and how long the upstream has waited for it meanwhile.
    taken: usize,
    waited: Duration,
    since: Option<Instant>,
    deadline: Deadline,
}

impl Patience {
    /// Call it while the upstream waits for the client. Ready when it has waited too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.taken >= PACE {
            (self.taken, self.waited, self.since) = (0, Duration::ZERO, None);
        }
        if self.since.is_none() {
            self.since = Some(Instant::now());
            self.deadline.clear();
        }
        self.deadline.poll(cx, PATIENCE.saturating_sub(self.waited))
    }

    /// Call it when the upstream no longer waits.
    fn pause(&mut self) {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::thread::sleep;

    use super::*;

    fn is_over(patience: &mut Patience) -> bool {
        patience.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn waits_add_up_until_the_client_has_kept_pace() {
        let mut patience = Patience::default();
        for _ in 0..3 {
            // Pauses of the upstream do not count.
            patience.pause();
            let waited = patience.waited;
            sleep(PATIENCE / 2);
            patience.pause();
            assert_eq!(patience.waited, waited);
            _ = is_over(&mut patience);
            sleep(PATIENCE / 2);
            patience.taken += PACE / 4;
            patience.pause();
        }
        assert!(is_over(&mut patience), "{patience:?}");
        patience.taken += PACE / 4;
        assert!(!is_over(&mut patience), "{patience:?}");
    }
}
