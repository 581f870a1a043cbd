//! What the program says when it starts: where it listens, on what, and a command to try.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use turnkey_backend::{Certificate, Identity, TrustAnchors};

use crate::config::Config;

/// What there is to say, apart from the address and the backend, which are known later.
#[derive(Debug)]
pub(crate) struct Greeting {
    mode: &'static str,
    /// Options of curl that make it trust the server, and the name to call the server by.
    trust: Vec<String>,
    certificate: Option<Certificate>,
    adhoc: bool,
}

impl Greeting {
    /// Looks for the files that a client would need, beside those that the server was given.
    pub(crate) fn new(config: &Config) -> Self {
        let mut trust = Vec::new();
        if let (Some(identity), Some(files)) = (config.served_identity(), &config.identity) {
            trust.extend(client_certificate(config).into_iter().flatten());
            trust.extend(server_trust(identity, files.certificate_file()));
        }
        Self {
            mode: config.mode.name(),
            trust,
            certificate: config.served_identity().map(|identity| identity.leaf().clone()),
            adhoc: config.identity.as_ref().is_some_and(|f| f.certificate_file().is_none()),
        }
    }

    /// The lines, for a server that listens on `addr` with `backend`.
    pub(crate) fn text(&self, addr: SocketAddr, backend: &str) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        let mode = self.mode;
        let mut lines =
            vec![format!("turnkey {version}: {mode} on {scheme}://{addr}/, backend {backend}")];
        if let Some(certificate) = self.certificate.as_ref().filter(|_| self.adhoc) {
            let fingerprint = certificate.fingerprint();
            lines.push(format!("certificate for this run only, SHA-256 {fingerprint}"));
        }
        let (host, resolve) = self.host(addr);
        let url = format!("{scheme}://{host}:{}/", addr.port());
        let mut words = vec!["try: curl".to_owned()];
        words.extend(self.trust.iter().chain(&resolve).chain([&url]).map(|word| quoted(word)));
        lines.push(words.join(" "));
        lines.push(String::new());
        lines.join("\n")
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
        let dns: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("DNS:")).collect();
        let name = match dns.iter().find(|name| **name == "localhost" && ip.is_loopback()) {
            Some(localhost) => (*localhost).to_owned(),
            None => match dns.first() {
                Some(name) => name.replacen('*', "www", 1),
                None => return (literal, Vec::new()),
            },
        };
        let resolve = format!("{name}:{}:{literal}", addr.port());
        (name, vec!["--resolve".to_owned(), resolve])
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
fn server_trust(identity: &Identity, file: Option<&Path>) -> Vec<String> {
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

/// The certificate to show in mutual mode: `client.pem`, which `turnkey certs` writes beside the
/// CA, or a name that says what has to stand there.
fn client_certificate(config: &Config) -> Option<[String; 2]> {
    let (policy, ca) = (config.client_policy()?, config.client_ca.as_deref()?);
    let anchors = policy.trust().map(|trust| trust.anchors().certificates()).unwrap_or_default();
    let known = beside(ca, "client.pem").filter(|file| {
        let pem = fs::read(file).unwrap_or_default();
        Identity::from_pem(&pem, &pem, None, SystemTime::now())
            .is_ok_and(|client| anchors.iter().any(|ca| ca.issued(client.leaf())))
    });
    let file = known.map_or_else(|| "client.pem".to_owned(), |file| file.display().to_string());
    Some(["--cert".to_owned(), file])
}

fn beside(file: &Path, name: &str) -> Option<PathBuf> {
    let found = file.with_file_name(name);
    found.is_file().then_some(found)
}

fn issued_by(identity: &Identity, ca: &Path) -> bool {
    let pem = fs::read(ca).unwrap_or_default();
    TrustAnchors::from_pem(&pem, SystemTime::now()).is_ok_and(|anchors| {
        identity.chain().iter().any(|link| anchors.certificates().iter().any(|ca| ca.issued(link)))
    })
}

/// `word` as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
