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
    /// How long a client may take nothing of a response, as far as the kernel tells, which waits until a
    /// third of what it holds for the client is taken; 30 seconds.
    pub write_timeout: Duration,
    /// How long a connection stays open without a request; 60 seconds.
    pub idle_timeout: Duration,
    /// How long a connection stays open at most; `None`: as long as it is used. The answer that is due then is
    /// the last on the connection and says so (RFC 9112 §9.6). A connection without a request is closed, and so is a
    /// tunnel. An answer that has begun, or a request whose body is still coming, has 2 more seconds.
    pub max_age: Option<Duration>,
    /// How long a server that was told to stop goes on as before, but for saying at the path of
    /// [`Server::health`](crate::Server::health) that it will stop, and with each answer that the
    /// connection ends; 0 seconds. Those who balance between servers send nobody any more then.
    pub drain_delay: Duration,
    /// How long a server that was told to stop, and takes no more connections, waits for what is under way; 30 seconds.
    pub drain_timeout: Duration,
    /// The largest request head, in bytes; 16 KiB. The request target may have 8 KiB of it, and there may be 100
    /// fields. When this is raised, a target may be as long as a head, and there may be more fields in
    /// proportion: 400 with 64 KiB, and never more than 1,000.
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
    /// How many clients that there is no place for are told so at a time; the rest is just closed.
    /// It takes a descriptor each, of those that are left.
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

/// Descriptors that are needed for other things than clients: listeners, files, the reactors of
/// [`FEW_THREADS`].
const RESERVED: usize = 32;

const FEW_THREADS: usize = 4;

/// How many a reactor takes.
const REACTOR: usize = 3;

/// How many descriptors are kept from clients, with a thread for each processor.
fn reserved() -> usize {
    RESERVED + REACTOR * (usual_threads() - FEW_THREADS)
}

/// How many threads descriptors are kept for in any case: as many as there are unless somebody asks for
/// another number, and a few.
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

    /// What is kept for later must not take the place of what is served now.
    fn beside(self) -> usize {
        self.beside.min(room() / 4)
    }

    /// As many connections as there are descriptors for, less those for clients that are turned away.
    fn room_for_connections(self) -> usize {
        let room = room();
        let turned_away = (room / 9).clamp(1, MAX_TURNED_AWAY);
        ((room - turned_away - self.beside()) / self.each).max(1)
    }
}

/// How many descriptors there are for clients; a process without a limit has a million.
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
