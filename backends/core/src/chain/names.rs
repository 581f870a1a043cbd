//! Name constraints on the names in a subject.

use x509_parser::asn1_rs::{FromDer as _, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, GeneralSubtree};

use crate::{Certificate, distinguished_name};

/// The first certificate whose subject has a name that a CA above it must not certify.
pub(super) fn first_not_permitted(chain: &[Certificate]) -> Option<&Certificate> {
    // Few CAs have constraints. Without any, nothing is parsed again.
    let mut constrained = chain.iter().enumerate().skip(1).filter(|(_, ca)| ca.constrains_names());
    constrained.find_map(|(place, ca)| {
        let below = chain.get(..place)?.iter().enumerate();
        let counting = below.filter(|(place, one)| *place == 0 || !one.is_self_issued());
        let mut judged = counting.map(|(place, one)| (one, permits(ca, one, place == 0)));
        // A name that cannot be read is not permitted.
        judged.find(|(_, permitted)| !permitted.unwrap_or(false)).map(|(one, _)| one)
    })
}

/// Whether `ca` may issue a certificate for the names in the subject of `one`.
fn permits(ca: &Certificate, one: &Certificate, is_leaf: bool) -> Option<bool> {
    let (_, ca) = X509Certificate::from_der(ca.der()).ok()?;
    let constraints = ca.name_constraints().ok()??.value;
    let subtrees = Subtrees {
        permitted: constraints.permitted_subtrees.as_deref().unwrap_or_default(),
        excluded: constraints.excluded_subtrees.as_deref().unwrap_or_default(),
    };
    let (_, x509) = X509Certificate::from_der(one.der()).ok()?;
    for email in x509.subject().iter_email() {
        // The only type that is allowed (RFC 5280, appendix A.1).
        let email = email.attr_value();
        if email.tag() != Tag::Ia5String || !subtrees.permit_email(str::from_utf8(email.data).ok()?)
        {
            return Some(false);
        }
    }
    if is_leaf && !one.subject_alt_names().iter().any(|name| name.starts_with("DNS:")) {
        for name in x509.subject().iter_common_name() {
            let name = distinguished_name::decode(name.attr_value())?;
            let host = name.trim_end_matches('\0');
            if is_host_name(host) && !subtrees.permit_host(host) {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// The names that a CA may certify, and those that it must not.
struct Subtrees<'x> {
    permitted: &'x [GeneralSubtree<'x>],
    excluded: &'x [GeneralSubtree<'x>],
}

impl Subtrees<'_> {
    fn permit_host(&self, host: &str) -> bool {
        self.permit(|base| match base {
            GeneralName::DNSName(base) => Some(is_host_within(host, base)),
            _ => None,
        })
    }

    fn permit_email(&self, email: &str) -> bool {
        self.permit(|base| match base {
            GeneralName::RFC822Name(base) => Some(is_email_within(email, base)),
            _ => None,
        })
    }

    /// `within` is `None` for a base of another kind, which does not limit the name.
    fn permit(&self, within: impl Fn(&GeneralName<'_>) -> Option<bool>) -> bool {
        let excluded = self.excluded.iter().any(|subtree| within(&subtree.base) == Some(true));
        let mut permitted =
            self.permitted.iter().filter_map(|subtree| within(&subtree.base)).peekable();
        let limited = permitted.peek().is_some();
        !excluded && (!limited || permitted.any(|within| within))
    }
}

/// `example.test` includes itself and what is below it, `.example.test` only what is below it, and an empty base
/// includes everything.
fn is_host_within(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    let Some(rest) = host.strip_suffix(&base) else { return false };
    base.is_empty()
        || base.starts_with('.') && !rest.is_empty()
        || rest.is_empty()
        || rest.ends_with('.')
}

/// `a@example.test` is one mailbox, `example.test` those at that host, `.example.test` those at hosts below it.
fn is_email_within(email: &str, base: &str) -> bool {
    let Some((local, host)) = email.rsplit_once('@') else { return false };
    if base.starts_with('.') {
        return is_host_within(host, base);
    }
    let (base_local, base_host) = base.rsplit_once('@').unwrap_or(("", base));
    (base_local.is_empty() || base_local == local) && base_host.eq_ignore_ascii_case(host)
}

/// Whether older clients and servers took a common name for a DNS name: letters, digits, hyphens and underscores, in
/// two labels or more.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let hyphens = label.starts_with('-') || label.ends_with('-');
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && !hyphens && label.bytes().all(known)
    };
    name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, base, within) in [
            ("a.dept.test", ".dept.test", true),
            ("A.Dept.test", ".dept.TEST", true),
            ("dept.test", ".dept.test", false),
            ("dept.test", "dept.test", true),
            ("a.dept.test", "dept.test", true),
            ("adept.test", "dept.test", false),
            ("a.prod.test", ".dept.test", false),
            ("a.prod.test", "", true),
        ] {
            assert_eq!(is_host_within(host, base), within, "{host} {base}");
        }
    }

    #[test]
    fn email_addresses() {
        for (email, base, within) in [
            ("a@dept.test", "dept.test", true),
            ("a@Dept.test", "dept.test", true),
            ("a@b.dept.test", "dept.test", false),
            ("a@b.dept.test", ".dept.test", true),
            ("a@dept.test", ".dept.test", false),
            ("a@dept.test", "a@dept.test", true),
            ("A@dept.test", "a@dept.test", false),
            ("b@dept.test", "a@dept.test", false),
            ("a@dept.test@prod.test", "dept.test", false),
            ("dept.test", "dept.test", false),
        ] {
            assert_eq!(is_email_within(email, base), within, "{email} {base}");
        }
    }

    #[test]
    fn what_looks_like_a_host_name() {
        for name in ["web.prod.test", "a_b.test", "1.2.3.4", "xn--a.test"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in
            ["alice", "Alice of dept.test", "a..test", ".test", "-a.test", "a.test.", "ä.test"]
        {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
