//! The life of one connection: handshake, requests, close.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use http_types::{Method, StatusCode};
use turnkey_backend::{Certificate, HandshakeError, Incoming, Socket};

use super::admission::Permit;
use super::close::{close, linger};
use super::listener::Arrival;
use crate::common::address::{LocalAddr, RemoteAddr};
use crate::common::causes::with_causes;
use crate::common::limits::Limits;
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;
use crate::common::shutdown::Shutdown;
use crate::common::units::seconds;
use crate::common::within::within;
use crate::h1;
use crate::h1::content::Content;
use crate::h1::exchange::{self, After};
use crate::h1::standing::Standing;
use crate::h1::underway::Underway;
use crate::mode::current::{Current, Serving};
use crate::peer::Link;
use crate::peer::trust::{self, ProxyHeaderError, Sender, Trust};
use crate::report::Observer;
use crate::report::explain::{Context, Event, Explainer};
use crate::report::record::Noted;
use crate::wire::{self, Shared, Transport};

/// What all connections of a listener have in common.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) content: Content,
    pub(crate) current: Arc<Current>,
    /// Whether the backend does TLS, so that a client that does not can be told.
    pub(crate) tls: bool,
    pub(crate) mode: &'static str,
    pub(crate) limits: Arc<Limits>,
    pub(crate) trust: Arc<Trust>,
    /// As in [`Link`].
    pub(crate) hsts: Option<u64>,
    /// As in [`Link`].
    pub(crate) health: Option<Arc<str>>,
    pub(crate) explainer: Arc<Explainer>,
    pub(crate) observer: Arc<Observer>,
    pub(crate) shutdown: Shutdown,
}

impl Endpoint {
    /// How many clients that there is no place for are told so at a time, by so many threads.
    pub(crate) fn turned_away(&self, threads: usize) -> usize {
        self.limits.turned_away(self.content.descriptors().and_threads(Some(threads)))
    }
}

/// Serves one accepted connection until it ends. `permit` is what it holds meanwhile.
#[expect(clippy::manual_async_fn, reason = "what an async fn takes, its future holds twice")]
pub(crate) fn run(
    endpoint: &Endpoint,
    arrival: Box<Arrival>,
    permit: &mut Permit,
) -> impl Future<Output = ()> + Send {
    async move {
        // What comes before and behind the requests is on the heap while it lasts, so that a connection is
        // small while it waits for the next one.
        let Some(begun) = Box::pin(begin(endpoint, arrival, permit)).await else { return };
        let Begun { shared, mut link, mut standing, socket } = begun;
        let mut watch = endpoint.shutdown.watch();
        let whole = WholeAnswers { shared: &shared, socket: &socket };
        let Endpoint { content, limits, .. } = endpoint;
        let after = h1::serve(&shared, &mut link, &mut standing, content, limits, &mut watch).await;
        drop(whole);
        let explain = |event: &Event<'_>| {
            let serving = endpoint.current.get();
            explain(endpoint, &serving, &link.local, link.sender.addr(), event);
        };
        match after {
            After::BeganTls => explain(&Event::TlsOnPlain),
            After::ProxyHeader => {
                let error = ProxyHeaderError::Unexpected { peer: link.sender.addr().client() };
                explain(&Event::ProxyHeader(&error.to_string()));
            }
            _ => {}
        }
        Box::pin(close(shared, socket, after)).await;
    }
}

/// A connection that requests are served on.
struct Begun {
    shared: Shared,
    link: Arc<Link>,
    standing: Standing,
    socket: Socket,
}

/// Sees to it that a connection which is given up in the middle of an answer, at the end of the drain for
/// example, does not end as if that were all of it (RFC 9112 §6.3, for HTTP/1.0).
struct WholeAnswers<'c> {
    shared: &'c Shared,
    socket: &'c Socket,
}

impl Drop for WholeAnswers<'_> {
    fn drop(&mut self) {
        if wire::lock(self.shared).would_deceive() {
            self.socket.reset_on_drop();
        }
    }
}

