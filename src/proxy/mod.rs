//! Requests handed on to upstreams, and their answers handed back.
//!
//! Heads pass as bytes that have been vetted on the way in, in both directions; bodies stream, held
//! back by whoever is slower. What a client says about itself does not reach the upstream: who it is,
//! is said by us.

mod balance;
mod chunk;
mod connection;
mod dial;
mod error;
mod fields;
mod forward;
pub(crate) mod max_forwards;
mod private;
mod relay;
mod request;
mod response;
mod spool;
mod tunnel;
mod upgrade;
mod upload;
mod upstream;
mod upstream_tls;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_types::StatusCode;
use smol::future::FutureExt;
use turnkey_backend::{ConnectConfig, Connector, Timer};

pub use self::balance::Balance;
use self::balance::{Balancer, Member};
use self::forward::{Answered, Attempt, Unanswered};
pub(crate) use self::private::Private;
use self::relay::{Relay, Relayed};
pub(crate) use self::request::Outgoing;
use self::spool::Spool;
pub use self::upgrade::UpgradeProtocol;
pub use self::upstream::Upstream;
use self::upstream_tls::UpstreamTls;
use crate::causes::with_causes;
use crate::limits::{Descriptors, Limits};
use crate::mode::{self, BackendName, ModeError};
use crate::refusal::Refusal;
use crate::wire::deadline::Deadline;
use crate::wire::head::{Framing, Version};
use crate::wire::{Shared, lock};

/// The longest that an upstream may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a tunnel may be quiet, if nobody says otherwise.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(3600);

/// How often connections that wait for a request are looked at.
const TIDY: Duration = Duration::from_secs(5);

/// How much of a body that is held back is read at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// Hands requests on to one of several upstreams.
#[derive(Debug)]
pub struct Proxy {
    balancer: Balancer,
    tls: UpstreamTls,
    /// The `Host` that upstreams get; the client's, if there is none.
    host: Option<String>,
    timeout: Duration,
    /// Whether bodies of unknown length are passed on as they come.
    streaming: bool,
    /// Whether fields go on whose names have other marks than `-` and `_`.
    lenient_names: bool,
    /// What clients may change to.
    upgrades: Vec<UpgradeProtocol>,
    /// How long a tunnel may be quiet.
    tunnel_timeout: Duration,
}

/// How many descriptors the clients of a proxy take: each its own connection, one to an upstream, and a
/// file if its body is held back. Of several upstreams, all but the one that is asked may hold
/// connections that wait.
pub(crate) fn descriptors(upstreams: usize, streaming: bool) -> Descriptors {
    let each = if streaming { 2 } else { 3 };
    Descriptors { each, beside: balance::MAX_IDLE.saturating_mul(upstreams.saturating_sub(1)) }
}

/// How handing on a request went.
#[derive(Debug)]
pub(crate) enum Forwarded {
    /// The client has got the whole answer, and may ask for more on the same connection.
    Persist,
    /// The client has got the whole answer, or all that there was to tell.
    Close,
    /// The client is to be told this.
    Refused(Refusal),
    /// The client has got a part, and must not take it for the whole.
    BrokenOff,
    /// There is nobody to tell anything.
    Abort,
}

impl Proxy {
    /// Hands requests on to `upstreams`, of which there is at least one. They get 60 seconds to answer;
    /// bodies of unknown length reach them with a length.
    #[must_use]
    pub fn new(upstreams: Vec<Upstream>, balance: Balance) -> Self {
        Self {
            balancer: Balancer::new(upstreams, balance),
            tls: UpstreamTls::default(),
            host: None,
            timeout: Duration::from_secs(60),
            streaming: false,
            lenient_names: false,
            upgrades: vec![UpgradeProtocol::websocket()],
            tunnel_timeout: TUNNEL_TIMEOUT,
        }
    }

    /// Sets up TLS for upstreams of `https://`, which get no request without it: with the stack of
    /// `backend`, or of the first that was compiled in.
    pub fn tls(
        self,
        backend: Option<BackendName>,
        config: &ConnectConfig,
    ) -> Result<Self, ModeError> {
        self.tls.replace(mode::connector(backend, config)?, config.clone());
        Ok(self)
    }

    /// Closes connections to upstreams when they are of no use any more, for as long as it is polled:
    /// there may be no request for hours that would find out.
    pub(crate) async fn tidy(self: Arc<Self>) {
        loop {
            Timer::after(TIDY).await;
            for connection in self.balancer.take_useless(Instant::now()) {
                connection.close().await;
            }
        }
    }

