//! The life of one connection: handshake, requests, close.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use http_types::{Method, StatusCode};
use turnkey_backend::{HandshakeError, Incoming, Socket};

use super::admission::Permit;
use super::close::{close, linger};
use super::listener::Arrival;
use crate::common::address::{LocalAddr, RemoteAddr};
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;
use crate::common::units::seconds;
use crate::common::within::within;
use crate::h1;
use crate::h1::content::Content;
use crate::h1::exchange::{self, After};
use crate::h1::standing::Standing;
use crate::h1::underway::Underway;
use crate::mode::current::{Current, Serving};
use crate::peer::Link;
use crate::peer::settings::Settings;
use crate::peer::trust::{self, ProxyHeaderError, Sender};
use crate::report::explain::Event;
use crate::report::record::Noted;
use crate::wire::asked::Asked;
use crate::wire::{self, Shared, Transport};

/// What serves the connections of a listener.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) content: Content,
    pub(crate) current: Arc<Current>,
    /// Whether the backend does TLS. If so, clients that speak plain HTTP are told.
    pub(crate) tls: bool,
    pub(crate) settings: Arc<Settings>,
}

impl Endpoint {
    pub(crate) fn new(content: Content, current: Arc<Current>, settings: Settings) -> Self {
        Self { content, tls: current.get().tls, current, settings: Arc::new(settings) }
    }

    /// How many clients are told at a time that the server is full, if it has this number of threads.
    pub(crate) fn turned_away(&self, threads: usize) -> usize {
        let descriptors = self.content.descriptors().and_threads(Some(threads));
        self.settings.limits.turned_away(descriptors)
    }
}

/// Serves one accepted connection until it ends. It holds `permit` meanwhile.
#[expect(clippy::manual_async_fn, reason = "what an async fn takes, its future holds twice")]
pub(crate) fn run(
    endpoint: &Endpoint,
    arrival: Box<Arrival>,
    permit: &mut Permit,
) -> impl Future<Output = ()> + Send {
    async move {
        // Boxed: what runs before and after the requests, so that a connection is small while it waits for the next
        // request.
        let Some(begun) = Box::pin(begin(endpoint, arrival, permit)).await else { return };
        let Begun { shared, mut link, mut standing, socket } = begun;
        let whole = WholeAnswers { shared: &shared, socket: &socket };
        let after = h1::serve(&shared, &mut link, &mut standing, &endpoint.content).await;
        drop(whole);
        let explain = |event: &Event<'_>| link.explain(&endpoint.current.get(), event);
        match after {
            After::BeganTls => explain(&Event::TlsOnPlain),
            After::ProxyHeader => {
                let error = ProxyHeaderError::Unexpected { peer: link.sender.addr().client() };
                explain(&Event::ProxyHeader(&error.text(endpoint.settings.trust.names())));
            }
            _ => {}
        }
        Box::pin(close(shared, socket, after)).await;
    }
}

/// A connection that is ready for requests.
struct Begun {
    shared: Shared,
    link: Arc<Link>,
    standing: Standing,
    socket: Socket,
}

/// If a connection is dropped in the middle of an answer, for example at the end of the drain, it must not look like
/// a complete answer (RFC 9112 §6.3, for HTTP/1.0).
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

