//! Forwards requests to upstreams and returns their responses.
//!
//! Heads are forwarded as bytes that were checked before, in both directions. By default the body of a request
//! is buffered before an upstream gets the request, and a response is buffered for a slow client, within
//! limits. turnkey removes what a client says about itself, and tells the upstream itself who the client is.

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

/// How long an upstream may take to accept a connection, at most.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The default for how long a tunnel may be idle.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(3600);

/// How often idle connections are checked.
const TIDY: Duration = Duration::from_secs(5);

/// Forwards requests to one of several upstreams.
#[derive(Debug)]
pub struct Proxy {
    balancer: Balancer,
    tls: UpstreamTls,
    /// The `Host` that upstreams get; `None` forwards the client's.
    host: Option<String>,
    timeout: Duration,
    /// Whether bodies are forwarded unbuffered.
    streaming: bool,
    /// The memory and disk space that buffered bodies use.
    buffers: Arc<Buffers>,
    /// Whether fields are forwarded whose names contain other marks than `-` and `_`.
    lenient_names: bool,
    /// The protocols that clients may change to.
    upgrades: Vec<UpgradeProtocol>,
    /// How long a tunnel may be idle.
    tunnel_timeout: Duration,
}

/// How many descriptors each client of a proxy needs: its own connection, one to an upstream and, with `files`,
/// a file for what is buffered. Each upstream may hold idle connections as well, except the one that gets the
/// request.
fn descriptors(upstreams: usize, files: bool) -> Descriptors {
    let each = if files { 3 } else { 2 };
    Descriptors { each, beside: balance::MAX_IDLE.saturating_mul(upstreams.saturating_sub(1)) }
}

/// How forwarding a request ended.
#[derive(Debug)]
pub(crate) enum Forwarded {
    /// The client has the whole response. Its connection can carry another request.
    Persist,
    /// The client has the whole response, or all of it that there is. Its connection closes.
    Close,
    /// The client gets this refusal.
    Refused(Refusal),
    /// The client has a part of the response, and must not take it for the whole.
    BrokenOff,
    /// The client has left.
    Abort,
}

impl Proxy {
    /// Forwards requests to `upstreams`, which must not be empty. By default they have 60 seconds to respond,
    /// and get a request when its whole body is there.
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

    /// Sets up TLS for `https://` upstreams, with the stack of `backend`, or of the first backend that was
    /// compiled in. Without this call, such upstreams get no request.
    pub fn tls(
        self,
        backend: Option<BackendName>,
        config: &ConnectConfig,
    ) -> Result<Self, ModeError> {
        self.tls.replace(mode::connector(backend, config)?, config.clone());
        Ok(self)
    }

    /// Closes connections to upstreams that are no longer useful, for as long as it is polled. Without it they
    /// stay open until the next request, which may take hours.
    pub(crate) async fn tidy(self: Arc<Self>) {
        loop {
            Timer::after(TIDY).await;
            for connection in self.balancer.take_useless(Instant::now()) {
                connection.close().await;
            }
        }
    }

    /// Whether the TLS for upstreams was built from `config`.
    pub(crate) fn has_tls_of(&self, config: &ConnectConfig) -> bool {
        self.tls.is_of(config)
    }

    /// Uses `connector`, which was built from `config`, for new connections to upstreams. Closes the idle
    /// connections that were opened before.
    pub(crate) fn replace_tls(&self, connector: Box<dyn Connector>, config: ConnectConfig) {
        self.tls.replace(connector, config);
        self.balancer.drop_outdated(&self.tls);
    }

    /// Sets the `Host` that upstreams get, in place of the client's.
    #[must_use]
    pub fn host(mut self, host: String) -> Self {
        self.host = Some(host);
        self
    }

    /// Sets how long an upstream may take to respond, and how long it may pause within its response.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether bodies are forwarded unbuffered, in both directions; default `false`. By default an
    /// upstream gets a request when the whole body is there, and its response is read ahead of a slow client,
    /// so that slow clients do not keep it busy. Unbuffered bodies of unknown length are forwarded in chunks,
    /// which WSGI servers pass to their apps as an empty body.
    #[must_use]
    pub fn streaming(mut self, on: bool) -> Self {
        self.streaming = on;
        self
    }

    /// Sets whether upstreams get fields whose names contain other marks than `-` and `_`, like `X.My!Field`.
    /// The default is `false`, because PHP, lighttpd and others read such a name as `X-My-Field`.
    #[must_use]
    pub fn lenient_names(mut self, on: bool) -> Self {
        self.lenient_names = on;
        self
    }

    /// Lets clients change to `protocol` too, if an upstream agrees. WebSocket is always allowed.
    #[must_use]
    pub fn upgrade(mut self, protocol: UpgradeProtocol) -> Self {
        self.upgrades.push(protocol);
        self
    }

    /// Sets how long a tunnel may carry no byte in either direction before it ends; default an hour.
    #[must_use]
    pub fn tunnel_timeout(mut self, timeout: Duration) -> Self {
        self.tunnel_timeout = timeout;
        self
    }

    /// Sets how much disk space the buffered bodies of all clients may use together, in bytes; default 1 GiB.
    /// One response uses at most a quarter of it. With 0, bodies are buffered in memory only, up to 64 KiB
    /// each.
    ///
    /// When there is no room, a body is forwarded unbuffered. Only a request body of unknown length is then
    /// rejected, with 503.
    #[must_use]
    pub fn buffer_max(mut self, bytes: u64) -> Self {
        self.buffers = Buffers::new(bytes);
        self
    }

    /// What is buffered at the moment.
    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.buffers
    }

    /// How many descriptors the clients of a server need that forwards requests with this proxy.
    #[must_use]
    pub fn descriptors(&self) -> Descriptors {
        let files = !self.streaming && self.buffers.max_disk() > 0;
        descriptors(self.balancer.count(), files)
    }

    /// The default limits of a server that forwards requests with this proxy. A client needs a connection to an
    /// upstream besides its own, and a file for a buffered body.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::of(self.descriptors())
    }

    fn connect_timeout(&self) -> Duration {
        self.timeout.min(CONNECT_TIMEOUT)
    }
}

/// A request on its way to an upstream, and the response on its way back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forwarding<'a> {
    pub(crate) proxy: &'a Proxy,
    /// The body is read from here, and the response is written to it.
    pub(crate) shared: &'a Shared,
    pub(crate) asked: &'a Asked,
    pub(crate) outgoing: &'a Outgoing,
}

impl Forwarding<'_> {
    /// Forwards the request, and the response back. `private` is the upstream connection for this client alone.
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
            // Stops when the client leaves.
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

    /// The result for a request that got no response.
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

/// Ready when the client has left, and nobody waits for a response any more.
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
