//! The backends there are, and which of them can do what is asked.

use turnkey_backend::{
    Backend, BuildError, Capabilities, Certificate, ClientPolicy, ClientTrust, ConnectConfig,
    Connector, Identity, TlsConfig, TrustAnchors,
};

use super::{ModeError, TlsChoice};

/// The name of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendName {
    /// No TLS.
    Plain,
    /// The operating system's TLS stack.
    NativeTls,
    /// rustls.
    Rustls,
    /// OpenSSL.
    OpenSsl,
}

impl BackendName {
    pub(super) fn capabilities(self) -> Capabilities {
        match self {
            Self::Plain => Capabilities::PLAIN,
            Self::NativeTls => Capabilities::NATIVE_TLS,
            Self::Rustls => Capabilities::RUSTLS,
            Self::OpenSsl => Capabilities::OPENSSL,
        }
    }
}

impl std::str::FromStr for BackendName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Plain, Self::NativeTls, Self::Rustls, Self::OpenSsl]
            .into_iter()
            .find(|backend| backend.capabilities().name == name)
            .ok_or_else(|| "expected plain, native-tls, rustls or openssl".to_owned())
    }
}

/// The TLS backends that were compiled in, each with its library's version, in the order in which
/// they are tried.
#[must_use]
pub fn compiled_backends() -> Vec<(&'static str, String)> {
    candidates().iter().map(|c| (c.capabilities.name, (c.library)())).collect()
}

/// A TLS backend that was compiled in.
pub(super) struct Candidate {
    pub(super) capabilities: Capabilities,
    pub(super) build: fn(&TlsConfig) -> Result<Box<dyn Backend>, BuildError>,
    connector: fn(&ConnectConfig) -> Result<Box<dyn Connector>, BuildError>,
    pub(super) library: fn() -> String,
}

/// In the order of [`Capabilities::ALL_TLS`].
fn candidates() -> Vec<Candidate> {
    vec![
        #[cfg(feature = "native-tls")]
        Candidate {
            capabilities: turnkey_native_tls::NativeTls::CAPABILITIES,
            build: |config| Ok(Box::new(turnkey_native_tls::NativeTls::new(config)?)),
            connector: |config| Ok(Box::new(turnkey_native_tls::NativeTlsConnector::new(config)?)),
            library: turnkey_native_tls::NativeTls::library,
        },
        #[cfg(feature = "rustls")]
        Candidate {
            capabilities: turnkey_rustls::Rustls::CAPABILITIES,
            build: |config| Ok(Box::new(turnkey_rustls::Rustls::new(config)?)),
            connector: |config| Ok(Box::new(turnkey_rustls::RustlsConnector::new(config)?)),
            library: turnkey_rustls::Rustls::library,
        },
        #[cfg(feature = "openssl")]
        Candidate {
            capabilities: turnkey_openssl::OpenSsl::CAPABILITIES,
            build: |config| Ok(Box::new(turnkey_openssl::OpenSsl::new(config)?)),
            connector: |config| Ok(Box::new(turnkey_openssl::OpenSslConnector::new(config)?)),
            library: turnkey_openssl::OpenSsl::library,
        },
    ]
}

/// What speaks TLS to other servers: of the backend that was asked for, or of the first that was
/// compiled in.
pub(crate) fn connector(
    asked: Option<BackendName>,
    config: &ConnectConfig,
) -> Result<Box<dyn Connector>, ModeError> {
    let asked = asked.filter(|asked| *asked != BackendName::Plain);
    let anchors = config.anchors.as_ref().map(TrustAnchors::certificates).unwrap_or_default();
    let is_issued_by_others =
        |anchor: &Certificate| anchors.iter().all(|issuer| issuer.subject() != anchor.issuer());
    let partial_chain = anchors.iter().any(is_issued_by_others);
    Ok((choose(asked, Needs { partial_chain, ..Needs::default() })?.connector)(config)?)
}

/// What is asked beyond TLS itself.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of wishes is what this is")]
pub(super) struct Needs {
    clients: bool,
    tls13: bool,
    sni: bool,
    crl: bool,
    resumption_control: bool,
    ocsp: bool,
    partial_chain: bool,
}

