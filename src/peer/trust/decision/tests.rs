use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::common::address::RemoteAddr;

const PROXIES: &str = "10.0.0.0/8, 2001:db8:1::/48, unix";
const OWN: Own<'_> = Own { scheme: "http", host: "inner:8000" };

/// What came of a head: client, scheme, host; the fields that are left; the names of those ignored.
#[derive(Debug)]
struct Decided {
    said: (String, &'static str, String),
    fields: Vec<(String, String)>,
    ignored: Vec<String>,
}

/// Decides on a request from `peer` with fields, `Name: value` on a line each.
fn decided(peer: &str, head: &str) -> Result<Decided, Contradiction> {
    let trust = Trust::new(PROXIES.parse().unwrap(), false);
    let sender = match peer {
        "unix" => trust.at(RemoteAddr::Unix),
        ip => trust.at(SocketAddr::new(ip.parse().unwrap(), 1234)),
    };
    decided_by(&trust, sender, head)
}

fn decided_by(trust: &Trust, sender: Sender, head: &str) -> Result<Decided, Contradiction> {
    let fields: Vec<_> = head
        .lines()
        .filter_map(|line| line.trim_start().split_once(':'))
        .map(|(name, value)| Header { name, value: value.trim().as_bytes() })
        .collect();
    let decision = trust.decide(sender, &fields, OWN)?;
    let left = decision.fields(&fields);
    Ok(Decided {
        fields: left
            .map(|(n, v)| (n.to_owned(), String::from_utf8_lossy(v).into_owned()))
            .collect(),
        said: (decision.client.to_string(), decision.scheme, decision.host.to_string()),
        ignored: decision.ignored.iter().map(|header| header.name().to_owned()).collect(),
    })
}

/// Client, scheme and host of a request from a trusted proxy.
fn said(head: &str) -> (String, &'static str, String) {
    decided("10.0.0.1", head).unwrap().said
}

fn client(head: &str) -> String {
    said(head).0
}

#[track_caller]
fn assert_said(head: &str, client: &str, scheme: &str, host: &str) {
    assert_eq!(
        said(head),
        (client.to_owned(), if scheme == "https" { "https" } else { "http" }, host.to_owned()),
        "{head}"
    );
}

const FORGED: &str = "Forwarded: for=6.6.6.6;proto=https;host=evil.example
    X-Forwarded-For: 6.6.6.6
    X-Forwarded-Proto: https
    X-Forwarded-Host: evil.example
    x_forwarded_proto: https
    X-Forwarded-Anything: 1
    X-Real-IP: 6.6.6.6
    Client-Cert: :MII=:
    X-Client-Verify: SUCCESS
    Accept: */*";

#[test]
fn nothing_is_believed_of_others() {
    for peer in ["192.0.2.1", "2001:db8:2::1", "127.0.0.1"] {
        let outcome = decided(peer, FORGED).unwrap();
        assert_eq!(outcome.said, (peer.to_owned(), "http", "inner:8000".to_owned()));
        assert_eq!(outcome.fields, [("Accept".to_owned(), "*/*".to_owned())]);
        let ignored = [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x_forwarded_proto",
            "x-forwarded-anything",
            "x-real-ip",
            "client-cert",
            "x-client-verify",
        ];
        assert_eq!(outcome.ignored, ignored);
    }
}

#[test]
fn what_follows_a_proxy_header_without_a_client_is_not_the_proxys_word() {
    let trust = Trust::new(PROXIES.parse().unwrap(), true);
    let proxy = trust.at("10.0.0.1:1234".parse::<SocketAddr>().unwrap());
    assert_eq!(proxy.standing, Standing::Trusted);
    let unnamed = Sender { standing: Standing::Unnamed, ..proxy };
    let outcome = decided_by(&trust, unnamed, FORGED).unwrap();
    assert_eq!(outcome.said, ("10.0.0.1".to_owned(), "http", "inner:8000".to_owned()));
    assert_eq!(outcome.fields.len(), 1);
}

