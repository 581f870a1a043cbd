//! Replaces what a running server serves with.

use std::sync::Arc;

use turnkey_backend::ConnectConfig;

use super::connection::Endpoint;
use crate::h1::content::Content;
use crate::mode::current::{Current, Serving};
use crate::mode::{self, BackendName, Mode, ModeError, TlsChoice};
use crate::proxy::Proxy;
use crate::report::metrics::Metrics;

/// Replaces what a running server serves with.
#[derive(Debug, Clone)]
pub struct Reloader {
    pub(crate) current: Arc<Current>,
    /// `None` if nothing is handed on.
    pub(crate) proxy: Option<Arc<Proxy>>,
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl Reloader {
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        let proxy = match &endpoint.content {
            Content::Proxy(proxy) => Some(Arc::clone(proxy)),
            Content::App(_) => None,
        };
        let metrics = endpoint.settings.observer.metrics().cloned();
        Self { current: Arc::clone(&endpoint.current), proxy, metrics }
    }

    /// Builds a backend for `mode` and `choice`, and serves all handshakes with it that begin from
    /// now on. A connection that stands goes on if the new client policy would let its client in, which is asked at
    /// its next request, and at once where a request is under way. On an error all stays as it was.
    ///
    /// A mode with TLS can be replaced by another with TLS, and by nothing else.
    #[expect(clippy::needless_pass_by_value, reason = "as Server::tls takes it")]
    pub fn replace(&self, mode: Mode, choice: TlsChoice) -> Result<(), ModeError> {
        let built = self.build(mode, &choice);
        self.count(built.is_ok());
        self.current.replace(built?);
        Ok(())
    }

    /// Sets up the TLS with upstreams anew, as [`Proxy::tls`] does, for all connections to them that
    /// begin from now on. Requests that are under way are finished; a connection that was opened before
    /// gets no further one. On an error all stays as it was.
    pub fn replace_upstream_tls(
        &self,
        backend: Option<BackendName>,
        config: &ConnectConfig,
    ) -> Result<(), ModeError> {
        let proxy = self.proxy.as_ref().ok_or(ModeError::NoUpstream)?;
        let connector = mode::connector(backend, config);
        self.count(connector.is_ok());
        proxy.replace_tls(connector?, config.clone());
        Ok(())
    }

    pub(crate) fn build(&self, mode: Mode, choice: &TlsChoice) -> Result<Serving, ModeError> {
        let serving = mode.build(choice)?.serving;
        if serving.tls != self.current.get().tls {
            return Err(ModeError::OtherScheme);
        }
        Ok(serving)
    }

    pub(crate) fn count(&self, done: bool) {
        if let Some(metrics) = &self.metrics {
            metrics.reloaded(done);
        }
    }
}
