//! The head of a request as an upstream gets it.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_types::Method;

use super::connection::Connection;
use super::fields::{EndToEnd, push};
use super::private::authenticates_connection;
use super::upgrade::UpgradeProtocol;
use super::{Proxy, max_forwards};
use crate::common::address::ClientAddr;
use crate::common::field;
use crate::peer::Link;
use crate::peer::trust::{Decision, is_strange, is_written_here};
use crate::wire::head::{Framing, Head, Target, Version};

/// A request on its way to an upstream.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// The request line and the fields, without the framing fields and the empty line at the end.
    pub(crate) head: Vec<u8>,
    pub(crate) framing: Framing,
    /// The client waits for `100 Continue`.
    pub(crate) expects_continue: bool,
    /// The protocol that the client wants to change to (RFC 9110 §7.8).
    pub(crate) upgrade: Option<Vec<u8>>,
    /// Whether it is part of authenticating the connection.
    pub(super) authenticates: bool,
    /// Which of the client's fields and trailers are forwarded.
    pub(super) end_to_end: EndToEnd,
    /// Whether trailers are forwarded whose names contain other marks than `-` and `_`.
    pub(super) lenient_names: bool,
}

impl Outgoing {
    /// Builds what upstreams of `proxy` get of `head`: `host`, the end-to-end fields that `decision` allows,
    /// and what we know about the client.
    pub(crate) fn new(
        head: &Head<'_, '_>,
        decision: &mut Decision<'_>,
        link: &Link,
        host: &str,
        proxy: &Proxy,
    ) -> Self {
        if !proxy.lenient_names {
            link.settings.trust.remove_strange(link.sender, head.fields, decision);
        }
        let host = proxy.host.as_deref().unwrap_or(host);
        let end_to_end = EndToEnd::of(head.fields);
        let mut bytes = Vec::with_capacity(1024);
        let target = match head.target {
            Target::Path(path) if path.starts_with('/') => path.to_owned(),
            // An absolute URL may have a query and no path.
            Target::Path(path) => format!("/{path}"),
            Target::Server => "*".to_owned(),
        };
        bytes.extend_from_slice(format!("{} {target} HTTP/1.1\r\n", head.method).as_bytes());
        push(&mut bytes, "Host", host.as_bytes());
        let counts = max_forwards::counts(head.method);
        for (name, value) in decision.fields(head.fields) {
            if !goes_on(name, &end_to_end) {
                continue;
            }
            if counts && name.eq_ignore_ascii_case(max_forwards::NAME) {
                push(&mut bytes, name, &max_forwards::count_down(value));
            } else {
                push(&mut bytes, name, value);
            }
        }
        // Last, so that a name in the client's `Connection` field cannot remove these.
        forwarded(&mut bytes, decision);
        identity(&mut bytes, link);
        let upgrade = upgrade(head, &end_to_end, &proxy.upgrades);
        if let Some(protocol) = &upgrade {
            push(&mut bytes, "Connection", b"upgrade");
            push(&mut bytes, "Upgrade", protocol);
        }
        Self {
            method: head.method,
            head: bytes,
            framing: head.framing,
            expects_continue: head.expects_continue,
            upgrade,
            authenticates: authenticates_connection(head.fields),
            end_to_end,
            lenient_names: proxy.lenient_names,
        }
    }

    /// Whether no other request may follow on `connection`.
    ///
    /// A server that expects no body with a method may leave the body unread, and take it for the next request.
    /// A server that answers HEAD like GET sends a body, perhaps after the head, and the next client would take
    /// it for the beginning of its response. A private connection stays open after HEAD: it can harm nobody
    /// else, and NTLM needs the same connection for three requests.
    pub(super) fn is_last_on(&self, connection: &Connection) -> bool {
        let has_unexpected_body = self.framing != Framing::Empty && !self.usually_has_body();
        let is_private = connection.private || self.authenticates;
        has_unexpected_body || (self.method == Method::Head && !is_private)
    }

    /// Whether a trailer called `name` is forwarded. The rules are those for fields (RFC 9110 §6.5.1), because
    /// an app may confuse the two.
    pub(super) fn keeps(&self, name: &str) -> bool {
        goes_on(name, &self.end_to_end) && (self.lenient_names || !is_strange(name))
    }

