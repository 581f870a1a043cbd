//! Environment variables with our prefix that are not options.

use super::nearest::nearest;
use super::{options, variables};

/// The prefix of all our variables.
const PREFIX: &str = "TURNKEY_";

/// Kubernetes sets this variable too, if there is a service called turnkey.
pub(crate) const PORT: &str = "TURNKEY_PORT";

/// A variable that has no meaning here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    /// Its name. It is one of our own names only if Kubernetes has set the variable.
    pub(crate) name: String,
    /// The variable that was probably meant, if one is similar.
    pub(crate) nearest: Option<String>,
}

/// The unknown ones among `variables`, names and values, sorted by name. Empty variables are ignored, as for known
/// ones.
pub(crate) fn unknown_variables(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<UnknownVariable> {
    let options: Vec<_> = options::of_serving().collect();
    let known = |name: &str| {
        name == variables::KEY_PASSWORD || options.iter().any(|option| option.variable() == name)
    };
    // Names without the prefix: it would make all of them similar.
    let names: Vec<&str> = options.iter().map(|option| option.name).collect();
    let meant = |rest: &str| {
        let asked = format!("--{}", rest.to_ascii_lowercase().replace('_', "-"));
        let found = nearest(&asked, names.iter().copied())?;
        options.iter().find(|option| option.name == found).map(options::Opt::variable)
    };
    let mut unknown: Vec<_> = variables
        .into_iter()
        .filter(|(name, value)| {
            !value.is_empty() && (!known(name) || is_of_kubernetes(name, value))
        })
        .filter_map(|(name, _)| {
            let rest = name.strip_prefix(PREFIX).filter(|rest| !is_of_others(rest))?;
            let nearest = if known(&name) { None } else { meant(rest) };
            Some(UnknownVariable { name, nearest })
        })
        .collect();
    unknown.sort_by(|one, other| one.name.cmp(&other.name));
    unknown
}

/// Whether Kubernetes has set the variable `name`, which is also one of ours, for a service called turnkey, and not
/// a user to say where to listen.
pub(crate) fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let schemes = ["tcp://", "udp://", "sctp://"];
    name == PORT && schemes.iter().any(|scheme| value.starts_with(scheme))
}

/// Variables that others set, so that they are not mistyped ones. Container images set their version, and
/// Kubernetes sets the address of a service for its whole namespace (`TURNKEY_SERVICE_HOST`,
/// `TURNKEY_PORT_8000_TCP`), under the name of the service.
fn is_of_others(rest: &str) -> bool {
    let is_port_of_service = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    rest == "VERSION"
        || rest.starts_with("SERVICE_")
        || rest.strip_prefix("PORT_").is_some_and(is_port_of_service)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(names: &[&str]) -> Vec<(String, Option<String>)> {
        let variables = names.iter().map(|&name| (name.to_owned(), "1".to_owned()));
        let unknown = unknown_variables(variables);
        unknown.into_iter().map(|variable| (variable.name, variable.nearest)).collect()
    }

    #[test]
    fn what_was_probably_meant_is_named() {
        for (typed, meant) in [
            ("TURNKEY_PROT", "TURNKEY_PORT"),
            ("TURNKEY_CLIENT_CAS", "TURNKEY_CLIENT_CA"),
            ("TURNKEY_CLIENTCA", "TURNKEY_CLIENT_CA"),
            ("TURNKEY_TRUSTED_PROXY", "TURNKEY_TRUST_PROXY"),
            ("TURNKEY_port", "TURNKEY_PORT"),
        ] {
            assert_eq!(unknown(&[typed]), [(typed.to_owned(), Some(meant.to_owned()))]);
        }
        assert_eq!(unknown(&["TURNKEY_QQQ"]), [("TURNKEY_QQQ".to_owned(), None)]);
    }

    #[test]
    fn all_are_named_in_order_and_once() {
        let names = unknown(&["TURNKEY_Z", "PATH", "TURNKEY_A", "TURNKEY_PORT", "TURNKEYS_A"]);
        let names: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["TURNKEY_A", "TURNKEY_Z"]);
    }

    #[test]
    fn what_is_ours_or_somebody_elses_is_not() {
        for option in options::of_serving() {
            assert_eq!(unknown(&[&option.variable()]), []);
        }
        let others = [
            variables::KEY_PASSWORD,
            "TURNKEY_VERSION",
            "TURNKEY_SERVICE_HOST",
            "TURNKEY_SERVICE_PORT_HTTPS",
            "TURNKEY_PORT_8000_TCP",
            "TURNKEY_PORT_8000_TCP_ADDR",
        ];
        assert_eq!(unknown(&others), []);
        assert_eq!(unknown(&["TURNKEY_PORT_NUMBER"]).len(), 1);
        assert_eq!(unknown_variables([("TURNKEY_PROT".to_owned(), String::new())]), []);
        let of_kubernetes = unknown_variables([(PORT.to_owned(), "tcp://10.0.0.1:80".to_owned())]);
        let passed_over = UnknownVariable { name: PORT.to_owned(), nearest: None };
        assert_eq!(of_kubernetes, [passed_over], "it may have taken the place of a port");
    }
}