/// Does everything before the first request; `None` if there will be none.
async fn begin(endpoint: &Endpoint, arrival: Box<Arrival>, permit: &mut Permit) -> Option<Begun> {
    let Arrival { incoming, remote, local } = *arrival;
    let start = Instant::now();
    let Endpoint { settings, current, .. } = endpoint;
    let mut opening =
        Opening { endpoint, socket: take(incoming)?, local, peer: remote, id: permit.id() };
    let sender = opening.known_sender(permit).await?;
    opening.peer = sender.addr();
    let mut serving = current.get();
    let left = settings.limits.handshake_timeout.saturating_sub(start.elapsed());
    let opened = within(left, async {
        opening.see().await?;
        // Only after the first byte: a client that connects and waits gets the current settings.
        serving = current.get();
        serving.accept(opening.socket.clone()).await.map_err(Unopened::Failed)
    })
    .await;
    // With or without success, the rest needs no handshake.
    permit.handshake_done();
    let accepted = match opened.unwrap_or(Err(Unopened::TimedOut)) {
        Ok(accepted) => accepted,
        Err(why) => {
            opening.give_up(why, &serving).await;
            return None;
        }
    };
    if accepted.tls.is_some()
        && let Some(metrics) = settings.observer.metrics()
    {
        metrics.handshake_completed(start.elapsed());
    }
    let denied = serving.denied(accepted.tls.as_ref()).map(|denied| {
        opening.explain(&serving, &Event::NotAllowed(&denied));
        denied.told()
    });
    let Opening { socket, local, id, .. } = opening;
    let link = Link {
        settings: Arc::clone(settings),
        id,
        remote,
        sender,
        local,
        backend: serving.name,
        tls: accepted.tls.map(Box::new),
        asks_clients: !serving.clients.is_none(),
        denied,
    };
    let standing = Standing::new(current, &serving, &link);
    let transport = Transport::new(accepted.stream, Arc::clone(&settings.limits));
    let shared = Arc::new(Mutex::new(transport.over(socket.clone())));
    Some(Begun { shared, link: Arc::new(link), standing, socket })
}

/// Registers a connection with the reactor of this thread; `None` if it is already lost.
fn take(incoming: Incoming) -> Option<Socket> {
    let lost = |error| log::debug!("a connection was lost before it began: {error}");
    incoming.into_socket().map_err(lost).ok()
}

/// A connection before its first request.
struct Opening<'e> {
    endpoint: &'e Endpoint,
    socket: Socket,
    local: LocalAddr,
    /// The address in the log: the other end, until the sender is known.
    peer: RemoteAddr,
    id: u64,
}

