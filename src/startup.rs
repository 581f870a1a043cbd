//! What the program says when it starts: where it listens, on what, and a command to try.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use turnkey_backend::{Certificate, Identity, TrustAnchors};

use crate::address::LocalAddr;
use crate::beside::{beside, known_client};
use crate::bound::Bound;
use crate::config::Config;
use crate::identity_files::IdentityFile;
use crate::shell::quoted;
use crate::sources::{Material, Sources};

/// What there is to say, apart from the address and the backend, which are known later.
#[derive(Debug)]
pub(crate) struct Greeting {
    mode: &'static str,
    /// Options of curl that make it trust the server, and show the client's certificate.
    trust: Vec<String>,
    certificate: Option<Certificate>,
    /// Names that are served beside those of the certificate.
    further: Vec<Certificate>,
    adhoc: bool,
}

impl Greeting {
    /// Looks for the files that a client would need, beside those that the server was given.
    pub(crate) fn new(config: &Config, material: Option<&Material>) -> Self {
        let sources = config.sources.as_ref().zip(material);
        let trust = sources.map(|(sources, material)| {
            let client = client_certificate(sources, material);
            client.into_iter().flatten().chain(server_trust(sources, material)).collect()
        });
        let mut certificates =
            material.into_iter().flat_map(|m| &m.identities).map(|i| i.leaf().clone());
        Self {
            mode: config.mode.name(),
            trust: trust.unwrap_or_default(),
            certificate: certificates.next(),
            further: certificates.collect(),
            adhoc: config.sources.as_ref().is_some_and(|sources| sources.made_up.is_some()),
        }
    }

    /// The lines, for a server that has its ports.
    pub(crate) fn text(&self, bound: &Bound) -> String {
        let backend = bound.backend();
        let version = env!("CARGO_PKG_VERSION");
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        let mode = self.mode;
        let places: Vec<String> = bound
            .local_addrs()
            .map(|local| match local {
                LocalAddr::Tcp(addr) => format!("{scheme}://{addr}/"),
                LocalAddr::Unix(_) => local.to_string(),
            })
            .collect();
        let places = places.join(" and ");
        let mut lines = vec![format!("turnkey {version}: {mode} on {places}, backend {backend}")];
        if let Some(redirect) = bound.redirect_addr() {
            lines.push(format!("http://{redirect}/ sends on to https"));
        }
        if let Some(metrics) = bound.metrics_addr() {
            lines.push(match metrics {
                LocalAddr::Tcp(address) => format!("metrics on http://{address}/metrics"),
                LocalAddr::Unix(_) => format!("metrics on {metrics}, /metrics"),
            });
        }
        for certificate in &self.further {
            lines.push(format!("also {}", certificate.subject_alt_names().join(", ")));
        }
        if let Some(certificate) = self.certificate.as_ref().filter(|_| self.adhoc) {
            let fingerprint = certificate.fingerprint();
            lines.push(format!("certificate for this run only, SHA-256 {fingerprint}"));
        }
        let (url, route) = self.url(scheme, bound);
        let mut words = vec!["try: curl".to_owned()];
        words.extend(self.trust.iter().chain(&route).chain([&url]).map(|word| quoted(word)));
        lines.push(words.join(" "));
        lines.push(String::new());
        lines.join("\n")
    }

    /// What to call, and options that lead there, if that takes any.
    fn url(&self, scheme: &str, bound: &Bound) -> (String, Vec<String>) {
        if let Ok(addr) = bound.local_addr() {
            let (host, resolve) = self.host(addr);
            return (format!("{scheme}://{host}:{}/", addr.port()), resolve);
        }
        let path = bound.local_addrs().find_map(|local| match local {
            LocalAddr::Unix(path) => Some(path.display().to_string()),
            LocalAddr::Tcp(_) => None,
        });
        let certified = self.certificate.as_ref().and_then(|c| dns_name(c, true));
        let name = certified.unwrap_or_else(|| "localhost".to_owned());
        let socket = ["--unix-socket".to_owned(), path.unwrap_or_default()];
        (format!("{scheme}://{name}/"), socket.into())
    }

    /// What to call the server, so that its certificate is good for the name; and an option that
    /// leads the name there, if that takes one.
    fn host(&self, addr: SocketAddr) -> (String, Vec<String>) {
        let ip = reachable(addr.ip());
        let literal = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let Some(certificate) = &self.certificate else { return (literal, Vec::new()) };
        let names = certificate.subject_alt_names();
        if names.iter().any(|name| *name == format!("IP:{ip}")) {
            return (literal, Vec::new());
        }
        let Some(name) = dns_name(certificate, ip.is_loopback()) else {
            return (literal, Vec::new());
        };
        let resolve = format!("{name}:{}:{literal}", addr.port());
        (name, vec!["--resolve".to_owned(), resolve])
    }
}

/// A name that `certificate` is for, `localhost` if it is reached from here only and there is that.
fn dns_name(certificate: &Certificate, is_local: bool) -> Option<String> {
    let names = certificate.subject_alt_names();
    let dns: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("DNS:")).collect();
    match dns.iter().find(|name| **name == "localhost" && is_local) {
        Some(localhost) => Some((*localhost).to_owned()),
        None => dns.first().map(|name| name.replacen('*', "www", 1)),
    }
}

/// An address that a client on this machine can use.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// How curl gets to trust the server: by the CA beside the certificate, by the certificate's own
/// file, or by the key alone.
fn server_trust(sources: &Sources, material: &Material) -> Vec<String> {
    let Some(identity) = material.identities.first() else { return Vec::new() };
    if let Some(made_up) = sources.made_up.as_ref().and_then(|made_up| made_up.clients.as_ref()) {
        return vec!["--cacert".to_owned(), made_up.ca.display().to_string()];
    }
    let file = sources.identities.first().map(IdentityFile::certificate_file);
    if let Some(ca) = file.and_then(|file| beside(file, "ca.crt"))
        && issued_by(identity, &ca)
    {
        return vec!["--cacert".to_owned(), ca.display().to_string()];
    }
    let pem =
        file.filter(|file| fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"-----BEGIN CERT")));
    if let Some(pem) = pem {
        return vec!["--cacert".to_owned(), pem.display().to_string()];
    }
    // Nothing vouches for the certificate: not the CA is checked then, but the key itself.
    let pin = BASE64_STANDARD.encode(identity.leaf().spki_sha256());
    vec!["--insecure".to_owned(), "--pinnedpubkey".to_owned(), format!("sha256//{pin}")]
}

/// The certificate to show in mutual mode: the one that was made up, or `client.pem`, which `turnkey
/// certs` writes beside the CA, or a name that says what has to stand there.
fn client_certificate(sources: &Sources, material: &Material) -> Option<[String; 2]> {
    material.clients.trust()?;
    let known = known_client(sources, material).map(|(file, _)| file.display().to_string());
    Some(["--cert".to_owned(), known.unwrap_or_else(|| "client.pem".to_owned())])
}

fn issued_by(identity: &Identity, ca: &Path) -> bool {
    let pem = fs::read(ca).unwrap_or_default();
    TrustAnchors::from_pem(&pem, SystemTime::now()).is_ok_and(|anchors| {
        identity.chain().iter().any(|link| anchors.certificates().iter().any(|ca| ca.issued(link)))
    })
}