#[test]
fn a_trusted_proxy_is_believed() {
    let head = "X-Forwarded-For: 192.0.2.1
        X-Forwarded-Proto: https
        X-Forwarded-Host: example.com
        Client-Cert: :MII=:
        X-Client-Verify: SUCCESS
        X-Real-IP: 192.0.2.1";
    let outcome = decided("10.0.0.1", head).unwrap();
    assert_eq!(outcome.said, ("192.0.2.1".to_owned(), "https", "example.com".to_owned()));
    assert_eq!((outcome.fields.len(), outcome.ignored.len()), (6, 0), "{outcome:?}");
    assert_said(
        r#"Forwarded: for="[2001:db8:2::17]:4711";proto=HTTPS;host="example.com:8443""#,
        "2001:db8:2::17",
        "https",
        "example.com:8443",
    );
    // As a socket for both IPv4 and IPv6 has it.
    let mapped = decided("::ffff:10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1").unwrap();
    assert_eq!(mapped.said.0, "192.0.2.1");
    assert_eq!(decided("::ffff:192.0.2.1", "").unwrap().said.0, "192.0.2.1");
    assert_said("Accept: */*", "10.0.0.1", "http", "inner:8000");
    assert_said("X-Forwarded-For:\n Forwarded: ,", "10.0.0.1", "http", "inner:8000");
}

#[test]
fn the_client_is_the_rightmost_that_is_not_trusted() {
    assert_eq!(client("X-Forwarded-For: 6.6.6.6, 192.0.2.1"), "192.0.2.1", "a forged left part");
    assert_eq!(client("X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.3, 10.0.0.2"), "192.0.2.1");
    assert_eq!(client("X-Forwarded-For: 10.9.9.9, 192.0.2.1, 10.0.0.2"), "192.0.2.1", "mixed");
    assert_eq!(client("X-Forwarded-For: 10.0.0.4,10.0.0.3,10.0.0.2"), "10.0.0.4", "all trusted");
    assert_eq!(
        client("X-Forwarded-For: 192.0.2.1:1, ::ffff:10.0.0.2, [2001:db8:1::5]:443"),
        "192.0.2.1"
    );
    assert_eq!(client("X-Forwarded-For: ,192.0.2.1,, ,"), "192.0.2.1", "empty elements");
    assert_eq!(client("X-Forwarded-For: 2001:db8::1"), "2001:db8::1");
    assert_eq!(
        client(
            "Forwarded: for=6.6.6.6, for=192.0.2.1;by=10.0.0.3, for=10.0.0.2, for=\"[2001:db8:1::5]\""
        ),
        "192.0.2.1"
    );
}

#[test]
fn several_lines_are_one_list() {
    let head = "X-Forwarded-For: 6.6.6.6
        Accept: */*
        x-forwarded-for: 192.0.2.1, 10.0.0.3
        X-Forwarded-For: 10.0.0.2";
    let outcome = decided("10.0.0.1", head).unwrap();
    assert_eq!(outcome.said.0, "192.0.2.1");
    let left: Vec<_> = outcome.fields.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(left, ["*/*", "192.0.2.1, 10.0.0.3", "10.0.0.2"], "what was forged is gone");
    assert_eq!(
        client("Forwarded: for=6.6.6.6\n Forwarded: for=192.0.2.1\n Forwarded: for=10.0.0.2"),
        "192.0.2.1"
    );
    assert_eq!(client("Forwarded: for=\"6.6.6.6\n Forwarded: for=192.0.2.1"), "192.0.2.1");
}

#[test]
fn what_is_left_of_the_client_does_not_reach_the_app() {
    for (head, left) in [
        ("X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2", "192.0.2.1, 10.0.0.2"),
        ("X-Forwarded-Proto: https, http", "http"),
        ("X-Forwarded-Host: evil.example , example.com", "example.com"),
        ("Forwarded: for=6.6.6.6, for=192.0.2.1;proto=http", "for=192.0.2.1;proto=http"),
        ("X-Forwarded-For: junk, 10.0.0.2", "10.0.0.2"),
    ] {
        let outcome = decided("10.0.0.1", head).unwrap();
        assert_eq!(outcome.fields.len(), 1);
        assert_eq!(outcome.fields[0].1, left, "{head}");
        assert_eq!(outcome.ignored.len(), 0);
    }
}

