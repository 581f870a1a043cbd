//! What a first run makes.

use super::super::KeyType;
use super::*;

#[test]
fn every_file_is_there_and_keys_are_for_their_owner_alone() {
    let folder = Folder::made();
    assert_eq!(folder.snapshot().into_keys().collect::<Vec<_>>(), FILES);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(folder.options.out.clone()), 0o700);
        let all_may_read = ["ca.crt", "server.crt", "server_chain.pem", "client.crt"];
        for file in FILES {
            let public = all_may_read.contains(&file);
            let expected = if public { 0o644 } else { 0o600 };
            assert_eq!(mode(folder.path(file)), expected, "{file}");
        }
    }
}

#[test]
fn the_pem_files_are_put_together_as_in_the_recipe() {
    let folder = Folder::made();
    for (both, first, second) in [
        ("ca.pem", "ca.crt", "ca.key"),
        ("server_chain.pem", "server.crt", "ca.crt"),
        ("client.pem", "client.crt", "client.key"),
    ] {
        assert_eq!(folder.read(both), [folder.read(first), folder.read(second)].concat());
    }
}

#[test]
fn openssl_trusts_each_certificate_for_its_purpose_only() {
    let folder = Folder::made();
    folder.assert_verifies();
    for (name, wrong) in [("server", "sslclient"), ("client", "sslserver")] {
        let arguments = format!("verify -CAfile ca.crt -purpose {wrong} {name}.crt");
        let error = openssl_in(&folder.options.out, &arguments).unwrap_err();
        assert!(error.contains("unsuitable certificate purpose"), "{error}");
    }
}

#[test]
fn the_server_has_the_names_of_this_machine_and_those_asked_for() {
    let mut folder = Folder::new();
    folder.options.hosts = vec!["*.app.test".into(), "192.0.2.7".into(), "2001:db8::7".into()];
    let report = folder.run().unwrap();
    for host in ["localhost", "server.localhost", "any.server.localhost", "x.app.test"] {
        let text = folder.openssl(&format!("x509 -in server.crt -noout -checkhost {host}"));
        assert!(text.contains("does match certificate"), "{text}");
    }
    for ip in ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"] {
        let text = folder.openssl(&format!("x509 -in server.crt -noout -checkip {ip}"));
        assert!(text.contains("does match certificate"), "{text}");
    }
    for host in ["app.test", "x.y.app.test", "example.test"] {
        let text = folder.openssl(&format!("x509 -in server.crt -noout -checkhost {host}"));
        assert!(text.contains("does NOT match certificate"), "{text}");
    }
    let names = &identity(&report, "server").names;
    assert!(names.contains(&"*.app.test".to_owned()), "{names:?}");
}

#[test]
fn subjects_and_extensions_are_as_documented() {
    let folder = Folder::made();
    for (name, common_name) in [
        ("ca", "ca.localhost"),
        ("server", "server.localhost"),
        ("client", "client.server.localhost"),
    ] {
        let text = folder.openssl(&format!("x509 -in {name}.crt -noout -subject -nameopt RFC2253"));
        let rest = "OU=Department,O=Company,L=City,ST=State,C=CT";
        assert_eq!(text, format!("subject=CN={common_name},{rest}\n"));
    }
    let text = |name| folder.openssl(&format!("x509 -in {name}.crt -noout -text"));
    let (ca, server, client) = (text("ca"), text("server"), text("client"));
    for part in [
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0\n",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
        "X509v3 Subject Key Identifier:",
    ] {
        assert!(ca.contains(part), "{part:?} in {ca}");
    }
    for (leaf, usage) in [(server, "Server"), (client, "Client")] {
        for part in [
            "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
            "X509v3 Key Usage: critical\n                Digital Signature\n",
            &format!("TLS Web {usage} Authentication\n"),
            "X509v3 Subject Key Identifier:",
            "X509v3 Authority Key Identifier:",
        ] {
            assert!(leaf.contains(part), "{part:?} in {leaf}");
        }
    }
}

#[test]
fn lifetimes_are_as_asked_and_serial_numbers_random() {
    let mut folder = Folder::new();
    folder.options.days = 825;
    let now = SystemTime::now();
    let report = folder.run_at(now).unwrap();
    let second = std::time::Duration::from_secs(1);
    for (name, days) in [("ca", 3650), ("server", 825), ("client", 825)] {
        // Certificates have whole seconds, and become valid five minutes before they are made.
        let end = now - 300 * second + DAY * days - second;
        let not_after = identity(&report, name).not_after;
        assert!(not_after <= end && not_after > end - second, "{name}");
        let text = folder.openssl(&format!("x509 -in {name}.crt -noout -serial"));
        let serial = text.trim().strip_prefix("serial=").unwrap();
        assert!((31..=40).contains(&serial.len()), "{serial}");
        assert!(!serial.starts_with('-'), "{serial}");
    }
    let serials = ["ca", "server", "client"]
        .map(|name| folder.openssl(&format!("x509 -in {name}.crt -noout -serial")));
    assert!(serials[0] != serials[1] && serials[1] != serials[2], "{serials:?}");
}

