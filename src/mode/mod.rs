//! The one place that turns a choice of mode into a backend. Later code does not depend on the mode.

mod candidates;
pub(crate) mod current;
mod error;
mod needs;
mod table;

use turnkey_backend::{
    Backend, BackendFactory, Capabilities, ClientPolicy, Identities, Identity, Resumption,
    TicketKey, TlsConfig, TlsVersion, VersionRange,
};

use self::candidates::{choose, first_that_builds};
pub(crate) use self::candidates::{connector, x509_v1_takers};
use self::current::Serving;
pub use self::error::ModeError;
use self::needs::Needs;
pub use self::table::{BackendName, compiled_backends};

/// HTTP, HTTPS or mutual TLS.
#[derive(Debug, Clone)]
pub enum Mode {
    /// Without TLS.
    Http,
    /// With TLS. The server proves its identity.
    Https(Identity),
    /// With TLS, where clients prove their identity too, with a certificate that the policy accepts. A policy that
    /// asks for no certificate is an error ([`ModeError::NoClientPolicy`]).
    Mutual(Identity, ClientPolicy),
}

impl Mode {
    /// `http`, `https` or `mutual`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https(_) => "https",
            Self::Mutual(..) => "mutual",
        }
    }

    /// Builds the backend for this mode, as [`Server::bind`](crate::Server::bind) does before it binds a port. Use it
    /// to find out whether that works, and with which backend. It only tries the backends that come with turnkey.
    pub fn build(self, choice: &Tls) -> Result<Built, ModeError> {
        self.build_with(choice, None)
    }

    /// The same, where the program may bring its own backend.
    pub(crate) fn build_with(
        self,
        choice: &Tls,
        own: Option<&dyn BackendFactory>,
    ) -> Result<Built, ModeError> {
        if let (Some(named), Some(own)) = (choice.backend, own) {
            let own = own.capabilities().name;
            return Err(ModeError::TwoBackends { named: named.name(), own });
        }
        let (identity, clients) = match self {
            Self::Http => return in_the_clear(choice.backend, own),
            Self::Https(identity) => (identity, ClientPolicy::None),
            // Mutual mode must never let everybody in.
            Self::Mutual(_, ClientPolicy::None) => return Err(ModeError::NoClientPolicy),
            Self::Mutual(identity, clients) => (identity, clients),
        };
        check_keys([&identity].into_iter().chain(&choice.further))?;
        let needs = Needs::of(&identity, &clients, choice);
        let identities = || Identities::new(identity.clone(), choice.further.iter().cloned());
        if let Some(own) = own {
            let Capabilities { name: backend, .. } = own.capabilities();
            return match needs.lacking(&own.capabilities()) {
                Some(what) => Err(ModeError::OwnBackend { backend, what }),
                None => with_tls(own, &identities()?, &clients, choice),
            };
        }
        let candidates = choose(choice.backend, &needs)?;
        let identities = identities()?;
        first_that_builds(&candidates, |candidate| {
            with_tls(candidate.factory, &identities, &clients, choice)
        })
    }
}

/// Checks that TLS clients accept each key.
fn check_keys<'i>(mut identities: impl Iterator<Item = &'i Identity>) -> Result<(), ModeError> {
    let is_for_nobody = |identity: &&Identity| !identity.leaf().key().is_for_tls();
    identities.find(is_for_nobody).map_or(Ok(()), |identity| {
        let leaf = identity.leaf();
        Err(ModeError::Key { subject: leaf.subject().to_owned(), key: leaf.key().clone() })
    })
}

fn with_tls(
    factory: &dyn BackendFactory,
    identities: &Identities,
    clients: &ClientPolicy,
    choice: &Tls,
) -> Result<Built, ModeError> {
    let capabilities = factory.capabilities();
    let versions = choice.versions(&capabilities)?;
    let resumption = choice.resumption(clients);
    let (identities, clients) = (identities.clone(), clients.clone());
    let config = TlsConfig { identities, clients, versions, resumption };
    let backend = factory.build(&config)?;
    let TlsConfig { identities, clients, .. } = config;
    let name = capabilities.name;
    // Everybody expects TLS 1.3, and the choice does not exclude it.
    let lack = match choice.max {
        None if !capabilities.tls13 => format!(" only: {name} has no 1.3 on this system"),
        _ => String::new(),
    };
    Ok(Built {
        serving: Serving {
            backend: backend.into(),
            tls: capabilities.tls,
            name,
            identities: Some(identities),
            clients,
            versions: Some(versions),
            generation: 0,
        },
        capabilities,
        description: format!("{}, {versions}{lack}", called(factory)),
    })
}

