//! Forwards requests to upstreams and returns their responses.
//!
//! Heads pass as bytes that have been vetted on the way in, in both directions. Bodies of requests are read
//! before an upstream is asked, and answers are read ahead of slow clients, within limits. What a client says about itself does not reach the upstream: who it is,
//! is said by us.

mod ahead;
mod balance;
mod chunk;
mod connection;
mod dial;
mod error;
mod fields;
mod forward;
mod hand_back;
mod hold_back;
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
use self::balance::Balancer;
use self::forward::{Attempt, Unanswered};
pub(crate) use self::private::Private;
pub(crate) use self::request::Outgoing;
pub use self::upgrade::UpgradeProtocol;
pub use self::upstream::Upstream;
use self::upstream_tls::UpstreamTls;
use crate::common::buffers::Buffers;
use crate::common::causes::with_causes;
use crate::common::limits::{Descriptors, Limits};
use crate::common::refusal::Refusal;
use crate::mode::{self, BackendName, ModeError};
use crate::wire::asked::Asked;
use crate::wire::{Shared, lock};

/// The longest that an upstream may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a tunnel may be quiet, if nobody says otherwise.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(3600);

/// How often connections that wait for a request are looked at.
const TIDY: Duration = Duration::from_secs(5);

/// Hands requests on to one of several upstreams.
#[derive(Debug)]
pub struct Proxy {
    balancer: Balancer,
    tls: UpstreamTls,
    /// The `Host` that upstreams get; the client's, if there is none.
    host: Option<String>,
    timeout: Duration,
    /// Whether bodies are passed on unbuffered.
    streaming: bool,
    /// How much the buffered ones take.
    buffers: Arc<Buffers>,
    /// Whether fields go on whose names have other marks than `-` and `_`.
    lenient_names: bool,
    /// What clients may change to.
    upgrades: Vec<UpgradeProtocol>,
    /// How long a tunnel may be quiet.
    tunnel_timeout: Duration,
}

/// How many descriptors the clients of a proxy take: each its own connection, one to an upstream, and a
/// file for what is buffered, if there are `files`. Of several upstreams, all but the one that is asked may
/// hold connections that wait.
fn descriptors(upstreams: usize, files: bool) -> Descriptors {
    let each = if files { 3 } else { 2 };
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
    /// Hands requests on to `upstreams`, of which there is at least one. They get 60 seconds to answer, and
    /// are asked when the body of a request is there.
    #[must_use]
    pub fn new(upstreams: Vec<Upstream>, balance: Balance) -> Self {
        Self {
            balancer: Balancer::new(upstreams, balance),
            tls: UpstreamTls::default(),
            host: None,
            timeout: Duration::from_secs(60),
            streaming: false,
            buffers: Buffers::new(crate::common::buffers::DISK),
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

    /// Sets whether bodies are passed on unbuffered, in both directions; `false`. By default an upstream is
    /// asked when the whole body is there, and its answer is read ahead of a slow client, so that slow
    /// clients do not keep it busy. Unbuffered, bodies of unknown length are passed on in chunks, for which a
    /// server of WSGI hands its app an empty body.
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

    /// Sets how much disk space the buffered bodies of all clients may take together, in bytes; 1 GiB. One answer
    /// takes at most a quarter of it. With 0, bodies are buffered in memory only, up to 64 KiB each.
    ///
    /// Without room, a body is passed on unbuffered. Only the body of a request whose length is unknown is
    /// refused then, with 503.
    #[must_use]
    pub fn buffer_max(mut self, bytes: u64) -> Self {
        self.buffers = Buffers::new(bytes);
        self
    }

    /// What is buffered at the moment.
    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.buffers
    }

    /// How many descriptors the clients of a server take that hands requests on with this.
    #[must_use]
    pub fn descriptors(&self) -> Descriptors {
        let files = !self.streaming && self.buffers.max_disk() > 0;
        descriptors(self.balancer.count(), files)
    }

    /// The default limits of a server that hands requests on with this, where a client takes a connection
    /// to an upstream beside its own, and a file for a body that waits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::of(self.descriptors())
    }

    fn connect_timeout(&self) -> Duration {
        self.timeout.min(CONNECT_TIMEOUT)
    }
}

/// A request on its way to an upstream, and its answer on the way back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forwarding<'a> {
    pub(crate) proxy: &'a Proxy,
    /// Where the body comes from, and the answer goes to.
    pub(crate) shared: &'a Shared,
    pub(crate) asked: &'a Asked,
    pub(crate) outgoing: &'a Outgoing,
}

impl Forwarding<'_> {
    /// Hands on the request, and the answer back. `private` is the upstream's connection for this client
    /// alone.
    pub(crate) async fn run(self, private: &mut Private) -> Forwarded {
        let Self { proxy, shared, asked: Asked { id, .. }, .. } = self;
        let body = match self.hold_back().await {
            Ok(body) => body,
            Err(unanswered) => return self.refuse(unanswered),
        };
        let mut attempt = Attempt { forwarding: self, body };
        let mut last = None;
        let mut order = proxy.balancer.order();
        let mut own = private.take(&proxy.tls);
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
                    let (done, ahead) = self.hand_back(answered, &member, private).await;
                    drop(busy);
                    return hand_back::deliver(ahead, done, *id).await;
                }
                Err((Unanswered::Upstream(error), again)) => {
                    lock(shared).tally().fail(error.name());
                    log::error!(
                        "request {id}: the upstream {}: {}",
                        member.upstream,
                        with_causes(&error)
                    );
                    if error.is_about_the_upstream() && proxy.balancer.has_others() && member.rest()
                    {
                        log::warn!("the upstream {} is left alone for a while", member.upstream);
                    }
                    last = Some(error.refusal());
                    if !again {
                        break;
                    }
                }
                Err((unanswered, _)) => return self.refuse(unanswered),
            }
        }
        Forwarded::Refused(last.unwrap_or_else(|| {
            Refusal::new(StatusCode::ServiceUnavailable, "there is no upstream to ask")
        }))
    }

    /// What the client is told when its request got no further than here.
    fn refuse(self, unanswered: Unanswered) -> Forwarded {
        let (id, refusal) = (self.asked.id, lock(self.shared).refusal().cloned());
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
            (Unanswered::NoRoom, _) => Forwarded::Refused(Refusal::new(
                StatusCode::ServiceUnavailable,
                "there is no room to hold back a body of unknown length: try again later, or send it with \
                 a Content-Length",
            )),
        }
    }
}

/// Done when the client has left, and nobody waits for an answer any more.
async fn left<T>(shared: &Shared) -> Result<T, (Unanswered, bool)> {
    let error = poll_fn(|cx| lock(shared).poll_left(cx)).await;
    Err((Unanswered::Client(error), false))
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
