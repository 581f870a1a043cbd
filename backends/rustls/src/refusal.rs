use std::cmp::Reverse;
use std::iter;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};
use turnkey_backend::{Certificate, ClientTrust, Fault, Refused};

use crate::words;

/// The certificates that a client presented, in order, as far as names and key identifiers tell.
///
/// webpki says what is wrong with a chain, but not with which certificate of it: that is looked for
/// again here, for the explanation. It lets nobody in, and is shown to nobody as a verified chain.
pub(crate) struct Presented {
    leaf: Certificate,
    /// Each the issuer of the one before, up to one that a trusted CA issued, or nobody who is here.
    issuers: Vec<Certificate>,
    /// Those of the trusted CAs that may have issued the last of them. The one that lasts longest
    /// comes first: it was made when the others were to end.
    anchors: Vec<Certificate>,
}

impl Presented {
    /// `None` when the leaf does not parse. What else does not has no part in the chain.
    pub(crate) fn new(
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        trust: &ClientTrust,
    ) -> Option<Self> {
        let leaf = Certificate::from_der(leaf).ok()?;
        let mut others: Vec<_> =
            others.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        let mut issuers = Vec::new();
        let mut top = leaf.clone();
        let issued = |top: &Certificate| {
            let cas = trust.anchors().certificates().iter();
            cas.filter(|anchor| anchor.issued(top)).cloned().collect::<Vec<_>>()
        };
        let mut anchors = issued(&top);
        while anchors.is_empty() {
            let Some(place) = others.iter().position(|other| other.issued(&top)) else { break };
            top = others.swap_remove(place);
            issuers.push(top.clone());
            anchors = issued(&top);
        }
        anchors.sort_by_key(|anchor| Reverse(anchor.not_after()));
        Some(Self { leaf, issuers, anchors })
    }

    /// Whether it leads to a CA that is trusted.
    pub(crate) fn leads_to_trust(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// What `error` says about it.
    pub(crate) fn refused(&self, error: &Error, now: SystemTime) -> Refused {
        let (fault, culprit) = self.fault(error, now);
        Refused::new(self.leaf.clone(), fault).because_of(culprit.unwrap_or(&self.leaf).clone())
    }

    fn fault(&self, error: &Error, now: SystemTime) -> (Fault, Option<&Certificate>) {
        use CertificateError as E;
        let error = match error {
            Error::InvalidCertificate(error) => error,
            other => return (Fault::Other(words::fault_in_words(other)), None),
        };
        match error {
            // To webpki such certificates are malformed, or no CAs, and it does not look who issued them.
            E::UnknownIssuer | E::Other(_) if self.leads_to_trust() && self.oldest().is_some() => {
                (Fault::OldVersion, self.oldest())
            }
            other if of_certificate(other) == OLD_VERSION => (Fault::UnknownIssuer, None),
            // It is the last one's issuer that nobody knows.
            E::UnknownIssuer => (Fault::UnknownIssuer, self.issuers.last()),
            E::Expired
            | E::ExpiredContext { .. }
            | E::NotValidYet
            | E::NotValidYetContext { .. } => self.outdated(now),
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => (Fault::NotForClients, None),
            E::ApplicationVerificationFailure => (Fault::NotAllowed, None),
            E::BadSignature => (Fault::BadSignature, None),
            // Self-signed more often than not, as `openssl req -x509` makes them: for webpki it is a CA
            // before it is one that nobody knows.
            other if of_certificate(other) == CA_AS_CLIENT && !self.leads_to_trust() => {
                (Fault::UnknownIssuer, self.issuers.last())
            }
            other if of_certificate(other) == CA_AS_CLIENT => (Fault::IsCa, None),
            other if of_certificate(other) == PATH_LENGTH => {
                (Fault::TooManyCas, self.restricting())
            }
            other if of_certificate(other) == NAME => (Fault::NameNotPermitted, None),
            other => (Fault::Other(words::certificate(other)), None),
        }
    }

    /// The CA that allows fewer CAs below it than there are.
    fn restricting(&self) -> Option<&Certificate> {
        let mut cas = (0..).zip(&self.issuers);
        cas.find(|(below, ca)| ca.path_len().is_some_and(|most| *below > most)).map(|(_, ca)| ca)
    }

    /// The one whose dates are wrong; webpki begins with the leaf, and does not look at the CAs that
    /// are trusted.
    fn outdated(&self, now: SystemTime) -> (Fault, Option<&Certificate>) {
        use turnkey_backend::CertificateError as E;
        let mut chain = iter::once(&self.leaf).chain(&self.issuers).chain(&self.anchors);
        let outdated = chain.find_map(|one| Some((one.check_validity(now).err()?, one)));
        match outdated {
            Some((E::NotYetValid { .. }, one)) => (Fault::NotYetValid, Some(one)),
            outdated => (Fault::Expired, outdated.map(|(_, one)| one)),
        }
    }

    /// The first, from the leaf, that is older than webpki takes them.
    fn oldest(&self) -> Option<&Certificate> {
        iter::once(&self.leaf).chain(&self.issuers).find(|one| one.lacks_extensions())
    }
}

/// webpki's own names of errors.
const CA_AS_CLIENT: &str = "CaUsedAsEndEntity";
const OLD_VERSION: &str = "UnsupportedCertVersion";
const PATH_LENGTH: &str = "PathLenConstraintViolated";
const NAME: &str = "NameConstraintViolation";

/// By the name that webpki has for it, if the error is webpki's own: its type is not ours to see.
fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Other(other) => other.to_string(),
        _ => String::new(),
    }
}
