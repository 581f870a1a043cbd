//! Replaces what a running server serves with.

use std::sync::Arc;

use turnkey_backend::ConnectConfig;

use super::connection::Endpoint;
use crate::h1::content::Content;
use crate::mode::current::Current;
use crate::mode::{self, BackendName, Mode, ModeError, Tls};
use crate::proxy::Proxy;
use crate::report::metrics::Metrics;

/// Replaces what a running server serves with.
#[derive(Debug, Clone)]
pub struct Reloader {
    current: Arc<Current>,
    /// `None` if nothing is handed on.
    proxy: Option<Arc<Proxy>>,
    metrics: Option<Arc<Metrics>>,
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

    /// Builds a backend for `mode` and `choice`, by the program's own [factory](crate::Server::backend) if there is
    /// one, and serves all handshakes with it that begin from
    /// now on. A connection that stands goes on if the new client policy would let its client in, which is asked at
    /// its next request, and at once where a request is under way. On an error all stays as it was.
    ///
    /// A mode with TLS can be replaced by another with TLS, and by nothing else.
    pub fn replace(&self, mode: Mode, choice: Tls) -> Result<(), ModeError> {
        self.replace_all(Some((mode, choice)), None)
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

    /// Both at once, as far as they are given: [`Reloader::replace`] and [`Reloader::replace_upstream_tls`]. On an
    /// error of either all stays as it was. If the TLS with upstreams is set up from the same as before, it stays,
    /// and so do the connections to them.
    pub fn replace_all(
        &self,
        own: Option<(Mode, Tls)>,
        upstream: Option<(Option<BackendName>, &ConnectConfig)>,
    ) -> Result<(), ModeError> {
        let replaced = self.try_replace(own, upstream);
        self.count(replaced.is_ok());
        replaced
    }

    /// Counts a reload that failed before there was something to replace: a file could not be read, say. The
    /// others are counted anyway.
    pub fn count_failure(&self) {
        self.count(false);
    }

    fn try_replace(
        &self,
        own: Option<(Mode, Tls)>,
        upstream: Option<(Option<BackendName>, &ConnectConfig)>,
    ) -> Result<(), ModeError> {
        let serving = own.map(|(mode, choice)| self.current.build(mode, &choice)).transpose()?;
        let upstream = match upstream {
            Some((backend, config)) => {
                let proxy = self.proxy.as_ref().ok_or(ModeError::NoUpstream)?;
                // What is as it was stays, and with it all connections to upstreams.
                let stays = proxy.has_tls_of(config);
                let connector = (!stays).then(|| mode::connector(backend, config)).transpose()?;
                connector.map(|connector| (proxy, connector, config))
            }
            None => None,
        };
        // Only now that nothing can fail any more.
        if let Some(serving) = serving {
            self.current.replace(serving);
        }
        if let Some((proxy, connector, config)) = upstream {
            proxy.replace_tls(connector, config.clone());
        }
        Ok(())
    }

    fn count(&self, done: bool) {
        if let Some(metrics) = &self.metrics {
            metrics.reloaded(done);
        }
    }
}
