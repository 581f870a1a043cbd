//! What a later run issues again, and why.

use super::super::KeyType;
use super::*;

/// Asserts that the server's certificate and its key were renewed for this reason, but not those of the CA and the
/// client.
fn assert_server_renewed(folder: &Folder, now: SystemTime, why: &str) {
    let before = folder.snapshot();
    let report = folder.run_at(now).unwrap();
    let outcome = outcome(&report, "server");
    assert!(outcome.starts_with("renewed: ") && outcome.contains(why), "{outcome}");
    assert_eq!(
        written(&report, "server"),
        ["server.crt", "server.key", "server_chain.pem", "server.p12"]
    );
    for (file, contents) in folder.snapshot() {
        let changed = before.get(&file) != Some(&contents);
        assert_eq!(changed, file.starts_with("server"), "{file}");
    }
}

#[test]
fn an_expired_certificate_is_renewed_by_the_same_ca() {
    let folder = Folder::new();
    folder.run_at(days_ago(400)).unwrap();
    let ca = folder.read("ca.crt");
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "ca"), "kept");
    for name in ["server", "client"] {
        assert!(outcome(&report, name).starts_with("renewed: expired on 20"));
    }
    assert!(report.to_string().contains("  renewed: the old one expired on 20"), "{report}");
    assert_eq!(folder.read("ca.crt"), ca);
    folder.assert_verifies();
}

#[test]
fn a_certificate_is_renewed_thirty_days_before_its_end() {
    let folder = Folder::new();
    folder.run_at(days_ago(365 - 31)).unwrap();
    assert_eq!(outcome(&folder.run().unwrap(), "server"), "kept");
    let folder = Folder::new();
    folder.run_at(days_ago(365 - 30)).unwrap();
    let report = folder.run().unwrap();
    assert!(outcome(&report, "server").starts_with("renewed: ends soon, on 20"));
    assert!(outcome(&report, "client").starts_with("renewed: ends soon, on 20"));
}

#[test]
fn a_short_lived_certificate_is_renewed_when_a_third_of_its_life_is_left() {
    for (days, age, expected) in [
        (1, 0, "kept"),
        (30, 19, "kept"),
        (30, 20, "renewed: ends soon"),
        (59, 39, "kept"),
        (59, 40, "renewed: ends soon"),
        (60, 29, "kept"),
        (60, 30, "renewed: ends soon"),
    ] {
        let mut folder = Folder::new();
        folder.options.days = days;
        folder.run_at(days_ago(age)).unwrap();
        let outcome = outcome(&folder.run().unwrap(), "server");
        assert!(outcome.starts_with(expected), "{days} days, {age} ago: {outcome}");
    }
}

#[test]
fn a_certificate_from_the_future_is_renewed() {
    let folder = Folder::new();
    folder.run_at(days_ago(10)).unwrap();
    folder.remove("server.key");
    folder.run().unwrap();
    // The clock was wrong, and was set back.
    assert_server_renewed(&folder, days_ago(5), "was valid only from 20");
}

#[test]
fn no_certificate_outlives_its_ca_nor_is_renewed_for_ending_with_it() {
    let folder = Folder::new();
    folder.run_at(days_ago(3650 - 20)).unwrap();
    let report = folder.run().unwrap();
    assert!(outcome(&report, "server").starts_with("renewed: expired"));
    assert_eq!(identity(&report, "server").not_after, identity(&report, "ca").not_after);
    folder.assert_verifies();
    // Less than a third of its life is left then, but a new one would not last longer.
    let before = folder.snapshot();
    folder.run_at(SystemTime::now() + DAY * 15).unwrap();
    assert_eq!(folder.snapshot(), before);
}

#[test]
fn a_name_that_is_missing_is_added_to_those_that_are_there() {
    let mut folder = Folder::new();
    folder.options.hosts = vec!["one.test".to_owned()];
    folder.run().unwrap();
    folder.options.hosts = vec!["two.test".to_owned(), "192.0.2.7".to_owned()];
    assert_server_renewed(&folder, SystemTime::now(), "was not for two.test, 192.0.2.7");
    for host in ["one.test", "two.test", "localhost"] {
        let text = folder.openssl(&format!("x509 -in server.crt -noout -checkhost {host}"));
        assert!(text.contains("does match"), "{text}");
    }
    folder.assert_verifies();
}

#[test]
fn a_damaged_or_lost_key_is_renewed_with_its_certificate() {
    let folder = Folder::made();
    folder.remove("server.key");
    assert_server_renewed(&folder, SystemTime::now(), "had lost its key");
    for damaged in ["", "garbage", "-----BEGIN PRIVATE KEY-----\nMIGH\n"] {
        folder.write("server.key", damaged);
        assert_server_renewed(&folder, SystemTime::now(), "had a damaged key");
    }
    let cut = folder.read("server.key");
    folder.write("server.key", &cut[..cut.len() / 2]);
    assert_server_renewed(&folder, SystemTime::now(), "had a damaged key");
    folder.assert_verifies();
}

#[test]
fn a_damaged_certificate_without_a_key_is_made_anew() {
    let folder = Folder::made();
    folder.write("server.crt", "garbage");
    for file in ["server.key", "server_chain.pem", "server.p12"] {
        folder.remove(file);
    }
    assert_server_renewed(&folder, SystemTime::now(), "was damaged");
}

