//! Which certificates a revocation list is for: distribution points (RFC 5280 §4.2.1.13, §5.2.5).
//!
//! They are parsed strictly: if a scope were ignored, a list of some certificates would look like a list of all.

use der::{AnyRef, Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::OID_X509_EXT_CRL_DISTRIBUTION_POINTS;

/// Names of a distribution point, each a `GeneralName` in DER.
pub(crate) type Names = Vec<Vec<u8>>;

/// Which of its CA's certificates a list covers. Two lists with the same scope replace each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Where it is published; `None` if it does not say so.
    names: Option<Names>,
    only: Option<Only>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    Users,
    Cas,
}

/// Whether a scope includes a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Included {
    Yes,
    /// The list names a distribution point and the certificate names none, so another list of the CA may cover it.
    Maybe,
    No,
}

impl Scope {
    /// Parses the value of an issuing distribution point. The error says what kind of list cannot be used.
    pub(crate) fn from_der(value: &[u8]) -> Result<Self, &'static str> {
        let mut scope = Self::default();
        let mut kinds = 0;
        let mut last = None;
        let malformed = "one whose issuing distribution point is malformed";
        for (number, value) in fields(value).ok_or(malformed)? {
            // In ascending order, without duplicates.
            if last.replace(number) >= Some(number) {
                return Err(malformed);
            }
            let is_set = || is_true(value).ok_or(malformed);
            match number {
                0 => match name(value).ok_or(malformed)? {
                    Name::Full(names) => scope.names = Some(names),
                    Name::Relative => {
                        return Err("one whose distribution point has a relative name");
                    }
                },
                3 => return Err("a list for some reasons only"),
                4 if is_set()? => return Err("an indirect list, which speaks for other CAs too"),
                5 if is_set()? => return Err("a list of attribute certificates"),
                1 | 2 if is_set()? => {
                    kinds += 1;
                    scope.only = Some(if number == 1 { Only::Users } else { Only::Cas });
                }
                1 | 2 | 4 | 5 => {}
                _ => return Err(malformed),
            }
        }
        // A list for only client certificates and only CA certificates would cover nothing.
        if kinds > 1 { Err(malformed) } else { Ok(scope) }
    }

    /// Whether it includes a certificate whose distribution points have the names `points`; `None` if it has none.
    pub(crate) fn includes(&self, is_ca: bool, points: Option<&Names>) -> Included {
        match self.only {
            Some(Only::Users) if is_ca => return Included::No,
            Some(Only::Cas) if !is_ca => return Included::No,
            _ => {}
        }
        match (&self.names, points) {
            (None, _) => Included::Yes,
            (Some(_), None) => Included::Maybe,
            (Some(own), Some(theirs)) if theirs.iter().any(|name| own.contains(name)) => {
                Included::Yes
            }
            (Some(_), Some(_)) => Included::No,
        }
    }
}

/// The names of the distribution points of a certificate; `None` if it has none. A point of another CA's list, or of
/// a list for some reasons, is left out, since such lists are not used. A name that cannot be read matches no list.
pub(crate) fn points(x509: &X509Certificate<'_>) -> Option<Names> {
    let mut extensions = x509.extensions().iter();
    let points = extensions.find(|e| e.oid == OID_X509_EXT_CRL_DISTRIBUTION_POINTS)?;
    Some(full_names(points.value).unwrap_or_default())
}

fn full_names(points: &[u8]) -> Option<Names> {
    let mut reader = SliceReader::new(sequence(points)?).ok()?;
    let mut names = Names::new();
    while !reader.is_finished() {
        if let [(0, value)] = fields(reader.tlv_bytes().ok()?)?[..]
            && let Name::Full(more) = name(value)?
        {
            names.extend(more);
        }
    }
    Some(names)
}

/// The fields of a sequence of context-specific fields: their numbers and contents.
fn fields(der: &[u8]) -> Option<Vec<(u32, &[u8])>> {
    let mut reader = SliceReader::new(sequence(der)?).ok()?;
    let mut fields = Vec::new();
    while !reader.is_finished() {
        let field = AnyRef::decode(&mut reader).ok()?;
        let Tag::ContextSpecific { number, .. } = field.tag() else { return None };
        fields.push((number.value(), field.value()));
    }
    Some(fields)
}

fn sequence(der: &[u8]) -> Option<&[u8]> {
    let any = AnyRef::from_der(der).ok()?;
    (any.tag() == Tag::Sequence).then(|| any.value())
}

/// The name of a distribution point.
enum Name {
    Full(Names),
    /// Relative to that of the CA.
    Relative,
}

fn name(der: &[u8]) -> Option<Name> {
    let choice = AnyRef::from_der(der).ok()?;
    let Tag::ContextSpecific { number, constructed: true } = choice.tag() else { return None };
    match number.value() {
        0 => {
            let mut reader = SliceReader::new(choice.value()).ok()?;
            let mut names = Names::new();
            while !reader.is_finished() {
                names.push(reader.tlv_bytes().ok()?.to_vec());
            }
            (!names.is_empty()).then_some(Name::Full(names))
        }
        1 => Some(Name::Relative),
        _ => None,
    }
}

fn is_true(value: &[u8]) -> Option<bool> {
    match value {
        [0xff] => Some(true),
        // DER omits it (X.690 §11.5), but some write it.
        [0] => Some(false),
        _ => None,
    }
}