impl Needs {
    pub(super) fn of(identity: &Identity, clients: &ClientPolicy, choice: &TlsChoice) -> Self {
        Self {
            clients: !clients.is_none(),
            tls13: choice.asks_for_tls13(),
            sni: !choice.further.is_empty(),
            crl: clients.trust().is_some_and(|trust: &ClientTrust| !trust.crls().is_empty()),
            resumption_control: choice.resumption.is_some() || choice.ticket_key.is_some(),
            ocsp: choice.ocsp
                || [identity].into_iter().chain(&choice.further).any(Identity::is_stapled),
            partial_chain: false,
        }
    }

    fn met_by(self, capabilities: &Capabilities) -> bool {
        self.lacking(capabilities).is_none()
    }

    /// The first thing that is asked for and not there.
    fn lacking(self, capabilities: &Capabilities) -> Option<&'static str> {
        let wishes = [
            (true, capabilities.tls, "TLS"),
            (self.clients, capabilities.client_certificates, "client certificates"),
            (self.tls13, capabilities.tls13, "TLS 1.3"),
            (self.sni, capabilities.sni, "several certificates by name (SNI)"),
            (self.crl, capabilities.crl, "certificate revocation lists"),
            (self.resumption_control, capabilities.resumption_control, "resumption control"),
            (self.ocsp, capabilities.ocsp, "OCSP stapling"),
            (
                self.partial_chain,
                capabilities.partial_chain,
                "upstreams below an intermediate CA, without the root",
            ),
        ];
        wishes.into_iter().find(|(asked, there, _)| *asked && !there).map(|(.., what)| what)
    }

    /// What is needed, and which backends have it, compiled in or not.
    fn who(self) -> String {
        let able: Vec<_> =
            Capabilities::ALL_TLS.iter().filter(|c| self.met_by(c)).map(|c| c.name).collect();
        match able.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            able => able.join(""),
        }
    }
}

/// The backend that was asked for, or else the first that can do what is needed.
pub(super) fn choose(asked: Option<BackendName>, needs: Needs) -> Result<Candidate, ModeError> {
    choose_of(candidates(), asked, needs)
}

fn choose_of(
    mut compiled: Vec<Candidate>,
    asked: Option<BackendName>,
    needs: Needs,
) -> Result<Candidate, ModeError> {
    let Some(asked) = asked else {
        let position = compiled.iter().position(|c| needs.met_by(&c.capabilities));
        return match position {
            Some(position) => Ok(compiled.swap_remove(position)),
            None => Err(ModeError::NoBackend { who: needs.who() }),
        };
    };
    let capabilities = asked.capabilities();
    if let Some(what) = needs.lacking(&capabilities) {
        return Err(ModeError::Lacks { backend: capabilities.name, what, who: needs.who() });
    }
    match compiled.iter().position(|c| c.capabilities.name == capabilities.name) {
        Some(position) => Ok(compiled.swap_remove(position)),
        None => Err(ModeError::NotCompiled(capabilities.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for backend in ["plain", "native-tls", "rustls", "openssl"] {
            let name: BackendName = backend.parse().unwrap();
            assert_eq!(name.capabilities().name, backend);
        }
        assert!("nginx".parse::<BackendName>().is_err());
    }

    #[test]
    fn what_a_backend_lacks_is_said_with_who_has_it() {
        let needs = Needs { clients: true, ..Needs::default() };
        let error = choose(Some(BackendName::NativeTls), needs).err().unwrap().to_string();
        assert!(error.contains("client certificates") && error.contains("rustls"), "{error}");
        assert!(choose(Some(BackendName::Plain), needs).is_err());
    }

    #[test]
    fn what_was_not_compiled_in_is_said_with_the_features_that_have_it() {
        let error = choose_of(Vec::new(), Some(BackendName::OpenSsl), Needs::default());
        let error = error.err().unwrap();
        assert!(matches!(error, ModeError::NotCompiled("openssl")), "{error}");
        assert!(error.to_string().contains("--features openssl"), "{error}");
        let needs = Needs { clients: true, ..Needs::default() };
        let error = choose_of(Vec::new(), None, needs).err().unwrap();
        assert!(matches!(&error, ModeError::NoBackend { who } if who == "rustls or openssl"));
        assert!(error.to_string().ends_with("feature rustls or openssl"), "{error}");
    }

    #[test]
    fn candidates_are_tried_in_the_documented_order() {
        let all = Capabilities::ALL_TLS.map(|c| c.name);
        let compiled: Vec<_> = candidates().iter().map(|c| c.capabilities.name).collect();
        let expected: Vec<_> = all.into_iter().filter(|name| compiled.contains(name)).collect();
        assert_eq!(compiled, expected);
    }
}
