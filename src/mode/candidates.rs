//! The backends there are, and which of them can do what is asked.

use turnkey_backend::{Backend, BuildError, Capabilities, ConnectConfig, Connector, TlsConfig};

use super::ModeError;
use super::needs::Needs;

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
    /// What the backend can do.
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
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
        #[cfg(feature = "rustls")]
        Candidate {
            capabilities: turnkey_rustls::Rustls::CAPABILITIES,
            build: |config| Ok(Box::new(turnkey_rustls::Rustls::new(config)?)),
            connector: |config| Ok(Box::new(turnkey_rustls::RustlsConnector::new(config)?)),
            library: turnkey_rustls::Rustls::library,
        },
        // Of the default build it is a part only where native-tls links OpenSSL anyway.
        #[cfg(any(
            feature = "openssl",
            all(
                feature = "system-openssl",
                not(any(target_os = "windows", target_vendor = "apple"))
            )
        ))]
        Candidate {
            capabilities: turnkey_openssl::OpenSsl::CAPABILITIES,
            build: |config| Ok(Box::new(turnkey_openssl::OpenSsl::new(config)?)),
            connector: |config| Ok(Box::new(turnkey_openssl::OpenSslConnector::new(config)?)),
            library: turnkey_openssl::OpenSsl::library,
        },
        #[cfg(feature = "native-tls")]
        Candidate {
            capabilities: turnkey_native_tls::NativeTls::CAPABILITIES,
            build: |config| Ok(Box::new(turnkey_native_tls::NativeTls::new(config)?)),
            connector: |config| Ok(Box::new(turnkey_native_tls::NativeTlsConnector::new(config)?)),
            library: turnkey_native_tls::NativeTls::library,
        },
    ]
}

/// What speaks TLS to other servers: of the backend that was asked for, or of the first that can
/// do what the certificates in `config` need.
pub(crate) fn connector(
    asked: Option<BackendName>,
    config: &ConnectConfig,
) -> Result<Box<dyn Connector>, ModeError> {
    let asked = asked.filter(|asked| *asked != BackendName::Plain);
    let needs = Needs::of_connector(config);
    first_that_builds(&choose(asked, &needs)?, |candidate| Ok((candidate.connector)(config)?))
}

/// What the first of `candidates` builds whose TLS stack takes the certificates and lists.
pub(super) fn first_that_builds<T>(
    candidates: &[Candidate],
    build_with: impl Fn(&Candidate) -> Result<T, ModeError>,
) -> Result<T, ModeError> {
    use BuildError::{Identity, RevocationList};

    let mut built = candidates.iter().map(build_with);
    // What the preferred one says counts, where none takes them.
    let first = built.next().unwrap_or_else(|| Err(Needs::default().unmet_by_all("TLS")));
    match first {
        Err(ModeError::Build(Identity(_) | RevocationList { .. })) => {
            built.find(Result::is_ok).unwrap_or(first)
        }
        first => first,
    }
}

/// The backend that was asked for, or else those that can do what is needed: first those that suit
/// the certificates, and of these first those with TLS 1.3.
pub(super) fn choose(
    asked: Option<BackendName>,
    needs: &Needs,
) -> Result<Vec<Candidate>, ModeError> {
    choose_of(candidates(), asked, needs)
}

fn choose_of(
    mut compiled: Vec<Candidate>,
    asked: Option<BackendName>,
    needs: &Needs,
) -> Result<Vec<Candidate>, ModeError> {
    let Some(asked) = asked else {
        let what = compiled.iter().find_map(|c| needs.lacking(&c.capabilities));
        compiled.retain(|c| needs.met_by(&c.capabilities));
        compiled.sort_by_key(|c| {
            let lacks_tls13 = needs.prefers_tls13 && !c.capabilities.tls13;
            (!needs.suits(&c.capabilities), lacks_tls13)
        });
        return if compiled.is_empty() {
            Err(needs.unmet_by_all(what.unwrap_or("TLS")))
        } else {
            Ok(compiled)
        };
    };
    let capabilities = asked.capabilities();
    if let Some(what) = needs.lacking(&capabilities) {
        return Err(ModeError::Lacks { backend: capabilities.name, what, who: needs.who() });
    }
    compiled.retain(|c| c.capabilities.name == capabilities.name);
    if compiled.is_empty() { Err(ModeError::NotCompiled(capabilities.name)) } else { Ok(compiled) }
}

