//! What testssl.sh, which looks at a server the way an auditor does, finds on each backend: no
//! protocol under TLS 1.2, no weak cipher, no renegotiation by the client, nothing above "low".

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::fs;
use std::time::Duration;

use serde_json::Value;
use turnkey_test_support::{Pki, Server, run, tool};

/// A run takes a minute on an idle machine.
const DEADLINE: Duration = Duration::from_secs(8 * 60);

/// Findings that are about the tool or about the certificate, which is the operator's.
const NOT_OURS: [&str; 2] = ["engine_problem", "scanProblem"];

/// What a backend cannot do better; `backends/README.md` says so too.
struct Known {
    backend: &'static str,
    /// Findings of the severity "low" by their ids.
    low: &'static [&'static str],
}

#[test]
fn native_tls() {
    // OpenSSL's list of native-tls has suites with CBC, after all others.
    assert_hardened(&Known { backend: "native-tls", low: &["cipherlist_AVERAGE", "LUCKY13"] });
}

#[test]
fn rustls() {
    assert_hardened(&Known { backend: "rustls", low: &[] });
}

#[test]
fn openssl() {
    assert_hardened(&Known { backend: "openssl", low: &[] });
}

fn assert_hardened(known: &Known) {
    let pki = Pki::new();
    let server = Server::with(&[&pki.server_args()[..], &["--backend", known.backend]].concat());
    let findings = scan(&pki, &server);

    let mut wrong: Vec<String> = Vec::new();
    for finding in &findings {
        let of = |name: &str| finding[name].as_str().unwrap_or_default();
        let (id, severity) = (of("id"), of("severity"));
        let fine = match severity {
            "OK" | "INFO" => true,
            "LOW" => known.low.contains(&id),
            _ => NOT_OURS.contains(&id),
        };
        if !fine {
            wrong.push(format!("{severity} {id}: {}", of("finding")));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", known.backend, wrong.join("\n"));

    // That it looked, and what it saw.
    for (id, expected) in [
        ("SSLv2", "not offered"),
        ("SSLv3", "not offered"),
        ("TLS1", "not offered"),
        ("TLS1_1", "not offered"),
        ("TLS1_2", "offered"),
        ("cipherlist_NULL", "not offered"),
        ("cipherlist_aNULL", "not offered"),
        ("cipherlist_EXPORT", "not offered"),
        ("cipherlist_LOW", "not offered"),
        ("cipherlist_3DES_IDEA", "not offered"),
        ("PFS", "offered"),
        ("secure_client_renego", "not vulnerable"),
        ("heartbleed", "not vulnerable"),
        ("BEAST", "not vulnerable"),
    ] {
        let found = findings.iter().find(|finding| finding["id"] == id);
        let text = found.and_then(|finding| finding["finding"].as_str());
        let text = text.unwrap_or_else(|| panic!("nothing was found about {id}: {findings:#?}"));
        // "likely not vulnerable (timed out)", where a server answers in no way that it knows.
        let text = text.strip_prefix("likely ").unwrap_or(text);
        assert!(text.starts_with(expected), "{}: {id}: {text}", known.backend);
    }
    let offers_tls13 = findings
        .iter()
        .any(|f| f["id"] == "TLS1_3" && f["finding"].as_str().unwrap().starts_with("offered"));
    assert_eq!(offers_tls13, known.backend != "native-tls");
}

/// Protocols, kinds of ciphers, the server's preferences, forward secrecy and known weaknesses.
fn scan(pki: &Pki, server: &Server) -> Vec<Value> {
    let report = pki.path("testssl.json");
    let mut command = tool("testssl");
    command
        .args(["--quiet", "--color", "0", "--warnings", "off", "--ip", "one"])
        .args(["--openssl", "/usr/bin/openssl", "--jsonfile", &report])
        .args(["-p", "-s", "-f", "-P", "-U"])
        .arg(format!("127.0.0.1:{}", server.port));
    let output = run(command, b"", DEADLINE);
    let report = fs::read_to_string(&report)
        .unwrap_or_else(|error| panic!("no report ({error}): {}{}", output.text(), output.stderr));
    serde_json::from_str(&report).unwrap()
}
