use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::{Certificate, CertificateError};
use crate::distinguished_name;

impl Certificate {
    /// Whether it limits the names in certificates below it (name constraints, RFC 5280 §4.2.1.10).
    #[must_use]
    pub fn constrains_names(&self) -> bool {
        self.0.constrains_names
    }

    /// Whether it limits other names than DNS names and IP addresses, for example email addresses, in certificates
    /// below it (name constraints, RFC 5280 §4.2.1.10).
    #[must_use]
    pub fn constrains_other_names(&self) -> bool {
        self.0.constrains_other_names
    }

    /// Whether there are alternative names of any kind. Clients check only these: they reject a server certificate
    /// without any.
    #[must_use]
    pub fn has_alternative_names(&self) -> bool {
        !self.subject_alt_names().is_empty()
    }

    /// Whether the certificate's names include `host`, as browsers and TLS stacks compare them (RFC 9525 §6.3). A DNS
    /// name matches exactly but without regard to case. A star that is the whole first label, with two labels or more
    /// after it, matches one label. An IP address only matches a name of that kind. The common name is not used.
    #[must_use]
    pub fn is_for_host(&self, host: &str) -> bool {
        let names = self.subject_alt_names().iter();
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = address.to_string();
            return names.filter_map(|name| name.strip_prefix("IP:")).any(|ip| ip == address);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        names.filter_map(|name| name.strip_prefix("DNS:")).any(|name| matches(name, host))
    }
}

fn matches(name: &str, host: &str) -> bool {
    let Some(parent) = name.strip_prefix("*.") else {
        return !host.is_empty() && name.eq_ignore_ascii_case(host);
    };
    let Some((label, rest)) = host.split_once('.') else { return false };
    !label.is_empty() && parent.contains('.') && parent.eq_ignore_ascii_case(rest)
}

/// Constraints that cannot be parsed are ignored here: the TLS stack rejects them.
pub(super) fn constrains_other_names(x509: &X509Certificate<'_>) -> bool {
    let Ok(Some(constraints)) = x509.name_constraints() else { return false };
    let subtrees = [&constraints.value.permitted_subtrees, &constraints.value.excluded_subtrees];
    let mut names = subtrees.into_iter().flatten().flatten().map(|subtree| &subtree.base);
    names.any(|name| !matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_)))
}

pub(super) fn subject_alt_names(
    x509: &X509Certificate<'_>,
) -> Result<Vec<String>, CertificateError> {
    let extension = x509.subject_alternative_name().map_err(CertificateError::malformed)?;
    let names = extension.map(|extension| extension.value.general_names.as_slice());
    Ok(names.unwrap_or_default().iter().map(general_name).collect())
}

fn general_name(name: &GeneralName<'_>) -> String {
    let (kind, name) = match name {
        GeneralName::DNSName(name) => ("DNS", (*name).to_owned()),
        GeneralName::RFC822Name(name) => ("email", (*name).to_owned()),
        GeneralName::URI(name) => ("URI", (*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
                (Ok(v4), _) => ("IP", Ipv4Addr::from(v4).to_string()),
                (_, Ok(v6)) => ("IP", Ipv6Addr::from(v6).to_string()),
                _ => ("other", "iPAddress".to_owned()),
            }
        }
        GeneralName::OtherName(oid, _) | GeneralName::RegisteredID(oid) => {
            ("other", oid.to_id_string())
        }
        GeneralName::DirectoryName(_) => ("other", "directoryName".to_owned()),
        GeneralName::X400Address(_) => ("other", "x400Address".to_owned()),
        GeneralName::EDIPartyName(_) => ("other", "ediPartyName".to_owned()),
        GeneralName::Invalid(..) => ("other", "invalid".to_owned()),
    };
    format!("{kind}:{}", distinguished_name::printable(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_alternative_names_are_named_by_kind() {
        assert_eq!(general_name(&GeneralName::DNSName("a\n")), r"DNS:a\0A");
        assert_eq!(general_name(&GeneralName::IPAddress(&[127, 0, 0])), "other:iPAddress");
    }
}