#[test]
fn scheme_and_host_are_those_of_the_clients_hop() {
    let both = "X-Forwarded-For: 192.0.2.1, 10.0.0.2
        X-Forwarded-Proto: http, https, http
        X-Forwarded-Host: evil.example, example.com, inner.example";
    assert_said(both, "192.0.2.1", "https", "example.com");
    // The inner proxy hands on what the outer one said.
    let one = "X-Forwarded-For: 192.0.2.1, 10.0.0.2\n X-Forwarded-Proto: https";
    assert_said(one, "192.0.2.1", "https", "inner:8000");
    assert_said("X-Forwarded-Proto: https, http", "10.0.0.1", "http", "inner:8000");
    assert_said(
        "X-Forwarded-Proto: https\n X-Forwarded-Proto: http",
        "10.0.0.1",
        "http",
        "inner:8000",
    );
    assert_said(
        "Forwarded: for=6.6.6.6;proto=https, for=192.0.2.1;proto=http;host=a, for=10.0.0.2;proto=https;host=b",
        "192.0.2.1",
        "http",
        "a",
    );
    // Between the proxies it says nothing about the client.
    assert_said(
        "Forwarded: for=192.0.2.1, for=10.0.0.2;proto=https;host=b",
        "192.0.2.1",
        "http",
        "inner:8000",
    );
}

#[test]
fn hidden_clients_are_at_the_nearest_address_that_is_known() {
    assert_said(
        "Forwarded: for=6.6.6.6, for=_hidden;proto=https, for=10.0.0.2",
        "10.0.0.2",
        "https",
        "inner:8000",
    );
    assert_said("Forwarded: for=unknown;proto=https", "10.0.0.1", "https", "inner:8000");
    assert_said("Forwarded: proto=https;host=example.com", "10.0.0.1", "https", "example.com");
    assert_eq!(client("X-Forwarded-For: 6.6.6.6, unknown"), "10.0.0.1");
}

#[test]
fn nothing_is_believed_from_what_is_malformed_on() {
    let outcome = decided("10.0.0.1", "X-Forwarded-For: 6.6.6.6, junk, 10.0.0.2").unwrap();
    assert_eq!((outcome.said.0.as_str(), outcome.ignored.len()), ("10.0.0.2", 0));
    for name in ["X-Forwarded-For", "Forwarded"] {
        let outcome = decided("10.0.0.1", &format!("{name}: 6.6.6.6, @junk@")).unwrap();
        assert_eq!(outcome.said.0, "10.0.0.1");
        assert_eq!((outcome.fields.len(), outcome.ignored.len()), (0, 1), "{name}");
    }
    assert_eq!(client("Forwarded: for=6.6.6.6, for=10.0.0.2:80"), "10.0.0.1", "not quoted");
    assert_eq!(client("X-Forwarded-For: \"192.0.2.1\""), "10.0.0.1", "quoted");
}

