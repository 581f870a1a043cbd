use std::thread;
use std::time::Duration;

/// The default of [`Limits::max_head`].
pub(crate) const MAX_HEAD: usize = 16 * 1024;

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
    /// How long a client may read nothing of a response; 30 seconds. The kernel reports progress only when a
    /// third of its send buffer is free.
    pub write_timeout: Duration,
    /// How long a connection stays open without a request; 60 seconds.
    pub idle_timeout: Duration,
    /// The maximum age of a connection; `None`: no limit. The answer that is due then is the last on the connection
    /// and says so (RFC 9112 §9.6). An idle connection is closed, and so is a tunnel. An answer that has begun, and a
    /// request whose body is not complete, have 2 more seconds.
    pub max_age: Option<Duration>,
    /// How long a server keeps serving after it was told to stop; 0 seconds. During that time it fails at the
    /// path of [`Server::health`](crate::Server::health), and closes each connection after its next answer,
    /// so that load balancers send no more clients.
    pub drain_delay: Duration,
    /// How long a server that accepts no more connections waits for the requests at hand; 30 seconds.
    pub drain_timeout: Duration,
    /// The largest request head, in bytes; 16 KiB. The request target may have 8 KiB of it, and there may be 100
    /// fields. When this is raised, a target may be as long as a head, and there may be more fields in
    /// proportion: 400 with 64 KiB, and never more than 1,000.
    pub max_head: usize,
    /// The largest request body, in bytes; 10 MiB. `None`: no limit.
    pub max_body: Option<u64>,
    /// How many connections may be open at a time; as many as the limit on open files allows.
    pub max_connections: usize,
    /// How many of them may be in their handshake; half, so that silent clients cannot use up all
    /// connections.
    pub max_handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(Descriptors::OF_APP)
    }
}

impl Limits {
    /// The default limits of a server whose clients take so many descriptors.
    #[must_use]
    pub fn of(descriptors: Descriptors) -> Self {
        let max_connections = descriptors.room_for_connections();
        Self {
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            max_age: None,
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
            max_head: MAX_HEAD,
            max_body: Some(10 * 1024 * 1024),
            max_connections,
            max_handshakes: (max_connections / 2).max(1),
        }
    }
}

impl Limits {
    /// How many rejected clients get a 503 at a time. The connections of others are closed at once. Each
    /// takes one of the remaining descriptors.
    pub(crate) fn turned_away(&self, descriptors: Descriptors) -> usize {
        room().saturating_sub(descriptors.of(self.max_connections)).clamp(1, MAX_TURNED_AWAY)
    }

    /// How many descriptors these limits may take, and how many connections the process has enough for;
    /// `None` if it has enough for [`Limits::max_connections`].
    #[must_use]
    pub fn shortage(&self, descriptors: Descriptors) -> Option<(usize, usize)> {
        let wanted = descriptors.of(self.max_connections);
        (wanted > room()).then(|| (wanted + reserved(), descriptors.room_for_connections()))
    }
}

const MAX_TURNED_AWAY: usize = 64;

/// Descriptors for other purposes than clients: listeners, files, the reactors of [`FEW_THREADS`].
const RESERVED: usize = 32;

const FEW_THREADS: usize = 4;

/// Descriptors of a reactor.
const REACTOR: usize = 3;

/// Descriptors that are reserved for other purposes than clients, with a thread for each processor.
fn reserved() -> usize {
    RESERVED + REACTOR * (usual_threads() - FEW_THREADS)
}

/// The minimum number of threads that descriptors are reserved for.
fn usual_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).max(FEW_THREADS)
}

/// How many descriptors, of sockets and files, a server takes for its clients.
///
/// [`Limits::of`] and [`Limits::shortage`] compare them with the process's limit on open files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptors {
    /// For each client, at most.
    pub each: usize,
    /// Beside them, however many clients there are.
    pub beside: usize,
}

impl Descriptors {
    /// Of an app: each client has its connection.
    pub const OF_APP: Self = Self { each: 1, beside: 0 };
    /// Of a folder: a client may be sent a file.
    pub const OF_FOLDER: Self = Self { each: 2, beside: 0 };

    /// The same with so many [threads](crate::Server::threads), of which each has a reactor; `None` are the
    /// default ones.
    #[must_use]
    pub fn and_threads(self, count: Option<usize>) -> Self {
        let more = count.map_or(0, |count| count.saturating_sub(usual_threads()));
        Self { beside: self.beside.saturating_add(REACTOR.saturating_mul(more)), ..self }
    }

    fn of(self, connections: usize) -> usize {
        connections.saturating_mul(self.each).saturating_add(self.beside())
    }

    /// At most a quarter: pooled connections must not use up the descriptors for clients.
    fn beside(self) -> usize {
        self.beside.min(room() / 4)
    }

    /// The number of connections for which there are descriptors, without those for rejected clients.
    fn room_for_connections(self) -> usize {
        let room = room();
        let turned_away = (room / 9).clamp(1, MAX_TURNED_AWAY);
        ((room - turned_away - self.beside()) / self.each).max(1)
    }
}

/// The number of descriptors for clients; a million if the process has no limit.
fn room() -> usize {
    open_files().saturating_sub(reserved()).max(9)
}

/// How many files the process may have open, sockets among them: the soft limit `RLIMIT_NOFILE`; a million where
/// there is none.
#[must_use]
pub fn open_files() -> usize {
    /// Where there is no limit.
    const MANY: usize = 1_000_000;
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let limit: Option<u64> = None;
    limit.map_or(MANY, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Raises the limit on open files as far as the process may, since every connection is one. Call it before the
/// default [`Limits`] are made, which go by it. Elsewhere than on Unix it does nothing.
pub fn raise_open_files() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_the_place_of_clients() {
        let usual = Descriptors::OF_APP.and_threads(None).room_for_connections();
        let few = Descriptors::OF_APP.and_threads(Some(1)).room_for_connections();
        assert_eq!(usual, few, "what is kept for four threads is kept for one");
        let many = Descriptors::OF_APP.and_threads(Some(usual_threads() + 10));
        assert_eq!(usual - many.room_for_connections(), 30);
    }
}