#[test]
fn openssl_opens_the_pkcs12_files_with_the_documented_password() {
    let folder = Folder::made();
    for name in ["server", "client"] {
        let file = format!("pkcs12 -in {name}.p12 -passin pass:turnkey -noenc");
        let leaf = folder.openssl(&format!("{file} -clcerts -nokeys"));
        assert!(leaf.contains(&format!("CN = {}", common_name(name))), "{leaf}");
        let ca = folder.openssl(&format!("{file} -cacerts -nokeys"));
        assert!(ca.contains("subject=C = CT") && ca.contains("CN = ca.localhost"), "{ca}");
        folder.write("from-p12.key", folder.openssl(&format!("{file} -nocerts")));
        assert_eq!(
            folder.openssl("pkey -in from-p12.key"),
            folder.openssl(&format!("pkey -in {name}.key"))
        );
        let wrong = format!("pkcs12 -in {name}.p12 -passin pass:wrong -noout");
        openssl_in(&folder.options.out, &wrong).unwrap_err();
    }
}

fn common_name(name: &str) -> &str {
    if name == "server" { "server.localhost" } else { "client.server.localhost" }
}

#[test]
fn each_key_type_makes_keys_that_openssl_takes() {
    for (key_type, shown, usage) in [
        (KeyType::P256, "NIST CURVE: P-256", "Digital Signature\n"),
        (KeyType::Rsa2048, "Public-Key: (2048 bit)", "Digital Signature, Key Encipherment\n"),
        (KeyType::Rsa4096, "Public-Key: (4096 bit)", "Digital Signature, Key Encipherment\n"),
    ] {
        let mut folder = Folder::new();
        folder.options.key_type = Some(key_type);
        folder.run().unwrap();
        folder.assert_verifies();
        for name in ["ca", "server", "client"] {
            let text = folder.openssl(&format!("x509 -in {name}.crt -noout -text"));
            assert!(text.contains(shown), "{key_type} {name}: {text}");
            assert_eq!(text.contains(usage), name != "ca", "{key_type} {name}: {text}");
        }
        let report = folder.run().unwrap();
        assert!(report.identities.iter().all(|one| one.outcome == Action::Kept), "{report}");
    }
}

#[test]
fn further_clients_get_files_of_their_own() {
    let mut folder = Folder::new();
    let names = ["alice", "bob@example.test", "client", "alice", "build.7"];
    folder.options.clients = names.map(str::to_owned).to_vec();
    let report = folder.run().unwrap();
    let order: Vec<_> = report.identities.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(order, ["ca", "server", "client", "alice", "bob@example.test", "build.7"]);
    for name in ["alice", "bob@example.test", "build.7"] {
        folder.assert_verifies_as(name, "sslclient");
        let subject = &identity(&report, name).subject;
        assert!(subject.starts_with(&format!("CN={name},")), "{subject}");
        assert_eq!(
            folder.read(&format!("{name}.pem")),
            [folder.read(&format!("{name}.crt")), folder.read(&format!("{name}.key"))].concat()
        );
        folder.openssl(&format!("pkcs12 -in {name}.p12 -passin pass:turnkey -noout"));
    }
    assert_eq!(identity(&report, "bob@example.test").names, ["bob@example.test"]);
    assert_eq!(identity(&report, "alice").names, [] as [&str; 0]);
}

#[test]
fn the_report_says_what_was_made_and_what_to_do_next() {
    let mut folder = Folder::new();
    folder.options.out = folder.options.out.with_file_name("my certs");
    let text = folder.run().unwrap().to_string();
    let out = folder.options.out.display();
    for part in [
        "server: CN=server.localhost,OU=Department",
        "  for localhost, server.localhost, *.server.localhost, 127.0.0.1, ::1",
        "  valid until 20",
        "  created; wrote server.crt, server.key, server_chain.pem, server.p12\n",
        "\"turnkey\". It protects nothing",
        "TRUSTING THE CA in the manual, turnkey man | man -l -\n",
        &format!("Serve: (for mutual TLS add --client-ca '{out}/ca.crt')\n"),
    ] {
        assert!(text.contains(part), "{part:?} in:\n{text}");
    }
    let serve = format!("\n  turnkey --cert '{out}/server_chain.pem' --key '{out}/server.key'");
    assert!(text.ends_with(&serve), "{text}");
    let again = folder.run().unwrap().to_string();
    assert!(again.contains("  kept\n") && !again.contains("wrote"), "{again}");
}