    /// Whether the TLS for upstreams is one of `config` already.
    pub(crate) fn has_tls_of(&self, config: &ConnectConfig) -> bool {
        self.tls.is_of(config)
    }

    /// Does the TLS for upstreams with `connector`, which was built from `config`, from now on; connections
    /// that wait for a request and were opened before are closed.
    pub(crate) fn replace_tls(&self, connector: Box<dyn Connector>, config: ConnectConfig) {
        self.tls.replace(connector, config);
        self.balancer.drop_outdated(&self.tls);
    }

    /// Sets the `Host` that upstreams get, in place of the one that the client called.
    #[must_use]
    pub fn host(mut self, host: String) -> Self {
        self.host = Some(host);
        self
    }

    /// Sets how long an upstream may take to answer, and pause within its answer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether bodies of unknown length are passed on as they come, in chunks. They are not: a
    /// server of WSGI hands its app an empty body then.
    #[must_use]
    pub fn streaming(mut self, on: bool) -> Self {
        self.streaming = on;
        self
    }

    /// Sets whether upstreams get fields whose names have other marks than `-` and `_`, like `X.My!Field`. They
    /// do not: PHP, lighttpd and others take such a name for `X-My-Field`.
    #[must_use]
    pub fn lenient_names(mut self, on: bool) -> Self {
        self.lenient_names = on;
        self
    }

    /// Lets clients change to `protocol` too, if an upstream agrees; WebSocket they may without it.
    #[must_use]
    pub fn upgrade(mut self, protocol: UpgradeProtocol) -> Self {
        self.upgrades.push(protocol);
        self
    }

    /// Sets after how long without a byte in either direction a tunnel ends; an hour.
    #[must_use]
    pub fn tunnel_timeout(mut self, timeout: Duration) -> Self {
        self.tunnel_timeout = timeout;
        self
    }

    /// How many descriptors clients take.
    pub(crate) fn descriptors(&self) -> Descriptors {
        descriptors(self.balancer.count(), self.streaming)
    }

