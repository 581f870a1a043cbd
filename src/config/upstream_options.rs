//! The servers that requests are forwarded to, as the options name them.

use turnkey::net::Descriptors;
use turnkey::tls::{BackendName, ConnectConfig};
use turnkey::{Balance, ModeError, Proxy, UpgradeProtocol, Upstream};

use super::error::{ConfigError, usage};
use super::layers::Layers;
use crate::cli::Serve;
use crate::cli::units::{Bytes, Seconds};
use crate::config::files::{IdentityFile, PemOptions, UpstreamFiles};

/// The options about upstreams.
#[derive(Debug)]
pub(crate) struct UpstreamOptions {
    upstreams: Vec<Upstream>,
    balance: Balance,
    host: Option<String>,
    timeout: Option<Seconds>,
    streaming: bool,
    buffer_max: Option<Bytes>,
    lenient_names: bool,
    upgrades: Vec<UpgradeProtocol>,
    tunnel_timeout: Option<Seconds>,
    /// `None` if no upstream speaks TLS.
    pub(crate) tls: Option<UpstreamFiles>,
}

/// The upstreams that are named; `None` if there are none.
pub(crate) fn choose(layers: Layers<'_>) -> Result<Option<UpstreamOptions>, ConfigError> {
    let upstreams = layers.list(|s| &s.proxy);
    if upstreams.is_empty() {
        return refuse_without_upstream(layers).map(|()| None);
    }
    let tls = upstreams.iter().any(Upstream::is_tls);
    let is_about_tls = |s: &Serve| {
        !s.upstream_ca.is_empty() || s.upstream_cert.is_some() || s.upstream_key.is_some()
    };
    // Options in lower layers than the upstreams are for other runs.
    if !tls && layers.down_to(|s| !s.proxy.is_empty()).any(is_about_tls) {
        return Err(usage(
            "--upstream-ca, --upstream-cert and --upstream-key are for a --proxy of https://, and \
             here is none",
        ));
    }
    let options = UpstreamOptions {
        balance: layers.of(|s| s.balance).unwrap_or_default(),
        host: layers.of(|s| s.upstream_host.clone()),
        timeout: layers.of(|s| s.proxy_timeout),
        streaming: layers.any(|s| s.proxy_streaming),
        buffer_max: layers.of(|s| s.proxy_buffer_max),
        lenient_names: layers.any(|s| s.lenient_names),
        upgrades: layers.list(|s| &s.upgrade),
        tunnel_timeout: layers.of(|s| s.tunnel_timeout),
        tls: tls.then(|| files(layers)).transpose()?,
        upstreams,
    };
    if let Some(host) = &options.host
        && !turnkey::net::is_authority(host)
    {
        return Err(usage(format!(
            "--upstream-host {host:?}: expected a host, and perhaps a port"
        )));
    }
    Ok(Some(options))
}

/// The files for TLS with upstreams.
fn files(layers: Layers<'_>) -> Result<UpstreamFiles, ConfigError> {
    let cert = layers.of(|s| s.upstream_cert.clone());
    let key = layers.of(|s| s.upstream_key.clone());
    let identity = match (cert, key) {
        (None, None) => None,
        (Some(cert), key) => {
            let key = key.unwrap_or(cert.clone());
            Some(IdentityFile::Pem { cert, key, options: PemOptions::UPSTREAM })
        }
        (None, Some(_)) => {
            return Err(usage(
                "--upstream-key needs --upstream-cert: the certificate that the key belongs to",
            ));
        }
    };
    Ok(UpstreamFiles { cas: layers.list(|s| &s.upstream_ca), identity })
}

/// Rejects typed options about upstreams if no upstream is named.
fn refuse_without_upstream(layers: Layers<'_>) -> Result<(), ConfigError> {
    let Some(typed) = layers.typed() else { return Ok(()) };
    let wishes = [
        (typed.balance.is_some(), "--balance"),
        (typed.upstream_host.is_some(), "--upstream-host"),
        (!typed.upstream_ca.is_empty(), "--upstream-ca"),
        (typed.upstream_cert.is_some(), "--upstream-cert"),
        (typed.upstream_key.is_some(), "--upstream-key"),
        (typed.proxy_timeout.is_some(), "--proxy-timeout"),
        (typed.proxy_streaming, "--proxy-streaming"),
        (typed.proxy_buffer_max.is_some(), "--proxy-buffer-max"),
        (typed.lenient_names, "--lenient-names"),
        (!typed.upgrade.is_empty(), "--upgrade"),
        (typed.tunnel_timeout.is_some(), "--tunnel-timeout"),
    ];
    match wishes.iter().find(|(asked, _)| *asked) {
        Some((_, option)) => {
            Err(usage(format!("{option} needs --proxy: the server that requests are handed on to")))
        }
        None => Ok(()),
    }
}

impl UpstreamOptions {
    /// The names of the upstreams, for people.
    pub(crate) fn names(&self) -> String {
        self.upstreams.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// How many descriptors clients need.
    pub(crate) fn descriptors(&self) -> Descriptors {
        self.without_tls().descriptors()
    }

    /// Builds the proxy. `tls` is what the files contained. The TLS stack is that of `backend`, if it has TLS.
    pub(crate) fn proxy(
        &self,
        backend: Option<BackendName>,
        tls: Option<&ConnectConfig>,
    ) -> Result<Proxy, ModeError> {
        let proxy = self.without_tls();
        match tls {
            Some(tls) => proxy.tls(backend, tls),
            None => Ok(proxy),
        }
    }

    fn without_tls(&self) -> Proxy {
        let mut proxy = Proxy::new(self.upstreams.clone(), self.balance)
            .streaming(self.streaming)
            .lenient_names(self.lenient_names);
        if let Some(host) = &self.host {
            proxy = proxy.host(host.clone());
        }
        if let Some(Seconds(timeout)) = self.timeout {
            proxy = proxy.timeout(timeout);
        }
        if let Some(Bytes(max)) = self.buffer_max {
            proxy = proxy.buffer_max(max);
        }
        if let Some(Seconds(timeout)) = self.tunnel_timeout {
            proxy = proxy.tunnel_timeout(timeout);
        }
        self.upgrades.iter().cloned().fold(proxy, Proxy::upgrade)
    }
}
