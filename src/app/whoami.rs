use std::fmt::Write;
use std::time::SystemTime;

use http_types::{Body, Request, Response, StatusCode};
use serde_json::{Value, json};
use turnkey_backend::{Certificate, TlsInfo};

use crate::page::{Page, escape, wants_page};
use crate::peer::Peer;

/// Shows the connection as the server sees it: a page for a browser, JSON for others.
pub(super) fn answer(request: &Request) -> http_types::Result<Response> {
    let Some(peer) = Peer::of(request) else {
        return Err(http_types::Error::from_str(
            StatusCode::InternalServerError,
            "/whoami needs a request that came over a connection",
        ));
    };
    let facts = facts(peer);
    let mut response = if wants_page(request) {
        page(&facts).response(StatusCode::Ok)
    } else {
        let mut text = serde_json::to_string_pretty(&facts)?;
        text.push('\n');
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_string(text));
        response.insert_header("content-type", "application/json");
        response
    };
    // The same URL has two answers, and each client's is its own (RFC 9111 §4.1).
    response.insert_header("vary", "accept");
    response.insert_header("cache-control", "no-store");
    Ok(response)
}

fn facts(peer: &Peer) -> Value {
    json!({
        "mode": peer.mode(),
        "scheme": peer.scheme(),
        "host": peer.host(),
        "client": peer.client().to_string(),
        "peer": peer.remote().to_string(),
        "tls": peer.tls().map(tls),
        "client_certificate": peer.certificate().map(certificate),
        "ignored_headers": peer.ignored_headers(),
    })
}

fn tls(tls: &TlsInfo) -> Value {
    json!({
        "version": tls.version.map(|v| v.to_string()),
        "cipher_suite": tls.cipher_suite,
        "alpn": tls.alpn,
        "server_name": tls.server_name,
        "resumed": tls.resumed,
    })
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "subject": certificate.subject(),
        "common_name": certificate.common_name(),
        "subject_alt_names": certificate.subject_alt_names(),
        "issuer": certificate.issuer(),
        "serial": certificate.serial(),
        "fingerprint": certificate.fingerprint(),
        "not_before": date(certificate.not_before()),
        "not_after": date(certificate.not_after()),
    })
}

/// RFC 3339, in UTC.
fn date(time: SystemTime) -> String {
    time::OffsetDateTime::from(time)
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

/// The facts as a page that needs nothing from elsewhere.
fn page(facts: &Value) -> Page {
    let mut body = String::from(
        "<h1>Who am I?</h1>\n<p class=\"lead\">This connection, as the server sees it.</p>\n",
    );
    list(&mut body, facts);
    Page::new("Who am I?", body)
}

fn list(out: &mut String, facts: &Value) {
    let Value::Object(facts) = facts else { return };
    out.push_str("<dl class=\"facts\">");
    for (name, value) in facts {
        // A `String` takes all that is written to it.
        _ = write!(out, "<div><dt>{}</dt><dd>", name.replace('_', " "));
        match value {
            Value::Null => out.push_str("<span class=\"none\">none</span>"),
            Value::Object(_) => list(out, value),
            Value::String(text) => out.push_str(&escape(text)),
            Value::Array(items) if items.is_empty() => {
                out.push_str("<span class=\"none\">none</span>");
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().filter_map(Value::as_str).map(escape).collect();
                out.push_str(&items.join("<br>"));
            }
            other => out.push_str(&escape(&other.to_string())),
        }
        out.push_str("</dd></div>");
    }
    out.push_str("</dl>");
}
