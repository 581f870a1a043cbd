use std::io;

#[cfg(unix)]
use self::caught::Signals;

/// The signals that ask the process to stop: SIGTERM and SIGINT, or Ctrl-C on Windows.
///
/// [`Bound::run`](crate::Bound::run) catches them itself. To catch them earlier, or to act when they come, use
/// [`Bound::run_until_signal`](crate::Bound::run_until_signal).
#[derive(Debug)]
pub struct StopSignals {
    #[cfg(unix)]
    signals: Signals,
    #[cfg(not(unix))]
    signals: async_signal::Signals,
}

impl StopSignals {
    /// Catches the signals until this is dropped.
    ///
    /// # Errors
    /// If no descriptor is available.
    pub fn new() -> io::Result<Self> {
        #[cfg(unix)]
        let signals = Signals::new(&[signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT])?;
        #[cfg(not(unix))]
        let signals = async_signal::Signals::new([async_signal::Signal::Int])?;
        Ok(Self { signals })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        self.signals.next().await;
        #[cfg(not(unix))]
        if !matches!(smol::stream::StreamExt::next(&mut self.signals).await, Some(Ok(_))) {
            std::future::pending::<()>().await;
        }
    }
}

/// The signal that asks the process to reload its files: SIGHUP. It exists on Unix only.
///
/// Wait for it in a task of the server ([`Bound::with_task`](crate::Bound::with_task)), which then gives new
/// certificates to a [`Reloader`](crate::Reloader).
#[derive(Debug)]
pub struct ReloadSignal {
    #[cfg(unix)]
    signals: Signals,
}

impl ReloadSignal {
    /// Catches the signal until this is dropped.
    ///
    /// # Errors
    /// If no descriptor is available.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signals: Signals::new(&[signal_hook::consts::SIGHUP])?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        self.signals.next().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
mod caught {
    use std::future::pending;
    use std::io;
    use std::os::unix::net::UnixStream;

    use signal_hook::SigId;
    use signal_hook::low_level::{pipe, unregister};
    use smol::io::AsyncReadExt;
    use turnkey_backend::Socket;

    /// Signals that arrive as one byte each.
    #[derive(Debug)]
    pub(super) struct Signals {
        come: Come,
        caught: Vec<SigId>,
    }

    #[derive(Debug)]
    enum Come {
        /// Nobody waits for them yet, so the thread is not known.
        Kept(UnixStream),
        To(Socket),
        /// The pipe is broken. That is not a signal.
        Nowhere,
    }

    impl Signals {
        pub(super) fn new(wanted: &[i32]) -> io::Result<Self> {
            let (ours, theirs) = UnixStream::pair()?;
            let mut signals = Self { come: Come::Kept(ours), caught: Vec::new() };
            for signal in wanted {
                signals.caught.push(pipe::register(*signal, theirs.try_clone()?)?);
            }
            Ok(signals)
        }

        pub(super) async fn next(&mut self) {
            self.come = match std::mem::replace(&mut self.come, Come::Nowhere) {
                Come::Kept(stream) => Socket::unix(stream).map_or(Come::Nowhere, Come::To),
                other => other,
            };
            let Come::To(socket) = &mut self.come else { return pending().await };
            // Two signals may arrive at once. They count as two.
            if !matches!(socket.read(&mut [0; 1]).await, Ok(1)) {
                self.come = Come::Nowhere;
                pending::<()>().await;
            }
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            for id in self.caught.drain(..) {
                unregister(id);
            }
        }
    }
}
