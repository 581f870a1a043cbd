//! What a second run keeps, and what it repairs without touching a certificate.

use super::*;

#[test]
fn a_second_run_writes_nothing() {
    let mut folder = Folder::new();
    folder.options.clients = vec!["alice".to_owned()];
    folder.options.hosts = vec!["app.test".to_owned()];
    folder.run().unwrap();
    let before = folder.snapshot();
    let report = folder.run().unwrap();
    assert_eq!(folder.snapshot(), before);
    for one in &report.identities {
        assert_eq!((&one.outcome, one.written.len()), (&Action::Kept, 0), "{}", one.name);
    }
}

#[test]
fn fewer_names_and_another_lifetime_are_no_reason_to_renew() {
    let mut folder = Folder::new();
    folder.options.hosts = vec!["app.test".to_owned()];
    folder.run().unwrap();
    let before = folder.snapshot();
    folder.options.hosts.clear();
    folder.options.days = 30;
    folder.run().unwrap();
    assert_eq!(folder.snapshot(), before);
}

#[test]
fn files_that_are_made_from_others_are_written_again_when_they_are_missing() {
    for (name, file) in [
        ("ca", "ca.pem"),
        ("server", "server.crt"),
        ("server", "server_chain.pem"),
        ("server", "server.p12"),
        ("client", "client.crt"),
        ("client", "client.pem"),
        ("client", "client.p12"),
    ] {
        let folder = Folder::made();
        let before = folder.snapshot();
        folder.remove(file);
        let report = folder.run().unwrap();
        assert_eq!(outcome(&report, name), "kept", "{file}");
        assert_eq!(written(&report, name), [file]);
        assert!(report.to_string().contains(&format!("wrote {file} (it was missing)")), "{report}");
        for (other, contents) in &folder.snapshot() {
            if other != file {
                assert_eq!(contents, &before[other], "{other} after {file}");
            } else if !["server.p12", "client.p12"].contains(&file) {
                // PKCS#12 contains a random salt.
                assert_eq!(contents.0, before[file].0, "{file}");
            }
        }
        folder.assert_verifies();
        folder.openssl("pkcs12 -in server.p12 -passin pass:turnkey -noout");
    }
}

#[test]
fn files_that_are_made_from_others_follow_them() {
    // As after a crash between two renames: these files are of an earlier certificate of the same CA.
    let folder = Folder::made();
    let old = folder.snapshot();
    folder.remove("server.key");
    folder.remove("client.key");
    folder.run().unwrap();
    let new = folder.snapshot();
    for file in ["server_chain.pem", "server.p12", "client.pem", "client.p12"] {
        folder.write(file, &old[file].0);
    }
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "server"), "kept");
    assert_eq!(written(&report, "server"), ["server_chain.pem", "server.p12"]);
    assert_eq!(written(&report, "client"), ["client.pem", "client.p12"]);
    assert_eq!(folder.read("server_chain.pem"), new["server_chain.pem"].0);
    assert_eq!(folder.read("client.pem"), new["client.pem"].0);
    assert_eq!(folder.read("server.key"), new["server.key"].0);
    folder.assert_verifies();
}

#[test]
fn a_damaged_certificate_is_restored_from_the_file_that_also_holds_it() {
    let folder = Folder::made();
    let before = folder.snapshot();
    folder.write("server.crt", "-----BEGIN CERTIFICATE-----\nMIIB");
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "server"), "kept");
    assert!(report.to_string().contains("server.crt (it was damaged)"), "{report}");
    assert_eq!(folder.read("server.crt"), before["server.crt"].0);
    assert_eq!(folder.read("server.key"), before["server.key"].0);
}

#[test]
fn the_ca_of_the_recipe_is_taken_over() {
    let folder = Folder::new();
    fs::create_dir(&folder.options.out).unwrap();
    let subject = "/C=CT/ST=State/L=City/O=Company/OU=Department/CN=ca.localhost\
                   /emailAddress=ca@localhost";
    folder.openssl(&format!(
        "req -x509 -sha256 -days 3650 -newkey rsa:2048 -keyout ca.key -nodes -out ca.crt \
         -subj {subject}"
    ));
    let (crt, key) = (folder.read("ca.crt"), folder.read("ca.key"));
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "ca"), "kept");
    assert_eq!(written(&report, "ca"), ["ca.pem"]);
    assert_eq!((folder.read("ca.crt"), folder.read("ca.key")), (crt, key));
    // It has no key usage. `-x509_strict` rejects that, but TLS does not.
    for (name, purpose) in [("server", "sslserver"), ("client", "sslclient")] {
        folder.openssl(&format!("verify -CAfile ca.crt -purpose {purpose} {name}.crt"));
    }
}

#[test]
fn keys_in_traditional_form_are_taken_over() {
    let folder = Folder::made();
    for name in ["ca", "server"] {
        // A SEC1 key after the parameters that `openssl ecparam -genkey` writes first.
        folder.openssl(&format!("ec -in {name}.key -out {name}.sec1"));
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n\
                          -----END EC PARAMETERS-----\n";
        let key = [parameters.as_bytes(), &folder.read(&format!("{name}.sec1"))].concat();
        assert!(key.windows(14).any(|part| part == b"EC PRIVATE KEY"));
        folder.write(&format!("{name}.key"), key);
    }
    folder.remove("server.p12");
    folder.remove("client.key");
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "server"), "kept");
    assert_eq!(outcome(&report, "client"), "renewed: had lost its key");
    folder.assert_verifies();
    folder.openssl("pkcs12 -in server.p12 -passin pass:turnkey -noout");
}

/// Runs the commands of `certs/README.md`, which says that the result is kept.
#[test]
#[cfg(unix)]
fn what_the_readme_makes_by_hand_is_kept() {
    let readme = include_str!("../../../certs/README.md");
    let (_, script) = readme.rsplit_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let folder = Folder::new();
    fs::create_dir(&folder.options.out).unwrap();
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder.options.out.parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let before = folder.snapshot();
    assert_eq!(before.keys().collect::<Vec<_>>(), FILES.iter().collect::<Vec<_>>());
    let report = folder.run().unwrap();
    assert_eq!(folder.snapshot(), before, "{report}");
}

#[cfg(unix)]
#[test]
fn a_ca_that_others_can_get_at_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::made();
    let out = folder.options.out.display().to_string();
    let warnings = |file: &str, mode: u32| {
        let path = folder.path(file);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let report = folder.run().unwrap();
        fs::set_permissions(&path, before).unwrap();
        let text = report.to_string();
        for warning in &report.warnings {
            assert!(text.contains(&format!("\nwarning: {warning}\n")), "{text}");
        }
        assert_eq!(text.matches("warning").count(), report.warnings.len(), "{text}");
        report.warnings
    };
    for file in ["ca.key", "ca.pem"] {
        for (mode, can) in [(0o644, "read"), (0o602, "change"), (0o606, "read and change")] {
            let [warning] = &warnings(file, mode)[..] else { panic!("{file} {mode:o}") };
            let told = format!("can {can} the key of the CA (its mode is {mode:04o})");
            assert!(warning.contains(&told), "{warning}");
            assert!(warning.ends_with(&format!("; chmod 600 {out}/{file}")), "{warning}");
        }
        assert!(warnings(file, 0o640).is_empty(), "{file}");
    }
    let [warning] = &warnings("", 0o777)[..] else { panic!("the folder") };
    assert!(warning.contains("put files into the folder (its mode is 0777)"), "{warning}");
    assert!(warnings("", 0o755).is_empty());
    assert!(warnings("ca.crt", 0o644).is_empty());
}
