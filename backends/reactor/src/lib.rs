//! Sockets and timers for one thread.
//!
//! Each serving thread has its own [`Reactor`]. A [`Socket`], an [`Acceptor`] and a [`Timer`] belong to the reactor
//! of the thread that they begin on. A socket is registered once, for reading and for writing, and the kernel reports
//! changes only (`EPOLLET`, `EV_CLEAR`). A wait costs no system call except the one that waits for everything. A
//! timer costs none either.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use std::time::Duration;
//! use turnkey_reactor::{Reactor, Timer};
//!
//! let mut reactor = Reactor::new()?;
//! reactor.drive(Timer::after(Duration::from_millis(1)))
//! # }
//! ```
//!
//! The files form layers, the lowest first: `readiness` and `timers` (what is known, and which tasks wait),
//! `shared` (what other threads reach), `current` (the thread's reactor), `reactor` (the loop), `fallback` (for
//! threads without a loop), `source` and `timer` (one wait), `socket` and `acceptor`.

#[macro_use]
mod either;

mod acceptor;
mod current;
mod fallback;
mod reactor;
mod readiness;
mod registration;
mod shared;
mod socket;
mod timer;
mod timers;

pub use acceptor::{Acceptor, Incoming};
pub use reactor::Reactor;
pub use socket::Socket;
pub use timer::Timer;

#[cfg(test)]
mod tests;
