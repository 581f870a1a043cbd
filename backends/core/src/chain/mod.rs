//! The rules of RFC 5280 §6 for a path from a client's certificate to a trusted CA that OpenSSL checks and webpki
//! leaves out.

mod names;

use crate::{Certificate, Fault};

/// The fault of `chain`, and the certificate that has it. The chain starts with the client's certificate; each is
/// followed by its issuer's, and the trusted CA's is the last.
///
/// These rules apply to the trusted CA too, as they do with OpenSSL:
///
/// - Keys are used only as the key usages allow (§4.2.1.3): those of CAs sign certificates, the client's signs its
///   handshake or agrees on a key.
/// - The extended key usages of CAs, if present, include client authentication (§4.2.1.12).
/// - There are no more CAs below a CA than its path length allows (§4.2.1.9).
/// - Name constraints (§4.2.1.10) on DNS names and email addresses apply to the subject too. The common name of a
///   client counts as a DNS name if it looks like a host name, and no alternative name is a DNS name.
///
/// Dates, signatures, revocation, basic constraints and alternative names are not checked here.
#[must_use]
pub fn chain_fault(chain: &[Certificate]) -> Option<(Fault, &Certificate)> {
    let (leaf, cas) = chain.split_first()?;
    if !leaf.may_sign_or_agree() {
        return Some((Fault::MayNotSign, leaf));
    }
    if !leaf.is_netscape_client() {
        return Some((Fault::NotForClients, leaf));
    }
    let mut below = 0;
    for ca in cas {
        if !ca.may_sign_certificates() {
            return Some((Fault::MayNotIssue, ca));
        }
        if !ca.allows_client_auth() {
            return Some((Fault::NotForClients, ca));
        }
        if ca.path_len().is_some_and(|most| below > most) {
            return Some((Fault::TooManyCas, ca));
        }
        // A CA that gets a new key issues a certificate to itself (§6.1.4 (l)).
        below += u32::from(!ca.is_self_issued());
    }
    names::first_not_permitted(chain).map(|one| (Fault::NameNotPermitted, one))
}
