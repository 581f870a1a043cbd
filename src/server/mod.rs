//! Configures a server, binds its ports, and accepts, serves and drains connections. The accept loop is in
//! `accept.rs`.

mod accept;
mod admission;
mod beside;
pub(crate) mod bound;
mod close;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod listener;
pub(crate) mod metrics_page;
pub(crate) mod reload;
pub(crate) mod signals;
pub(crate) mod workers;

use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use turnkey_backend::BackendFactory;

use self::beside::{Redirect, metrics_listening};
use self::bound::Bound;
use self::connection::Endpoint;
use self::error::ServerError;
use self::listener::Listener;
use crate::app::App;
use crate::common::address::Address;
use crate::common::limits::Limits;
use crate::common::setting_names::SettingNames;
use crate::h1::content::Content;
use crate::mode::current::Current;
use crate::mode::{Mode, Tls};
use crate::peer::settings::Settings;
use crate::peer::trust::{Trust, TrustedProxies};
use crate::proxy::Proxy;
use crate::report::Observer;
use crate::report::access::AccessLog;
use crate::report::explain::Explainer;
use crate::report::log::LineQueue;
use crate::report::metrics::{Metrics, Told};

/// Serves an [`App`] on a port, in one of the three modes.
///
/// ```no_run
/// # fn main() -> Result<(), turnkey::ServerError> {
/// let mut app = turnkey::App::new();
/// app.at("/").get(|_| async { Ok("Top-level content") });
/// turnkey::Server::new(app).bind("127.0.0.1:8000")?.run()
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    content: Content,
    mode: Mode,
    choice: Tls,
    backend: Option<Arc<dyn BackendFactory>>,
    threads: usize,
    trust: TrustedProxies,
    proxy_protocol: bool,
    redirect: Option<Redirect>,
    settings: Settings,
    access_log: Option<AccessLog>,
    log: Option<LineQueue>,
    metrics: Option<Listener>,
    names: Arc<SettingNames>,
}