/// Does all that comes before the first request; `None` if there will be none.
async fn begin(endpoint: &Endpoint, arrival: Box<Arrival>, permit: &mut Permit) -> Option<Begun> {
    let Arrival { incoming, remote, local } = *arrival;
    let (id, local) = (permit.id(), &local);
    let start = Instant::now();
    let socket = take(incoming)?;
    let sender = known_sender(endpoint, &socket, remote, local, permit).await?;
    let mut serving = endpoint.current.get();
    // Whom the log speaks of from here on.
    let peer = sender.addr();
    let left = endpoint.limits.handshake_timeout.saturating_sub(start.elapsed());
    let opened = within(left, async {
        see(endpoint, &socket, peer).await?;
        // Not before its first byte: a client that connects and waits is served with what is current then.
        serving = endpoint.current.get();
        serving.backend.accept(socket.clone()).await.map_err(Unopened::Failed)
    })
    .await;
    let explain = |event: &Event<'_>| explain(endpoint, &serving, local, peer, event);
    // Whatever came of it: what is left to say takes no handshake.
    permit.handshake_done();
    let accepted = match opened.unwrap_or(Err(Unopened::TimedOut)) {
        Ok(accepted) => accepted,
        Err(why) => {
            give_up(endpoint, socket, why, local, peer, id, explain).await;
            return None;
        }
    };
    if accepted.tls.is_some()
        && let Some(metrics) = endpoint.observer.metrics()
    {
        metrics.handshake_completed(start.elapsed());
    }
    let certificate = accepted.tls.as_ref().and_then(|tls| tls.client_certificate.as_ref());
    let denied = serving.denied(certificate);
    if denied.is_some() {
        explain(&Event::NotAllowed { subject: certificate.map(Certificate::subject) });
    }
    let link = Link {
        id,
        remote,
        sender,
        local: local.clone(),
        mode: endpoint.mode,
        backend: serving.name,
        tls: accepted.tls.map(Box::new),
        asks_clients: !serving.clients.is_none(),
        trust: Arc::clone(&endpoint.trust),
        observer: Arc::clone(&endpoint.observer),
        hsts: endpoint.hsts,
        health: endpoint.health.clone(),
        denied,
    };
    let standing = Standing::new(&endpoint.current, &endpoint.explainer, &serving, &link);
    let transport =
        Transport::new(accepted.stream, Arc::clone(&endpoint.limits)).over(socket.clone());
    let shared = Arc::new(Mutex::new(transport));
    Some(Begun { shared, link: Arc::new(link), standing, socket })
}

/// Has the reactor of this thread wait for a connection; `None` if it cannot any more.
fn take(incoming: Incoming) -> Option<Socket> {
    let lost = |error| log::debug!("a connection was lost before it began: {error}");
    incoming.into_socket().map_err(lost).ok()
}

/// Tells the log why `peer` was not served.
fn explain(
    endpoint: &Endpoint,
    serving: &Serving,
    local: &LocalAddr,
    peer: RemoteAddr,
    event: &Event<'_>,
) {
    let context = Context { serving, local, now: SystemTime::now() };
    endpoint.explainer.explain(peer, event, &context);
}

/// Who sends what comes over a connection; `None` if that is not to be known, which the log is told.
async fn known_sender(
    endpoint: &Endpoint,
    socket: &Socket,
    remote: RemoteAddr,
    local: &LocalAddr,
    permit: &mut Permit,
) -> Option<Sender> {
    let explain = |event: &Event<'_>| {
        explain(endpoint, &endpoint.current.get(), local, remote, event);
    };
    match identify(endpoint, socket, remote).await {
        Ok(Some(sender)) => return Some(sender),
        Ok(None) => explain(&Event::Left),
        Err(what) => {
            explain(&Event::ProxyHeader(&what));
            permit.handshake_done();
            linger(socket.clone()).await;
        }
    }
    None
}

/// Finds out who sends what comes over a connection: `None` if it has left, an error if it does not
/// say so as it should.
async fn identify(
    endpoint: &Endpoint,
    socket: &Socket,
    remote: RemoteAddr,
) -> Result<Option<Sender>, String> {
    let limit = endpoint.limits.handshake_timeout;
    match within(limit, endpoint.trust.sender(socket, remote)).await {
        Some(sender) => sender.map_err(|error| with_causes(&error)),
        // What else it may have to send has limits of its own.
        None if !endpoint.trust.expects_header(remote) => Ok(Some(endpoint.trust.at(remote))),
        None => Err(format!("no PROXY header within {}", seconds(limit))),
    }
}

