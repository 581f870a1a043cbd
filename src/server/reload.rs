//! Replaces the configuration of a running server.

use std::sync::Arc;

use turnkey_backend::ConnectConfig;

use super::connection::Endpoint;
use crate::h1::content::Content;
use crate::mode::current::Current;
use crate::mode::{self, BackendName, Mode, ModeError, Tls};
use crate::proxy::Proxy;
use crate::report::metrics::Metrics;

/// Replaces the configuration of a running server.
#[derive(Debug, Clone)]
pub struct Reloader {
    current: Arc<Current>,
    /// `None` if the server is not a proxy.
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

    /// Builds a backend for `mode` and `choice`, with the program's own [factory](crate::Server::backend) if there is
    /// one. All handshakes that begin from now on use it. An open connection continues if the new client policy would
    /// let its client in. This is checked at its next request, or at once if a request is under way. On an error
    /// nothing changes.
    ///
    /// A mode with TLS can only be replaced by another mode with TLS.
    pub fn replace(&self, mode: Mode, choice: Tls) -> Result<(), ModeError> {
        self.replace_all(Some((mode, choice)), None)
    }

    /// Replaces the TLS with upstreams, as [`Proxy::tls`] sets it, for all connections to them that begin from now
    /// on. Requests under way are finished. Connections that are already open get no further requests. On an error
    /// nothing changes.
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

    /// Both at once, as far as they are given: [`Reloader::replace`] and [`Reloader::replace_upstream_tls`]. If
    /// either fails, nothing changes. If the TLS with upstreams has the same configuration as before, it stays, and
    /// so do the connections to them.
    pub fn replace_all(
        &self,
        own: Option<(Mode, Tls)>,
        upstream: Option<(Option<BackendName>, &ConnectConfig)>,
    ) -> Result<(), ModeError> {
        let replaced = self.try_replace(own, upstream);
        self.count(replaced.is_ok());
        replaced
    }

    /// Counts a reload that failed earlier, for example because a file could not be read. Other reloads are counted
    /// automatically.
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
                // An unchanged configuration stays, and so do all connections to upstreams.
                let stays = proxy.has_tls_of(config);
                let connector = (!stays).then(|| mode::connector(backend, config)).transpose()?;
                connector.map(|connector| (proxy, connector, config))
            }
            None => None,
        };
        // From here on, nothing can fail.
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
