use super::{Sender, Standing, Trust};
use crate::common::address::{ClientAddr, RemoteAddr};

/// The field of a proxy that the client's address was taken from.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    pub(super) field: &'static str,
    /// The position of the client's address in it, counted from the right; 0 if it has none.
    pub(super) hop: usize,
    /// The trusted proxies to the right of it, the nearest first.
    pub(super) via: Vec<ClientAddr>,
    /// What is to the left of it.
    pub(super) beyond: Beyond,
}

/// What follows the last hop that can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// Nothing, or nothing that a trusted proxy wrote.
    Nothing,
    /// A hidden hop (RFC 7239 §6.2, §6.3).
    Hidden,
    /// Malformed text.
    Malformed,
}

/// Where a request came from, and why that is believed, for people to read.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The field that the address was taken from.
    pub(crate) field: Option<&'static str>,
    /// Its position there, counted from the right.
    pub(crate) hop: Option<usize>,
    /// The proxies on the way, the nearest first, each with the part of `--trust-proxy` that trusts it.
    pub(crate) proxies: Vec<(ClientAddr, String)>,
    /// All of that in a sentence, in lower case and without a full stop.
    pub(crate) why: String,
}

impl Trust {
    /// Explains the decision `basis` about the client of a request, over a connection from `remote`.
    pub(crate) fn origin(
        &self,
        remote: RemoteAddr,
        sender: Sender,
        basis: Option<&Basis>,
    ) -> Origin {
        let by_header = sender.addr != remote;
        let spoke = sender.is_trusted() || sender.standing == Standing::Unnamed;
        let senders = [remote.client(), sender.client()];
        let senders = match (by_header, spoke) {
            (true, true) => &senders[..],
            (true, false) => &senders[..1],
            (false, true) => &senders[1..],
            (false, false) => &[],
        };
        let via = basis.iter().flat_map(|basis| &basis.via);
        let mut proxies = Vec::new();
        for address in senders.iter().chain(via) {
            if let Some(part) = self.proxies.part_with(*address) {
                proxies.push((*address, part));
            }
        }
        let mut why = self.why(remote, sender, basis);
        let list: Vec<_> =
            proxies.iter().map(|(at, by)| format!("{at} is trusted by {by}")).collect();
        if !list.is_empty() {
            why = format!("{why}; {}", list.join(", "));
        }
        let hop = basis.map(|basis| basis.hop).filter(|hop| *hop > 0);
        Origin { field: basis.map(|basis| basis.field), hop, proxies, why }
    }

    /// The same without the proxies.
    fn why(&self, remote: RemoteAddr, sender: Sender, basis: Option<&Basis>) -> String {
        let client = sender.client();
        let by_header = sender.addr != remote;
        let list = self.names.trusted_proxies;
        match (sender.standing, basis) {
            (Standing::Unnamed, _) => {
                "the proxy's own address: its PROXY header does not say who the client is"
                    .to_owned()
            }
            (Standing::Untrusted, _) if by_header => {
                format!("the PROXY header that {} sent", remote.client())
            }
            (Standing::Untrusted, _) if self.proxies.is_empty() => {
                format!("the connection's own address: no proxy is trusted ({list})")
            }
            (Standing::Untrusted, _) => {
                format!("the connection's own address: {client} is not in {list}")
            }
            (Standing::Trusted, None) if by_header => {
                format!("the PROXY header that {} sent, and no field beyond it", remote.client())
            }
            (Standing::Trusted, None) => {
                format!("the connection's own address: {client} is a proxy, and names no client")
            }
            (Standing::Trusted, Some(basis)) => basis.why(),
        }
    }
}

