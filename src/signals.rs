use std::io;

use async_signal::{Signal, Signals};
use smol::stream::StreamExt;

/// The signals that ask the process to stop: SIGTERM and SIGINT, or Ctrl-C on Windows.
#[derive(Debug)]
pub(crate) struct StopSignals {
    signals: Signals,
}

impl StopSignals {
    /// Catches them from here on.
    pub(crate) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        let wanted = [Signal::Term, Signal::Int];
        #[cfg(not(unix))]
        let wanted = [Signal::Int];
        Ok(Self { signals: Signals::new(wanted)? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        if !matches!(self.signals.next().await, Some(Ok(_))) {
            // Nothing can be heard any more, which is not the same as being asked to stop.
            std::future::pending::<()>().await;
        }
    }
}
