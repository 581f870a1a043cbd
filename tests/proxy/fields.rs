//! What upstreams are told about clients, whatever clients say of themselves.

use crate::support::table;
use crate::support::upstream::{Received, Upstream};
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        forgeries_are_replaced
        naming_ours_in_connection_does_not_take_them_away
        a_trusted_proxy_is_believed
        addresses_of_ipv6_are_quoted
    }
}

/// Fields that speak for a client and that nobody has set.
#[track_caller]
fn assert_said(request: &Received, client: &str, scheme: &str, host: &str) {
    assert_eq!(request.values("x-forwarded-for"), [client], "{request:?}");
    assert_eq!(request.values("x-forwarded-proto"), [scheme], "{request:?}");
    assert_eq!(request.values("x-forwarded-host"), [host], "{request:?}");
    let node = if client.contains(':') { format!("\"[{client}]\"") } else { client.to_owned() };
    let element = format!("for={node};host=\"{host}\";proto={scheme}");
    assert_eq!(request.values("forwarded"), [element], "{request:?}");
    let text = request.text().to_ascii_lowercase().replace('_', "-");
    for name in ["x-forwarded-", "forwarded:", "x-real-ip", "client-cert", "x-client-"] {
        let expected = match name {
            "x-forwarded-" => 3,
            "forwarded:" => 1,
            _ => 0,
        };
        assert_eq!(text.matches(&format!("\n{name}")).count(), expected, "{name} in {text}");
    }
}

const FORGERIES: &str = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n\
    x-forwarded-PROTO: https, http\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Port: 1\r\n\
    X-Forwarded-Prefix: /evil\r\nX_Forwarded_For: 6.6.6.6\r\nX_Forwarded-Proto: https\r\n\
    Forwarded: for=6.6.6.6;proto=https\r\nForwarded: for=7.7.7.7\r\nX-Real-IP: 6.6.6.6\r\n\
    X_Real_IP: 6.6.6.6\r\nClient-Cert: :MIIB:\r\nClient_Cert: :MIIB:\r\n\
    Client-Cert-Chain: :MIIB:\r\nX-Client-Verify: SUCCESS\r\nX_Client_Verify: SUCCESS\r\n\
    X-Client-Subject: CN=admin\r\nX-Client-Fingerprint: 00\r\nX-Client-Cert: x\r\n\
    X_client-subject: CN=admin\r\n";

fn forgeries_are_replaced(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    for version in ["1.1", "1.0"] {
        let request =
            format!("GET / HTTP/{version}\r\n{FORGERIES}Host: a.test\r\nConnection: close\r\n\r\n");
        assert_eq!(proxied.ask(request), OK_CLOSE);
        assert_said(&upstream.take_requests()[0], "127.0.0.1", front.scheme(), "a.test");
    }
}

fn naming_ours_in_connection_does_not_take_them_away(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let request = format!(
        "GET / HTTP/1.1\r\nConnection: X-Forwarded-Proto, x-forwarded-for, Forwarded, Host\r\n\
         {FORGERIES}Host: a.test\r\nConnection: X-Forwarded-Host, Content-Length, close\r\n\r\n"
    );
    assert_eq!(proxied.ask(request), OK_CLOSE);
    let request = upstream.only();
    assert_said(&request, "127.0.0.1", front.scheme(), "a.test");
    assert_eq!(request.values("host"), ["a.test"]);

    let request = "POST / HTTP/1.1\r\nConnection: close, Content-Length, Transfer-Encoding\r\n\
                   Host: a.test\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(proxied.ask(request), OK_CLOSE);
    assert_eq!(upstream.nth(1).body, b"hello");
}

fn a_trusted_proxy_is_believed(front: Front) {
    let upstream = Upstream::answering(OK);
    let trust = ["--trust-proxy", "127.0.0.1, 10.0.0.0/8"];
    let proxied = Proxied::with(front, &[&upstream.url], &trust);
    let outer = "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2\r\nX-Forwarded-Proto: https, http\r\n\
                 X-Forwarded-Host: www.test\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{outer}Connection: close\r\n\r\n");
    assert_eq!(proxied.ask(request), OK_CLOSE);
    assert_said(&upstream.take_requests()[0], "192.0.2.1", "https", "www.test");
    // What a trusted proxy says of certificates is not ours to say.
    let request = "GET / HTTP/1.1\r\nHost: a.test\r\nForwarded: for=\"[2001:db8::1]:99\"\r\n\
                   Client-Cert: :MIIB:\r\nX-Client-Verify: SUCCESS\r\nConnection: close\r\n\r\n";
    assert_eq!(proxied.ask(request), OK_CLOSE);
    assert_said(&upstream.take_requests()[0], "2001:db8::1", front.scheme(), "a.test");
}

fn addresses_of_ipv6_are_quoted(front: Front) {
    let upstream = Upstream::answering(OK);
    let trust = ["--trust-proxy", "127.0.0.1"];
    let proxied = Proxied::with(front, &[&upstream.url], &trust);
    for (said, client) in [("2001:DB8:0::17", "2001:db8::17"), ("::ffff:192.0.2.1", "192.0.2.1")] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: [::1]:81\r\nX-Forwarded-For: {said}\r\n\
             Connection: close\r\n\r\n"
        );
        assert_eq!(proxied.ask(request), OK_CLOSE);
        assert_said(&upstream.take_requests()[0], client, front.scheme(), "[::1]:81");
    }
}
