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

/// What the connection and the request say without any proxy's word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'b> {
    pub(crate) scheme: &'static str,
    pub(crate) host: &'b str,
}

/// What is believed of a request.
#[derive(Debug)]
pub(crate) struct Decision<'b> {
    pub(crate) client: ClientAddr,
    /// The scheme by which the client reached the outermost proxy that is trusted.
    pub(crate) scheme: &'static str,
    /// The host, and the port if one was given, by which the client called it.
    pub(crate) host: Cow<'b, str>,
    /// Where the client's address is from; `None` without any field's word.
    pub(crate) basis: Option<Basis>,
    /// The fields that go.
    pub(crate) ignored: Vec<IgnoredHeader>,
    /// Which fields go, by their places in the head.
    dropped: Vec<usize>,
    /// Which fields lose what stands before an offset in their value: words of the client, or of
    /// somebody before it.
    cut: Vec<(usize, usize)>,
}

impl<'b> Decision<'b> {
    /// The fields that the request has, in order, of those in its head.
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
/// Most proxies set one of them and hand on what the client wrote in the other. Which one that is
/// cannot be told from here: to believe `Forwarded` is to believe the client behind nginx, to
/// believe `X-Forwarded-For` is to believe it behind a proxy of RFC 7239; and to believe neither
/// would have the client pass for the proxy, whose address may be one that is let in everywhere. So
/// a request is refused when it has two readings, as the wire does it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Forwarded and {0} contradict each other: the proxy sets one of them, and must remove the \
     other from what clients send"
)]
pub(crate) struct Contradiction(&'static str);

/// Removes the fields with strange names from what `decision` left.
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

/// What one family of fields says; `None` where it says nothing, or nothing that can be believed.
#[derive(Debug, Default)]
struct Said {
    client: Option<ClientAddr>,
    basis: Option<Basis>,
    scheme: Option<&'static str>,
    host: Option<String>,
}

/// A head that is being read, and what has come of it so far.
struct Reading<'r, 'b> {
    trust: &'r Trust,
    sender: ClientAddr,
    fields: &'r [Header<'b>],
    decision: Decision<'b>,
}

impl<'b> Reading<'_, 'b> {
    /// Takes a trusted proxy at its word.
    fn believe(&mut self) -> Result<(), Contradiction> {
        let is_disguised = |name: &str| is_written_here(name) && has_other_marks(name);
        // A proxy that removes X-Forwarded-For from what clients send may leave these in.
        self.ignore_where(is_disguised, &Why::Disguised);
        let x_forwarded = self.x_forwarded();
        let Some(forwarded) = self.forwarded() else {
            self.settle(x_forwarded);
            return Ok(());
        };
        self.settle(forwarded);
        // RFC 7239 is to take the place of the others: where it stands, they may not say more.
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

    /// Goes back from the sender, from hop to hop, as long as each is trusted.
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
                    // Of a hop that is hidden nothing is known, which is no trust. The nearest
                    // address that is known stands for the client then.
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

    /// The element of a list that was written together with the client's address: as far from the
    /// right as that is, or the first one, where a proxy replaces what the one before it said.
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
        // That the URL cannot be made of a host like 1.2.3.456 is no fault of the client's.
        let host = std::str::from_utf8(value)
            .ok()
            .filter(|host| is_authority(value) && is_authority_of_url(host));
        if host.is_none() {
            self.refuse(name, &Why::NoHost(shown(value)));
        }
        host.map(str::to_owned)
    }

    /// The fields called `name`, the last one first.
    fn lines(&self, name: &str) -> Vec<(usize, &'b [u8])> {
        let all = self.fields.iter().enumerate().rev();
        all.filter(|(_, f)| f.name.eq_ignore_ascii_case(name))
            .map(|(at, f)| (at, f.value))
            .collect()
    }

    /// Takes out what stands before the element at `start` of the field at `at`.
    fn keep_from(&mut self, name: &str, at: usize, start: usize) {
        let before = self.lines(name).into_iter().map(|(line, _)| line).filter(|line| *line < at);
        self.decision.dropped.extend(before);
        if start > 0 {
            self.decision.cut.push((at, start));
        }
    }

    /// Explains why the fields called `name` are ignored, and does it.
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

/// How far the hops can be believed.
struct Walk<'v, T> {
    /// The address that the last of them gave.
    client: Option<ClientAddr>,
    /// Those that the ones before it gave: of proxies that are trusted.
    via: Vec<ClientAddr>,
    /// What else the last one said.
    last: Option<T>,
    /// How many there are.
    hops: usize,
    /// Whether the last of them is kept secret.
    hidden: bool,
    /// What ended the walk, if it could not be read.
    malformed: Option<&'v [u8]>,
}

impl<T> Walk<'_, T> {
    fn new() -> Self {
        Self { client: None, via: Vec::new(), last: None, hops: 0, hidden: false, malformed: None }
    }

    /// What `field`, in which this walk went, says of the client's address, if it says anything.
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
