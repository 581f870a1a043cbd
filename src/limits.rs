use std::time::Duration;

/// What a server gives its clients: time, memory, and places.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How long the handshake may take; 10 seconds.
    pub handshake_timeout: Duration,
    /// How long a request head may take, from its first byte to its last; 10 seconds.
    pub head_timeout: Duration,
    /// How long a request body may make no progress; 30 seconds.
    pub body_timeout: Duration,
    /// How long a client may take nothing of a response; 30 seconds.
    pub write_timeout: Duration,
    /// How long a connection stays open without a request; 60 seconds.
    pub idle_timeout: Duration,
    /// How long a server that was told to stop goes on as before, but for saying at the path of
    /// [`Server::health`](crate::Server::health) that it will stop, and with each answer that the
    /// connection ends; 0 seconds. Those who balance between servers send nobody any more then.
    pub drain_delay: Duration,
    /// How long a server that was told to stop, and takes no more connections, waits for what is under way; 30 seconds.
    pub drain_timeout: Duration,
    /// The largest request head, in bytes; 16 KiB.
    pub max_head: usize,
    /// The largest request body, in bytes; 10 MiB. `None`: any.
    pub max_body: Option<u64>,
    /// How many connections may be open at a time; what the limit on open files leaves room for.
    pub max_connections: usize,
    /// How many of them may be in their handshake; half, so that clients which connect and say
    /// nothing cannot take all the places.
    pub max_handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let max_connections = room_for_connections();
        Self {
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
            max_head: 16 * 1024,
            max_body: Some(10 * 1024 * 1024),
            max_connections,
            max_handshakes: (max_connections / 2).max(1),
        }
    }
}

impl Limits {
    /// How many clients that there is no place for are told so at a time; the rest is just closed.
    /// It takes a descriptor each, of those that are left.
    pub(crate) fn turned_away(&self) -> usize {
        room().saturating_sub(self.max_connections).clamp(1, MAX_TURNED_AWAY)
    }
}

const MAX_TURNED_AWAY: usize = 64;

/// Descriptors that are needed for other things than clients: listeners, the reactor, files.
const RESERVED: u64 = 32;

/// As many connections as there are descriptors for, less those for clients that are turned away.
fn room_for_connections() -> usize {
    let room = room();
    room - (room / 9).clamp(1, MAX_TURNED_AWAY)
}

/// How many clients there are descriptors for; a process without a limit has room for a million.
fn room() -> usize {
    const MANY: u64 = 1_000_000;
    #[cfg(unix)]
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let descriptors = None;
    let room = descriptors.unwrap_or(MANY).min(MANY).saturating_sub(RESERVED).max(9);
    usize::try_from(room).unwrap_or(usize::MAX)
}

/// Raises the limit on open files as far as the process may, since every connection is one.
pub(crate) fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};

        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::debug!("the limit on open files stays as it is: {error}");
        }
    }
}