impl Opening<'_> {
    /// Logs why the client was not served.
    fn explain(&self, serving: &Serving, event: &Event<'_>) {
        self.endpoint.settings.explain(serving, &self.local, self.peer, event);
    }

    /// The sender of what comes over the connection; `None` if it cannot be determined, which is logged.
    async fn known_sender(&self, permit: &mut Permit) -> Option<Sender> {
        let explain = |event: &Event<'_>| self.explain(&self.endpoint.current.get(), event);
        match self.identify().await {
            Ok(Some(sender)) => return Some(sender),
            Ok(None) => explain(&Event::Left),
            Err(what) => {
                explain(&Event::ProxyHeader(&what));
                permit.handshake_done();
                linger(self.socket.clone()).await;
            }
        }
        None
    }

    /// Determines the sender of what comes over the connection: `None` if the client has left, an error if the PROXY
    /// header is missing or invalid.
    async fn identify(&self) -> Result<Option<Sender>, String> {
        let Settings { limits, trust, .. } = &*self.endpoint.settings;
        let limit = limits.handshake_timeout;
        match within(limit, trust.sender(&self.socket, self.peer)).await {
            Some(sender) => sender.map_err(|error| error.text(trust.names())),
            // Later phases have their own limits.
            None if !trust.expects_header(self.peer) => Ok(Some(trust.at(self.peer))),
            None => Err(format!("no PROXY header within {}", seconds(limit))),
        }
    }

    /// Waits for the first bytes, and checks whether they begin a handshake.
    async fn see(&self) -> Result<(), Unopened> {
        if self.endpoint.tls {
            // rustls would answer with a raw alert, OpenSSL with a reset. Neither helps a person who typed `http://`
            // or forgot an option.
            let mut bytes = [0; trust::HEADER_START];
            let start = match self.socket.peek(&mut bytes).await {
                Ok(0) | Err(_) => return Err(Unopened::Left),
                Ok(n) => bytes.get(..n).unwrap_or_default(),
            };
            if let Some(error) = self.endpoint.settings.trust.unexpected_header(start, self.peer) {
                return Err(Unopened::ProxyHeader(error));
            }
            if is_method(start.get(..8).unwrap_or(start)) {
                return Err(Unopened::PlainHttp);
            }
        }
        Ok(())
    }

    /// Logs the reason, and tells the client if possible.
    async fn give_up(self, why: Unopened, serving: &Serving) {
        let explain = |event: &Event<'_>| self.explain(serving, event);
        match why {
            Unopened::PlainHttp => {
                explain(&Event::PlainHttp);
                self.answer_plain_http().await;
            }
            Unopened::Left => explain(&Event::Left),
            Unopened::ProxyHeader(error) => {
                let names = self.endpoint.settings.trust.names();
                explain(&Event::ProxyHeader(&error.text(names)));
                linger(self.socket).await;
            }
            Unopened::Failed(error) => {
                explain(&Event::Handshake(&error));
                // The alert with the reason must reach the client before the connection is closed.
                linger(self.socket).await;
            }
            Unopened::TimedOut => explain(&Event::TimedOut(&self.endpoint.settings.limits)),
        }
    }

    /// Tells a client that sends plain HTTP that this port is for HTTPS.
    async fn answer_plain_http(self) {
        let Self { endpoint, socket, local, peer, id } = self;
        let authority = local.authority();
        let reason =
            format!("this port speaks HTTPS: use https://{authority}/ (or the host's name)");
        let mut noted = Noted::new(peer.client(), endpoint.settings.observer.keeps_text());
        // The request is not consumed, but the log may show it.
        let mut head = [0; 1024];
        if let Some(Ok(n)) = smol::future::poll_once(socket.peek(&mut head)).await {
            noted.line(head.get(..n).unwrap_or_default());
        }
        let id = RequestId { connection: id, number: 1 };
        let refusal = Refusal::bad_request(reason);
        answer(&endpoint.settings, socket, &refusal, noted, Some(id)).await;
    }
}

/// Why a connection serves no requests.
#[derive(Debug)]
enum Unopened {
    /// The client sent a plain HTTP request to a TLS port.
    PlainHttp,
    /// The client left without a byte: a port scan, a health check, a browser's speculative connection.
    Left,
    /// A PROXY header came that the server does not expect.
    ProxyHeader(ProxyHeaderError),
    Failed(HandshakeError),
    TimedOut,
}

/// Whether a request line may begin like this. TLS does not, and other protocols with capital letters (`SSH-2.0`)
/// have more in their first word.
fn is_method(bytes: &[u8]) -> bool {
    let word = bytes.split(|&b| b == b' ').next().unwrap_or_default();
    !word.is_empty() && word.iter().all(u8::is_ascii_uppercase)
}

/// Tells a client that the server is full (RFC 9110 §15.6.4).
pub(crate) async fn turn_away(endpoint: &Endpoint, incoming: Incoming, peer: RemoteAddr) {
    let Some(socket) = take(incoming) else { return };
    let busy = Refusal::new(StatusCode::ServiceUnavailable, "too many connections; try again soon");
    let noted = Noted::new(peer.client(), false);
    answer(&endpoint.settings, socket, &busy, noted, None).await;
}

/// Answers before the client sends a request, or instead of serving it, and closes.
async fn answer(
    settings: &Settings,
    socket: Socket,
    refusal: &Refusal,
    noted: Noted,
    id: Option<RequestId>,
) {
    let transport = Transport::new(Box::new(socket.clone()), Arc::clone(&settings.limits));
    let shared = Arc::new(Mutex::new(transport));
    wire::lock(&shared).tally().begin();
    let underway = Underway::new(&shared, &settings.observer, None, id, noted);
    let asked = Asked::unread(id.unwrap_or_default(), Method::Get);
    let after = underway.ends(exchange::refuse(&shared, refusal, asked).await);
    close(shared, socket, after).await;
}
