use std::cmp::Reverse;
use std::iter;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};
use turnkey_backend::{Certificate, ClientTrust, Fault, Refused};

use crate::words;

/// The certificates that a client sent, put in order by their names and key identifiers.
///
/// webpki reports the fault of a chain, but not which certificate has it. It is found here, for the explanation
/// only: this lets no client in, and is not shown as a verified chain.
pub(crate) struct Presented {
    leaf: Certificate,
    /// Each is the issuer of the one before, up to one that a trusted CA issued, or whose issuer was not sent.
    issuers: Vec<Certificate>,
    /// The trusted CAs that may have issued the last of them. The one with the latest end comes first: it is
    /// the renewed one.
    anchors: Vec<Certificate>,
}

impl Presented {
    /// `None` if the leaf cannot be parsed. Other certificates that cannot be parsed are left out.
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

    /// Whether it leads to a trusted CA.
    pub(crate) fn leads_to_trust(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// The refusal for this chain and `error`.
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
            // webpki reports such certificates as malformed, or not as CAs, and does not look at the issuer.
            E::UnknownIssuer | E::Other(_) if self.leads_to_trust() && self.oldest().is_some() => {
                (Fault::OldVersion, self.oldest())
            }
            other if of_certificate(other) == OLD_VERSION => (Fault::UnknownIssuer, None),
            // The issuer of the last one is unknown.
            E::UnknownIssuer => (Fault::UnknownIssuer, self.issuers.last()),
            E::Expired
            | E::ExpiredContext { .. }
            | E::NotValidYet
            | E::NotValidYetContext { .. } => self.outdated(now),
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => (Fault::NotForClients, None),
            E::ApplicationVerificationFailure => (Fault::NotAllowed, None),
            E::BadSignature => (Fault::BadSignature, None),
            // Mostly self-signed, as `openssl req -x509` makes them: webpki checks that it is not a CA before
            // it checks the issuer.
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

    /// The one with wrong dates; webpki begins with the leaf, and does not check trusted CAs.
    fn outdated(&self, now: SystemTime) -> (Fault, Option<&Certificate>) {
        use turnkey_backend::CertificateError as E;
        let mut chain = iter::once(&self.leaf).chain(&self.issuers).chain(&self.anchors);
        let outdated = chain.find_map(|one| Some((one.check_validity(now).err()?, one)));
        match outdated {
            Some((E::NotYetValid { .. }, one)) => (Fault::NotYetValid, Some(one)),
            outdated => (Fault::Expired, outdated.map(|(_, one)| one)),
        }
    }

    /// The first, from the leaf, with an X.509 version that webpki does not accept.
    fn oldest(&self) -> Option<&Certificate> {
        iter::once(&self.leaf).chain(&self.issuers).find(|one| one.lacks_extensions())
    }
}

/// webpki's own names of errors.
const CA_AS_CLIENT: &str = "CaUsedAsEndEntity";
const OLD_VERSION: &str = "UnsupportedCertVersion";
const PATH_LENGTH: &str = "PathLenConstraintViolated";
const NAME: &str = "NameConstraintViolation";

/// Finds the fault by the error's name, if it is webpki's own: its type is not accessible here.
fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Other(other) => other.to_string(),
        _ => String::new(),
    }
}
