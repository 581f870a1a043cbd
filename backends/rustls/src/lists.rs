use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustls::CertRevocationListError;
use rustls::server::VerifierBuilderError;
use turnkey_backend::{BuildError, RevocationList};
use webpki::{
    CertRevocationList, ExpirationPolicy, OwnedCertRevocationList, RevocationCheckDepth,
    RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use crate::webpki_error;
use crate::words::Worded;

/// How often a chain is checked again with another order of the lists.
const MAX_AGAIN: usize = 8;

/// Revocation lists in the orders in which webpki is to go by them.
///
/// webpki goes by the first list that bears the CA's name and by no other, be it expired, or signed
/// with another key: by the CA of the same name that this one took over from. So the newest list of
/// each name comes first. Where a signature is wrong then, another list of **one** name is put
/// first, by age, while those of all other names stay: the first that turns out to be signed by the
/// CA is the newest that is, and no CA above or below is asked for an old one meanwhile.
#[derive(Debug)]
pub(crate) struct Lists {
    /// Those of one name stand together, the newest first.
    all: Vec<List>,
}

#[derive(Debug)]
struct List {
    list: RevocationList,
    parsed: CertRevocationList<'static>,
}

impl Lists {
    pub(crate) fn new(crls: &[RevocationList]) -> Result<Self, BuildError> {
        let mut by_issuer: BTreeMap<&str, Vec<&RevocationList>> = BTreeMap::new();
        for list in crls {
            by_issuer.entry(list.issuer()).or_default().push(list);
        }
        for lists in by_issuer.values_mut() {
            lists.sort_by_key(|list| Reverse(list.this_update()));
        }
        let all = by_issuer.into_values().flatten().map(List::new).collect::<Result<_, _>>()?;
        Ok(Self { all })
    }

    /// Whether `wanted` holds of each.
    pub(crate) fn all(&self, wanted: impl Fn(&RevocationList) -> bool) -> bool {
        self.all.iter().all(|one| wanted(&one.list))
    }

    /// What to check with, in turn; nothing when there are lists and none counts.
    pub(crate) fn orders(&self, counts: impl Fn(&RevocationList) -> bool) -> Vec<Order<'_>> {
        let counting: Vec<_> = self.all.iter().filter(|one| counts(&one.list)).collect();
        if counting.is_empty() && !self.all.is_empty() {
            return Vec::new();
        }
        let pairs = counting.iter().zip(counting.iter().skip(1));
        let same_name = pairs.filter(|(one, next)| one.list.issuer() == next.list.issuer());
        let preferred = same_name.take(MAX_AGAIN).map(|(_, older)| Some(*older));
        let order = |preferred: Option<_>| preferred.into_iter().chain(counting.iter().copied());
        let orders = [None].into_iter().chain(preferred).map(order);
        orders.map(|order| Order(order.map(|one| &one.parsed).collect())).collect()
    }
}

/// The lists in one order; none where nobody asks for any.
#[derive(Debug)]
pub(crate) struct Order<'l>(Vec<&'l CertRevocationList<'l>>);

impl Order<'_> {
    /// Every certificate of a path is checked, and one whose state is not known is refused.
    pub(crate) fn options(&self) -> Option<RevocationOptions<'_>> {
        let builder = RevocationOptionsBuilder::new(&self.0).ok()?;
        let strict = builder
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(ExpirationPolicy::Enforce);
        Some(strict.build())
    }
}

impl List {
    fn new(list: &RevocationList) -> Result<Self, BuildError> {
        use CertRevocationListError as E;
        let parsed = OwnedCertRevocationList::from_der(list.der()).map_err(|error| {
            let source = match webpki_error::of_list(error) {
                _ if list.next_update().is_none() => {
                    "rustls reads no list that does not say when the next one is due".into()
                }
                // Version 1 has no place for a version, so that webpki finds something else there.
                E::UnsupportedCrlVersion | E::ParseError => {
                    "rustls reads only lists of version 2 that have a number; \
                     openssl ca -gencrl makes such a list when crlnumber is set"
                        .into()
                }
                other => Worded::from(&VerifierBuilderError::InvalidCrl(other)).into(),
            };
            BuildError::RevocationList { issuer: list.issuer().to_owned(), source }
        })?;
        Ok(Self { list: list.clone(), parsed: parsed.into() })
    }
}
