//! What a TLS backend must support, by the options and the certificates in use.

use turnkey_backend::{
    Capabilities, Certificate, ClientPolicy, ClientTrust, ConnectConfig, Identity, KeyKind,
    TlsVersion, TrustAnchors,
};

use super::Tls;

/// What is needed beyond TLS itself.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of wishes is what this is")]
pub(super) struct Needs {
    pub(super) clients: bool,
    /// TLS 1.3 is requested explicitly.
    pub(super) tls13: bool,
    /// TLS 1.3 is expected by default: backends that have it are preferred.
    pub(super) prefers_tls13: bool,
    pub(super) sni: bool,
    pub(super) crl: bool,
    pub(super) resumption_control: bool,
    pub(super) ocsp: bool,
    pub(super) partial_chain: bool,
    pub(super) self_signed_upstreams: bool,
    pub(super) x509_v1: bool,
    pub(super) x509_v1_clients: bool,
    pub(super) name_constraints: bool,
    /// The kinds of key of the identities, without duplicates.
    pub(super) keys: Vec<KeyKind>,
}

impl Needs {
    pub(super) fn of(identity: &Identity, clients: &ClientPolicy, choice: &Tls) -> Self {
        let identities = || [identity].into_iter().chain(&choice.further);
        let trust = clients.trust();
        let anchors = trust.map(|trust| trust.anchors().certificates()).unwrap_or_default();
        Self {
            clients: !clients.is_none(),
            tls13: choice.asks_for_tls13(),
            prefers_tls13: choice.max != Some(TlsVersion::Tls12),
            sni: !choice.further.is_empty(),
            crl: trust.is_some_and(|trust: &ClientTrust| !trust.crls().is_empty()),
            resumption_control: choice.resumption.is_some() || choice.ticket_key.is_some(),
            ocsp: choice.ocsp || identities().any(Identity::is_stapled),
            x509_v1: identities().any(|i| i.leaf().lacks_extensions()),
            x509_v1_clients: choice.x509_v1_clients,
            name_constraints: anchors.iter().any(Certificate::constrains_other_names),
            keys: identities().map(|identity| identity.leaf().key().clone()).collect(),
            ..Self::default()
        }
    }

    pub(super) fn of_connector(config: &ConnectConfig) -> Self {
        let anchors = config.anchors.as_ref().map(TrustAnchors::certificates).unwrap_or_default();
        let is_issued_by_others =
            |anchor: &Certificate| anchors.iter().all(|issuer| issuer.subject() != anchor.issuer());
        let leaf = config.identity.as_ref().map(Identity::leaf);
        Self {
            partial_chain: anchors.iter().any(is_issued_by_others),
            self_signed_upstreams: anchors.iter().any(Certificate::may_be_leaf_and_anchor),
            x509_v1: leaf.is_some_and(Certificate::lacks_extensions),
            name_constraints: anchors.iter().any(Certificate::constrains_other_names),
            keys: leaf.map(|leaf| leaf.key().clone()).into_iter().collect(),
            ..Self::default()
        }
    }

    pub(super) fn met_by(&self, capabilities: &Capabilities) -> bool {
        self.lacking(capabilities).is_none()
    }

    /// The first need that the backend does not support.
    pub(super) fn lacking(&self, capabilities: &Capabilities) -> Option<&'static str> {
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
            (self.x509_v1, capabilities.x509_v1, "X.509 version 1 certificates"),
        ];
        let wish = wishes.into_iter().find(|(asked, there, _)| *asked && !there);
        let key = self.keys.iter().find(|key| !capabilities.takes_key(key));
        wish.map(|(.., what)| what).or_else(|| key.map(keys_like))
    }

    /// Whether the backend also supports what may be needed, depending on the peer.
    pub(super) fn suits(&self, capabilities: &Capabilities) -> bool {
        (!self.self_signed_upstreams || capabilities.self_signed_upstreams)
            && (!self.x509_v1_clients || capabilities.x509_v1)
            && (!self.name_constraints || capabilities.name_constraints)
    }
}

/// The name of keys of this kind.
fn keys_like(key: &KeyKind) -> &'static str {
    match key {
        KeyKind::Ed25519 => "Ed25519 keys",
        KeyKind::Ed448 => "Ed448 keys",
        KeyKind::Rsa { .. } => "RSA keys of this length",
        _ => "keys of this kind",
    }
}

/// `a, b or c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        names => names.join(""),
    }
}
