use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::upstream::Upstream;
use super::upstream_tls::UpstreamTls;

/// How long an upstream that failed is skipped, if there are others.
const REST: Duration = Duration::from_secs(10);

/// How long an idle connection is kept. Most servers keep theirs longer.
const KEEP: Duration = Duration::from_secs(30);

/// How many idle connections to each upstream are kept.
pub(super) const MAX_IDLE: usize = 64;

/// How to choose one of several upstreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in progress.
    LeastConnections,
}

impl FromStr for Balance {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "round-robin" => Ok(Self::RoundRobin),
            "least-connections" => Ok(Self::LeastConnections),
            _ => Err("expected round-robin or least-connections".to_owned()),
        }
    }
}

/// The upstreams, and which one is next.
#[derive(Debug)]
pub(super) struct Balancer {
    members: Vec<Arc<Member>>,
    balance: Balance,
    next: AtomicUsize,
}

/// One upstream: its state, and idle connections to it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) upstream: Upstream,
    /// Its name for people.
    pub(super) name: Arc<str>,
    busy: AtomicUsize,
    rests_until: Mutex<Option<Instant>>,
    idle: Mutex<Vec<(Instant, Connection)>>,
}

impl Balancer {
    pub(super) fn new(upstreams: Vec<Upstream>, balance: Balance) -> Self {
        let members = upstreams.into_iter().map(|upstream| {
            Arc::new(Member {
                name: upstream.to_string().into(),
                upstream,
                busy: AtomicUsize::new(0),
                rests_until: Mutex::new(None),
                idle: Mutex::new(Vec::new()),
            })
        });
        Self { members: members.collect(), balance, next: AtomicUsize::new(0) }
    }

    /// The upstreams in the order to try them, each once, the healthy ones first. One that failed recently is
    /// tried before the client gets an error.
    pub(super) fn order(&self) -> Vec<Arc<Member>> {
        let count = self.members.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut order: Vec<_> = (0..count)
            .filter_map(|offset| self.members.get(first.wrapping_add(offset) % count))
            .cloned()
            .collect();
        if self.balance == Balance::LeastConnections {
            // The sort is stable, so that upstreams with equally many requests take turns.
            order.sort_by_key(|member| member.busy.load(Ordering::Relaxed));
        }
        let now = Instant::now();
        order.sort_by_key(|member| member.rests(now));
        order
    }

    pub(super) fn has_others(&self) -> bool {
        self.members.len() > 1
    }

    pub(super) fn count(&self) -> usize {
        self.members.len()
    }

    /// Takes the idle connections that are no longer useful: those that are too old at `now`, and those that
    /// the upstream has closed.
    pub(super) fn take_useless(&self, now: Instant) -> Vec<Connection> {
        self.members.iter().flat_map(|member| member.take_useless(now)).collect()
    }

    /// Closes the idle connections that were opened with an older TLS setup.
    pub(super) fn drop_outdated(&self, tls: &UpstreamTls) {
        self.members.iter().for_each(|member| member.drop_outdated(tls));
    }
}

impl Member {
    fn rests(&self, now: Instant) -> bool {
        let until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > now)
    }

    /// Skips it for a while. Returns whether it was not skipped before.
    pub(super) fn rest(&self) -> bool {
        let now = Instant::now();
        let mut until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        let news = until.is_none_or(|until| until <= now);
        *until = Some(now + REST);
        news
    }

    /// Records that it has responded.
    pub(super) fn is_well(&self) {
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Counts a request as in progress until the result is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Takes the most recently used idle connection that still seems good, if there is one. Connections of this
    /// thread come first: waiting for another thread's costs a switch between threads, which is cheaper than a
    /// new connection.
    pub(super) fn take_idle(&self, tls: &UpstreamTls) -> Option<Connection> {
        loop {
            let (since, mut connection) = {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                let local = idle.iter().rposition(|(_, connection)| connection.is_local());
                match local {
                    Some(local) => idle.remove(local),
                    None => idle.pop()?,
                }
            };
            let current = tls.is_current(connection.speaker());
            if current && since.elapsed() < KEEP && !connection.is_stale() {
                connection.reused = true;
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn put_idle(&self, connection: Connection, tls: &UpstreamTls) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE && tls.is_current(connection.speaker()) {
            idle.push((Instant::now(), connection));
        }
    }

    fn take_useless(&self, now: Instant) -> Vec<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_useless = |(since, connection): &mut (Instant, Connection)| {
            now.duration_since(*since) >= KEEP || connection.is_stale()
        };
        idle.extract_if(.., is_useless).map(|(_, connection)| connection).collect()
    }

    /// Closes the idle connections that were opened with an older TLS setup.
    fn drop_outdated(&self, tls: &UpstreamTls) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, connection)| tls.is_current(connection.speaker()));
    }
}

