use std::borrow::Cow;

use httparse::Header;

use super::basis::{Basis, Beyond};
use super::explained::shown;
use super::forwarded::{self, Malformed};
use super::ignored::{Hint, IgnoredHeader, Why};
use super::names::{
    has_other_marks, is_framing_in_disguise, is_strange, is_written_here, speaks_for_client,
};
use super::node::Node;
use super::{Sender, Standing, Trust, x_forwarded};
use crate::common::address::ClientAddr;
use crate::common::field::{is_authority, is_authority_of_url};

const FORWARDED: &str = "Forwarded";
const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";

/// What is known from the connection and the request without fields of proxies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'b> {
    pub(crate) scheme: &'static str,
    pub(crate) host: &'b str,
}

/// What is believed of a request.
#[derive(Debug)]
pub(crate) struct Decision<'b> {
    pub(crate) client: ClientAddr,
    /// The scheme that the client used to reach the outermost trusted proxy.
    pub(crate) scheme: &'static str,
    /// The host, and the port if there was one, that the client used for it.
    pub(crate) host: Cow<'b, str>,
    /// Which field has the client's address; `None` if it is from the connection.
    pub(crate) basis: Option<Basis>,
    /// The removed fields.
    pub(crate) ignored: Vec<IgnoredHeader>,
    /// The indexes of removed fields in the head.
    dropped: Vec<usize>,
    /// Fields whose value is cut before an offset: that part is from the client, or from somebody before it.
    cut: Vec<(usize, usize)>,
}

impl<'b> Decision<'b> {
    /// The fields of the head that remain, in order.
    pub(crate) fn fields(&self, head: &[Header<'b>]) -> impl Iterator<Item = (&'b str, &'b [u8])> {
        head.iter().enumerate().filter(|(at, _)| !self.dropped.contains(at)).map(|(at, field)| {
            let start = self.cut.iter().find(|(cut, _)| *cut == at).map_or(0, |(_, start)| *start);
            (field.name, field.value.get(start..).unwrap_or_default().trim_ascii_start())
        })
    }

    fn drop(&mut self, at: usize, field: &Header<'_>, why: Why) {
        self.dropped.push(at);
        self.ignored.push(IgnoredHeader::new(field.name, field.value, why));
    }
}

/// `Forwarded` and `X-Forwarded-*` do not say the same.
///
/// Most proxies set one of them and forward the client's version of the other. This end cannot know which:
/// behind nginx, `Forwarded` may be the client's; behind a proxy of RFC 7239, `X-Forwarded-For` may be. If
/// neither were believed, the client would count as the proxy, whose address may have access everywhere. So
/// an ambiguous request is refused, as in the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Forwarded and {0} contradict each other: the proxy sets one of them, and must remove the \
     other from what clients send"
)]
pub(crate) struct Contradiction(&'static str);

/// Removes the remaining fields with strange names.
pub(super) fn remove_strange(
    trust: &Trust,
    sender: Sender,
    fields: &[Header<'_>],
    decision: &mut Decision<'_>,
) {
    for (at, field) in fields.iter().enumerate().filter(|(_, field)| is_strange(field.name)) {
        if !decision.dropped.contains(&at) {
            let why = Why::Strange(trust.names.lenient_names);
            trust.explained.ignored(sender.client(), field.name, &why);
            decision.drop(at, field, why);
        }
    }
}

pub(super) fn decide<'b>(
    trust: &Trust,
    sender: Sender,
    fields: &[Header<'b>],
    own: Own<'b>,
) -> Result<Decision<'b>, Contradiction> {
    let decision = Decision {
        client: sender.client(),
        scheme: own.scheme,
        host: own.host.into(),
        basis: None,
        ignored: Vec::new(),
        dropped: Vec::new(),
        cut: Vec::new(),
    };
    let mut reading = Reading { trust, sender: sender.client(), fields, decision };
    reading.ignore_where(is_framing_in_disguise, &Why::Framing);
    match sender.standing {
        Standing::Trusted => reading.believe()?,
        Standing::Untrusted => {
            let why = Why::Untrusted(sender.client(), Hint::of(&trust.names));
            reading.ignore_where(speaks_for_client, &why);
        }
        Standing::Unnamed => reading.ignore_where(speaks_for_client, &Why::Unnamed),
    }
    Ok(reading.decision)
}

/// The values of one family of fields; `None` where there is none that can be believed.
#[derive(Debug, Default)]
struct Said {
    client: Option<ClientAddr>,
    basis: Option<Basis>,
    scheme: Option<&'static str>,
    host: Option<String>,
}

/// A head that is being evaluated, and the decision so far.
struct Reading<'r, 'b> {
    trust: &'r Trust,
    sender: ClientAddr,
    fields: &'r [Header<'b>],
    decision: Decision<'b>,
}

