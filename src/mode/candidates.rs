//! Which compiled backends support what is needed.

use turnkey_backend::{BuildError, Capabilities, ConnectConfig, Connector};

use super::ModeError;
use super::needs::Needs;
use super::table::{BackendName, Compiled, absent_backends, compiled};

/// The compiled backends that accept clients with certificates of X.509 version 1.
pub(crate) fn x509_v1_takers() -> impl Iterator<Item = &'static str> {
    let takes = |c: &Capabilities| c.client_certificates && c.x509_v1;
    compiled().into_iter().map(|c| c.capabilities).filter(takes).map(|c| c.name)
}

/// What opens TLS connections to other servers: of the requested backend, or of the first that supports what the
/// certificates in `config` need.
pub(crate) fn connector(
    asked: Option<BackendName>,
    config: &ConnectConfig,
) -> Result<Box<dyn Connector>, ModeError> {
    let asked = asked.filter(|asked| *asked != BackendName::Plain);
    let needs = Needs::of_connector(config);
    first_that_builds(&choose(asked, &needs)?, |candidate| Ok((candidate.connector)(config)?))
}

/// Builds with the first of `candidates` whose TLS stack accepts the certificates and lists.
pub(super) fn first_that_builds<T>(
    candidates: &[Compiled],
    build_with: impl Fn(&Compiled) -> Result<T, ModeError>,
) -> Result<T, ModeError> {
    use BuildError::{Identity, RevocationList};

    let mut built = candidates.iter().map(build_with);
    // If none accepts them, the error of the preferred one counts.
    let first = built
        .next()
        .unwrap_or_else(|| Err(ModeError::NoBackend { what: "TLS", absent: absent_backends() }));
    match first {
        Err(ModeError::Build(Identity(_) | RevocationList { .. })) => {
            built.find(Result::is_ok).unwrap_or(first)
        }
        first => first,
    }
}

/// The requested backend, or else those that support what is needed. Those that suit the certificates come first, and
/// of these first those with TLS 1.3.
pub(super) fn choose(
    asked: Option<BackendName>,
    needs: &Needs,
) -> Result<Vec<Compiled>, ModeError> {
    choose_of(compiled(), &absent_backends(), asked, needs)
}

