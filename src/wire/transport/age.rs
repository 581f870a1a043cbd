//! A connection that is as old as one may get.

use std::task::{Context, Poll};
use std::time::Duration;

use super::Transport;

impl Transport {
    /// Ready when the connection is as old as it may get.
    pub(crate) fn poll_age(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.age {
            Some(age) => age.poll(cx, Duration::MAX),
            None => Poll::Pending,
        }
    }

    /// Whether it is, so that no request may follow.
    pub(crate) fn has_aged(&self) -> bool {
        self.age.as_ref().is_some_and(|age| age.is_over())
    }

    /// Whether the body of the request at hand is still to come.
    pub(crate) fn is_receiving(&self) -> bool {
        !self.body.is_done()
    }
}