impl Server {
    /// A server for `app`, in http mode, with the default limits.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self::with(app.into())
    }

    /// A server that forwards requests, in http mode, with the limits of [`Proxy::limits`].
    #[must_use]
    pub fn proxy(proxy: Proxy) -> Self {
        Self::with(Content::Proxy(Arc::new(proxy)))
    }

    fn with(content: Content) -> Self {
        let limits = Arc::new(Limits::of(content.descriptors()));
        Self {
            content,
            mode: Mode::Http,
            choice: Tls::default(),
            backend: None,
            threads: thread::available_parallelism().map_or(1, usize::from),
            trust: TrustedProxies::default(),
            proxy_protocol: false,
            redirect: None,
            settings: Settings { limits, ..Settings::default() },
            access_log: None,
            log: None,
            metrics: None,
            names: Arc::default(),
        }
    }

    /// Sets the mode. Default: http.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the choices for TLS.
    #[must_use]
    pub fn tls(mut self, choice: Tls) -> Self {
        self.choice = choice;
        self
    }

    /// Sets a custom factory of backends. Default: one of the backends that come with turnkey.
    ///
    /// It gets the same input as they do: identities, client policy and versions of https and mutual mode, at the
    /// start and at each [reload](crate::Reloader). To ask for more than its
    /// [capabilities](crate::backend::BackendFactory::capabilities) is an error. It can serve http mode if it does no
    /// TLS.
    ///
    /// ```
    /// use turnkey::backend::{Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities};
    /// use turnkey::backend::{HandshakeError, Socket};
    /// use turnkey::{App, Server};
    ///
    /// /// Hands on the connection as it is.
    /// #[derive(Debug, Clone)]
    /// struct AsItComes;
    ///
    /// impl Backend for AsItComes {
    ///     fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
    ///         Box::pin(async { Ok(Accepted { stream: Box::new(socket), tls: None }) })
    ///     }
    /// }
    ///
    /// impl BackendFactory for AsItComes {
    ///     fn capabilities(&self) -> Capabilities {
    ///         Capabilities { name: "as-it-comes", ..Capabilities::NONE }
    ///     }
    ///
    ///     fn build_plain(&self) -> Result<Box<dyn Backend>, BuildError> {
    ///         Ok(Box::new(self.clone()))
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), turnkey::ServerError> {
    /// let bound = Server::new(App::new()).backend(AsItComes).bind("127.0.0.1:0")?;
    /// assert_eq!(bound.backend(), "as-it-comes");
    /// # Ok(()) }
    /// ```
    ///
    /// `examples/own_backend.rs` shows a backend that does TLS.
    #[must_use]
    pub fn backend(mut self, factory: impl BackendFactory) -> Self {
        self.backend = Some(Arc::new(factory));
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = Arc::new(limits);
        self
    }

    /// Sets how many threads serve connections. Default: the number of processors.
    ///
    /// A new connection goes to the thread with the fewest, and stays there. A handler that blocks or computes for
    /// long delays all other connections of its thread: use `smol::unblock` for such work.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets the trusted proxies, whose fields about their clients are believed. Default: none.
    ///
    /// From them, `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto` and `-Host` determine [`Peer`](crate::Peer)
    /// and the URL of the request, and fields about the client's certificate reach the app. All these fields are
    /// removed from requests of other clients.
    #[must_use]
    pub fn trust(mut self, proxies: TrustedProxies) -> Self {
        self.trust = proxies;
        self
    }

    /// Sets whether connections of the trusted proxies begin with a header of the PROXY protocol, version 1 or 2.
    /// Default: `false`. If `true`, a trusted proxy's connection without the header is closed, and so is another
    /// client's connection with it. This needs [`Server::trust`].
    #[must_use]
    pub fn proxy_protocol(mut self, on: bool) -> Self {
        self.proxy_protocol = on;
        self
    }

    /// Sets a port for plain HTTP, on the same address, that redirects to https with a 308 (RFC 9110 §15.4.9).
    /// Default: none. A host that no identity of the server covers gets a 421.
    ///
    /// With `challenges`, the port serves the folder `.well-known/acme-challenge` of that folder, for a CA that asks
    /// for proof of the domain (RFC 8555 §8.3).
    #[must_use]
    pub fn redirect_from(mut self, port: u16, challenges: Option<PathBuf>) -> Self {
        self.redirect = Some(Redirect { port, listener: None, challenges });
        self
    }

    /// Redirects from `listener` instead of the port of [`Server::redirect_from`]. Has no effect without
    /// `redirect_from`.
    #[must_use]
    pub fn redirect_on(mut self, listener: Listener) -> Self {
        if let Some(redirect) = &mut self.redirect {
            redirect.listener = Some(listener);
        }
        self
    }

    /// Sets for how long browsers that came by https must use https only (RFC 6797), in whole seconds. Default: the
    /// field is not sent.
    #[must_use]
    pub fn hsts(mut self, max_age: Duration) -> Self {
        self.settings.hsts = Some(max_age.as_secs());
        self
    }

    /// Sets a path at which the server itself answers `GET` and `HEAD`: 200 while it serves, 503 while it drains.
    /// Default: none.
    #[must_use]
    pub fn health(mut self, path: String) -> Self {
        self.settings.health = Some(Arc::from(path));
        self
    }

    /// Sets where to write a line for each request after it has ended. Default: nowhere.
    #[must_use]
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.access_log = Some(log);
        self
    }

    /// Sets the names of the server's settings in the log and in explanations of failed handshakes. Default: the
    /// names of this library's API.
    #[must_use]
    pub fn setting_names(mut self, names: SettingNames) -> Self {
        self.names = Arc::new(names);
        self
    }

    /// Sets the queue of the program's log. Default: none. The metrics count the lines that it has dropped.
    #[must_use]
    pub fn log_queue(mut self, queue: LineQueue) -> Self {
        self.log = Some(queue);
        self
    }

    /// Sets a listener that answers `GET /metrics` in plain HTTP and in the text format of Prometheus. Default: none.
    /// It stays open while the server runs, even if the server is full. It does no access control: restrict it in the
    /// network.
    #[must_use]
    pub fn metrics(mut self, listener: Listener) -> Self {
        self.metrics = Some(listener);
        self
    }

    /// Builds the backend and binds the port. Port 0 is any free port: see [`Bound::local_addr`].
    pub fn bind(self, address: impl ToSocketAddrs) -> Result<Bound, ServerError> {
        self.serve_on(|| Ok(vec![Listener::bind(address)?]))
    }

    /// Builds the backend and serves on all of `listeners` in the same way.
    pub fn listen(self, listeners: Vec<Listener>) -> Result<Bound, ServerError> {
        self.serve_on(|| Ok(listeners))
    }

    /// Builds the backend and serves on all of `addresses` in the same way. The file of a Unix socket gets the
    /// permissions `socket_mode`, or those of the umask. `[::]` does not accept IPv4 if another address covers IPv4
    /// on the same port.
    pub fn listen_at(
        self,
        addresses: &[Address],
        socket_mode: Option<u32>,
    ) -> Result<Bound, ServerError> {
        self.serve_on(|| Listener::all(addresses, socket_mode))
    }

    /// Builds the backend first, then binds the ports.
    fn serve_on(
        self,
        listeners: impl FnOnce() -> Result<Vec<Listener>, ServerError>,
    ) -> Result<Bound, ServerError> {
        let mode = self.mode.name();
        let built = self.mode.build_with(&self.choice, self.backend.as_deref())?;
        let listeners = listeners()?;
        if listeners.is_empty() {
            return Err(ServerError::NoListener);
        }
        let current = Arc::new(Current::new(built.serving, self.backend));
        let explainer = Arc::new(Explainer::new(Arc::clone(&self.names)));
        if let Some(buffers) = self.content.buffers() {
            buffers.call_limit(self.names.buffer_max);
        }
        let trust = Trust::new(self.trust, self.proxy_protocol).with_names(self.names);
        let metrics = self.metrics.map(|listener| -> Result<_, ServerError> {
            let metrics = Arc::new(Metrics::new(Told {
                backend: built.description.clone(),
                current: Arc::clone(&current),
                explainer: Arc::clone(&explainer),
                access: self.access_log.as_ref().map(AccessLog::queue).cloned(),
                log: self.log,
                buffers: self.content.buffers().cloned(),
            }));
            Ok((Arc::clone(&metrics), metrics_listening(listener, metrics)?))
        });
        let (metrics, metrics_listening) = metrics.transpose()?.unzip();
        let settings = Settings {
            mode,
            trust: Arc::new(trust),
            explainer,
            observer: Arc::new(Observer::new(self.access_log, metrics)),
            ..self.settings
        };
        let mut bound = Bound {
            listeners,
            endpoint: Arc::new(Endpoint::new(self.content, current, settings)),
            redirect: None,
            metrics: metrics_listening,
            backend: built.description,
            threads: self.threads,
            tasks: Vec::new(),
        };
        bound.redirect = self.redirect.map(|redirect| redirect.listen(&bound)).transpose()?;
        if let Content::Proxy(proxy) = &bound.endpoint.content {
            let proxy = Arc::clone(proxy);
            bound = bound.with_task(|_| proxy.tidy());
        }
        Ok(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_needs_a_listener() {
        let error = Server::new(App::new()).listen(Vec::new()).unwrap_err();
        assert!(matches!(error, ServerError::NoListener), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_can_be_sent_on_to_a_unix_socket() {
        let folder = tempfile::tempdir().unwrap();
        let listener = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
        let server = Server::new(App::new()).redirect_from(0, None);
        let error = server.listen(vec![Listener::unix(listener).unwrap()]).unwrap_err();
        assert!(matches!(error, ServerError::NoPort), "{error}");
    }
}
