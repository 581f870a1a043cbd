//! What a client is, for a person who wants to know why TLS does what it does.

use std::time::SystemTime;

use turnkey_backend::time::{distance, utc};
use turnkey_backend::{Certificate, TlsInfo, TlsVersion};

use super::days_left;
use crate::page::{Page, escape};
use crate::peer::Peer;

/// With fewer days left than these a certificate is worth a look, and a sorrow.
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

/// What all of it comes to.
fn summary(peer: &Peer) -> String {
    let Some(tls) = peer.tls() else {
        if peer.scheme() == "https" {
            return "You came by HTTPS to a proxy, which this server trusts; from there on the \
                    connection is in the clear."
                .to_owned();
        }
        return "You came in the clear: whoever is on the way can read along, and nobody has proved \
                who they are."
            .to_owned();
    };
    let version = tls.version.map_or_else(|| "TLS".to_owned(), |version| version.to_string());
    let proved = match peer.certificate() {
        Some(certificate) => {
            let name = certificate.common_name().unwrap_or(certificate.subject());
            format!("and you have proved that you are <strong>{}</strong>", escape(name))
        }
        None if peer.is_asked_for_certificate() => {
            "and you were asked who you are, and did not say".to_owned()
        }
        None => "and you were not asked who you are".to_owned(),
    };
    format!("You came by {version}. The server has proved who it is, {proved}.")
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
    let Some(tls) = peer.tls() else { return none("None: the connection is in the clear.") };
    // A backend that does not tell the suite tells nothing else either.
    let untold = tls.cipher_suite.is_none();
    let or_none = |value: &Option<String>, absent: &str| match value {
        Some(value) => code(value),
        None if untold => not_told(peer),
        None => format!("<span class=\"none\">{absent}</span>"),
    };
    facts(&[
        (
            "Protocol",
            tls.version.map_or_else(|| not_told(peer), |version| text(&version.to_string())),
        ),
        ("Cipher suite", or_none(&tls.cipher_suite, "")),
        ("Key exchange", key_exchange(peer, tls)),
        ("ALPN", or_none(&tls.alpn, "none agreed on")),
        ("Server name (SNI)", or_none(&tls.server_name, "you asked for none")),
        ("Session", resumed(peer, tls)),
    ])
}

fn key_exchange(peer: &Peer, tls: &TlsInfo) -> String {
    match &tls.key_exchange {
        Some(group) => code(group),
        None if tls.resumed == Some(true) && tls.version == Some(TlsVersion::Tls12) => {
            "<span class=\"none\">none: a session of TLS 1.2 that is resumed needs none</span>"
                .to_owned()
        }
        None => not_told(peer),
    }
}

fn resumed(peer: &Peer, tls: &TlsInfo) -> String {
    match tls.resumed {
        Some(true) => text("resumed: an earlier handshake goes on"),
        Some(false) => text("new: a full handshake"),
        None => not_told(peer),
    }
}

fn not_told(peer: &Peer) -> String {
    format!("<span class=\"none\">{} does not tell</span>", escape(peer.backend()))
}

fn client_certificate(peer: &Peer, now: SystemTime) -> String {
    let Some(certificate) = peer.certificate() else {
        return none(match (peer.tls(), peer.is_asked_for_certificate()) {
            (None, _) => "None: certificates are shown in TLS only.",
            (Some(_), true) => "None: you were asked for one and sent none.",
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
    format!("{own}\n<h3>Chain</h3>\n{}", chain(peer, now))
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
            0 => "your certificate",
            _ if place + 1 == chain.len() => "the CA that this server trusts",
            _ => "a CA between",
        };
        let (subject, end) = (name(certificate.subject()), end(certificate, now));
        format!("<li>{subject}<p>{role}, until {end}</p></li>\n")
    });
    format!("<ol class=\"chain\" role=\"list\">\n{}</ol>", items.collect::<String>())
}

/// When a certificate ends, and how far off that is.
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

/// The address before and after the decision whom to believe, and why it fell like that.
fn address(peer: &Peer) -> String {
    let mut rows = vec![("Connection from", code(&peer.remote().to_string()))];
    if let Some(sender) = peer.by_proxy_header() {
        rows.push(("PROXY header", code(&sender.to_string())));
    }
    rows.push(("Client", code(&peer.client().to_string())));
    rows.push(("Why", options(&peer.origin().why)));
    facts(&rows)
}

fn removed(peer: &Peer) -> String {
    if peer.ignored_headers().is_empty() {
        return none("None.");
    }
    let rows = peer.ignored_headers().iter().map(|header| {
        let (name, value) = (code(header.name()), code(header.value()));
        let why = options(&header.reason());
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

/// What is to be read letter by letter.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Text that speaks of options, which are best not broken.
fn options(text: &str) -> String {
    escape(text).replace("--trust-proxy", "<span class=\"whole\">--trust-proxy</span>")
}

/// A distinguished name, which is long, and best broken between its parts.
fn name(name: &str) -> String {
    code(name).replace(',', ",<wbr>")
}

fn none(why: &str) -> String {
    format!("<p class=\"none\">{why}</p>")
}
