//! The one place that turns a choice of mode into a backend. Nothing after it asks what the mode
//! is.

use std::sync::Arc;

use turnkey_backend::{
    Backend, BuildError, Capabilities, ClientPolicy, ClientTrust, ConnectConfig, Connector,
    DuplicateName, Identities, Identity, Resumption, TicketKey, TlsConfig, TlsVersion,
    VersionRange,
};

use crate::current::Serving;
use crate::own_backend::OwnBackend;

/// HTTP, HTTPS or mutual TLS; or what a backend of one's own makes of it.
#[derive(Debug, Clone)]
pub enum Mode {
    /// In the clear.
    Http,
    /// With TLS, by a server that proves who it is.
    Https(Identity),
    /// With TLS, where clients prove who they are too, by a certificate that the policy takes; a
    /// policy that asks nobody is an error ([`ModeError::NoClientPolicy`]).
    Mutual(Identity, ClientPolicy),
    /// Whatever the backend does. It takes no [`TlsChoice`]: what there is to choose was chosen when
    /// it was made.
    Own(OwnBackend),
}

impl Mode {
    /// The name by which `--mode` knows it; of a backend of one's own, its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https(_) => "https",
            Self::Mutual(..) => "mutual",
            Self::Own(own) => own.capabilities.name,
        }
    }

    /// Builds the backend that serves this mode.
    pub(crate) fn build(self, choice: TlsChoice) -> Result<Built, ModeError> {
        let (identity, clients) = match self {
            Self::Http => return plain(choice.backend),
            Self::Https(identity) => (identity, ClientPolicy::None),
            // Whoever says mutual must not get a server that lets everybody in.
            Self::Mutual(_, ClientPolicy::None) => return Err(ModeError::NoClientPolicy),
            Self::Mutual(identity, clients) => (identity, clients),
            Self::Own(own) => return own_backend(own, &choice),
        };
        let needs = Needs::of(&identity, &clients, &choice);
        let candidate = choose(choice.backend, needs)?;
        let versions = choice.versions(&candidate.capabilities)?;
        let resumption = choice.resumption(&clients);
        let identities = Identities::new(identity, choice.further)?;
        let config = TlsConfig { identities, clients, versions, resumption };
        let backend = (candidate.build)(&config)?;
        let TlsConfig { identities, clients, .. } = config;
        let name = candidate.capabilities.name;
        Ok(Built {
            serving: Serving {
                backend: backend.into(),
                tls: candidate.capabilities.tls,
                name,
                identities: Some(identities),
                clients,
                versions: Some(versions),
            },
            capabilities: candidate.capabilities,
            description: format!("{name} ({}), {versions}", (candidate.library)()),
        })
    }
}

/// What is asked of the TLS stack, where it is left open otherwise.
#[derive(Debug, Clone, Default)]
pub struct TlsChoice {
    /// The backend; without one, the first compiled one of native-tls, rustls and openssl that
    /// can do what is asked.
    pub backend: Option<BackendName>,
    /// The oldest version to speak; TLS 1.2.
    pub min: Option<TlsVersion>,
    /// The newest version to speak; the newest that the backend can.
    pub max: Option<TlsVersion>,
    /// Identities beside that of the mode, for clients that ask for their names (SNI); none.
    pub further: Vec<Identity>,
    /// Whether sessions are resumed; they are in https mode, and not in mutual mode.
    pub resumption: Option<bool>,
    /// What session tickets are encrypted with, when several servers share it; each server's own.
    pub ticket_key: Option<TicketKey>,
}

impl TlsChoice {
    /// Whether anything was chosen.
    fn asks_for_anything(&self) -> bool {
        let Self { backend, min, max, further, resumption, ticket_key } = self;
        let chosen = [backend.is_some(), min.is_some(), max.is_some(), !further.is_empty()];
        chosen.contains(&true) || resumption.is_some() || ticket_key.is_some()
    }

    /// A version that somebody took the trouble to name is asked for.
    fn asks_for_tls13(&self) -> bool {
        self.min == Some(TlsVersion::Tls13) || self.max == Some(TlsVersion::Tls13)
    }

    /// A resumed session skips the check of the client's certificate, so that is for whoever runs
    /// the server to ask for.
    fn resumption(&self, clients: &ClientPolicy) -> Resumption {
        match (self.resumption.unwrap_or(clients.is_none()), &self.ticket_key) {
            (false, _) => Resumption::Off,
            (true, None) => Resumption::On,
            (true, Some(key)) => Resumption::Shared(key.clone()),
        }
    }

