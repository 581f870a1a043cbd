//! `/whoami`, in each mode, with a certificate and without.

use serde_json::Value;

use crate::support::{Pki, Profile, Server};
use crate::{Seen, Visit, browse, in_every_look};

/// A visit to `/whoami`.
fn visit(server: &Server, picture: &str) -> Visit {
    Visit::to(&format!("{}whoami", server.url), picture)
}

/// What is seen of `/whoami` says the same as its JSON, in every look.
#[track_caller]
fn look(visit: &Visit) -> Seen {
    let mut all = in_every_look(visit);
    for seen in &all {
        assert_eq!(seen.status(), 200);
        assert_agrees(seen);
    }
    all.swap_remove(0)
}

/// The same in one look, where others have been looked at already.
#[track_caller]
fn glance(visit: Visit) -> Seen {
    let mut seen = browse(&[visit]);
    let seen = seen.swap_remove(0);
    seen.assert_sound();
    assert_agrees(&seen);
    seen
}

/// Every value of the JSON stands in its place on the page.
#[track_caller]
fn assert_agrees(seen: &Seen) {
    let json = seen.json();
    let is = |heading, name, value: &Value| {
        // Where there is none the page has words for it.
        if !value.is_null() {
            assert_eq!(seen.fact(heading, name), value, "{json:#}");
        }
    };
    for (name, key) in
        [("Mode", "mode"), ("Backend", "backend"), ("Scheme", "scheme"), ("Host", "host")]
    {
        assert!(json[key].is_string(), "{json:#}");
        is("Connection", name, &json[key]);
    }
    assert!(seen.title().contains(json["mode"].as_str().unwrap()), "{}", seen.title());
    assert!(seen.title().contains(json["host"].as_str().unwrap()), "{}", seen.title());
    is("Address", "Connection from", &json["peer"]);
    is("Address", "Client", &json["client"]);
    is("Address", "Why", &json["trust"]["why"]);
    let removed = json["removed"].as_array().unwrap();
    for header in removed {
        let said = seen.fact("Removed headers", header["name"].as_str().unwrap()).as_str().unwrap();
        for part in ["value", "reason"] {
            assert!(said.contains(header[part].as_str().unwrap()), "{header} as {said:?}");
        }
    }
    assert_eq!(seen.text().contains("Removed headers\n\nNone."), removed.is_empty());
    let tls = &json["tls"];
    for (name, key) in [
        ("Protocol", "version"),
        ("Cipher suite", "cipher_suite"),
        ("Key exchange", "key_exchange"),
        ("ALPN", "alpn"),
        ("Server name (SNI)", "server_name"),
    ] {
        is("TLS", name, &tls[key]);
    }
    let certificate = &json["client_certificate"];
    for (name, key) in [
        ("Subject", "subject"),
        ("Issuer", "issuer"),
        ("Serial number", "serial"),
        ("SHA-256", "fingerprint"),
        ("Names", "subject_alt_names"),
    ] {
        is("Client certificate", name, &certificate[key]);
    }
    if certificate.is_object() {
        let until = seen.fact("Client certificate", "Valid until").as_str().unwrap();
        assert_until(until, certificate);
    }
    if let Some(issuers) = certificate["chain"].as_array() {
        let chain = [std::slice::from_ref(certificate), issuers].concat();
        assert_eq!(seen.chain().len(), chain.len(), "{chain:#?}");
        for (item, certificate) in seen.chain().into_iter().zip(&chain) {
            assert!(item.starts_with(certificate["subject"].as_str().unwrap()), "{item}");
            assert_until(item, certificate);
        }
    }
}

/// `text` says when `certificate` ends, and how far off that is.
#[track_caller]
fn assert_until(text: &str, certificate: &Value) {
    let end = certificate["not_after"].as_str().unwrap();
    let end = format!("{} UTC", end.replace('T', " ").trim_end_matches('Z'));
    let left = format!("{} day", certificate["days_left"]);
    let hours = certificate["days_left"] == 0;
    assert!(text.contains(&end), "no {end:?} in {text:?}");
    assert!(hours || text.contains(&left), "no {left:?} in {text:?}");
}

#[test]
fn in_the_clear() {
    let server = Server::with(&[]);
    let seen = look(&visit(&server, "whoami-http"));
    assert_eq!(seen.fact("Connection", "Mode"), "http");
    assert!(seen.text().contains("This connection is in the clear"), "{}", seen.text());
    assert!(
        seen.text().contains("None: the connection to this server is in the clear."),
        "{}",
        seen.text()
    );
    assert!(seen.text().contains("None: certificates are shown in TLS only."), "{}", seen.text());
}

