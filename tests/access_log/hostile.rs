//! Clients that write what is meant for whoever reads the log: line ends, quotes, what a terminal takes
//! for orders, text that runs the other way.

use crate::support::{Client, Dialer, Pki, Profile, Server, openssl};
use crate::{json, lines, objects, talk};

/// In text and in the formats of Apache, all that is no printable ASCII is written so.
const ESCAPED: [(&[u8], &str); 8] = [
    (b"\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    (b"a\"b\\c", r#"a\"b\\c"#),
    (b"tab\there", r"tab\there"),
    (b"\x9b31m\xff\xfe", r"\x9b31m\xff\xfe"),
    ("\u{202e}txt.exe\u{2066}".as_bytes(), r"\xe2\x80\xaetxt.exe\xe2\x81\xa6"),
    ("\u{85}\u{2028}next".as_bytes(), r"\xc2\x85\xe2\x80\xa8next"),
    ("b\u{fc}cher".as_bytes(), r"b\xc3\xbccher"),
    (b"\" 200 17 \"-\" \"forged", r#"\" 200 17 \"-\" \"forged"#),
];

/// A request with `bytes` in each place that a line tells of; with control characters it is refused, and
/// has its line all the same.
fn request(bytes: &[u8]) -> Vec<u8> {
    let (before, between) = (b"GET /", b" HTTP/1.1\r\nHost: a\r\nUser-Agent: ");
    [&before[..], bytes, between, bytes, b"\r\nReferer: ", bytes, b"\r\n\r\n"].concat()
}

#[test]
fn what_is_asked_for_is_escaped_in_every_format() {
    for format in ["text", "common", "combined"] {
        let server = Server::with(&["--log-format", format]);
        let dialer = Dialer::plain(server.port);
        for (bytes, _) in ESCAPED {
            talk(&dialer, &request(bytes));
        }
        for (line, (bytes, escaped)) in lines(&server, ESCAPED.len()).iter().zip(ESCAPED) {
            let asked = format!("\"GET /{escaped} HTTP/1.1\"");
            assert!(line.contains(&asked), "{format}: {}: {line}", bytes.escape_ascii());
            assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{format}: {line}");
        }
    }
}

/// A head of which the fields can be read, and hold all that they may.
#[test]
fn what_fields_say_is_escaped() {
    let agent = b"\"\\ \x80\xff\t\xe2\x80\xae";
    let request = [b"GET / HTTP/1.1\r\nHost: a\r\nReferer: ", &agent[..], b"\r\nUser-Agent: "];
    let request = [&request.concat()[..], agent, b"\r\n\r\n"].concat();
    let combined = Server::with(&["--log-format", "combined"]);
    talk(&Dialer::plain(combined.port), &request);
    let line = lines(&combined, 1).remove(0);
    let escaped = r#""\"\\ \x80\xff\t\xe2\x80\xae""#;
    assert!(line.ends_with(&format!("{escaped} {escaped}")), "{line}");

    let server = json(&[]);
    talk(&Dialer::plain(server.port), &request);
    let line = lines(&server, 1).remove(0);
    assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["user_agent"], "\"\\ \u{fffd}\u{fffd}\t\u{202e}", "{line}");
    assert_eq!(said["referer"], said["user_agent"]);
}

#[test]
fn json_stays_json() {
    let server = json(&[]);
    let dialer = Dialer::plain(server.port);
    for (bytes, _) in ESCAPED {
        talk(&dialer, &request(bytes));
    }
    // Bare ones are no end of a line of the head.
    talk(&dialer, b"GET /\r{\"status\":200} HTTP/1.1\r\n\r\n");
    talk(&dialer, b"GET /\n{\"status\":200}\r\n\r\n");
    for (line, (bytes, _)) in objects(&server, ESCAPED.len() + 2).iter().zip(ESCAPED) {
        let meant = String::from_utf8_lossy(bytes).into_owned();
        let target = line["target"].as_str().unwrap();
        assert!(target.contains(&meant), "{target:?} for {meant:?}");
    }
}

/// A client may have a certificate that says anything of it, if its CA lets it.
#[test]
fn names_in_certificates_are_escaped() {
    let names = [
        ("Alice Example", r"Alice\x20Example", "Alice Example"),
        ("a\" 200 \"b", r#"a\"\x20200\x20\"b"#, r#"a\" 200 \"b"#),
        ("-", r"\x2d", "-"),
        ("x\r\n127.0.0.1 - - [", r"x\r\n127.0.0.1\x20-\x20-\x20[", r"x\r\n127.0.0.1 - - ["),
        ("\u{1b}[2J\u{202e}", r"\x1b[2J\xe2\x80\xae", r"\x1b[2J\xe2\x80\xae"),
    ];
    let pki = Pki::new();
    let args = pki.mutual_args();
    let with = |format| Server::with(&[&args[..], &["--log-format", format]].concat());
    let (common, text, json) = (with("common"), with("text"), with("json"));
    for (name, ..) in names {
        let files = pki.save("odd", &pki.ca.issue(&Profile::client("odd").called(name)));
        let curl = Client::new(&["--cacert", &pki.ca_file, "-E", &files.both]);
        for server in [&common, &text, &json] {
            curl.fetch(&server.url).assert_top_level();
        }
    }
    let [common, text] = [&common, &text].map(|server| lines(server, names.len()));
    let json = objects(&json, names.len());
    for (n, (name, word, quoted)) in names.into_iter().enumerate() {
        assert!(common[n].starts_with(&format!("127.0.0.1 - {word} [")), "{}", common[n]);
        assert!(text[n].contains(&format!(" ms 127.0.0.1 \"{quoted}\" TLS ")), "{}", text[n]);
        assert_eq!(json[n]["client_cn"], name);
    }
}

/// Rules go by no common name of several, and each program takes another one of them: the logs name none.
#[test]
fn of_several_common_names_none_is_logged() {
    let pki = Pki::new();
    let ca_key = pki.write("ca.key", pki.ca.key_pem());
    let key = pki.client.key.as_str();
    let both = pki.path("several.pem");
    let issued = openssl(&[
        "req",
        "-x509",
        "-CA",
        &pki.ca_file,
        "-CAkey",
        &ca_key,
        "-key",
        key,
        "-subj",
        "/CN=alice/CN=bob",
        "-addext",
        "basicConstraints=CA:FALSE",
        "-addext",
        "extendedKeyUsage=clientAuth",
    ]);
    std::fs::write(&both, issued + &std::fs::read_to_string(key).unwrap()).unwrap();
    let args = pki.mutual_args();
    for (format, told) in [
        ("common", "127.0.0.1 - - ["),
        ("text", " ms 127.0.0.1 \"CN=bob,CN=alice\" TLS "),
        ("json", "\"client_cn\":null,\"client_subject\":\"CN=bob,CN=alice\""),
    ] {
        let server = Server::with(&[&args[..], &["--log-format", format]].concat());
        let curl = Client::new(&["--cacert", &pki.ca_file, "-E", &both]);
        let whoami = curl.fetch(&format!("{}whoami", server.url)).json();
        assert!(whoami["client_certificate"]["common_name"].is_null(), "{whoami}");
        let line = lines(&server, 1).remove(0);
        assert!(line.contains(told), "{format}: {line}");
    }
}

/// Lines are bounded, however much a head may hold.
#[test]
fn long_heads_make_no_endless_lines() {
    let server = Server::with(&["--max-head", "1M", "--log-format", "combined"]);
    let long = "\u{1}".repeat(500_000);
    let request =
        format!("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: {}\r\n\r\n", "a".repeat(500_000));
    talk(&Dialer::plain(server.port), request.as_bytes());
    talk(&Dialer::plain(server.port), format!("GET /{long}").as_bytes());
    let lines = lines(&server, 2);
    assert!(lines[0].len() < 9_000 && lines[1].len() < 33_000, "{lines:?}");
}