    /// Whether servers expect a body in such a request, even an empty one.
    pub(crate) fn usually_has_body(&self) -> bool {
        matches!(self.method, Method::Post | Method::Put | Method::Patch)
    }

    /// Whether `protocol` is one that the client wants to change to.
    pub(crate) fn offers(&self, protocol: Option<&[u8]>) -> bool {
        let offered = self.upgrade.as_deref().unwrap_or_default();
        let is_it = |p: &[u8]| protocol.is_some_and(|protocol| p.eq_ignore_ascii_case(protocol));
        field::list(offered).any(is_it)
    }

    /// Whether sending the request twice has the same effect as sending it once (RFC 9110 §9.2.2).
    pub(crate) fn is_idempotent(&self) -> bool {
        use Method::{Delete, Get, Head, Options, Put, Trace};
        matches!(self.method, Get | Head | Options | Trace | Put | Delete)
    }
}

/// Fields that are never forwarded, no matter who wrote them. CGI turns `Proxy` into the variable for the proxy
/// that the app uses (CVE-2016-5385). gunicorn trusts the last two, in this spelling, as its proxy's statement
/// about the app's path (its `forwarder_headers`).
const OURS: [&str; 5] = ["host", "expect", "proxy", "script_name", "path_info"];

/// Whether the client's field is forwarded.
fn goes_on(name: &str, end_to_end: &EndToEnd) -> bool {
    end_to_end.keeps(name) && !is_ours(name)
}

/// Whether only turnkey may write the field.
fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) || is_written_here(name)
}

/// Adds who the client is and how it connected (RFC 7239, and the older fields).
fn forwarded(head: &mut Vec<u8>, decision: &Decision<'_>) {
    let (client, scheme, host) = (decision.client, decision.scheme, &decision.host);
    // A client on a Unix socket has no address (RFC 7239 §6.2).
    let address = client.ip().map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    push(head, "X-Forwarded-For", address.as_bytes());
    push(head, "X-Forwarded-Proto", scheme.as_bytes());
    push(head, "X-Forwarded-Host", host.as_bytes());
    // RFC 7239 §6: an IPv6 address is in brackets, and a value with a colon in quotes. A host that was found
    // valid has neither quotes nor backslashes.
    let node = match client {
        ClientAddr::Ip(IpAddr::V6(ip)) => format!("\"[{ip}]\""),
        ClientAddr::Ip(IpAddr::V4(_)) | ClientAddr::Unix => address,
    };
    let element = format!("for={node};host=\"{host}\";proto={scheme}");
    push(head, "Forwarded", element.as_bytes());
}

/// Adds the identity that the client proved with its certificate, if the server asked for one.
fn identity(head: &mut Vec<u8>, link: &Link) {
    if !link.asks_clients {
        return;
    }
    let certificate = link.tls.as_ref().and_then(|tls| tls.client_certificate.as_ref());
    let Some(certificate) = certificate else {
        return push(head, "X-Client-Verify", b"NONE");
    };
    push(head, "X-Client-Verify", b"SUCCESS");
    push(head, "X-Client-Subject", certificate.subject().as_bytes());
    // The name of the issuing CA, so that an app can tell clients of several CAs apart.
    push(head, "X-Client-Issuer", certificate.issuer().as_bytes());
    push(head, "X-Client-Fingerprint", certificate.fingerprint().as_bytes());
    // RFC 9440 §2.2: a byte sequence of structured fields (RFC 9651 §3.3.5).
    let der = BASE64_STANDARD.encode(certificate.der());
    push(head, "Client-Cert", format!(":{der}:").as_bytes());
}

/// The `allowed` protocols among those that the client asks for, if its request can change the protocol: it is
/// HTTP/1.1, has no body, and is not HEAD, after which the connection closes.
fn upgrade(
    head: &Head<'_, '_>,
    end_to_end: &EndToEnd,
    allowed: &[UpgradeProtocol],
) -> Option<Vec<u8>> {
    if head.version != Version::Http11
        || head.framing != Framing::Empty
        || head.method == Method::Head
        || !end_to_end.names("upgrade")
    {
        return None;
    }
    let lines = field::values(head.fields, "upgrade");
    let is_allowed = |offered: &&[u8]| allowed.iter().any(|protocol| protocol.is(offered));
    let protocols: Vec<&[u8]> = lines.flat_map(field::list).filter(is_allowed).collect();
    (!protocols.is_empty()).then(|| protocols.join(&b", "[..]))
}
