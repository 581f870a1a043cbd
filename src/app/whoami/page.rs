//! `/whoami` as a page, for people who debug TLS.

use std::time::SystemTime;

use turnkey_backend::time::{distance, utc};
use turnkey_backend::{Certificate, TlsInfo, TlsVersion};

use super::days_left;
use crate::page::{Page, escape};
use crate::peer::Peer;

/// With fewer days left than these, the end of a certificate is marked as a warning, and as an error.
const SOON: u64 = 30;
const VERY_SOON: u64 = 7;

pub(super) fn of(peer: &Peer, now: SystemTime) -> Page {
    let body = [
        format!("<h1>Who am I?</h1>\n<p class=\"lead\">{}</p>", summary(peer)),
        section("Connection", &connection(peer)),
        section("TLS", &tls(peer)),
        section("Client certificate", &client_certificate(peer, now)),
        section("Address", &address(peer)),
        section("Removed headers", &removed(peer)),
    ];
    Page::new(format!("Who am I? {}, {}", peer.mode(), peer.host()), body.join("\n"))
}

/// The summary. It claims only what this end of the connection can know.
fn summary(peer: &Peer) -> String {
    let Some(tls) = peer.tls() else {
        if peer.scheme() == "https" {
            return "A proxy that this server trusts says that you came to it by HTTPS. From there \
                    on the connection is in the clear."
                .to_owned();
        }
        return "This connection is in the clear: whoever is on the way can read along, and nobody \
                has proved who they are."
            .to_owned();
    };
    let version = tls.version.map_or_else(|| "TLS".to_owned(), |version| version.to_string());
    let proved = match peer.certificate() {
        Some(certificate) => proved(peer, tls, certificate),
        None if peer.is_asked_for_certificate() => {
            "A certificate of the client was asked for, and none was sent.".to_owned()
        }
        None => "A certificate of the client was not asked for.".to_owned(),
    };
    format!(
        "This connection is encrypted with {version}. The server cannot tell whether its own \
         certificate was checked. {proved}"
    )
}

/// What the certificate proves, and about which client: the peer of this connection may be a proxy.
fn proved(peer: &Peer, tls: &TlsInfo, certificate: &Certificate) -> String {
    let name = escape(certificate.sole_common_name().unwrap_or(certificate.subject()));
    let direct = peer.origin().proxies.is_empty();
    let who = match (direct, tls.resumed) {
        (true, Some(true)) => "When its session began, you proved that you have",
        (true, _) => "You have proved that you have",
        (false, Some(true)) => {
            "When its session began, the other end, which may be a proxy, proved that it has"
        }
        (false, _) => "The other end, which may be a proxy, has proved that it has",
    };
    format!("{who} the key of the certificate of <strong>{name}</strong>.")
}

fn connection(peer: &Peer) -> String {
    facts(&[
        ("Mode", text(peer.mode())),
        ("Backend", text(peer.backend())),
        ("Scheme", text(peer.scheme())),
        ("Host", code(peer.host())),
    ])
}

fn tls(peer: &Peer) -> String {
    let Some(tls) = peer.tls() else {
        return none("None: the connection to this server is in the clear.");
    };
    // A TLS stack that reports this reports the others too, if there are any.
    let told = tls.resumed.is_some();
    let or_none = |value: &Option<String>, absent: &str| match value {
        Some(value) => Some(code(value)),
        None => told.then(|| format!("<span class=\"none\">{absent}</span>")),
    };
    let rows = [
        ("Protocol", tls.version.map(|version| text(&version.to_string()))),
        ("Cipher suite", tls.cipher_suite.as_deref().map(code)),
        ("Key exchange", key_exchange(tls)),
        ("ALPN", or_none(&tls.alpn, "none agreed on")),
        ("Server name (SNI)", or_none(&tls.server_name, "none asked for")),
        ("Session", tls.resumed.map(session)),
    ];
    let (known, unknown): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(_, value)| value.is_some());
    let known: Vec<_> =
        known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let known = if known.is_empty() { String::new() } else { facts(&known) };
    known + &not_told(peer, &unknown.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
}

fn key_exchange(tls: &TlsInfo) -> Option<String> {
    // In TLS 1.3 a resumed session exchanges keys too.
    let needs_none = tls.resumed == Some(true) && tls.version == Some(TlsVersion::Tls12);
    let none = || "<span class=\"none\">none: the session was resumed</span>".to_owned();
    tls.key_exchange.as_deref().map(code).or_else(|| needs_none.then(none))
}

fn session(resumed: bool) -> String {
    text(if resumed { "resumed: an earlier handshake goes on" } else { "new: a full handshake" })
}

/// One sentence for everything that the TLS stack does not report.
fn not_told(peer: &Peer, names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    none(&format!("Not told by {}: {}.", escape(peer.backend()), names.join(", ")))
}

