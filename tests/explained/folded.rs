//! Whoever tries again and again makes one line, and then one that says how often.

use crate::Site;
use crate::on_every_verifying_backend;
use crate::support::{Files, Pki, Profile, Setup};

on_every_verifying_backend! {
    repeats_are_counted
}

fn repeats_are_counted(setup: Setup) {
    let mut site = Site::mutual(setup, Pki::new(), &[]);
    let client = |name| Profile::client(name).expired();
    let [alice, bob] = ["alice", "bob"].map(|n| site.pki.save(n, &site.pki.ca.issue(&client(n))));
    for _ in 0..5 {
        attempt(&site, "127.0.0.1", None);
    }
    for _ in 0..3 {
        attempt(&site, "127.0.0.1", Some(&alice));
    }
    attempt(&site, "127.0.0.1", Some(&bob));
    attempt(&site, "127.0.0.2", None);
    site.server.signal("TERM");
    assert!(site.server.wait().success());

    let summary = "connections that came to nothing: 10 (6 no certificate, 4 expired); that left \
                   without a word: 0";
    site.server.assert_logs(&[&format!("info: {summary}")]);
    let log = site.server.log();
    // Each once, and the repeats of all that had some.
    for (who, what, repeats) in [
        ("127.0.0.1", "the client sent no certificate", 4),
        ("127.0.0.1", "\"CN=alice,O=Company\" expired", 2),
        ("127.0.0.1", "\"CN=bob,O=Company\" expired", 0),
        ("127.0.0.2", "the client sent no certificate", 0),
    ] {
        let about = |line: &&str| line.starts_with(&format!("info: {who}:")) && line.contains(what);
        let (folded, whole): (Vec<_>, Vec<_>) =
            log.lines().filter(about).partition(|line| line.contains(" more in 10 seconds: "));
        assert_eq!(whole.len(), 1, "{who}: {what}: {log}");
        let counted: usize = folded.iter().map(|line| times(line)).sum();
        assert_eq!(counted, repeats, "{who}: {what}: {log}");
    }
}

/// What stands in `127.0.0.1: 4 times more in 10 seconds: …`.
fn times(line: &str) -> usize {
    let count = line.split(": ").nth(2).and_then(|text| text.split(' ').next());
    match count.unwrap_or_default() {
        "once" => 1,
        number => number.parse().unwrap_or_else(|e| panic!("{e}: {line}")),
    }
}

fn attempt(site: &Site, from: &str, client: Option<&Files>) {
    let mut curl = site.setup.client(&site.pki).and(&["--interface", from]);
    if let Some(files) = client {
        curl = curl.and(&["-E", &files.both]);
    }
    curl.fetch(&site.server.url).assert_refused();
}