fn choose_of(
    mut compiled: Vec<Compiled>,
    absent: &[&'static str],
    asked: Option<BackendName>,
    needs: &Needs,
) -> Result<Vec<Compiled>, ModeError> {
    let Some(asked) = asked else {
        let what = compiled.iter().find_map(|c| needs.lacking(&c.capabilities));
        compiled.retain(|c| needs.met_by(&c.capabilities));
        compiled.sort_by_key(|c| {
            let lacks_tls13 = needs.prefers_tls13 && !c.capabilities.tls13;
            (!needs.suits(&c.capabilities), lacks_tls13)
        });
        return if compiled.is_empty() {
            Err(ModeError::NoBackend { what: what.unwrap_or("TLS"), absent: absent.to_vec() })
        } else {
            Ok(compiled)
        };
    };
    let backend = asked.name();
    let capabilities = match asked {
        BackendName::Plain => Some(turnkey_plain::Plain::CAPABILITIES),
        _ => compiled.iter().map(|c| c.capabilities).find(|c| c.name == backend),
    };
    let capabilities = capabilities.ok_or(ModeError::NotCompiled(backend))?;
    if let Some(what) = needs.lacking(&capabilities) {
        let able = compiled.iter().filter(|c| needs.met_by(&c.capabilities));
        let instead = able.map(|c| c.capabilities.name).collect();
        return Err(ModeError::Lacks { backend, what, instead, absent: absent.to_vec() });
    }
    compiled.retain(|c| c.capabilities.name == backend);
    Ok(compiled)
}

#[cfg(test)]
mod tests {
    use turnkey_backend::KeyKind;

    use super::*;

    const NATIVE_TLS: Capabilities = Capabilities {
        name: "native-tls",
        tls: true,
        self_signed_upstreams: true,
        x509_v1: true,
        name_constraints: true,
        ed25519: true,
        ed448: true,
        ..Capabilities::NONE
    };
    const RUSTLS: Capabilities = Capabilities {
        name: "rustls",
        tls: true,
        client_certificates: true,
        tls13: true,
        ed25519: true,
        ..Capabilities::NONE
    };
    const OPENSSL: Capabilities =
        Capabilities { name: "openssl", client_certificates: true, tls13: true, ..NATIVE_TLS };
    const ALL: [Capabilities; 3] = [RUSTLS, OPENSSL, NATIVE_TLS];

    /// As if only these were compiled in, of all backends.
    fn choose_from(
        compiled: &[Capabilities],
        asked: Option<BackendName>,
        needs: &Needs,
    ) -> Result<Vec<Compiled>, ModeError> {
        let is_absent = |name: &&str| compiled.iter().all(|c| c.name != *name);
        let absent: Vec<_> = ALL.iter().map(|c| c.name).filter(is_absent).collect();
        choose_of(like(compiled), &absent, asked, needs)
    }

    fn like(backends: &[Capabilities]) -> Vec<Compiled> {
        let like = |capabilities: &Capabilities| Compiled {
            capabilities: *capabilities,
            factory: &turnkey_plain::Plain,
            connector: |_| Err(BuildError::Unsupported("tests")),
        };
        backends.iter().map(like).collect()
    }

    fn error(compiled: &[Capabilities], asked: Option<BackendName>, needs: &Needs) -> String {
        choose_from(compiled, asked, needs).err().unwrap().to_string()
    }

    /// The names of the chosen backends, the best first.
    fn chosen(backends: &[Capabilities], needs: &Needs) -> Vec<&'static str> {
        let chosen = choose_from(backends, None, needs);
        chosen.unwrap_or_default().iter().map(|c| c.capabilities.name).collect()
    }

    #[test]
    fn what_a_backend_lacks_is_said_with_who_has_it() {
        let needs = Needs { clients: true, ..Needs::default() };
        assert_eq!(
            error(&ALL, Some(BackendName::NativeTls), &needs),
            "backend native-tls: cannot do client certificates; use rustls or openssl"
        );
        assert_eq!(
            error(&ALL, Some(BackendName::Plain), &needs),
            "backend plain: cannot do TLS; use rustls or openssl"
        );
        let needs = Needs { keys: vec![KeyKind::Ed448], ..Needs::default() };
        let text = error(&[RUSTLS, OPENSSL], Some(BackendName::Rustls), &needs);
        assert!(text.contains("cannot do Ed448 keys; use openssl"), "{text}");
    }

    #[test]
    fn what_nobody_has_is_said_with_the_features_that_may() {
        let needs = Needs { clients: true, ..Needs::default() };
        assert_eq!(
            error(&[NATIVE_TLS], Some(BackendName::NativeTls), &needs),
            "backend native-tls: cannot do client certificates; no other of this build can; build \
             with the cargo feature rustls or openssl (backends/README.md says what each can do)"
        );
        let needs = Needs { partial_chain: true, ..needs };
        let text = error(&ALL, Some(BackendName::Rustls), &needs);
        assert!(text.ends_with("the root; no other can"), "{text}");
        let text = error(&ALL, None, &needs);
        assert!(text.ends_with("the root; no other comes with turnkey"), "{text}");
    }

    #[test]
    fn what_was_not_compiled_in_is_said_with_the_feature_that_brings_it() {
        for needs in [Needs::default(), Needs { ocsp: true, ..Needs::default() }] {
            let text = error(&[RUSTLS], Some(BackendName::OpenSsl), &needs);
            assert_eq!(
                text,
                "backend openssl: not compiled in; build with the cargo feature openssl"
            );
        }
    }

    #[test]
    fn a_build_that_cannot_says_what_it_lacks_and_what_was_not_compiled_in() {
        let needs = Needs { clients: true, prefers_tls13: true, ..Needs::default() };
        assert_eq!(
            error(&[NATIVE_TLS], None, &needs),
            "no TLS backend of this build can do client certificates; build with the cargo feature \
             rustls or openssl (backends/README.md says what each can do)"
        );
        let needs = Needs { x509_v1: true, clients: true, ..Needs::default() };
        let text = error(&[RUSTLS, NATIVE_TLS], None, &needs);
        assert!(text.contains("X.509 version 1") && text.contains("feature openssl ("), "{text}");
        let text = error(&[], None, &Needs::default());
        assert!(
            text.contains("can do TLS; build with the cargo feature rustls, openssl"),
            "{text}"
        );
    }

    #[test]
    fn the_first_that_can_do_all_that_is_asked_goes_first() {
        let [rustls, openssl, native] = ALL;
        let usual = Needs { prefers_tls13: true, ..Needs::default() };
        assert_eq!(chosen(&ALL, &usual), ["rustls", "openssl", "native-tls"]);
        let v1 = Needs { x509_v1: true, ..usual.clone() };
        assert_eq!(chosen(&ALL, &v1), ["openssl", "native-tls"]);
        assert_eq!(chosen(&ALL, &Needs { clients: true, ..v1.clone() }), ["openssl"]);
        assert_eq!(chosen(&[rustls, native], &v1), ["native-tls"], "TLS 1.3 is not to be had");
        assert_eq!(chosen(&[native], &usual), ["native-tls"], "a build with one uses that one");
        assert_eq!(chosen(&[native, openssl], &usual), ["openssl", "native-tls"]);
        let old = Needs { prefers_tls13: false, ..usual.clone() };
        assert_eq!(chosen(&[native, openssl], &old), ["native-tls", "openssl"]);
        let asked = Needs { tls13: true, ..usual.clone() };
        assert_eq!(chosen(&[native], &asked), [""; 0]);
        let ed448 = Needs { keys: vec![KeyKind::Ed25519, KeyKind::Ed448], ..usual };
        assert_eq!(chosen(&ALL, &ed448), ["openssl", "native-tls"]);
    }

    #[test]
    fn what_certificates_may_need_decides_among_those_that_can() {
        let [rustls, openssl, native] = ALL;
        let upstream = Needs { self_signed_upstreams: true, ..Needs::default() };
        assert_eq!(
            chosen(&[rustls, openssl, native], &upstream),
            ["openssl", "native-tls", "rustls"]
        );
        assert_eq!(chosen(&[rustls], &upstream), ["rustls"]);
        let clients = Needs { clients: true, name_constraints: true, ..Needs::default() };
        assert_eq!(chosen(&[rustls, openssl, native], &clients), ["openssl", "rustls"]);
        assert!(choose_from(&[rustls], Some(BackendName::Rustls), &clients).is_ok());
    }

    #[test]
    fn what_one_stack_refuses_is_left_to_the_next() {
        let only_openssl = |candidate: &Compiled| match candidate.capabilities.name {
            "rustls" => Err(ModeError::Build(BuildError::Identity("odd".into()))),
            name => Ok(name),
        };
        let built = first_that_builds(&like(&ALL), only_openssl);
        assert_eq!(built.unwrap(), "openssl");
        let all_refuse = first_that_builds(&like(&ALL), |candidate| {
            Err::<(), _>(BuildError::Identity(candidate.capabilities.name.into()).into())
        });
        let ModeError::Build(BuildError::Identity(why)) = all_refuse.unwrap_err() else { panic!() };
        assert_eq!(why.to_string(), "rustls", "the preferred one's words count");
        let mismatch =
            first_that_builds(&like(&ALL), |_| Err::<(), _>(BuildError::KeyMismatch.into()));
        assert!(matches!(mismatch, Err(ModeError::Build(BuildError::KeyMismatch))));
    }
}
