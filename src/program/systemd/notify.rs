//! Tells the service manager the state of the program: the protocol of `sd_notify(3)`. Without a service manager,
//! these functions do nothing.

use std::time::Duration;

use turnkey::backend::Timer;
use turnkey::net::WorkerPool;

/// The server accepts connections; `status` is shown to people who ask for the state of the service.
pub(crate) fn ready(status: &str) {
    tell(&[Notification::Ready, Notification::Status(&one_line(status))]);
}

/// The server reloads its files, until [`ready`] is called.
pub(crate) fn reloading() {
    tell(&[Notification::Reloading]);
}

/// The server accepts no more connections, and ends `within` that time.
pub(crate) fn stopping(within: Duration) {
    tell(&[Notification::Stopping(within), Notification::Status("finishing what is under way")]);
}

/// Reports again and again that the server is alive, if the manager expects that. It stops when a thread of the
/// server hangs.
pub(crate) async fn watchdog(pool: WorkerPool) {
    let Some(interval) = imp::watchdog_interval() else { return };
    loop {
        pool.turn().await;
        tell(&[Notification::Alive]);
        // Twice as often as necessary, as sd_watchdog_enabled(3) recommends.
        Timer::after(interval / 2).await;
    }
}

/// A message to the service manager.
#[derive(Debug, Clone, Copy)]
enum Notification<'s> {
    Ready,
    Reloading,
    Stopping(Duration),
    Status(&'s str),
    Alive,
}

fn tell(states: &[Notification<'_>]) {
    if let Err(error) = imp::tell(states) {
        log::warn!("cannot tell the service manager how the server is: {error}");
    }
}

/// A line break would begin another assignment.
fn one_line(status: &str) -> String {
    status.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(target_os = "linux")]
mod imp {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::Duration;
    use std::{env, io, process};

    use rustix::time::{ClockId, clock_gettime};

    use super::Notification;

    /// How long to wait for a manager that does not read.
    const PATIENCE: Duration = Duration::from_secs(1);

    pub(super) fn tell(states: &[Notification<'_>]) -> io::Result<()> {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(());
        };
        // A name that begins with @ is not a file.
        let address = match name.as_encoded_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let message: String = states.iter().copied().map(assignments).collect();
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.send_to_addr(message.as_bytes(), &address).map(drop)
    }

    fn assignments(state: Notification<'_>) -> String {
        match state {
            Notification::Ready => "READY=1\n".to_owned(),
            // Type=notify-reload compares the time with that of its signal.
            Notification::Reloading => {
                let now = clock_gettime(ClockId::Monotonic);
                let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
                format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\n")
            }
            // The manager must wait a little longer than the server does.
            Notification::Stopping(within) => {
                let microseconds = within.saturating_add(Duration::from_secs(1)).as_micros();
                format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={microseconds}\n")
            }
            Notification::Status(text) => format!("STATUS={text}\n"),
            Notification::Alive => "WATCHDOG=1\n".to_owned(),
        }
    }

    /// How often the manager expects a sign of life: `sd_watchdog_enabled(3)`.
    pub(super) fn watchdog_interval() -> Option<Duration> {
        let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
        let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
        let microseconds = number("WATCHDOG_USEC").filter(|interval| *interval > 0 && is_ours)?;
        Some(Duration::from_micros(microseconds))
    }
}

/// Only Linux has systemd.
#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;
    use std::time::Duration;

    use super::Notification;

    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn tell(_states: &[Notification<'_>]) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn watchdog_interval() -> Option<Duration> {
        None
    }
}