    /// The default limits of a server that hands requests on with this, where a client takes a connection
    /// to an upstream beside its own, and a file for a body that is held back.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::of(self.descriptors())
    }

    fn connect_timeout(&self) -> Duration {
        self.timeout.min(CONNECT_TIMEOUT)
    }

    /// Hands on `outgoing`, whose body is read from `shared`, and the answer back to it. `persistent`
    /// is asked, once there is an answer, whether the client's connection can go on; `id` is what the
    /// log calls the request, and `private` the upstream's connection for this client alone.
    pub(crate) async fn forward(
        &self,
        shared: &Shared,
        outgoing: &Outgoing,
        hsts: Option<u64>,
        persistent: impl FnOnce() -> bool,
        id: impl std::fmt::Display,
        private: &mut Private,
    ) -> Forwarded {
        let spool = match self.hold_back(shared, outgoing).await {
            Ok(spool) => spool,
            Err(unanswered) => return refuse(shared, unanswered, &id),
        };
        let mut attempt = Attempt { proxy: self, shared, outgoing, spool };
        let mut last = None;
        let mut order = self.balancer.order();
        let mut own = private.take(&self.tls);
        if let Some((member, _)) = &own {
            order.retain(|other| !Arc::ptr_eq(other, member));
            order.insert(0, Arc::clone(member));
        }
        for member in order {
            let own = own.take().map(|(_, connection)| connection);
            let busy = member.busy();
            lock(shared).tally().hand_on(&member.name);
            // Whoever asks for nothing any more is not asked for.
            let sent = attempt.send(&member, own).or(left(shared));
            match sent.await {
                Ok(answered) => {
                    member.is_well();
                    let done = self.hand_back(
                        shared, outgoing, hsts, persistent, answered, &member, &id, private,
                    );
                    let done = done.await;
                    drop(busy);
                    return done;
                }
                Err((Unanswered::Upstream(error), again)) => {
                    lock(shared).tally().fail(error.name());
                    log::error!(
                        "request {id}: the upstream {}: {}",
                        member.upstream,
                        with_causes(&error)
                    );
                    if error.is_about_the_upstream() && self.balancer.has_others() && member.rest()
                    {
                        log::warn!("the upstream {} is left alone for a while", member.upstream);
                    }
                    last = Some(error.refusal());
                    if !again {
                        break;
                    }
                }
                Err((unanswered, _)) => return refuse(shared, unanswered, &id),
            }
        }
        Forwarded::Refused(last.unwrap_or_else(|| {
            Refusal::new(StatusCode::ServiceUnavailable, "there is no upstream to ask")
        }))
    }

    /// Reads all of a body whose length is not known, so that the upstream can be told how long it is.
    async fn hold_back(
        &self,
        shared: &Shared,
        outgoing: &Outgoing,
    ) -> Result<Option<Spool>, Unanswered> {
        if self.streaming || outgoing.framing != Framing::Chunked {
            return Ok(None);
        }
        let mut spool = Spool::default();
        let mut piece = vec![0; PIECE];
        loop {
            let n = poll_fn(|cx| lock(shared).poll_body(cx, &mut piece)).await;
            match n.map_err(Unanswered::Client)? {
                0 => return Ok(Some(spool)),
                n => {
                    let piece = piece.get(..n).unwrap_or_default();
                    spool.write(piece).await.map_err(Unanswered::Spool)?;
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that there is to know about one exchange")]
    async fn hand_back(
        &self,
        shared: &Shared,
        outgoing: &Outgoing,
        hsts: Option<u64>,
        persistent: impl FnOnce() -> bool,
        answered: Answered<'_>,
        member: &Arc<Member>,
        id: &impl std::fmt::Display,
        private: &mut Private,
    ) -> Forwarded {
        let Answered { incoming, mut connection, mut upload } = answered;
        if incoming.status == 101 {
            return tunnel::change_protocol(self, shared, incoming, connection, id).await;
        }
        let reusable = incoming.persistent && !outgoing.is_last_on(&connection);
        connection.private |= outgoing.authenticates || incoming.authenticates;
        let length = incoming.body;
        let status = incoming.status;
        let by_close = outgoing.version == Version::Http10 && length.is_open_ended();
        let (head, persistent) = incoming.finish(outgoing.version, persistent(), hsts);
        answer(shared, status, &head);
        lock(shared).set_until_close(by_close);
        let relay = Relay {
            shared,
            connection: &mut connection,
            upload: &mut upload,
            out: head,
            begun: false,
            waiting: Deadline::default(),
            limit: self.timeout,
        };
        match relay.run(length, outgoing.version).await {
            Relayed::Whole if reusable && upload.is_done() => {
                if connection.private {
                    private.put(member, connection);
                } else {
                    member.put_idle(connection, &self.tls);
                }
                after(persistent)
            }
            Relayed::Whole | Relayed::WholeAndDone => {
                connection.close().await;
                after(persistent)
            }
            Relayed::Truncated { error, begun } => {
                let upstream = &member.upstream;
                lock(shared).tally().fail("broke_off");
                log::error!(
                    "request {id}: the answer of the upstream {upstream} broke off: {error}"
                );
                if !begun {
                    let what = "the upstream's answer broke off";
                    return Forwarded::Refused(Refusal::new(StatusCode::BadGateway, what));
                }
                Forwarded::BrokenOff
            }
            Relayed::ClientLeft(error) => {
                log::debug!("request {id}: the client left: {error}");
                Forwarded::Abort
            }
        }
    }
}

/// Done when the client has left, and nobody waits for an answer any more.
async fn left<T>(shared: &Shared) -> Result<T, (Unanswered, bool)> {
    let error = poll_fn(|cx| lock(shared).poll_left(cx)).await;
    Err((Unanswered::Client(error), false))
}

/// Counts what is written from here on as an answer that begins with `head`.
fn answer(shared: &Shared, status: u16, head: &[u8]) {
    let mut transport = lock(shared);
    transport.tally().answer(status);
    transport.tally().head(head.len());
}

fn after(persistent: bool) -> Forwarded {
    if persistent { Forwarded::Persist } else { Forwarded::Close }
}

/// What the client is told when its request got no further than here.
fn refuse(shared: &Shared, unanswered: Unanswered, id: &impl std::fmt::Display) -> Forwarded {
    let refusal = lock(shared).refusal().cloned();
    match (unanswered, refusal) {
        (Unanswered::Upstream(error), _) => Forwarded::Refused(error.refusal()),
        (Unanswered::Client(_), Some(refusal)) => Forwarded::Refused(refusal),
        (Unanswered::Client(error), None) => {
            log::debug!("request {id}: the client left: {error}");
            Forwarded::Abort
        }
        (Unanswered::Spool(error), _) => {
            log::error!("request {id}: its body cannot be held back: {error}");
            let status = StatusCode::InternalServerError;
            Forwarded::Refused(Refusal::new(status, status.canonical_reason()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connect_timeout_is_no_longer_than_the_other() {
        let proxy = Proxy::new(vec!["http://app".parse().unwrap()], Balance::default());
        assert_eq!(proxy.connect_timeout(), CONNECT_TIMEOUT);
        let proxy = proxy.timeout(Duration::from_secs(1));
        assert_eq!(proxy.connect_timeout(), Duration::from_secs(1));
    }
}