#[test]
fn invalid_schemes_and_hosts_are_ignored() {
    for (head, ignored) in [
        ("X-Forwarded-Proto: wss", "x-forwarded-proto"),
        ("X-Forwarded-Proto: https, javascript", "x-forwarded-proto"),
        ("X-Forwarded-Host: a b", "x-forwarded-host"),
        ("X-Forwarded-Host: user@example.com", "x-forwarded-host"),
        ("X-Forwarded-Host: example.com/path", "x-forwarded-host"),
        ("X-Forwarded-Host: 1.2.3.456", "x-forwarded-host"),
        ("X-Forwarded-Host: b\u{fc}cher.example", "x-forwarded-host"),
        ("Forwarded: proto=ftp", "forwarded"),
        (r#"Forwarded: host="a\"b""#, "forwarded"),
    ] {
        let outcome = decided("10.0.0.1", head).unwrap();
        assert_eq!(
            outcome.said,
            ("10.0.0.1".to_owned(), "http", "inner:8000".to_owned()),
            "{head}"
        );
        assert_eq!(
            (outcome.ignored, outcome.fields.len()),
            (vec![ignored.to_owned()], 0),
            "{head}"
        );
    }
}

#[test]
fn disguised_names_go_from_a_trusted_proxy_too() {
    let head =
        "X_Forwarded_For: 6.6.6.6\n X-Forwarded_Proto: https\n Client_Cert: :MII=:\n My_Own: 1";
    let outcome = decided("10.0.0.1", head).unwrap();
    assert_eq!(outcome.said, ("10.0.0.1".to_owned(), "http", "inner:8000".to_owned()));
    assert_eq!(outcome.fields, [("My_Own".to_owned(), "1".to_owned())]);
    assert_eq!(outcome.ignored, ["x_forwarded_for", "x-forwarded_proto", "client_cert"]);
}

#[test]
fn two_readings_are_refused() {
    let agree = "Forwarded: for=192.0.2.1;proto=https;host=Example.com
        X-Forwarded-For: 6.6.6.6, 192.0.2.1
        X-Forwarded-Proto: https
        X-Forwarded-Host: example.COM";
    assert_said(agree, "192.0.2.1", "https", "Example.com");
    assert_said(
        "Forwarded: for=192.0.2.1;proto=https\n X-Forwarded-For: 192.0.2.1",
        "192.0.2.1",
        "https",
        "inner:8000",
    );
    for (head, name) in [
        ("Forwarded: for=6.6.6.6\n X-Forwarded-For: 192.0.2.1", FOR),
        ("Forwarded: for=\"\n X-Forwarded-For: 192.0.2.1", FOR),
        ("Forwarded: for=_hidden\n X-Forwarded-For: 192.0.2.1", FOR),
        ("Forwarded: for=192.0.2.1;proto=https\n X-Forwarded-Proto: http", PROTO),
        ("Forwarded: for=192.0.2.1\n X-Forwarded-Proto: https", PROTO),
        ("Forwarded: for=192.0.2.1\n X-Forwarded-Host: evil.example", HOST),
    ] {
        assert_eq!(decided("10.0.0.1", head).unwrap_err(), Contradiction(name), "{head}");
        assert!(decided("192.0.2.1", head).is_ok(), "from others neither counts");
    }
}

proptest! {
    /// However a client begins the fields that a proxy appends to, it does not get further.
    #[test]
    fn what_a_client_writes_changes_nothing(forged in r#"[a-z0-9=",;:\\ .\[\]_-]{0,60}"#, name in 0_usize..3) {
        let (name, appended) = [
            ("Forwarded", "for=192.0.2.1;proto=http"),
            ("Forwarded", "for=\"192.0.2.1:80\";proto=http;host=\"inner:8000\""),
            ("X-Forwarded-For", "192.0.2.1"),
        ][name];
        let outcome = decided("10.0.0.1", &format!("{name}: {forged}, {appended}")).unwrap();
        prop_assert_eq!(outcome.said, ("192.0.2.1".to_owned(), "http", "inner:8000".to_owned()));
        prop_assert_eq!(outcome.fields, [(name.to_owned(), appended.to_owned())]);
    }

    #[test]
    fn takes_any_values(values in proptest::collection::vec("\\PC{0,40}", 4)) {
        let names = ["Forwarded", FOR, PROTO, HOST];
        let fields: Vec<_> = names.iter().zip(&values)
            .map(|(name, value)| Header { name, value: value.as_bytes() })
            .collect();
        let trust = Trust::new(PROXIES.parse().unwrap(), false);
        let sender = trust.at("10.0.0.1:1".parse::<SocketAddr>().unwrap());
        // Whatever they say, it must not panic.
        _ = trust.decide(sender, &fields, OWN).map(|d| d.fields(&fields).count());
    }
}

#[test]
fn who_comes_over_a_unix_socket_has_no_address_of_its_own() {
    let said = |head| decided("unix", head).unwrap().said.0;
    assert_eq!(said(""), "unix");
    assert_eq!(said("X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.7"), "192.0.2.1");
    assert_eq!(said("Forwarded: for=unknown"), "unix");
    let trust = Trust::new("10.0.0.0/8".parse().unwrap(), false);
    let outcome = decided_by(&trust, trust.at(RemoteAddr::Unix), FORGED).unwrap();
    assert_eq!(outcome.said.0, "unix", "nobody trusts it");
    assert_eq!(outcome.fields.len(), 1);
}
