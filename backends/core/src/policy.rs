use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::handshake_error::{Fault, HandshakeError, Refused};
use crate::{
    Accepted, AllowRules, AllowedIssuers, Backend, Certificate, CertificateError, Found, IssuerKey,
    RevocationList, Socket, TlsInfo, pem,
};

/// Whether clients are asked for a certificate, and which ones are accepted.
#[derive(Debug, Clone, Default)]
pub enum ClientPolicy {
    /// Clients are not asked.
    #[default]
    None,
    /// Clients are asked and may decline. A presented certificate must be valid.
    Optional(ClientTrust),
    /// Clients must present a valid certificate.
    Required(ClientTrust),
}

impl ClientPolicy {
    /// Which certificates are accepted; `None` if clients are not asked.
    #[must_use]
    pub fn trust(&self) -> Option<&ClientTrust> {
        match self {
            Self::None => None,
            Self::Optional(trust) | Self::Required(trust) => Some(trust),
        }
    }

    /// Whether clients are not asked.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether clients must present a certificate.
    #[must_use]
    pub fn is_required(&self) -> bool {
        matches!(self, Self::Required(_))
    }

    /// The SHA-256 of everything that decides which clients are accepted. It tells policies apart: a session that
    /// began under one policy must not be resumed under another.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            // With its length, so that different lists never give the same bytes.
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        add(match self {
            Self::None => b"none",
            Self::Optional(_) => b"optional",
            Self::Required(_) => b"required",
        });
        if let Some(trust) = self.trust() {
            let ClientTrust { anchors, crls, rules, issuers, deny_early, anonymous } = trust;
            // The order of the files does not change which clients are accepted.
            let mut parts: Vec<&[u8]> = anchors.certificates().iter().map(|c| &**c.der()).collect();
            parts.extend(crls.iter().map(RevocationList::der));
            parts.sort_unstable();
            parts.into_iter().for_each(&mut add);
            add(rules.to_string().as_bytes());
            add(&[u8::from(*deny_early), u8::from(*anonymous)]);
            // A new certificate for the same key allows the same clients.
            if let Some(issuers) = issuers {
                add(&issuers.keys().into_iter().flat_map(IssuerKey::to_bytes).collect::<Vec<_>>());
            }
        }
        digest.finalize().into()
    }

    /// Runs the handshake of `backend`, and then [`admit`](Self::admit), so that no backend can forget it. The stream
    /// of a rejected client is dropped unused: a backend holds back tickets for that.
    pub async fn accept(
        &self,
        backend: &dyn Backend,
        socket: Socket,
    ) -> Result<Accepted, HandshakeError> {
        let accepted = backend.accept(socket).await?;
        if !self.is_none() {
            let unknown = TlsInfo::default();
            self.admit(accepted.tls.as_ref().unwrap_or(&unknown), SystemTime::now())?;
        }
        Ok(accepted)
    }

    /// The final check of a client after its handshake, which negotiated `tls`. The server does it for every
    /// connection, whatever its backend has checked.
    ///
    /// It checks that a required certificate is present. It checks the rules, if they are [checked in the
    /// handshake](ClientTrust::denies_early). If the session was [resumed](TlsInfo::resumed) and is not [vouched
    /// for](TlsInfo::client_vouched_until) until `now`, it repeats checks of an earlier handshake: the dates of the
    /// certificate and of its CA, and that no revocation list has expired since. A TLS stack that resumes skips them.
    /// What does not change with time is part of [`digest`](Self::digest).
    pub fn admit(&self, tls: &TlsInfo, now: SystemTime) -> Result<(), HandshakeError> {
        let resumed = tls.resumed.unwrap_or(true);
        let Some(trust) = self.trust() else { return Ok(()) };
        let Some(certificate) = &tls.client_certificate else {
            return match self {
                Self::Required(_) => Err(HandshakeError::NoClientCertificate),
                _ => Ok(()),
            };
        };
        let holds = tls.client_vouched_until.is_some_and(|until| now <= until);
        let refused = if resumed && !holds {
            trust.outdated(certificate, tls.client_chain.as_deref(), now)
        } else {
            None
        };
        let refused = refused.or_else(|| {
            let denied = || trust.denies(certificate, tls.client_issuer_key);
            let fault = if trust.deny_early { denied() } else { None };
            fault.map(|fault| Refused::new(certificate.clone(), fault))
        });
        match refused {
            Some(refused) => Err(refused.into()),
            None => Ok(()),
        }
    }
}

/// Which certificates are accepted: one of the CAs has issued them, and no list revokes them. If there are rules, one
/// must allow them. If there are allowed issuers, one must have issued them.
#[derive(Debug, Clone)]
pub struct ClientTrust {
    anchors: TrustAnchors,
    crls: Vec<RevocationList>,
    rules: AllowRules,
    issuers: Option<AllowedIssuers>,
    deny_early: bool,
    anonymous: bool,
}

impl ClientTrust {
    /// Accepts all that the CAs issued.
    #[must_use]
    pub fn new(anchors: TrustAnchors) -> Self {
        let rules = AllowRules::default();
        let (crls, issuers) = (Vec::new(), None);
        Self { anchors, crls, rules, issuers, deny_early: false, anonymous: true }
    }

    /// Sets the revocation lists; the default is none. With any, every certificate of a client's chain except the
    /// CA's own must be covered by a valid list: if a CA's list is missing, its certificates are rejected.
    /// [`vouched_until`](Self::vouched_until) has the rules.
    #[must_use]
    pub fn revocation_lists(mut self, crls: Vec<RevocationList>) -> Self {
        self.crls = crls;
        self
    }

