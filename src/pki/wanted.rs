//! Decides the names of a certificate from the requested names and those of the existing one.

use super::PkiError;
use super::names::Name;

/// The names in every server's certificate, with the name of the machine, unless `--no-default-names` is given.
const DEFAULT: [&str; 5] =
    ["localhost", "server.localhost", "*.server.localhost", "127.0.0.1", "::1"];

/// The names requested for one certificate.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// The names that the user gave.
    named: Vec<Name>,
    /// The names of this machine.
    default: Vec<Name>,
    /// Whether to leave out the default names.
    without_default: bool,
}

impl Wanted {
    /// The names of a server: those of this machine, and `hosts`.
    pub(super) fn server(hosts: &[String], without_default: bool) -> Result<Self, PkiError> {
        Self::server_on(gethostname::gethostname().to_str(), hosts, without_default)
    }

    /// Like [`Self::server`], on a machine with the given name.
    fn server_on(
        machine: Option<&str>,
        hosts: &[String],
        without_default: bool,
    ) -> Result<Self, PkiError> {
        if without_default && hosts.is_empty() {
            return Err(PkiError::NoNames);
        }
        // A client cannot ask for an invalid name either.
        let machine = machine.and_then(|name| Name::host(name).ok());
        let default = DEFAULT.iter().map(|name| Name::host(name)).chain(machine.map(Ok));
        Ok(Self {
            named: hosts.iter().map(|host| Name::host(host)).collect::<Result<_, _>>()?,
            default: default.collect::<Result<_, _>>()?,
            without_default,
        })
    }

    /// The names of a client: `sans`, and its own name if that is an email address.
    ///
    /// A DNS name is added only on request: a client's certificate should not look like a server's.
    pub(super) fn client(name: &str, sans: Vec<Name>) -> Self {
        let address = if name.contains('@') { Name::san(name).ok() } else { None };
        Self { named: address.into_iter().chain(sans).collect(), ..Self::default() }
    }

    /// All names of a new certificate that replaces one with the names `had`. Those are kept, because peers may
    /// rely on them.
    ///
    /// A certificate that has names, but no default ones, was made without the default names. It stays so until the
    /// user asks for one of them.
    pub(super) fn names(&self, had: &[Name]) -> Vec<Name> {
        // The machine's name does not count: the user may have asked for it.
        let mut always = self.default.iter().take(DEFAULT.len());
        let made_without =
            !had.is_empty() && !always.any(|name| had.contains(name) || self.named.contains(name));
        let default: &[Name] =
            if self.without_default || made_without { &[] } else { &self.default };
        let kept = had.iter().filter(|name| !(self.without_default && self.default.contains(name)));
        let mut names = Vec::new();
        for name in default.iter().chain(&self.named).chain(kept) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[Name]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn names(hosts: &[&str], without_default: bool, had: &[&str]) -> Vec<String> {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let had: Vec<Name> = had.iter().map(|name| Name::san(name).unwrap()).collect();
        shown(&Wanted::server_on(Some("Box"), &hosts, without_default).unwrap().names(&had))
    }

    #[test]
    fn a_server_has_the_names_of_its_machine_and_those_asked_for_once_each() {
        assert_eq!(
            names(&["app.test", "LOCALHOST"], false, &[]),
            [&DEFAULT[..], &["box", "app.test"]].concat()
        );
    }

    #[test]
    fn a_machine_whose_name_is_no_dns_name_is_left_out() {
        for machine in [None, Some(""), Some("bad name"), Some("x--.")] {
            let wanted = Wanted::server_on(machine, &[], false).unwrap();
            assert_eq!(shown(&wanted.names(&[])), DEFAULT, "{machine:?}");
        }
    }

    #[test]
    fn default_names_stay_out_where_they_are_not_wanted() {
        assert_eq!(names(&["a.test"], true, &[]), ["a.test"]);
        // A default name is included if the user asks for it.
        assert_eq!(names(&["localhost"], true, &["box", "127.0.0.1"]), ["localhost"]);
        assert_eq!(names(&["a.test"], true, &["localhost", "b.test"]), ["a.test", "b.test"]);
        // A later run leaves them out too.
        assert_eq!(names(&[], false, &["a.test"]), ["a.test"]);
        assert_eq!(names(&["b.test"], false, &["a.test"]), ["b.test", "a.test"]);
        // Asking for one of them brings all of them back.
        assert_eq!(names(&["localhost"], false, &["a.test"]).len(), DEFAULT.len() + 2);
        assert_eq!(
            names(&["b.test"], false, &["a.test", "::1"]),
            [&DEFAULT[..], &["box", "b.test", "a.test"]].concat()
        );
        assert!(matches!(Wanted::server_on(None, &[], true), Err(PkiError::NoNames)));
    }

    #[test]
    fn a_client_has_its_address_and_what_it_is_given() {
        let client = |name: &str, sans: &[&str], had: &[&str]| {
            let read = |names: &[&str]| names.iter().map(|n| Name::san(n).unwrap()).collect();
            let had: Vec<Name> = read(had);
            shown(&Wanted::client(name, read(sans)).names(&had))
        };
        assert_eq!(client("alice@example.test", &[], &[]), ["alice@example.test"]);
        for name in ["alice", "app.test", "@x", "a@", "a@b@c"] {
            assert_eq!(client(name, &[], &[]), [] as [&str; 0], "{name}");
        }
        assert_eq!(
            client("alice@example.test", &["spiffe://a/b", "alice@example.test"], &["web.test"]),
            ["alice@example.test", "spiffe://a/b", "web.test"]
        );
    }
}
