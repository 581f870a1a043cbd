use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::handshake_error::{Fault, HandshakeError, Refused};
use crate::{
    Accepted, AllowRules, AllowedIssuers, Backend, Certificate, CertificateError, Found, IssuerKey,
    RevocationList, Socket, TlsInfo, pem,
};

/// Whether clients are asked for a certificate, and whose are good.
#[derive(Debug, Clone, Default)]
pub enum ClientPolicy {
    /// Clients are not asked.
    #[default]
    None,
    /// Clients are asked and may decline; a certificate that is presented must be valid.
    Optional(ClientTrust),
    /// Clients must present a valid certificate.
    Required(ClientTrust),
}

impl ClientPolicy {
    /// Which certificates are good; `None` when clients are not asked.
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

    /// The SHA-256 of all that decides who is let in. A session that was begun under one policy must
    /// not be resumed under another; this is what tells them apart.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            // With its length, so that no two lists run together into the same bytes.
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
            // The order of the files makes no difference to who is let in.
            let mut parts: Vec<&[u8]> = anchors.certificates().iter().map(|c| &**c.der()).collect();
            parts.extend(crls.iter().map(RevocationList::der));
            parts.sort_unstable();
            parts.into_iter().for_each(&mut add);
            add(rules.to_string().as_bytes());
            add(&[u8::from(*deny_early), u8::from(*anonymous)]);
            // A new certificate for the same key lets in the same clients.
            if let Some(issuers) = issuers {
                add(&issuers.keys().into_iter().flat_map(IssuerKey::to_bytes).collect::<Vec<_>>());
            }
        }
        digest.finalize().into()
    }

    /// The handshake of `backend`, and then [`admit`](Self::admit), so that no backend can forget it. The stream of a
    /// client that is refused is dropped unused: a backend holds back tickets for that.
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

    /// The last word on a client after its handshake, of which `tls` is known. The server says it for every
    /// connection, whatever its backend has checked.
    ///
    /// It checks that a required certificate is there. It checks the rules, where they are [kept in the
    /// handshake](ClientTrust::denies_early). And it checks again what an earlier handshake found good, if the session was
    /// [resumed](TlsInfo::resumed) and is not [vouched for](TlsInfo::client_vouched_until) until `now`: the dates of
    /// the certificate and of its CA, and that no revocation list has expired since. A TLS stack that resumes looks at
    /// none of these; what does not change with time is part of [`digest`](Self::digest).
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

/// Whose certificates are good: those that one of the CAs issued, that no list revokes, that a
/// rule allows, if there are rules, and that an allowed issuer issued, if there are allowed issuers.
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
    /// All that the CAs issued.
    #[must_use]
    pub fn new(anchors: TrustAnchors) -> Self {
        let rules = AllowRules::default();
        let (crls, issuers) = (Vec::new(), None);
        Self { anchors, crls, rules, issuers, deny_early: false, anonymous: true }
    }

    /// Sets the revocation lists; none. With any, every certificate of a client's chain must be
    /// covered by one that holds now, the CA's own excepted: a CA whose list is missing cannot
    /// be asked, and is not taken at its word. [`vouched_until`](Self::vouched_until) has the rules.
    #[must_use]
    pub fn revocation_lists(mut self, crls: Vec<RevocationList>) -> Self {
        self.crls = crls;
        self
    }

    /// Sets the rules; none, which lets all in. Whom they do not allow gets an answer that says so,
    /// unless `early`: then the handshake fails.
    #[must_use]
    pub fn allow(mut self, rules: AllowRules, early: bool) -> Self {
        self.rules = rules;
        self.deny_early = early;
        self
    }

    /// Sets the CAs one of which must have issued a client's certificate directly; none, which allows every
    /// issuer. This rule comes on top of those of [`allow`](Self::allow): a client has to satisfy both. A client
    /// whose issuer is not known is denied. When clients are denied, `allow` says too.
    #[must_use]
    pub fn issued_by(mut self, issuers: AllowedIssuers) -> Self {
        self.issuers = Some(issuers);
        self
    }

    /// Sets whether a client that shows no certificate is let in where certificates are
    /// [optional](ClientPolicy::Optional); it is. If not, it gets an answer that says so.
    #[must_use]
    pub fn allow_anonymous(mut self, allow: bool) -> Self {
        self.anonymous = allow;
        self
    }

    /// Whether a client without a certificate is let in where certificates are optional.
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

    /// The CAs one of which must have issued a client's certificate directly, if that is asked for.
    #[must_use]
    pub fn issuers(&self) -> Option<&AllowedIssuers> {
        self.issuers.as_ref()
    }

    /// Whether the rules are kept in the handshake.
    #[must_use]
    pub fn denies_early(&self) -> bool {
        self.deny_early
    }

    /// Which rule denies `certificate`, which the CA with the key `issuer` has issued: that for its issuer
    /// ([`Fault::IssuerNotAllowed`]), or those for its names ([`Fault::NotAllowed`]). `None` if it is let in.
    ///
    /// `issuer` is the key of the [verified chain](IssuerKey::in_chain); `None` where that is not known.
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

/// The certificates of the CAs that clients' certificates are checked against; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchors(Vec<Certificate>);

impl TrustAnchors {
    /// Reads one or more PEM certificates, or one in DER. What else a PEM file holds, a private key
    /// for example, is left alone, and duplicates are dropped.
    ///
    /// Each must be the certificate of a CA and valid at `now`. One that ends later vouches for nobody
    /// from then on: the TLS stack has to see to it, or the backend where the stack does not.
    pub fn from_pem(pem: &[u8], now: SystemTime) -> Result<Self, PolicyError> {
        Ok(Self(cas(pem, |ca| ca.check_validity(now))?))
    }

    /// Those of both, without duplicates.
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

/// Why a file is not one of CAs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There is nothing in it.
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
        /// What stands behind `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A certificate is not one of a CA.
    #[error(
        "\"{subject}\" is not a CA certificate; \
         give the certificate of the CA that issued it"
    )]
    NotACa {
        /// Whose certificate it is.
        subject: String,
    },
    /// A certificate is malformed, expired or not yet valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// The certificates of CAs in a file, each of which has to pass `check`: at least one, without duplicates.
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

/// Adds what is not there yet.
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