impl Basis {
    fn why(&self) -> String {
        let Self { field, hop, beyond, .. } = self;
        let next = hop + 1;
        match beyond {
            Beyond::Nothing => format!("{field}, hop {hop} from the right"),
            Beyond::Hidden => format!(
                "{field} keeps hop {next} from the right to itself, and the nearest address that is \
                 known counts"
            ),
            Beyond::Malformed => format!(
                "{field} has something else at hop {next} from the right, and the nearest address that \
                 is known counts"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use httparse::Header;

    use super::*;
    use crate::peer::trust::Own;

    const PROXIES: &str = "10.0.0.0/8, 127.0.0.1, unix";

    fn addr(text: &str) -> RemoteAddr {
        text.parse::<SocketAddr>().map_or(RemoteAddr::Unix, RemoteAddr::Tcp)
    }

    /// The explanation for a request with one field, which `sender` sent over a connection from `remote`.
    fn origin(proxies: &str, remote: &str, sender: Sender, field: &str) -> Origin {
        let trust = Trust::new(proxies.parse().unwrap_or_default(), false);
        let fields: Vec<_> = field
            .split_once(": ")
            .map(|(name, value)| Header { name, value: value.as_bytes() })
            .into_iter()
            .collect();
        let own = Own { scheme: "http", host: "a" };
        let decision = trust.decide(sender, &fields, own).unwrap();
        trust.origin(addr(remote), sender, decision.basis.as_ref())
    }

    fn direct(remote: &str, field: &str) -> Origin {
        let trust = Trust::new(PROXIES.parse().unwrap(), false);
        origin(PROXIES, remote, trust.at(addr(remote)), field)
    }

    fn at(name: &str, hop: usize) -> (Option<&str>, Option<usize>) {
        (Some(name), Some(hop))
    }

    #[test]
    fn hops_are_counted_from_the_right_and_those_behind_are_named() {
        let one = direct("127.0.0.1:5000", "X-Forwarded-For: 6.6.6.6, 203.0.113.7");
        assert_eq!((one.field, one.hop), at("X-Forwarded-For", 1));
        let why = "X-Forwarded-For, hop 1 from the right; 127.0.0.1 is trusted by 127.0.0.1";
        assert_eq!(one.why, why);

        let two = direct("127.0.0.1:5000", "Forwarded: for=203.0.113.7, for=10.0.0.5");
        assert_eq!((two.field, two.hop), at("Forwarded", 2));
        let why = "Forwarded, hop 2 from the right; 127.0.0.1 is trusted by 127.0.0.1, 10.0.0.5 is \
                   trusted by 10.0.0.0/8";
        assert_eq!(two.why, why);

        // All of them are proxies: the outermost is the client, and not its own proxy.
        let inside = direct("unix", "X-Forwarded-For: 10.0.0.9, 10.0.0.5");
        assert_eq!((inside.field, inside.hop), at("X-Forwarded-For", 2));
        let why = "X-Forwarded-For, hop 2 from the right; unix is trusted by unix, 10.0.0.5 is \
                   trusted by 10.0.0.0/8";
        assert_eq!(inside.why, why);
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        let hidden =
            direct("127.0.0.1:5000", "Forwarded: for=_secret, for=203.0.113.7, for=10.0.0.5");
        assert_eq!((hidden.field, hidden.hop), at("Forwarded", 2));
        let hidden = direct("127.0.0.1:5000", "Forwarded: for=_secret, for=10.0.0.5");
        assert!(
            hidden.why.starts_with("Forwarded keeps hop 2 from the right to itself"),
            "{hidden:?}"
        );
        assert_eq!((hidden.field, hidden.hop), at("Forwarded", 1));
        let hidden = direct("127.0.0.1:5000", "X-Forwarded-For: unknown");
        assert_eq!((hidden.field, hidden.hop), (Some("X-Forwarded-For"), None));

        let malformed = direct("127.0.0.1:5000", "X-Forwarded-For: nonsense, 10.0.0.5");
        let why = "X-Forwarded-For has something else at hop 2 from the right";
        assert!(malformed.why.starts_with(why), "{malformed:?}");
        assert_eq!(malformed.hop, Some(1));
        let malformed = direct("127.0.0.1:5000", "Forwarded: nonsense");
        assert_eq!((malformed.field, malformed.hop), (Some("Forwarded"), None));
    }

    #[test]
    fn an_address_that_no_field_gave_is_the_connections_own() {
        for (remote, why) in [
            (
                "10.0.0.7:1",
                "10.0.0.7 is a proxy, and names no client; 10.0.0.7 is trusted by 10.0.0.0/8",
            ),
            ("192.0.2.1:1", "192.0.2.1 is not in Server::trust"),
        ] {
            let said = direct(remote, "Accept: */*");
            assert_eq!(said.why, format!("the connection's own address: {why}"));
            assert_eq!((said.field, said.hop), (None, None));
        }
        let empty = direct("10.0.0.7:1", "X-Forwarded-For: ,");
        assert!(empty.why.contains("names no client"), "{empty:?}");
        let forged = direct("192.0.2.1:1", "X-Forwarded-For: 6.6.6.6");
        assert!(forged.why.ends_with("is not in Server::trust") && forged.proxies.is_empty());

        let nobody = Trust::new("unix".parse().unwrap(), false).at(addr("192.0.2.1:1"));
        let said = origin("", "192.0.2.1:1", nobody, "X-Forwarded-For: 6.6.6.6");
        assert!(said.why.ends_with("no proxy is trusted (Server::trust)"), "{said:?}");
    }

    #[test]
    fn a_proxy_header_is_the_word_of_who_sent_it() {
        let trust = Trust::new(PROXIES.parse().unwrap(), true);
        let outside = trust.at(addr("203.0.113.7:1"));
        let said = origin(PROXIES, "127.0.0.1:5000", outside, "X-Forwarded-For: 6.6.6.6");
        let why = "the PROXY header that 127.0.0.1 sent; 127.0.0.1 is trusted by 127.0.0.1";
        assert_eq!(said.why, why);

        let inside = trust.at(addr("10.0.0.5:1"));
        let said = origin(PROXIES, "127.0.0.1:5000", inside, "X-Forwarded-For: 203.0.113.7");
        let why = "X-Forwarded-For, hop 1 from the right; 127.0.0.1 is trusted by 127.0.0.1, 10.0.0.5 \
                   is trusted by 10.0.0.0/8";
        assert_eq!(said.why, why);
        let said = origin(PROXIES, "127.0.0.1:5000", inside, "");
        assert!(said.why.contains("127.0.0.1 sent, and no field beyond it"), "{said:?}");

        let unnamed = Sender { standing: Standing::Unnamed, ..trust.at(addr("127.0.0.1:5000")) };
        let said = origin(PROXIES, "127.0.0.1:5000", unnamed, "X-Forwarded-For: 6.6.6.6");
        let why = "the proxy's own address: its PROXY header does not say who the client is; 127.0.0.1 is \
                   trusted by 127.0.0.1";
        assert_eq!(said.why, why);
    }
}
