//! Variables that are named as if they were options, and are none.

use super::nearest::nearest;
use super::{options, variables};

/// What the names of all our variables begin with.
const PREFIX: &str = "TURNKEY_";

/// What Kubernetes calls it, too, where a service is that is called turnkey.
pub(crate) const PORT: &str = "TURNKEY_PORT";

/// A variable that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    /// One of ours only where Kubernetes has set it.
    pub(crate) name: String,
    /// The one that was probably meant, if there is one that is like it.
    pub(crate) nearest: Option<String>,
}

/// The unknown ones among `variables`, names and values, in the order of their names. An empty one says
/// nothing, as an empty one of ours does.
pub(crate) fn unknown_variables(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<UnknownVariable> {
    let options: Vec<_> = options::of_serving().collect();
    let known = |name: &str| {
        name == variables::KEY_PASSWORD || options.iter().any(|option| option.variable() == name)
    };
    // By their names on the command line: what all variables begin with would make all of them alike.
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

/// Whether it is Kubernetes that says with `name`, which is a variable of ours too, where the service is
/// that is called turnkey, rather than a user who says where to listen.
pub(crate) fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let schemes = ["tcp://", "udp://", "sctp://"];
    name == PORT && schemes.iter().any(|scheme| value.starts_with(scheme))
}

/// What others set, and nobody has mistyped: images of containers say which version they hold, and
/// Kubernetes tells all of a namespace where a service is (`TURNKEY_SERVICE_HOST`,
/// `TURNKEY_PORT_8000_TCP`), by the name that the service has.
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
