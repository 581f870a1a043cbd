//! Connections and handshakes, and why some came to nothing.

use std::thread;
use std::time::Duration;

use crate::support::{Client, Conn, Dialer, Pki, Profile};
use crate::{assert_counts, counted, samples};

#[test]
fn connections_are_open_accepted_or_turned_away() {
    let server = counted(&["--max-connections", "3"]);
    let dialer = Dialer::plain(server.port);
    let mut conns: Vec<Conn> = (0..3).map(|_| dialer.open()).collect();
    for conn in &mut conns {
        conn.get().assert_top_level();
    }
    assert_eq!(dialer.open().response().status, 503);
    assert_counts(
        &server,
        &[
            ("turnkey_connections_open", 3.0),
            ("turnkey_connections_accepted_total", 3.0),
            (r#"turnkey_connections_turned_away_total{limit="connections"}"#, 1.0),
            (r#"turnkey_connections_turned_away_total{limit="handshakes"}"#, 0.0),
            (r#"turnkey_requests_total{code="503",method="none"}"#, 1.0),
        ],
    );
    conns.truncate(1);
    assert_counts(&server, &[("turnkey_connections_open", 1.0)]);
}

#[test]
fn handshakes_by_result_and_reason() {
    let pki = Pki::new();
    let server = counted(&[&pki.mutual_args()[..], &["--handshake-timeout", "3"]].concat());
    let curl = Client::new(&["--cacert", &pki.ca_file]);
    let with = |files: &str| curl.and(&["-E", files]);
    for _ in 0..2 {
        with(&pki.client.both).fetch(&server.url).assert_top_level();
    }
    curl.fetch(&server.url);
    let expired = pki.save("expired", &pki.ca.issue(&Profile::client("client").expired()));
    with(&expired.both).fetch(&server.url);
    Client::new(&["-E", &pki.client.both]).fetch(&server.url);
    curl.fetch(&server.url.replace("https:", "http:"));
    drop(Dialer::plain(server.port).tcp());
    let silent = Dialer::plain(server.port).tcp();
    thread::sleep(Duration::from_millis(3300));
    drop(silent);
    assert_counts(
        &server,
        &[
            (r#"turnkey_handshakes_total{reason="none",result="completed"}"#, 2.0),
            (r#"turnkey_handshakes_total{reason="no_certificate",result="failed"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="expired",result="failed"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="our_ca_unknown_to_client",result="failed"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="plain_http_on_tls_port",result="failed"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="left_without_a_word",result="left"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="out_of_time",result="failed"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="revoked",result="failed"}"#, 0.0),
            ("turnkey_handshake_duration_seconds_count", 2.0),
            ("turnkey_connections_open", 0.0),
            ("turnkey_connections_accepted_total", 8.0),
        ],
    );
    // Those that were counted are those that the log tells of.
    let counted = samples(&server);
    let failed = counted.iter().filter(|(name, _)| name.contains("result=\"failed\""));
    assert!((failed.map(|(_, count)| count).sum::<f64>() - 5.0).abs() < 0.1, "{counted:#?}");
}

/// Whom no rule lets in has shaken hands all the same.
#[test]
fn a_client_that_is_denied_has_completed_its_handshake() {
    let pki = Pki::new();
    let server = counted(&[&pki.mutual_args()[..], &["--allow-cn", "nobody"]].concat());
    let curl = Client::new(&["--cacert", &pki.ca_file, "-E", &pki.client.both]);
    assert_eq!(curl.fetch(&server.url).status, 403);
    assert_counts(
        &server,
        &[
            (r#"turnkey_handshakes_total{reason="none",result="completed"}"#, 1.0),
            (r#"turnkey_handshakes_total{reason="not_allowed_by_rule",result="failed"}"#, 0.0),
            (r#"turnkey_requests_total{code="403",method="GET"}"#, 1.0),
        ],
    );
}