/// A request in progress at an upstream.
#[derive(Debug)]
pub(super) struct Busy(Arc<Member>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use turnkey_backend::Socket;

    use super::*;

    fn balancer(count: u16, balance: Balance) -> Balancer {
        let upstreams = (1..=count).map(|n| format!("http://127.0.0.1:{n}").parse().unwrap());
        Balancer::new(upstreams.collect(), balance)
    }

    fn ports(order: &[Arc<Member>]) -> Vec<String> {
        order.iter().map(|m| m.upstream.to_string()[17..].to_owned()).collect()
    }

    /// A connection, and the upstream's end of it.
    fn connection() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::tcp(ours).unwrap();
        (Connection::new(Box::new(socket.clone()), socket), listener.accept().unwrap().0)
    }

    #[test]
    fn what_has_waited_for_30_seconds_is_of_no_use() {
        let balancer = balancer(1, Balance::RoundRobin);
        let (tls, (connection, _upstream)) = (UpstreamTls::default(), connection());
        let before = Instant::now();
        balancer.order()[0].put_idle(connection, &tls);
        assert_eq!(balancer.take_useless(before + Duration::from_millis(29_999)).len(), 0);
        let after = Instant::now();
        assert_eq!(balancer.take_useless(after + Duration::from_secs(30)).len(), 1);
        assert!(balancer.order()[0].take_idle(&tls).is_none());
    }

    #[test]
    fn what_the_upstream_has_ended_is_of_no_use() {
        let balancer = balancer(1, Balance::RoundRobin);
        let (tls, (good, _upstream), (bad, upstream)) =
            (UpstreamTls::default(), connection(), connection());
        balancer.order()[0].put_idle(bad, &tls);
        balancer.order()[0].put_idle(good, &tls);
        drop(upstream);
        assert_eq!(balancer.take_useless(Instant::now()).len(), 1);
        assert!(balancer.order()[0].take_idle(&tls).is_some(), "the other one");
    }

    #[test]
    fn they_take_turns() {
        let balancer = balancer(3, Balance::RoundRobin);
        assert_eq!(ports(&balancer.order()), ["1", "2", "3"]);
        assert_eq!(ports(&balancer.order()), ["2", "3", "1"]);
        assert_eq!(ports(&balancer.order()), ["3", "1", "2"]);
        assert_eq!(ports(&balancer.order()), ["1", "2", "3"]);
    }

    #[test]
    fn one_that_rests_comes_last() {
        let balancer = balancer(3, Balance::RoundRobin);
        let first = balancer.order().remove(0);
        assert!(first.rest(), "that is news");
        assert!(!first.rest(), "and now it is not");
        assert_eq!(ports(&balancer.order()), ["2", "3", "1"]);
        assert_eq!(ports(&balancer.order()), ["3", "2", "1"]);
        first.is_well();
        assert_eq!(ports(&balancer.order()), ["1", "2", "3"]);
    }

    #[test]
    fn it_rests_for_10_seconds() {
        let member = balancer(2, Balance::RoundRobin).order().remove(0);
        let before = Instant::now();
        member.rest();
        let after = Instant::now();
        assert!(member.rests(before + Duration::from_millis(9_999)));
        assert!(!member.rests(after + Duration::from_secs(10)));
    }

    #[test]
    fn the_least_busy_is_first() {
        let balancer = balancer(2, Balance::LeastConnections);
        let order = balancer.order();
        let busy = order[0].busy();
        assert_eq!(ports(&balancer.order()), ["2", "1"]);
        assert_eq!(ports(&balancer.order()), ["2", "1"]);
        drop(busy);
        assert_eq!(ports(&balancer.order()), ["2", "1"]);
        assert_eq!(ports(&balancer.order()), ["1", "2"]);
    }
}