#[test]
fn a_key_type_that_is_asked_for_renews_the_leaves_and_never_the_ca() {
    let mut folder = Folder::made();
    let ca = folder.read("ca.crt");
    folder.options.key_type = Some(KeyType::P256);
    assert_eq!(outcome(&folder.run().unwrap(), "server"), "kept");
    folder.options.key_type = Some(KeyType::Rsa2048);
    let report = folder.run().unwrap();
    for name in ["server", "client"] {
        assert_eq!(outcome(&report, name), "renewed: had another type of key than rsa2048");
    }
    folder.options.key_type = None;
    assert_eq!(outcome(&folder.run().unwrap(), "server"), "kept");
    assert_eq!(folder.read("ca.crt"), ca);
    folder.assert_verifies();
}

/// The key may be RSA because peers support nothing else.
#[test]
fn a_key_type_that_was_asked_for_once_stays_when_certificates_are_renewed_or_replaced() {
    let mut folder = Folder::new();
    folder.options.key_type = Some(KeyType::Rsa2048);
    folder.options.clients = vec!["alice".to_owned()];
    folder.run_at(days_ago(400)).unwrap();
    folder.options.key_type = None;
    let assert_rsa = |names: &[&str]| {
        for name in names {
            let text = folder.openssl(&format!("x509 -in {name}.crt -noout -text"));
            assert!(text.contains("Public-Key: (2048 bit)"), "{name}: {text}");
            assert!(*name == "ca" || text.contains("Key Encipherment"), "{name}: {text}");
        }
        folder.assert_verifies();
    };
    let report = folder.run().unwrap();
    for name in ["server", "client", "alice"] {
        assert!(outcome(&report, name).starts_with("renewed: expired on 20"), "{report}");
    }
    assert_rsa(&["server", "client", "alice"]);

    let options = CertsOptions { hosts: vec!["app.test".to_owned()], ..folder.options.clone() };
    let report = certs(&options, SystemTime::now()).unwrap();
    assert_eq!(outcome(&report, "server"), "renewed: was not for app.test");
    assert_rsa(&["server"]);

    folder.remove("server.key");
    assert_eq!(outcome(&folder.run().unwrap(), "server"), "renewed: had lost its key");
    assert_rsa(&["server"]);

    // The client is not named this time, but the old CA issued its certificate.
    let options = CertsOptions { clients: Vec::new(), force: true, ..folder.options.clone() };
    let report = certs(&options, SystemTime::now()).unwrap();
    let replaced = ["ca", "server", "client", "alice"];
    for name in replaced {
        assert_eq!(outcome(&report, name), "replaced");
    }
    assert_rsa(&replaced);
}

/// A key of a kind that turnkey keeps but does not make.
#[test]
fn the_default_replaces_a_key_of_a_kind_that_is_not_made_here() {
    let folder = Folder::made();
    folder.issue_by_hand("server", "-algorithm ED25519", "extendedKeyUsage = serverAuth");
    assert_server_renewed(&folder, SystemTime::now(), "was not for localhost");
    let text = folder.openssl("x509 -in server.crt -noout -text");
    assert!(text.contains("NIST CURVE: P-256"), "{text}");
}

#[test]
fn a_certificate_for_another_role_or_client_is_renewed() {
    let mut folder = Folder::new();
    folder.options.clients = vec!["alice".to_owned()];
    folder.run().unwrap();
    for suffix in [".crt", ".key", ".p12"] {
        folder.write(&format!("server{suffix}"), folder.read(&format!("client{suffix}")));
        folder.write(&format!("alice{suffix}"), folder.read(&format!("client{suffix}")));
    }
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "server"), "renewed: was not for servers");
    assert_eq!(outcome(&report, "alice"), "renewed: was not for alice");
    folder.assert_verifies();
}

#[test]
fn force_replaces_the_ca_and_everything_below_it() {
    let mut folder = Folder::new();
    folder.options.clients = vec!["alice".to_owned()];
    folder.run().unwrap();
    let before = folder.snapshot();
    folder.options.force = true;
    // The client is not named this time, but the old CA issued its certificate.
    folder.options.clients.clear();
    let report = folder.run().unwrap();
    for name in ["ca", "server", "client", "alice"] {
        assert_eq!(outcome(&report, name), "replaced");
    }
    let after = folder.snapshot();
    assert_eq!(after.len(), before.len());
    for (file, contents) in after {
        assert_ne!(contents.0, before[&file].0, "{file}");
    }
    folder.assert_verifies();
    folder.assert_verifies_as("alice", "sslclient");
    folder.options.force = false;
    let before = folder.snapshot();
    folder.run().unwrap();
    assert_eq!(folder.snapshot(), before);
}

#[test]
fn force_makes_a_client_of_what_is_named_as_one_and_leaves_copies_of_the_ca() {
    let mut folder = Folder::made();
    folder.issue_by_hand(
        "db",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "extendedKeyUsage = serverAuth",
    );
    let ca = folder.read("ca.crt");
    folder.write("before.crt", &ca);
    folder.options.force = true;
    folder.options.clients = vec!["db".to_owned()];
    let report = folder.run().unwrap();
    let names: Vec<_> = report.identities.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ca", "server", "client", "db"]);
    assert_eq!(outcome(&report, "db"), "replaced");
    folder.assert_verifies_as("db", "sslclient");
    assert_eq!(folder.read("before.crt"), ca);
}

#[test]
fn force_on_an_empty_folder_just_creates() {
    let mut folder = Folder::new();
    folder.options.force = true;
    let report = folder.run().unwrap();
    assert!(report.identities.iter().all(|one| one.outcome == Action::Created), "{report}");
}