    /// Sets the rules; the default is none, which accepts all. A client that they do not allow gets an answer that
    /// says so, unless `early`: then the handshake fails.
    #[must_use]
    pub fn allow(mut self, rules: AllowRules, early: bool) -> Self {
        self.rules = rules;
        self.deny_early = early;
        self
    }

    /// Sets the CAs one of which must have issued a client's certificate directly; the default is none, which allows
    /// every issuer. A client has to satisfy both this and the rules of [`allow`](Self::allow), which also sets when
    /// clients are denied. A client with an unknown issuer is denied.
    #[must_use]
    pub fn issued_by(mut self, issuers: AllowedIssuers) -> Self {
        self.issuers = Some(issuers);
        self
    }

    /// Sets whether a client without a certificate is accepted if certificates are
    /// [optional](ClientPolicy::Optional); the default is yes. If not, it gets an answer that says so.
    #[must_use]
    pub fn allow_anonymous(mut self, allow: bool) -> Self {
        self.anonymous = allow;
        self
    }

    /// Whether a client without a certificate is accepted if certificates are optional.
    #[must_use]
    pub fn allows_anonymous(&self) -> bool {
        self.anonymous
    }

    /// The CAs.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// The revocation lists.
    #[must_use]
    pub fn crls(&self) -> &[RevocationList] {
        &self.crls
    }

    /// The CAs one of which must have issued a client's certificate directly, if there are any.
    #[must_use]
    pub fn issuers(&self) -> Option<&AllowedIssuers> {
        self.issuers.as_ref()
    }

    /// Whether the rules are checked in the handshake.
    #[must_use]
    pub fn denies_early(&self) -> bool {
        self.deny_early
    }

    /// Which rule denies `certificate`, issued by the CA with the key `issuer`: that for its issuer
    /// ([`Fault::IssuerNotAllowed`]), or those for its names ([`Fault::NotAllowed`]). `None` if it is accepted.
    ///
    /// `issuer` is the key of the [verified chain](IssuerKey::in_chain); `None` if that is not known.
    #[must_use]
    pub fn denies(&self, certificate: &Certificate, issuer: Option<IssuerKey>) -> Option<Fault> {
        let is_allowed =
            |issuers: &AllowedIssuers| issuer.is_some_and(|issuer| issuers.allow(issuer));
        if !self.issuers.as_ref().is_none_or(is_allowed) {
            return Some(Fault::IssuerNotAllowed);
        }
        (!self.rules.allow(certificate)).then_some(Fault::NotAllowed)
    }
}

impl From<TrustAnchors> for ClientTrust {
    fn from(anchors: TrustAnchors) -> Self {
        Self::new(anchors)
    }
}

/// The CA certificates that client certificates are checked against; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchors(Vec<Certificate>);

impl TrustAnchors {
    /// Reads one or more PEM certificates, or one in DER. Other blocks of a PEM file, for example a private key, are
    /// ignored, and duplicates are dropped.
    ///
    /// Each must be the certificate of a CA and valid at `now`. One that expires later is not trusted from then on:
    /// the TLS stack must check that, or the backend if the stack does not.
    pub fn from_pem(pem: &[u8], now: SystemTime) -> Result<Self, PolicyError> {
        Ok(Self(cas(pem, |ca| ca.check_validity(now))?))
    }

    /// The certificates of both, without duplicates.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        add(&mut self.0, other.0);
        self
    }

    /// The certificates, in the order of the file.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }
}

/// Why CAs cannot be read from a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is empty.
    #[error("the file of CAs is empty")]
    Empty,
    /// It is neither PEM nor a certificate in DER.
    #[error("expected PEM certificates of CAs, but {0}")]
    NotPem(Found),
    /// It is PEM without a certificate.
    #[error("there is no certificate among the CAs: {0}")]
    NoCertificate(Found),
    /// A block of PEM is damaged.
    #[error("the PEM block \"{label}\" cannot be read: {fault}")]
    BrokenPem {
        /// The label after `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A certificate is not that of a CA.
    #[error(
        "\"{subject}\" is not a CA certificate; \
         give the certificate of the CA that issued it"
    )]
    NotACa {
        /// The certificate's subject.
        subject: String,
    },
    /// A certificate is malformed, expired or not yet valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// The CA certificates in a file, each of which has to pass `check`: at least one, without duplicates.
pub(crate) fn cas(
    bytes: &[u8],
    check: impl Fn(&Certificate) -> Result<(), CertificateError>,
) -> Result<Vec<Certificate>, PolicyError> {
    let found = parse(bytes)?;
    for certificate in &found {
        if !certificate.is_ca() {
            return Err(PolicyError::NotACa { subject: certificate.subject().to_owned() });
        }
        check(certificate)?;
    }
    let mut cas = Vec::new();
    add(&mut cas, found);
    if cas.is_empty() {
        return Err(PolicyError::NoCertificate(Found::in_bytes(bytes)));
    }
    Ok(cas)
}

/// Adds the certificates that are missing.
pub(crate) fn add(certificates: &mut Vec<Certificate>, others: Vec<Certificate>) {
    for certificate in others {
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Certificate>, PolicyError> {
    if bytes.trim_ascii().is_empty() {
        return Err(PolicyError::Empty);
    }
    let blocks = pem::blocks(bytes)
        .map_err(|pem::BrokenBlock { label, fault }| PolicyError::BrokenPem { label, fault })?;
    if blocks.is_empty() {
        return match Found::in_bytes(bytes) {
            Found::DerCertificate => Ok(vec![Certificate::from_der(bytes)?]),
            found => Err(PolicyError::NotPem(found)),
        };
    }
    let certificates = blocks.iter().filter(|block| block.is_certificate());
    Ok(certificates.map(|block| Certificate::from_der(&block.der)).collect::<Result<_, _>>()?)
}