#[cfg(test)]
mod tests {
    use turnkey_backend::KeyKind;

    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for backend in ["plain", "native-tls", "rustls", "openssl"] {
            let name: BackendName = backend.parse().unwrap();
            assert_eq!(name.capabilities().name, backend);
        }
        assert!("nginx".parse::<BackendName>().is_err());
    }

    fn error(compiled: Vec<Candidate>, asked: Option<BackendName>, needs: &Needs) -> ModeError {
        choose_of(compiled, asked, needs).err().unwrap()
    }

    /// As if just these were compiled in.
    fn compiled(backends: &[Capabilities]) -> Vec<Candidate> {
        let candidate = |capabilities: &Capabilities| Candidate {
            capabilities: *capabilities,
            build: |_| Err(BuildError::Unsupported("tests")),
            connector: |_| Err(BuildError::Unsupported("tests")),
            library: String::new,
        };
        backends.iter().map(candidate).collect()
    }

    /// The names of those that are chosen, the best first.
    fn chosen(backends: &[Capabilities], needs: &Needs) -> Vec<&'static str> {
        let chosen = choose_of(compiled(backends), None, needs);
        chosen.unwrap_or_default().iter().map(|c| c.capabilities.name).collect()
    }

    #[test]
    fn what_a_backend_lacks_is_said_with_who_has_it() {
        let needs = Needs { clients: true, ..Needs::default() };
        let lacks = error(compiled(&Capabilities::ALL_TLS), Some(BackendName::NativeTls), &needs);
        let text = lacks.to_string();
        assert!(text.contains("client certificates") && text.contains("rustls"), "{text}");
        assert!(choose(Some(BackendName::Plain), &needs).is_err());
        let needs = Needs { keys: vec![KeyKind::Ed448], ..Needs::default() };
        let text =
            error(compiled(&Capabilities::ALL_TLS), Some(BackendName::Rustls), &needs).to_string();
        assert!(text.contains("cannot do Ed448 keys; use openssl"), "{text}");
    }

    #[test]
    fn what_was_not_compiled_in_is_said_with_the_features_that_have_it() {
        let error = error(Vec::new(), Some(BackendName::OpenSsl), &Needs::default());
        assert!(matches!(error, ModeError::NotCompiled("openssl")), "{error}");
        assert!(error.to_string().ends_with("the cargo feature openssl"), "{error}");
    }

    #[test]
    fn a_build_that_cannot_says_what_it_lacks_and_how_to_build_one_that_can() {
        let needs = Needs { clients: true, prefers_tls13: true, ..Needs::default() };
        let text = error(compiled(&[Capabilities::NATIVE_TLS]), None, &needs).to_string();
        assert_eq!(
            text,
            "no TLS backend of this build can do client certificates; build with the cargo feature \
             rustls or openssl"
        );
        let needs = Needs { x509_v1: true, clients: true, ..Needs::default() };
        let text = error(compiled(&[Capabilities::RUSTLS]), None, &needs).to_string();
        assert!(text.contains("X.509 version 1") && text.ends_with("feature openssl"), "{text}");
    }

    #[test]
    fn the_first_that_can_do_all_that_is_asked_goes_first() {
        let all = Capabilities::ALL_TLS;
        let [rustls, openssl, native] = all;
        let usual = Needs { prefers_tls13: true, ..Needs::default() };
        assert_eq!(chosen(&all, &usual), ["rustls", "openssl", "native-tls"]);
        let v1 = Needs { x509_v1: true, ..usual.clone() };
        assert_eq!(chosen(&all, &v1), ["openssl", "native-tls"]);
        assert_eq!(chosen(&all, &Needs { clients: true, ..v1.clone() }), ["openssl"]);
        assert_eq!(chosen(&[rustls, native], &v1), ["native-tls"], "TLS 1.3 is not to be had");
        assert_eq!(chosen(&[native], &usual), ["native-tls"], "a build with one uses that one");
        assert_eq!(chosen(&[native, openssl], &usual), ["openssl", "native-tls"]);
        let old = Needs { prefers_tls13: false, ..usual.clone() };
        assert_eq!(chosen(&[native, openssl], &old), ["native-tls", "openssl"]);
        let asked = Needs { tls13: true, ..usual.clone() };
        assert_eq!(chosen(&[native], &asked), [""; 0]);
        let ed448 = Needs { keys: vec![KeyKind::Ed25519, KeyKind::Ed448], ..usual };
        assert_eq!(chosen(&all, &ed448), ["openssl", "native-tls"]);
    }

    #[test]
    fn what_certificates_may_need_decides_among_those_that_can() {
        let [rustls, openssl, native] = Capabilities::ALL_TLS;
        let upstream = Needs { self_signed_upstreams: true, ..Needs::default() };
        assert_eq!(
            chosen(&[rustls, openssl, native], &upstream),
            ["openssl", "native-tls", "rustls"]
        );
        assert_eq!(chosen(&[rustls], &upstream), ["rustls"]);
        let clients = Needs { clients: true, name_constraints: true, ..Needs::default() };
        assert_eq!(chosen(&[rustls, openssl, native], &clients), ["openssl", "rustls"]);
        assert!(choose_of(compiled(&[rustls]), Some(BackendName::Rustls), &clients).is_ok());
    }

    #[test]
    fn what_one_stack_refuses_is_left_to_the_next() {
        let only_openssl = |candidate: &Candidate| match candidate.capabilities.name {
            "rustls" => Err(ModeError::Build(BuildError::Identity("odd".into()))),
            name => Ok(name),
        };
        let built = first_that_builds(&compiled(&Capabilities::ALL_TLS), only_openssl);
        assert_eq!(built.unwrap(), "openssl");
        let all_refuse = first_that_builds(&compiled(&Capabilities::ALL_TLS), |candidate| {
            Err::<(), _>(BuildError::Identity(candidate.capabilities.name.into()).into())
        });
        let ModeError::Build(BuildError::Identity(why)) = all_refuse.unwrap_err() else { panic!() };
        assert_eq!(why.to_string(), "rustls", "the preferred one's words count");
        let mismatch = first_that_builds(&compiled(&Capabilities::ALL_TLS), |_| {
            Err::<(), _>(BuildError::KeyMismatch.into())
        });
        assert!(matches!(mismatch, Err(ModeError::Build(BuildError::KeyMismatch))));
    }

    #[test]
    fn candidates_are_tried_in_the_documented_order() {
        let all = Capabilities::ALL_TLS.map(|c| c.name);
        let compiled: Vec<_> = candidates().iter().map(|c| c.capabilities.name).collect();
        let expected: Vec<_> = all.into_iter().filter(|name| compiled.contains(name)).collect();
        assert_eq!(compiled, expected);
    }
}