fn client_certificate(peer: &Peer, now: SystemTime) -> String {
    let Some(certificate) = peer.certificate() else {
        return none(match (peer.tls(), peer.is_asked_for_certificate()) {
            (None, _) => "None: certificates are shown in TLS only.",
            (Some(_), true) => "None: one was asked for, and none was sent.",
            (Some(_), false) => "None: this server does not ask for one.",
        });
    };
    let own = facts(&[
        ("Subject", name(certificate.subject())),
        ("Names", names(certificate)),
        ("Issuer", name(certificate.issuer())),
        ("Serial number", code(certificate.serial())),
        ("SHA-256", code(certificate.fingerprint()).replace(':', ":<wbr>")),
        ("Valid from", text(&utc(certificate.not_before()))),
        ("Valid until", end(certificate, now)),
    ]);
    let resumed = match peer.tls().and_then(|tls| tls.resumed) {
        Some(true) => {
            none("The session was resumed: certificate and key were checked when it began.")
        }
        _ => String::new(),
    };
    format!("{own}\n{resumed}<h3>Chain</h3>\n{}", chain(peer, now))
}

fn names(certificate: &Certificate) -> String {
    let names = certificate.subject_alt_names();
    if names.is_empty() {
        return "<span class=\"none\">none but the subject</span>".to_owned();
    }
    let items: Vec<_> = names.iter().map(|name| format!("<li>{}</li>", code(name))).collect();
    format!("<ul>{}</ul>", items.concat())
}

fn chain(peer: &Peer, now: SystemTime) -> String {
    let Some(chain) = peer.chain() else {
        let resumed = peer.tls().and_then(|tls| tls.resumed) == Some(true);
        return none(if resumed {
            "Not known any more: the session was resumed, and its ticket keeps no chain."
        } else {
            "The backend does not tell."
        });
    };
    let items = chain.iter().enumerate().map(|(place, certificate)| {
        let role = match place {
            0 => "the client's certificate",
            _ if place + 1 == chain.len() => "a CA that this server trusts",
            _ => "a CA between",
        };
        let (subject, end) = (name(certificate.subject()), end(certificate, now));
        format!("<li>{subject}<p>{role}, until {end}</p></li>\n")
    });
    let list = format!("<ol class=\"chain\" role=\"list\">\n{}</ol>", items.collect::<String>());
    // rustls does not report which one was used.
    let by_names = "Where the TLS stack does not tell the chain, as rustls does not, it is put together by names \
                    and key identifiers.";
    format!("{list}\n{}", none(by_names))
}

/// When a certificate expires, and in how many days.
fn end(certificate: &Certificate, now: SystemTime) -> String {
    let not_after = certificate.not_after();
    let class = match days_left(not_after, now) {
        ..VERY_SOON => "bad",
        VERY_SOON..SOON => "warn",
        _ => "good",
    };
    let left = distance(now, not_after);
    format!("{}, <span class=\"tag {class}\">{left} left</span>", text(&utc(not_after)))
}

/// The address before and after the decision on which proxies are trusted, and the reason.
fn address(peer: &Peer) -> String {
    let mut rows = vec![("Connection from", code(&peer.remote().to_string()))];
    if let Some(sender) = peer.by_proxy_header() {
        rows.push(("PROXY header", code(&sender.to_string())));
    }
    rows.push(("Client", code(&peer.client().to_string())));
    rows.push(("Why", unbroken(&peer.origin().why, peer.trusted_proxies())));
    facts(&rows)
}

fn removed(peer: &Peer) -> String {
    if peer.ignored_headers().is_empty() {
        return none("None.");
    }
    let rows = peer.ignored_headers().iter().map(|header| {
        let (name, value) = (code(header.name()), code(header.value()));
        let why = unbroken(&header.reason(), peer.trusted_proxies());
        format!("<div><dt>{name}</dt><dd>{value}<p>{why}</p></dd></div>\n")
    });
    format!("<dl class=\"facts\">\n{}</dl>", rows.collect::<String>())
}

fn section(heading: &str, body: &str) -> String {
    format!("<section>\n<h2>{heading}</h2>\n{body}\n</section>")
}

/// Names, and values in markup.
fn facts(facts: &[(&str, String)]) -> String {
    let rows =
        facts.iter().map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
    format!("<dl class=\"facts\">\n{}</dl>", rows.collect::<String>())
}

fn text(text: &str) -> String {
    escape(text)
}

/// An exact value.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Text with the name of a setting, in which lines should not break.
fn unbroken(text: &str, name: &str) -> String {
    escape(text).replace(name, &format!("<span class=\"whole\">{name}</span>"))
}

/// A distinguished name, in which lines may break between its parts.
fn name(name: &str) -> String {
    code(name).replace(',', ",<wbr>")
}

fn none(why: &str) -> String {
    format!("<p class=\"none\">{why}</p>")
}
