//! The PROXY protocol, versions 1 and 2.

use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{reset, table};
use crate::{Service, assert_said, ignored};

table! {
    columns {
        http = "http";
        https = "https";
    } rows {
        curl_as_the_proxy
        the_header_says_who_the_client_is
        headers_may_come_in_pieces
        without_a_client_the_address_is_the_proxys
        fields_are_those_of_the_client
        trusted_proxies_must_send_it
        others_must_not_send_it
        one_that_nobody_asks_for_is_named
        what_is_malformed_closes
        a_header_has_the_time_of_a_handshake
        whoever_sends_none_is_not_told_that_it_is_late
        whoever_resets_before_it_has_left
        who_has_been_turned_down_holds_no_handshake_up
    }
}

const ON: [&str; 3] = ["--proxy-protocol", "--trust-proxy", "127.0.0.1,10.0.0.0/8"];

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\r\n";
const IPV4: [u8; 12] = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 1, 187];

/// A header of version 2: version and command, family and protocol, and the rest.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length, rest].concat()
}

impl Service {
    /// What `/whoami` says after `header`, to a request with further `fields`.
    #[track_caller]
    fn whoami_after(&self, header: &[u8], fields: &str) -> Value {
        self.whoami_in_pieces(&[header], fields)
    }

    #[track_caller]
    fn whoami_in_pieces(&self, pieces: &[&[u8]], fields: &str) -> Value {
        let dialer = self.dialer();
        let mut tcp = dialer.tcp();
        let mut pieces = pieces.iter();
        tcp.write_all(pieces.next().unwrap()).unwrap();
        for piece in pieces {
            thread::sleep(Duration::from_millis(30));
            tcp.write_all(piece).unwrap();
        }
        let mut conn = dialer.speak_over(tcp).unwrap_or_else(|e| panic!("no TLS: {e}"));
        let head = format!("GET /whoami HTTP/1.1\r\nHost: example.com\r\n{fields}\r\n");
        conn.send(head.as_bytes()).unwrap();
        serde_json::from_slice(&conn.response().body).unwrap()
    }

    /// Sends `bytes` where a header is due, or none is, and expects no more than an end.
    #[track_caller]
    fn assert_closed(&self, bytes: &[u8]) {
        let mut conn = crate::Dialer::plain(self.server.port).open();
        conn.send(bytes).unwrap();
        assert_eq!(conn.rest(), b"", "after {}", bytes.escape_ascii());
    }
}

fn curl_as_the_proxy(scheme: &'static str) {
    let service = Service::start(scheme, &ON);
    // As the client it names its own end of the connection.
    let whoami = service.whoami(&["--haproxy-protocol", "-H", "Host: example.com"]);
    assert_said(&whoami, "127.0.0.1", scheme, "example.com");
}