impl<'b> Reading<'_, 'b> {
    /// Evaluates the fields of a trusted proxy.
    fn believe(&mut self) -> Result<(), Contradiction> {
        let is_disguised = |name: &str| is_written_here(name) && has_other_marks(name);
        // A proxy that removes the client's X-Forwarded-For may forward these.
        self.ignore_where(is_disguised, &Why::Disguised);
        let x_forwarded = self.x_forwarded();
        let Some(forwarded) = self.forwarded() else {
            self.settle(x_forwarded);
            return Ok(());
        };
        self.settle(forwarded);
        // RFC 7239 replaces the others: beside it, they must not add anything.
        let decision = &self.decision;
        let contradiction = if x_forwarded.client.is_some_and(|c| c != decision.client) {
            FOR
        } else if x_forwarded.scheme.is_some_and(|s| s != decision.scheme) {
            PROTO
        } else if x_forwarded.host.is_some_and(|h| !h.eq_ignore_ascii_case(&decision.host)) {
            HOST
        } else {
            return Ok(());
        };
        let contradiction = Contradiction(contradiction);
        self.trust.explained.refused(self.sender, &contradiction.to_string());
        Err(contradiction)
    }

    fn settle(&mut self, said: Said) {
        self.decision.client = said.client.unwrap_or(self.decision.client);
        self.decision.basis = said.basis;
        self.decision.scheme = said.scheme.unwrap_or(self.decision.scheme);
        if let Some(host) = said.host {
            self.decision.host = host.into();
        }
    }

    /// Reads `Forwarded` (RFC 7239); `None` if there is none.
    fn forwarded(&mut self) -> Option<Said> {
        let lines = self.lines(FORWARDED);
        let elements = lines.iter().flat_map(|&(at, value)| {
            forwarded::parse(value).map(move |element| match element {
                Ok(element) => Ok((element.node, (at, element))),
                Err(Malformed(bytes)) => Err(bytes),
            })
        });
        let walk = self.walk(elements);
        if let Some(bytes) = walk.malformed {
            self.explain(FORWARDED, &Why::NoElement(shown(bytes)));
        }
        let basis = walk.basis(FORWARDED);
        let Some((at, element)) = walk.last else {
            let bytes = walk.malformed?;
            self.ignore(FORWARDED, &Why::NoElement(shown(bytes)));
            return Some(Said { basis, ..Said::default() });
        };
        self.keep_from(FORWARDED, at, element.start);
        Some(Said {
            client: walk.client,
            basis,
            scheme: element.proto.and_then(|proto| self.scheme(FORWARDED, &proto)),
            host: element.host.and_then(|host| self.host(FORWARDED, &host)),
        })
    }

    /// Reads `X-Forwarded-For`, `-Proto` and `-Host`.
    fn x_forwarded(&mut self) -> Said {
        let lines = self.lines(FOR);
        let addresses = lines.iter().flat_map(|&(at, value)| {
            x_forwarded::from_the_right(value).map(move |(start, element)| {
                Node::parse_bare(element).map(|node| (node, (at, start))).ok_or(element)
            })
        });
        let walk = self.walk(addresses);
        if let Some(bytes) = walk.malformed {
            self.explain(FOR, &Why::NoAddress(shown(bytes)));
        }
        match (walk.last, walk.malformed) {
            (Some((at, start)), _) => self.keep_from(FOR, at, start),
            (None, Some(bytes)) => self.ignore(FOR, &Why::NoAddress(shown(bytes))),
            (None, None) => {}
        }
        let scheme = self.element(PROTO, walk.hops).and_then(|v| self.scheme(PROTO, v));
        let host = self.element(HOST, walk.hops).and_then(|v| self.host(HOST, v));
        Said { client: walk.client, basis: walk.basis(FOR), scheme, host }
    }

    /// Walks back from the sender, hop by hop, while each is trusted.
    fn walk<'v, T>(
        &self,
        elements: impl Iterator<Item = Result<(Node, T), &'v [u8]>>,
    ) -> Walk<'v, T> {
        let mut walk = Walk::new();
        for element in elements {
            match element {
                Ok((node, said)) => {
                    walk.last = Some(said);
                    walk.hops += 1;
                    // A hidden hop is not trusted. The nearest known address then counts as the
                    // client.
                    let Node::Address(address) = node else {
                        walk.hidden = true;
                        break;
                    };
                    walk.via.extend(walk.client.replace(address.into()));
                    if !self.trust.proxies.contains(address) {
                        break;
                    }
                }
                Err(malformed) => {
                    walk.malformed = Some(malformed);
                    break;
                }
            }
        }
        walk
    }

    /// The element of a list that was written together with the client's address: at the same position from the
    /// right, or the first one if a proxy replaced the earlier ones.
    fn element(&mut self, name: &'static str, hops: usize) -> Option<&'b [u8]> {
        let lines = self.lines(name);
        let elements = lines.iter().flat_map(|&(at, value)| {
            x_forwarded::from_the_right(value).map(move |(start, element)| (at, start, element))
        });
        let (at, start, element) = elements.take(hops.max(1)).last()?;
        self.keep_from(name, at, start);
        Some(element)
    }

    fn scheme(&mut self, name: &str, value: &[u8]) -> Option<&'static str> {
        let known =
            ["http", "https"].into_iter().find(|s| value.eq_ignore_ascii_case(s.as_bytes()));
        if known.is_none() {
            self.refuse(name, &Why::NoScheme(shown(value)));
        }
        known
    }

    fn host(&mut self, name: &str, value: &[u8]) -> Option<String> {
        // A host like 1.2.3.456, of which no URL can be made, is not the client's fault.
        let host = std::str::from_utf8(value)
            .ok()
            .filter(|host| is_authority(value) && is_authority_of_url(host));
        if host.is_none() {
            self.refuse(name, &Why::NoHost(shown(value)));
        }
        host.map(str::to_owned)
    }

    /// The fields `name`, the last one first.
    fn lines(&self, name: &str) -> Vec<(usize, &'b [u8])> {
        let all = self.fields.iter().enumerate().rev();
        all.filter(|(_, f)| f.name.eq_ignore_ascii_case(name))
            .map(|(at, f)| (at, f.value))
            .collect()
    }

    /// Removes the text before the element at `start` from the field at `at`.
    fn keep_from(&mut self, name: &str, at: usize, start: usize) {
        let before = self.lines(name).into_iter().map(|(line, _)| line).filter(|line| *line < at);
        self.decision.dropped.extend(before);
        if start > 0 {
            self.decision.cut.push((at, start));
        }
    }

    /// Removes the fields `name`, and explains why.
    fn refuse(&mut self, name: &str, why: &Why) {
        self.explain(name, why);
        self.ignore(name, why);
    }

    fn ignore(&mut self, name: &str, why: &Why) {
        for (at, field) in self.fields.iter().enumerate().rev() {
            if field.name.eq_ignore_ascii_case(name) {
                self.decision.drop(at, field, why.clone());
            }
        }
    }

    fn ignore_where(&mut self, ignored: impl Fn(&str) -> bool, why: &Why) {
        for (at, field) in self.fields.iter().enumerate() {
            if ignored(field.name) {
                self.decision.drop(at, field, why.clone());
                self.explain(field.name, why);
            }
        }
    }

    fn explain(&self, name: &str, why: &Why) {
        self.trust.explained.ignored(self.sender, name, why);
    }
}

/// The hops that can be believed.
struct Walk<'v, T> {
    /// The address in the last of them.
    client: Option<ClientAddr>,
    /// The addresses in the ones before it: trusted proxies.
    via: Vec<ClientAddr>,
    /// The other values of the last one.
    last: Option<T>,
    /// The number of hops.
    hops: usize,
    /// Whether the last of them is hidden.
    hidden: bool,
    /// The malformed text that ended the walk, if any.
    malformed: Option<&'v [u8]>,
}

impl<T> Walk<'_, T> {
    fn new() -> Self {
        Self { client: None, via: Vec::new(), last: None, hops: 0, hidden: false, malformed: None }
    }

    /// The basis for the client's address, if this walk through `field` found one.
    fn basis(&self, field: &'static str) -> Option<Basis> {
        let (hop, beyond) = match (self.hidden, self.malformed) {
            (true, _) => (self.hops.saturating_sub(1), Beyond::Hidden),
            (false, Some(_)) => (self.hops, Beyond::Malformed),
            (false, None) if self.hops == 0 => return None,
            (false, None) => (self.hops, Beyond::Nothing),
        };
        Some(Basis { field, hop, via: self.via.clone(), beyond })
    }
}

#[cfg(test)]
mod tests;
