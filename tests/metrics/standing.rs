//! What does not come with requests: certificates, reloads, what the program is, lines that are lost.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Pki, Profile, Server};
use crate::{assert_counts, counted, samples};

const DAY: u64 = 24 * 60 * 60;

/// The days that are left of the certificates in a role, with the serial number of each.
fn days(server: &Server, role: &str) -> Vec<(String, f64)> {
    let samples = samples(server);
    let of_role = samples.into_iter().filter(|(name, _)| {
        name.starts_with("turnkey_certificate_days_left{")
            && name.contains(&format!("role=\"{role}\""))
    });
    of_role
        .map(|(name, days)| {
            (name.split("serial=\"").nth(1).unwrap().split('"').next().unwrap().to_owned(), days)
        })
        .collect()
}

#[test]
fn days_left_follow_what_is_served() {
    let pki = Pki::new();
    let leaf = |days: u64| {
        let valid = std::time::Duration::from_secs(days * DAY + DAY / 2);
        pki.ca.issue(&Profile::server("server.localhost").valid_for(valid))
    };
    let (first, second) = (leaf(40), leaf(80));
    let files = pki.save("served", &first);
    let args = ["--cert", &files.cert, "--key", &files.key, "--client-ca", &pki.ca_file];
    let server = counted(&args);
    let assert_left = |days: &[(String, f64)], least: f64| {
        assert!(days.len() == 1 && (least..least + 1.0).contains(&days[0].1), "{days:?}");
    };
    let before = days(&server, "server");
    assert_left(&before, 40.0);
    assert_eq!(days(&server, "client_ca").len(), 1);
    assert_counts(
        &server,
        &[
            (r#"turnkey_reloads_total{result="done"}"#, 0.0),
            (r#"turnkey_reloads_total{result="failed"}"#, 0.0),
        ],
    );

    pki.save("served", &second);
    server.reload();
    let after = days(&server, "server");
    assert_left(&after, 80.0);
    assert_ne!(before[0].0, after[0].0, "another certificate, another serial number");

    pki.write("served.crt", "nonsense");
    std::fs::write(&files.cert, "nonsense").unwrap();
    assert!(server.hang_up().starts_with("error: not reloaded"));
    let done = samples(&server)[r#"turnkey_reloads_total{result="done"}"#];
    let failed = samples(&server)[r#"turnkey_reloads_total{result="failed"}"#];
    // A file that changes is read without a signal too.
    assert!(done >= 1.0 && failed >= 1.0, "{done} {failed}");
    assert_eq!(days(&server, "server")[0].0, after[0].0, "all is as it was");
}

#[test]
fn what_it_is_and_since_when() {
    let server = counted(&[]);
    let samples = samples(&server);
    let build = samples.keys().find(|name| name.starts_with("turnkey_build_info{")).unwrap();
    assert!(build.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))), "{build}");
    assert!(build.contains("backend=\"plain"), "{build}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let age = now - samples["process_start_time_seconds"];
    assert!((0.0..60.0).contains(&age), "{age}");
    for log in ["access", "log"] {
        let dropped = samples[&format!("turnkey_log_lines_dropped_total{{log=\"{log}\"}}")];
        assert!(dropped.abs() < 0.1, "{dropped}");
    }
    // There are no certificates, and none is told of.
    assert!(!samples.keys().any(|name| name.contains("days_left{")), "{samples:#?}");
}