#[test]
fn by_https() {
    let pki = Pki::new();
    for backend in ["native-tls", "rustls", "openssl"] {
        let args = [&pki.server_args()[..], &["--backend", backend]].concat();
        let server = Server::with(&args);
        let seen = glance(visit(&server, &format!("whoami-https-{backend}")));
        assert_eq!(seen.fact("Connection", "Backend"), backend);
        let asked = "A certificate of the client was not asked for.";
        assert!(seen.text().contains(asked), "{}", seen.text());
        let asks = "None: this server does not ask for one.";
        assert!(seen.text().contains(asks), "{}", seen.text());
        if backend == "native-tls" {
            let rest = "Not told by native-tls: Cipher suite, Key exchange, ALPN, Server name (SNI), \
                        Session.";
            assert!(seen.text().contains(rest), "{}", seen.text());
        } else {
            assert!(seen.fact("TLS", "Cipher suite").as_str().unwrap().starts_with("TLS_"));
            assert_eq!(seen.fact("TLS", "ALPN"), "http/1.1");
            // It went to an address.
            assert_eq!(seen.fact("TLS", "Server name (SNI)"), "none asked for");
        }
    }
}

#[test]
fn by_mutual_tls() {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let names = ["a-client-with-a-name-that-is-rather-long.department.example.test", "client.test"];
    let profile = Profile::client("client.localhost").names(&names);
    let client = department.issue(&profile).with_chain(&[&department]);
    let client = pki.save("chained", &client);
    for backend in ["rustls", "openssl"] {
        let args = [&pki.mutual_args()[..], &["--backend", backend]].concat();
        let server = Server::with(&args);
        let seen = look(&visit(&server, &format!("whoami-mutual-{backend}")).with(&client));
        assert_eq!(seen.fact("Connection", "Mode"), "mutual");
        let proved =
            "You have proved that you have the key of the certificate of client.localhost.";
        assert!(seen.text().contains(proved), "{}", seen.text());
        let [own, between, ca] = seen.chain()[..] else { panic!("{:?}", seen.chain()) };
        assert!(own.contains("the client's certificate, until "), "{own}");
        assert!(
            between.contains("CN=Department CA") && between.contains("a CA between"),
            "{between}"
        );
        assert!(ca.contains("CN=Test CA") && ca.contains("a CA that this server trusts"), "{ca}");
    }
}

#[test]
fn without_a_certificate_where_one_is_optional() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--client-verify", "optional"]].concat();
    let server = Server::with(&args);
    let seen = look(&visit(&server, "whoami-optional"));
    assert_eq!(seen.fact("Connection", "Mode"), "mutual");
    let asked = "A certificate of the client was asked for, and none was sent.";
    assert!(seen.text().contains(asked), "{}", seen.text());
    let none = "None: one was asked for, and none was sent.";
    assert!(seen.text().contains(none), "{}", seen.text());
}

/// Names that somebody chose who means ill, or has a long one.
#[test]
fn names_do_nothing_to_the_page() {
    let pki = Pki::new();
    let name = format!("<b>&\"'\u{202e}\u{200b}{}", "x".repeat(50));
    let client = pki.save("odd", &pki.ca.issue(&Profile::client("odd.test").called(&name)));
    let server = Server::with(&pki.mutual_args());
    let seen = look(&visit(&server, "whoami-odd").with(&client));
    assert!(
        seen.text().contains("the certificate of <b>&\"'\\u{202e}\\u{200b}xxx"),
        "{}",
        seen.text()
    );
}

#[test]
fn behind_proxies() {
    let server = Server::with(&["--trust-proxy", "127.0.0.1,10.0.0.0/8"]);
    let chain = "6.6.6.6, 203.0.113.7, 10.0.0.5";
    let proxied = visit(&server, "whoami-behind")
        .header("X-Forwarded-For", chain)
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "www.example.test");
    let seen = look(&proxied);
    let from = seen.fact("Address", "Connection from").as_str().unwrap();
    assert!(from.starts_with("127.0.0.1:"), "{from}");
    assert_eq!(seen.fact("Address", "Client"), "203.0.113.7");
    let why = "X-Forwarded-For, hop 2 from the right; 127.0.0.1 is trusted by 127.0.0.1, 10.0.0.5 is \
               trusted by 10.0.0.0/8";
    assert_eq!(seen.fact("Address", "Why"), why);
    assert_eq!(seen.fact("Connection", "Scheme"), "https");
    assert!(seen.text().contains("says that you came to it by HTTPS"), "{}", seen.text());
    assert_eq!(seen.fact("Connection", "Host"), "www.example.test");
    let json = &seen.json()["trust"];
    assert_eq!(json["hop"], 2);
    assert_eq!(json["proxies"][1]["trusted_by"], "10.0.0.0/8");
}

#[test]
fn with_fields_that_nobody_is_to_believe() {
    let server = Server::with(&[]);
    let forged = visit(&server, "whoami-removed")
        .header("X-Forwarded-For", "<b>203.0.113.7</b>")
        .header("X-Forwarded-Proto", "https")
        .header("Client-Cert", &format!(":{}:", "MIIB".repeat(400)));
    let seen = look(&forged);
    assert_eq!(seen.fact("Address", "Client"), "127.0.0.1");
    let why = "the connection's own address: no proxy is trusted (--trust-proxy)";
    assert_eq!(seen.fact("Address", "Why"), why);
    let said = seen.fact("Removed headers", "x-forwarded-for").as_str().unwrap();
    let expected = "<b>203.0.113.7</b> not in --trust-proxy; add --trust-proxy 127.0.0.1 if that is a \
                    proxy of yours";
    assert_eq!(said, expected);
    assert_eq!(seen.fact("Connection", "Scheme"), "http");
}
