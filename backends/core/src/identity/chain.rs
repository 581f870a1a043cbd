use super::{IdentityError, Strays};
use crate::Certificate;

/// The certificates in their order, each once.
pub(super) fn without_duplicates(certificates: Vec<Certificate>) -> Vec<Certificate> {
    let mut unique = Vec::new();
    for certificate in certificates {
        if !unique.contains(&certificate) {
            unique.push(certificate);
        }
    }
    unique
}

/// The chain from `leaf` upwards.
///
/// A CA may have several certificates for one key, from different issuers (cross-signing). The chain prefers one
/// that continues to one that ends it, so that it is as long as possible. Other issuers of its certificates are
/// dropped, without an error.
pub(super) fn order(
    leaf: &Certificate,
    certificates: Vec<Certificate>,
    strays: Strays,
) -> Result<Vec<Certificate>, IdentityError> {
    let mut chain = vec![leaf.clone()];
    let mut rest = certificates;
    rest.retain(|certificate| certificate != leaf);
    // It terminates also with cycles of cross-signed CAs: each round removes a certificate from `rest`.
    let mut end = leaf.clone();
    while !is_root(&end) {
        let issuer = |root: bool| {
            let end = &end;
            move |ca: &Certificate| ca.issued(end) && ca.is_self_signed() == root
        };
        let next =
            rest.iter().position(issuer(false)).or_else(|| rest.iter().position(issuer(true)));
        let Some(next) = next else { break };
        end = rest.remove(next);
        chain.push(end.clone());
    }
    let stray = rest.iter().find(|other| !chain.iter().any(|member| other.issued(member)));
    match stray {
        Some(stray) if strays == Strays::Refuse => Err(IdentityError::StrayCertificate {
            subject: stray.subject().to_owned(),
            end: end.subject().to_owned(),
            wanted: (!end.is_self_signed()).then(|| end.issuer().to_owned()),
        }),
        _ => Ok(chain),
    }
}

/// A leaf may have its CA's name, so that it looks self-signed, but it is not a CA.
fn is_root(certificate: &Certificate) -> bool {
    certificate.is_ca() && certificate.is_self_signed()
}