/// Why there is nothing to be served on a connection.
#[derive(Debug)]
enum Unopened {
    /// The client sent a request in the clear to a port for TLS.
    PlainHttp,
    /// The client left without a byte: a port scan, a health check, a browser that thought ahead.
    Left,
    /// A PROXY header came that nobody was asked for.
    ProxyHeader(ProxyHeaderError),
    Failed(HandshakeError),
    TimedOut,
}

/// Waits for the first bytes of a handshake, and sees whether they are of one.
async fn see(endpoint: &Endpoint, socket: &Socket, peer: RemoteAddr) -> Result<(), Unopened> {
    if endpoint.tls {
        // rustls would answer with a raw alert, OpenSSL with a reset: neither helps a person who
        // typed `http://`, or has forgotten an option.
        let mut bytes = [0; trust::HEADER_START];
        let start = match socket.peek(&mut bytes).await {
            Ok(0) | Err(_) => return Err(Unopened::Left),
            Ok(n) => bytes.get(..n).unwrap_or_default(),
        };
        if let Some(error) = endpoint.trust.unexpected_header(start, peer) {
            return Err(Unopened::ProxyHeader(error));
        }
        if is_method(start.get(..8).unwrap_or(start)) {
            return Err(Unopened::PlainHttp);
        }
    }
    Ok(())
}

/// Tells the log why, and the client, where it can be told.
async fn give_up(
    endpoint: &Endpoint,
    socket: Socket,
    why: Unopened,
    local: &LocalAddr,
    peer: RemoteAddr,
    id: u64,
    explain: impl Fn(&Event<'_>),
) {
    match why {
        Unopened::PlainHttp => {
            explain(&Event::PlainHttp);
            answer_plain_http(endpoint, socket, local, peer, id).await;
        }
        Unopened::Left => explain(&Event::Left),
        Unopened::ProxyHeader(error) => {
            explain(&Event::ProxyHeader(&error.to_string()));
            linger(socket).await;
        }
        Unopened::Failed(error) => {
            explain(&Event::Handshake(&error));
            // The alert that says why must reach the client before the connection is gone.
            linger(socket).await;
        }
        Unopened::TimedOut => explain(&Event::TimedOut(&endpoint.limits)),
    }
}

/// Whether a request line may begin like this: TLS does not, and other protocols with capital letters
/// (`SSH-2.0`) have more in their first word.
fn is_method(bytes: &[u8]) -> bool {
    let word = bytes.split(|&b| b == b' ').next().unwrap_or_default();
    !word.is_empty() && word.iter().all(u8::is_ascii_uppercase)
}

/// Tells a client that speaks HTTP in the clear that this port is for HTTPS.
async fn answer_plain_http(
    endpoint: &Endpoint,
    socket: Socket,
    local: &LocalAddr,
    peer: RemoteAddr,
    connection: u64,
) {
    let reason =
        format!("this port speaks HTTPS: use https://{}/ (or the host's name)", local.authority());
    let id = RequestId { connection, number: 1 };
    let mut noted = Noted::new(peer.client(), endpoint.observer.keeps_text());
    // It stays unread; the log may tell what it was.
    let mut head = [0; 1024];
    if let Some(Ok(n)) = smol::future::poll_once(socket.peek(&mut head)).await {
        noted.line(head.get(..n).unwrap_or_default());
    }
    answer(endpoint, socket, &Refusal::bad_request(reason), noted, Some(id)).await;
}

/// Tells a client that there is no place for it (RFC 9110 §15.6.4).
pub(crate) async fn turn_away(endpoint: &Endpoint, incoming: Incoming, peer: RemoteAddr) {
    let Some(socket) = take(incoming) else { return };
    let busy = Refusal::new(StatusCode::ServiceUnavailable, "too many connections; try again soon");
    answer(endpoint, socket, &busy, Noted::new(peer.client(), false), None).await;
}

/// Answers before, or in place of, all that a client may ask, and closes.
async fn answer(
    endpoint: &Endpoint,
    socket: Socket,
    refusal: &Refusal,
    noted: Noted,
    id: Option<RequestId>,
) {
    let transport = Transport::new(Box::new(socket.clone()), Arc::clone(&endpoint.limits));
    let shared = Arc::new(Mutex::new(transport));
    wire::lock(&shared).tally().begin();
    let underway = Underway::new(&shared, &endpoint.observer, None, id, noted);
    let after = underway.ends(exchange::refuse(&shared, refusal, Method::Get).await);
    close(shared, socket, after).await;
}
