//! What vouches for a client, and until when: its chain and the revocation lists.

use std::slice;
use std::time::{Duration, SystemTime};

use crate::handshake_error::{Fault, Refused};
use crate::policy::ClientTrust;
use crate::{Certificate, CertificateError, RevocationList};

/// Whether a list is signed with the key of a CA. If not, the error says why, in words that follow "the revocation
/// list of its CA is of no use:".
pub type Signed<'s> = dyn Fn(&RevocationList, &Certificate) -> Result<(), &'static str> + 's;

/// A client's verified chain, and the end of its validity.
#[derive(Debug)]
pub struct Vouched {
    /// The client's certificate first, the trusted CA's last.
    pub chain: Vec<Certificate>,
    /// The last second in which the chain and the revocation lists are valid.
    pub until: SystemTime,
}

impl ClientTrust {
    /// Checks a chain that a TLS stack has verified against the [revocation lists](Self::crls): `leaf` is the
    /// client's certificate, `issuers` are those above it up to the trusted CA's. The result is the last second in
    /// which everything that vouches for the client is valid: each certificate of the chain, and each used list. A
    /// session that begins with the chain ends then too.
    ///
    /// Every certificate up to the first trusted CA has to be covered by a list that is valid at `now`. A list
    /// belongs to a CA if it has the CA's name and `signed` confirms the CA's signature. Among the lists of one CA
    /// and one scope (RFC 5280 §5.2.5) the newest that has begun counts; lists of different scopes all count. A
    /// trusted CA below another trusted CA needs no list, and is rejected if a list revokes it.
    pub fn vouched_until(
        &self,
        leaf: &Certificate,
        issuers: &[Certificate],
        now: SystemTime,
        signed: &Signed<'_>,
    ) -> Result<SystemTime, Refused> {
        let mut until =
            issuers.iter().map(Certificate::not_after).fold(leaf.not_after(), SystemTime::min);
        let refused =
            |one: &Certificate, fault| Refused::new(leaf.clone(), fault).because_of(one.clone());
        if self.crls().is_empty() {
            return Ok(until);
        }
        let mut below = leaf;
        for issuer in issuers {
            let listed = Listed::new(self.crls(), below, issuer, now, signed);
            let holds_until = listed.holds_until().map_err(|fault| refused(below, fault))?;
            until = until.min(holds_until);
            below = issuer;
            if self.anchors().certificates().contains(issuer) {
                break;
            }
        }
        let others = self.anchors().certificates().iter();
        let above = |ca: &&Certificate| !below.is_self_issued() && ca.issued(below);
        for ca in others.filter(above) {
            if Listed::new(self.crls(), below, ca, now, signed).revoke() {
                return Err(refused(below, Fault::Revoked));
            }
        }
        Ok(until)
    }

    /// Checks the dates of a certificate that was accepted, and of its CAs and lists, if the end of their validity is
    /// not known.
    pub(crate) fn outdated(
        &self,
        certificate: &Certificate,
        chain: Option<&[Certificate]>,
        now: SystemTime,
    ) -> Option<Refused> {
        let refused = |fault| Refused::new(certificate.clone(), fault);
        if let Some(fault) = out_of_date(certificate, now) {
            return Some(refused(fault));
        }
        let cas = self.anchors().certificates();
        let path = match chain {
            Some([path @ .., _ca]) if !path.is_empty() => Some(path),
            _ => {
                cas.iter().any(|ca| ca.issued(certificate)).then_some(slice::from_ref(certificate))
            }
        };
        // An intermediate may be unknown here, and so the trusted CA above it. Then all CAs must be valid.
        let may_be_its_own =
            |ca: &&Certificate| path.and_then(<[_]>::last).is_none_or(|top| ca.issued(top));
        let mut its_own = cas.iter().filter(may_be_its_own);
        if let Some((ca, fault)) = its_own.find_map(|ca| Some((ca, self.ended(ca, now)?))) {
            return Some(refused(fault).because_of(ca.clone()));
        }
        // The list that covers it may be unknown too.
        let may_speak_of_it = |crl: &&RevocationList| {
            path.is_none_or(|path| path.iter().any(|certificate| crl.covers(certificate)))
        };
        let mut lists = self.counting_crls(now).filter(may_speak_of_it);
        let silent = lists.find(|crl| crl.has_expired(now) || !crl.has_begun(now))?;
        Some(refused(silence(silent, now)))
    }

    /// The fault of a CA's dates, unless a valid certificate has the same name and key.
    fn ended(&self, ca: &Certificate, now: SystemTime) -> Option<Fault> {
        let fault = out_of_date(ca, now)?;
        let renews = |other: &Certificate| {
            other.subject() == ca.subject()
                && other.spki_der() == ca.spki_der()
                && out_of_date(other, now).is_none()
        };
        (!self.anchors().certificates().iter().any(renews)).then_some(fault)
    }

