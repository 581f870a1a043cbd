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
        next(&mut self.signals).await;
    }
}

/// The signal that asks the process to read its files again: SIGHUP; elsewhere than on Unix there is
/// none.
#[derive(Debug)]
pub(crate) struct ReloadSignal {
    #[cfg(unix)]
    signals: Signals,
}

impl ReloadSignal {
    /// Catches it from here on.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signals: Signals::new([Signal::Hup])?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        next(&mut self.signals).await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

async fn next(signals: &mut Signals) {
    if !matches!(signals.next().await, Some(Ok(_))) {
        // Nothing can be heard any more, which is not the same as being asked for something.
        std::future::pending::<()>().await;
    }
}