/// Choices for the TLS stack. All of them are optional.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The backend, of those that come with turnkey (for another, see [`Server::backend`](crate::Server::backend)).
    /// Default: the first compiled one of rustls, openssl and native-tls that supports everything needed, including
    /// TLS 1.3 and every certificate. If none of them has TLS 1.3 with the rest, the first that supports the rest.
    pub backend: Option<BackendName>,
    /// The oldest version to accept. Default: TLS 1.2.
    pub min: Option<TlsVersion>,
    /// The newest version to accept. Default: the newest that the backend supports.
    pub max: Option<TlsVersion>,
    /// More identities beside that of the mode, for clients that ask for their names (SNI). Default: none.
    pub further: Vec<Identity>,
    /// Whether to resume sessions. Default: yes in https mode, no in mutual mode.
    pub resumption: Option<bool>,
    /// The key that encrypts session tickets, to share it between servers. Default: a key of each server's own.
    pub ticket_key: Option<TicketKey>,
    /// Whether the backend must support OCSP stapling, for an identity that may get an OCSP response later. It must
    /// anyway if an identity has one already.
    pub ocsp: bool,
    /// Whether clients may use certificates of X.509 version 1. If so, a backend that accepts them is preferred. It
    /// is preferred anyway if an identity has such a certificate.
    pub x509_v1_clients: bool,
}

impl Tls {
    /// A version that is named explicitly is required.
    fn asks_for_tls13(&self) -> bool {
        self.min == Some(TlsVersion::Tls13) || self.max == Some(TlsVersion::Tls13)
    }

    /// A resumed session skips the check of the client's certificate, so the operator must ask for it.
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

/// A backend, ready to accept: see [`Mode::build`].
#[derive(Debug)]
pub struct Built {
    pub(crate) serving: Serving,
    pub(crate) capabilities: Capabilities,
    /// Name, library and versions, for people to read.
    pub(crate) description: String,
}

impl Built {
    /// The backend itself.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        &*self.serving.backend
    }

    /// What the backend supports.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Which clients it lets in.
    #[must_use]
    pub fn clients(&self) -> &ClientPolicy {
        &self.serving.clients
    }

    /// The backend's name, the library behind it and the TLS versions it offers, for people to read, as
    /// [`Bound::backend`](crate::Bound::backend).
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }
}

fn in_the_clear(
    asked: Option<BackendName>,
    own: Option<&dyn BackendFactory>,
) -> Result<Built, ModeError> {
    if let Some(other) = asked.filter(|asked| *asked != BackendName::Plain) {
        return Err(ModeError::TlsBackendForHttp(other.name()));
    }
    let factory = own.unwrap_or(&turnkey_plain::Plain);
    let capabilities = factory.capabilities();
    if capabilities.tls {
        return Err(ModeError::TlsBackendForHttp(capabilities.name));
    }
    Ok(Built {
        serving: Serving {
            backend: factory.build_plain()?.into(),
            tls: false,
            name: capabilities.name,
            identities: None,
            clients: ClientPolicy::None,
            versions: None,
            generation: 0,
        },
        capabilities,
        description: called(factory),
    })
}

/// The name of the factory's backends, and their library.
fn called(factory: &dyn BackendFactory) -> String {
    let (name, library) = (factory.capabilities().name, factory.library());
    if library.is_empty() { name.to_owned() } else { format!("{name} ({library})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_mode_takes_no_backend_with_tls() {
        let choice = Tls { backend: Some(BackendName::Rustls), ..Tls::default() };
        let error = Mode::Http.build(&choice).unwrap_err();
        assert!(matches!(error, ModeError::TlsBackendForHttp("rustls")), "{error}");
    }

    /// An identity for `localhost`.
    #[cfg(feature = "rustls")]
    fn identity() -> Identity {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let now = std::time::SystemTime::now();
        Identity::from_pem(certificate.as_bytes(), key.as_bytes(), None, now).unwrap()
    }

    #[cfg(feature = "rustls")]
    #[test]
    fn what_contradicts_itself_is_refused() {
        let (min, max) = (Some(TlsVersion::Tls13), Some(TlsVersion::Tls12));
        let choice = Tls { min, max, ..Tls::default() };
        let error = Mode::Https(identity()).build(&choice).unwrap_err();
        assert!(matches!(error, ModeError::NoVersion), "{error}");
        let choice = Tls { further: vec![identity()], ..Tls::default() };
        let error = Mode::Https(identity()).build(&choice).unwrap_err();
        assert!(matches!(error, ModeError::DuplicateName(_)), "{error}");
        assert!(error.to_string().contains("localhost"), "{error}");
    }

    #[cfg(feature = "rustls")]
    #[test]
    fn mutual_mode_without_a_policy_is_refused() {
        let mode = Mode::Mutual(identity(), ClientPolicy::None);
        assert!(matches!(mode.build(&Tls::default()), Err(ModeError::NoClientPolicy)));
    }
}