    fn versions(&self, capabilities: &Capabilities) -> Result<VersionRange, ModeError> {
        let newest = if capabilities.tls13 { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
        let min = self.min.unwrap_or(TlsVersion::Tls12);
        VersionRange::new(min, self.max.unwrap_or(newest)).ok_or(ModeError::NoVersion)
    }
}

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
    fn capabilities(self) -> Capabilities {
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

/// A backend, ready to accept.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) serving: Serving,
    pub(crate) capabilities: Capabilities,
    /// Name, library and versions, for people.
    pub(crate) description: String,
}

/// The TLS backends that were compiled in, each with its library's version, in the order in which
/// they are tried.
#[must_use]
pub fn compiled_backends() -> Vec<(&'static str, String)> {
    candidates().iter().map(|c| (c.capabilities.name, (c.library)())).collect()
}

/// A TLS backend that was compiled in.
struct Candidate {
    capabilities: Capabilities,
    build: fn(&TlsConfig) -> Result<Box<dyn Backend>, BuildError>,
    connector: fn(&ConnectConfig) -> Result<Box<dyn Connector>, BuildError>,
    library: fn() -> String,
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
    Ok((choose(asked, Needs::default())?.connector)(config)?)
}

fn plain(asked: Option<BackendName>) -> Result<Built, ModeError> {
    match asked {
        None | Some(BackendName::Plain) => Ok(Built {
            serving: Serving {
                backend: Arc::new(turnkey_plain::Plain),
                tls: false,
                name: turnkey_plain::Plain::CAPABILITIES.name,
                identities: None,
                clients: ClientPolicy::None,
                versions: None,
            },
            capabilities: turnkey_plain::Plain::CAPABILITIES,
            description: turnkey_plain::Plain::CAPABILITIES.name.to_owned(),
        }),
        Some(other) => Err(ModeError::TlsBackendForHttp(other.capabilities().name)),
    }
}

fn own_backend(own: OwnBackend, choice: &TlsChoice) -> Result<Built, ModeError> {
    let OwnBackend { backend, capabilities, description } = own;
    if choice.asks_for_anything() {
        return Err(ModeError::OwnBackend(capabilities.name));
    }
    Ok(Built {
        serving: Serving {
            backend,
            name: capabilities.name,
            tls: capabilities.tls,
            identities: None,
            clients: ClientPolicy::None,
            versions: None,
        },
        capabilities,
        description,
    })
}

/// What is asked beyond TLS itself.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of wishes is what this is")]
struct Needs {
    clients: bool,
    tls13: bool,
    sni: bool,
    crl: bool,
    resumption_control: bool,
    ocsp: bool,
}

impl Needs {
    fn of(identity: &Identity, clients: &ClientPolicy, choice: &TlsChoice) -> Self {
        Self {
            clients: !clients.is_none(),
            tls13: choice.asks_for_tls13(),
            sni: !choice.further.is_empty(),
            crl: clients.trust().is_some_and(|trust: &ClientTrust| !trust.crls().is_empty()),
            resumption_control: choice.resumption.is_some() || choice.ticket_key.is_some(),
            ocsp: [identity].into_iter().chain(&choice.further).any(Identity::is_stapled),
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
fn choose(asked: Option<BackendName>, needs: Needs) -> Result<Candidate, ModeError> {
    let mut compiled = candidates();
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

/// Why no backend can be built for what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModeError {
    /// A TLS backend was asked for in http mode.
    #[error("--backend {0}: http mode has no TLS; leave --backend out, or choose https or mutual")]
    TlsBackendForHttp(&'static str),
    /// The backend that was asked for cannot do what was asked.
    #[error(
        "--backend {backend}: cannot do {what}; use --backend {who} (cargo features of the same \
         names)"
    )]
    Lacks {
        /// The backend that was asked for.
        backend: &'static str,
        /// What it lacks.
        what: &'static str,
        /// The backends, and cargo features, that have it.
        who: String,
    },
    /// The backend that was asked for is not part of this build.
    #[error("--backend {0}: not compiled in; build with `cargo build --release --features {0}`")]
    NotCompiled(&'static str),
    /// No backend of this build can do what was asked.
    #[error(
        "no TLS backend that was compiled in can do what is asked; build with the cargo feature \
         {who}"
    )]
    NoBackend {
        /// The cargo features, and backends, that can.
        who: String,
    },
    /// Mutual mode with a policy that asks no client for a certificate.
    #[error("mutual mode needs a client policy: one that asks nobody is https mode")]
    NoClientPolicy,
    /// Two identities are for the same name.
    #[error(transparent)]
    DuplicateName(#[from] DuplicateName),
    /// Something is asked of a backend that the library knows nothing of.
    #[error(
        "a choice of TLS is for the library's own backends, and {0} is none of them; leave \
         Server::tls out"
    )]
    OwnBackend(&'static str),
    /// TLS with upstreams is to be replaced, and the server has no upstreams.
    #[error("there is no upstream: the server hands nothing on")]
    NoUpstream,
    /// What is to replace the mode of a server that runs is in the clear, or the server is.
    #[error("http mode cannot be taken up or left while the server runs")]
    OtherScheme,
    /// The oldest version is newer than the newest.
    #[error("--tls-min is newer than --tls-max")]
    NoVersion,
    /// The TLS stack does not take the configuration.
    #[error(transparent)]
    Build(#[from] BuildError),
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
    fn candidates_are_tried_in_the_documented_order() {
        let all = Capabilities::ALL_TLS.map(|c| c.name);
        let compiled: Vec<_> = candidates().iter().map(|c| c.capabilities.name).collect();
        let expected: Vec<_> = all.into_iter().filter(|name| compiled.contains(name)).collect();
        assert_eq!(compiled, expected);
    }

    #[cfg(feature = "pki")]
    #[test]
    fn mutual_mode_without_a_policy_is_refused() {
        let identity = crate::pki::adhoc(&[], std::time::SystemTime::now()).unwrap();
        let mode = Mode::Mutual(identity, ClientPolicy::None);
        assert!(matches!(mode.build(TlsChoice::default()), Err(ModeError::NoClientPolicy)));
    }
}
