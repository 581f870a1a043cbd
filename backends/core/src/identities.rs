use std::collections::HashMap;

use crate::{Certificate, Identity};

/// The identities of a server: at least one, and no two with the same name.
///
/// Which one a client is shown is decided by the name that it asks for (SNI, RFC 6066 §3): see
/// [`Identities::choose`]. The names of an identity are the DNS names of its certificate, or the
/// common name of one that has no alternative names at all.
#[derive(Debug, Clone)]
pub struct Identities {
    all: Vec<Identity>,
    /// By name in lower case; a wildcard includes its star.
    by_name: HashMap<String, usize>,
}

impl Identities {
    /// From the default identity, for clients that send no name or an unknown one, and further identities.
    pub fn new(
        first: Identity,
        further: impl IntoIterator<Item = Identity>,
    ) -> Result<Self, DuplicateName> {
        let all: Vec<Identity> = [first].into_iter().chain(further).collect();
        let mut by_name = HashMap::new();
        for (index, identity) in all.iter().enumerate() {
            for name in names(identity.leaf()) {
                match by_name.insert(name.clone(), index) {
                    Some(other) if other != index => {
                        return Err(DuplicateName { name, first: other, second: index });
                    }
                    _ => {}
                }
            }
        }
        Ok(Self { all, by_name })
    }

    /// All of them, the first one first.
    #[must_use]
    pub fn all(&self) -> &[Identity] {
        &self.all
    }

    /// The identity for clients that send no name.
    #[must_use]
    pub fn first(&self) -> &Identity {
        // There is at least one: `new` requires it.
        &self.all[0]
    }

    /// The place in [`all`](Self::all) of the identity for a client that asks for `server_name`: the
    /// one that is for just that name; else one with a wildcard in place of its first label
    /// (RFC 6125 §6.4.3); else the first.
    #[must_use]
    pub fn choose(&self, server_name: Option<&str>) -> usize {
        let Some(name) = server_name else { return 0 };
        let name = normal(name);
        let wildcard = || {
            let (label, parent) = name.split_once('.')?;
            (!label.is_empty()).then(|| format!("*.{parent}"))
        };
        let found = self.by_name.get(&name).copied();
        found.or_else(|| self.by_name.get(&wildcard()?).copied()).unwrap_or(0)
    }
}

impl From<Identity> for Identities {
    fn from(identity: Identity) -> Self {
        let by_name = names(identity.leaf()).into_iter().map(|name| (name, 0)).collect();
        Self { all: vec![identity], by_name }
    }
}

/// Two identities are for the same name, so the choice would be ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two identities are for the name \"{name}\"; leave one of them out")]
pub struct DuplicateName {
    /// The name, in lower case.
    pub name: String,
    /// The index of the first identity with it.
    pub first: usize,
    /// The index of the other.
    pub second: usize,
}

/// The names that clients can ask for `certificate` by.
fn names(certificate: &Certificate) -> Vec<String> {
    let alternatives = certificate.subject_alt_names();
    let names: Vec<&str> = if certificate.has_alternative_names() {
        alternatives.iter().filter_map(|name| name.strip_prefix("DNS:")).collect()
    } else {
        certificate.common_name().into_iter().collect()
    };
    names.into_iter().map(normal).filter(|name| !name.is_empty()).collect()
}

/// Names are compared without regard to case and to a dot at their end (RFC 6066 §3).
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