fn the_header_says_who_the_client_is(scheme: &'static str) {
    let service = Service::start(scheme, &ON);
    let tlvs = [&IPV4[..], &[0x20, 0, 3, 1, 2, 3], &[0xe0; 1000]].concat();
    let mut ipv6 = [0; 36];
    ipv6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    ipv6[15] = 0x17;
    for (header, client) in [
        (V1.to_vec(), "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::17 ::1 4711 443\r\n".to_vec(), "2001:db8::17"),
        (v2(0x21, 0x11, &IPV4), "192.0.2.1"),
        (v2(0x21, 0x11, &tlvs), "192.0.2.1"),
        (v2(0x21, 0x21, &ipv6), "2001:db8::17"),
    ] {
        let whoami = service.whoami_after(&header, "");
        assert_said(&whoami, client, scheme, "example.com");
        assert!(whoami["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{whoami}");
    }
}

fn headers_may_come_in_pieces(scheme: &'static str) {
    let service = Service::start(scheme, &ON);
    let version_2 = v2(0x21, 0x11, &IPV4);
    for header in [V1, &version_2] {
        for at in [1, 6, 11, 12, 13, 15, 16, header.len() - 1] {
            let (a, b) = header.split_at(at);
            assert_eq!(service.whoami_in_pieces(&[a, b], "")["client"], "192.0.2.1", "{at}");
        }
    }
}

fn without_a_client_the_address_is_the_proxys(scheme: &'static str) {
    let service = Service::start(scheme, &ON);
    let forwarded = "X-Forwarded-For: 192.0.2.1\r\n";
    for header in [v2(0x20, 0, &[]), v2(0x20, 0x11, &IPV4)] {
        let local = service.whoami_after(&header, forwarded);
        assert_said(&local, "192.0.2.1", scheme, "example.com");
        assert_eq!(service.whoami_after(&header, "")["client"], "127.0.0.1");
    }
    for header in [&b"PROXY UNKNOWN\r\n"[..], b"PROXY UNKNOWN ::1 ::2 1 2\r\n", &v2(0x21, 0, &[])] {
        let unnamed = service.whoami_after(header, forwarded);
        assert_said(&unnamed, "127.0.0.1", scheme, "example.com");
        assert_eq!(ignored(&unnamed), ["x-forwarded-for"], "somebody behind the proxy wrote it");
    }
    service.assert_logs(&["ignored X-Forwarded-For from 127.0.0.1", "PROXY header"]);
}

fn fields_are_those_of_the_client(scheme: &'static str) {
    let service = Service::start(scheme, &ON);
    let fields = "X-Forwarded-For: 6.6.6.6\r\n";
    let direct = service.whoami_after(V1, fields);
    assert_said(&direct, "192.0.2.1", scheme, "example.com");
    assert_eq!(ignored(&direct), ["x-forwarded-for"]);
    service.assert_logs(&["ignored X-Forwarded-For from 192.0.2.1", "add --trust-proxy 192.0.2.1"]);
    // Another proxy, of HTTP, before the one that sends the header.
    let inner = service.whoami_after(b"PROXY TCP4 10.0.0.2 10.0.0.1 1 443\r\n", fields);
    assert_said(&inner, "6.6.6.6", scheme, "example.com");
}

fn trusted_proxies_must_send_it(scheme: &'static str) {
    let mut service = Service::start(scheme, &ON);
    service.client().fetch(&service.server.url).assert_refused();
    service.assert_closed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n");
    service.assert_logs(&["127.0.0.1:", "closed: no PROXY header came first", "--proxy-protocol"]);
    // One that looks whether the port is open says nothing.
    drop(service.dialer().tcp());
    service.server.assert_alive();
}

fn others_must_not_send_it(scheme: &'static str) {
    let mut service = Service::start(scheme, &["--proxy-protocol", "--trust-proxy", "10.0.0.1"]);
    for header in [V1, &v2(0x21, 0x11, &IPV4), &v2(0x20, 0, &[])] {
        service.assert_closed(&[header, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
    }
    service.assert_logs(&[
        "closed: a PROXY header came from 127.0.0.1",
        "add --trust-proxy 127.0.0.1",
    ]);
    // Without it they are served, as themselves.
    assert_eq!(service.whoami(&[])["client"], "127.0.0.1");
    service.server.assert_alive();
}

/// The option was forgotten here, or the proxy sends what it should not.
fn one_that_nobody_asks_for_is_named(scheme: &'static str) {
    for header in [V1, &v2(0x21, 0x11, &IPV4)] {
        let service = Service::start(scheme, &["--trust-proxy", "127.0.0.1"]);
        let mut tcp = service.dialer().tcp();
        tcp.write_all(&[header, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat()).unwrap();
        service.assert_logs(&[
            "closed: a PROXY header came first, and --proxy-protocol was not given",
            "--trust-proxy 127.0.0.1",
        ]);
    }
}

fn what_is_malformed_closes(scheme: &'static str) {
    let mut service = Service::start(scheme, &ON);
    let cut = &v2(0x21, 0x11, &IPV4)[..20];
    for bad in [
        &b"PROXY TCP4 192.0.2.1 10.0.0.1 4711\r\nGET / HTTP/1.1\r\n"[..],
        b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\nGET / HTTP/1.1\r\n",
        &[b"PROXY TCP4 ", &[b'1'; 200][..]].concat(),
        &v2(0x31, 0x11, &IPV4),
        &v2(0x21, 0x11, &IPV4[..8]),
        &v2(0x21, 0x11, &[0; 5000]),
        b"\r\n\r\n\0\r\nQUITS and more",
    ] {
        service.assert_closed(bad);
    }
    let mut conn = crate::Dialer::plain(service.server.port).open();
    conn.send(cut).unwrap();
    conn.finish().unwrap();
    assert_eq!(conn.rest(), b"");
    service.assert_logs(&["closed: the PROXY header is malformed"]);
    service.assert_logs(&["closed: the PROXY header did not come whole"]);
    service.assert_logs(&["5000 bytes"]);
    assert_eq!(service.whoami_after(V1, "")["client"], "192.0.2.1");
    service.server.assert_alive();
}

fn a_header_has_the_time_of_a_handshake(scheme: &'static str) {
    let service = Service::start(scheme, &[&ON[..], &["--handshake-timeout", "0.3"]].concat());
    for bytes in [&b""[..], b"PROXY TCP4", b"PROXY TCP4 192.0.2.1 10.0"] {
        service.assert_closed(bytes);
    }
    service.assert_logs(&["no PROXY header within 0.3 seconds"]);
}

fn whoever_sends_none_is_not_told_that_it_is_late(scheme: &'static str) {
    let others = ["--proxy-protocol", "--trust-proxy", "10.0.0.1"];
    let service = Service::start(scheme, &[&others[..], &["--handshake-timeout", "0.3"]].concat());
    if scheme == "https" {
        service.assert_closed(b"");
        service.assert_logs(&["closed: the handshake was not complete within 0.3 seconds"]);
    } else {
        let mut conn = service.dialer().open();
        thread::sleep(Duration::from_millis(600));
        conn.get().assert_top_level();
    }
    assert!(!service.server.log().contains("no PROXY header"), "{}", service.server.log());
}

/// So do health checks.
fn whoever_resets_before_it_has_left(scheme: &'static str) {
    let mut service = Service::start(scheme, &ON);
    let tcp = service.dialer().tcp();
    // It is waited for.
    thread::sleep(Duration::from_millis(50));
    reset(&tcp);
    drop(tcp);
    service.server.signal("TERM");
    assert!(service.server.wait().success());
    service.assert_logs(&["info: ", "that left without a word: 1"]);
    assert!(!service.server.log().contains("did not come whole"), "{}", service.server.log());
}

fn who_has_been_turned_down_holds_no_handshake_up(scheme: &'static str) {
    let service = Service::start(scheme, &[&ON[..], &["--max-handshakes", "1"]].concat());
    let mut conn = crate::Dialer::plain(service.server.port).open();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    service.assert_logs(&["closed: no PROXY header came first"]);
    // It has not left, and may yet send something.
    assert_eq!(service.whoami_after(V1, "")["client"], "192.0.2.1");
}