    /// The lists of each CA that count at `now`; CAs are distinguished by names and key identifiers. A list may be
    /// beside its successor, or beside one that is not valid yet.
    fn counting_crls(&self, now: SystemTime) -> impl Iterator<Item = &RevocationList> {
        self.crls().iter().filter(move |crl| {
            let mut others = self.crls().iter().filter(|other| other.is_like(crl));
            !others.any(|other| rank(other, now) > rank(crl, now))
        })
    }
}

/// The lists that cover one certificate.
struct Listed<'l> {
    certificate: &'l Certificate,
    issuer: &'l Certificate,
    now: SystemTime,
    /// The lists with its issuer's name.
    named: Vec<&'l RevocationList>,
    /// The newest list of its issuer for each scope that may include it.
    counting: Vec<&'l RevocationList>,
    /// Why another list is not its issuer's.
    unsigned: Option<&'static str>,
}

impl<'l> Listed<'l> {
    fn new(
        crls: &'l [RevocationList],
        certificate: &'l Certificate,
        issuer: &'l Certificate,
        now: SystemTime,
        signed: &Signed<'_>,
    ) -> Self {
        let mut named: Vec<_> = crls.iter().filter(|crl| crl.is_of_issuer(certificate)).collect();
        named.sort_by_key(|crl| std::cmp::Reverse(rank(crl, now)));
        let mut counting: Vec<&RevocationList> = Vec::new();
        let mut unsigned = None;
        for crl in named.iter().filter(|crl| crl.covers(certificate)) {
            let replaces = |one: &&RevocationList| {
                one.scope() == crl.scope() && rank(one, now) > rank(crl, now)
            };
            // The time to verify a signature grows with the list.
            if counting.iter().any(replaces) {
                continue;
            }
            match signed(crl, issuer) {
                Ok(()) => counting.push(crl),
                Err(why) => unsigned = Some(why),
            }
        }
        Self { certificate, issuer, now, named, counting, unsigned }
    }

    fn revoke(&self) -> bool {
        let mut begun = self.counting.iter().filter(|crl| crl.has_begun(self.now));
        begun.any(|crl| crl.revokes(self.certificate))
    }

    /// The last second in which the certificate is known not to be revoked.
    fn holds_until(&self) -> Result<SystemTime, Fault> {
        if self.counting.is_empty() {
            return Err(self.none());
        }
        if !self.issuer.may_sign_crls() {
            return Err(Fault::list_of_no_use("the CA may not sign any (key usage)"));
        }
        if self.revoke() {
            return Err(Fault::Revoked);
        }
        let holds = |crl: &&RevocationList| crl.has_begun(self.now) && !crl.has_expired(self.now);
        let (holding, silent): (Vec<&RevocationList>, Vec<_>) =
            self.counting.iter().copied().partition(holds);
        let complete = holding.iter().any(|crl| crl.surely_covers(self.certificate));
        if let Some(silent) = silent.first().filter(|_| !complete) {
            return Err(silence(silent, self.now));
        }
        let ends = holding.iter().filter_map(|crl| crl.next_update());
        // From then on another list counts.
        let to_come = self.named.iter().filter(|crl| crl.covers(self.certificate));
        let begins = to_come.map(|crl| crl.this_update()).filter(|begin| *begin > self.now);
        let changes = ends.chain(begins).filter_map(|at| at.checked_sub(Duration::from_secs(1)));
        Ok(changes.fold(self.certificate.not_after(), SystemTime::min))
    }

    /// Why no list of its issuer covers it.
    fn none(&self) -> Fault {
        match self.unsigned {
            Some(why) => Fault::list_of_no_use(why),
            None if self.named.is_empty() => {
                Fault::NoRevocationList { issuer: self.certificate.issuer().to_owned() }
            }
            None => Fault::list_of_no_use(
                "it is for other certificates of that CA (distribution point, or CAs or clients only); \
                 the one for this certificate is needed too",
            ),
        }
    }
}

/// The greater of two lists of one CA and scope counts.
fn rank(crl: &RevocationList, now: SystemTime) -> (bool, SystemTime) {
    (crl.has_begun(now), crl.this_update())
}

/// Why a list is not valid at `now`.
fn silence(crl: &RevocationList, now: SystemTime) -> Fault {
    if crl.has_begun(now) {
        Fault::RevocationListExpired {
            issuer: crl.issuer().to_owned(),
            next_update: crl.next_update(),
        }
    } else {
        Fault::list_not_yet_valid(crl)
    }
}

/// The fault of `certificate`'s dates.
fn out_of_date(certificate: &Certificate, now: SystemTime) -> Option<Fault> {
    match certificate.check_validity(now) {
        Ok(()) => None,
        Err(CertificateError::NotYetValid { .. }) => Some(Fault::NotYetValid),
        Err(_) => Some(Fault::Expired),
    }
}
