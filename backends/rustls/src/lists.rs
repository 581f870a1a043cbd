use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientCertVerifierBuilder, VerifierBuilderError};
use rustls::{CertRevocationListError, CertificateError, Error};
use turnkey_backend::{BuildError, RevocationList};

use crate::words::Worded;

/// How often a chain is looked at again; each time takes all the lists once more in memory.
const MAX_AGAIN: usize = 8;

/// webpki's verifier, once for each choice among lists that bear the same name.
///
/// webpki goes by the first list that bears the CA's name and by no other, be it expired, or signed
/// with another key: by the CA of the same name that this one took over from. So the newest list of
/// each name comes first. Where a signature is wrong then, another list of **one** name is put
/// first, by age, while those of all other names stay: the first that turns out to be signed by the
/// CA is the newest that is, and no CA above or below is asked for an old one meanwhile.
#[derive(Debug)]
pub(crate) struct Verifiers {
    pub(crate) first: Arc<dyn ClientCertVerifier>,
    again: Vec<Arc<dyn ClientCertVerifier>>,
}

impl Verifiers {
    /// With what `builder` makes of the lists.
    pub(crate) fn new(
        crls: &[RevocationList],
        builder: impl Fn() -> ClientCertVerifierBuilder,
    ) -> Result<Self, BuildError> {
        let mut by_issuer: BTreeMap<&str, Vec<&RevocationList>> = BTreeMap::new();
        for list in crls {
            by_issuer.entry(list.issuer()).or_default().push(list);
        }
        for lists in by_issuer.values_mut() {
            lists.sort_by_key(|list| Reverse(list.this_update()));
        }
        let build = |preferred: Option<&RevocationList>| {
            let newest_first = by_issuer.values().flatten().copied();
            let ordered = preferred.into_iter().chain(newest_first);
            let built = builder().with_crls(ordered.map(der)).build();
            built.map_err(|error| build_error(&error, crls, &builder))
        };
        let further = by_issuer.values().flat_map(|lists| lists.iter().skip(1)).take(MAX_AGAIN);
        let again = further.map(|list| build(Some(list))).collect::<Result<_, _>>()?;
        Ok(Self { first: build(None)?, again })
    }

    pub(crate) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let first = self.first.verify_client_cert(leaf, others, now);
        if !is_badly_signed(&first) {
            return first;
        }
        let mut again =
            self.again.iter().map(|webpki| webpki.verify_client_cert(leaf, others, now));
        again.find(|outcome| !is_badly_signed(outcome)).unwrap_or(first)
    }
}

/// webpki says it of a certificate where CAs of one name are tried in turn, and of a list.
fn is_badly_signed(outcome: &Result<ClientCertVerified, Error>) -> bool {
    matches!(
        outcome,
        Err(Error::InvalidCertificate(CertificateError::BadSignature)
            | Error::InvalidCertRevocationList(CertRevocationListError::BadSignature))
    )
}

fn der(list: &RevocationList) -> CertificateRevocationListDer<'static> {
    CertificateRevocationListDer::from(list.der().to_vec())
}

/// webpki does not say which list it does not take, so they are tried one by one.
fn build_error(
    error: &VerifierBuilderError,
    crls: &[RevocationList],
    builder: impl Fn() -> ClientCertVerifierBuilder,
) -> BuildError {
    let refused = crls.iter().find_map(|list| {
        let error = builder().with_crls([der(list)]).build().err()?;
        let source = match error {
            _ if list.next_update().is_none() => {
                "rustls reads no list that does not say when the next one is due".into()
            }
            // Version 1 has no place for a version, so that webpki finds something else there.
            VerifierBuilderError::InvalidCrl(
                CertRevocationListError::UnsupportedCrlVersion
                | CertRevocationListError::ParseError,
            ) => "rustls reads only lists of version 2 that have a number; \
                  openssl ca -gencrl makes such a list when crlnumber is set"
                .into(),
            other => Worded::from(&other).into(),
        };
        Some(BuildError::RevocationList { issuer: list.issuer().to_owned(), source })
    });
    refused.unwrap_or_else(|| BuildError::ClientCa(Worded::from(error).into()))
}
