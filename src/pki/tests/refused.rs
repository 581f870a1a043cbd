//! Files that are never overwritten, and what is rejected before anything is written.

use super::*;

/// Asserts that a run fails and changes nothing, and that one with `--force` succeeds.
fn assert_refused(folder: &mut Folder, parts: &[&str]) {
    let error = folder.refusal();
    for part in parts.iter().chain(&["--force"]) {
        assert!(error.contains(part), "{part:?} in {error}");
    }
    folder.options.force = true;
    folder.run().unwrap();
    folder.assert_verifies();
}

#[test]
fn half_a_ca_is_not_completed() {
    for (missing, rest) in [("ca.crt", "ca.key"), ("ca.key", "ca.crt")] {
        let mut folder = Folder::made();
        folder.remove(missing);
        assert_refused(&mut folder, &[rest, "without its", missing]);
    }
    let mut folder = Folder::made();
    folder.remove("ca.crt");
    folder.remove("ca.key");
    assert_refused(&mut folder, &["ca.pem", "without ca.crt and ca.key"]);
}

#[test]
fn an_unusable_ca_is_not_replaced_unasked() {
    let other = Folder::made();
    for (file, contents, problem) in [
        ("ca.crt", b"garbage".to_vec(), "is damaged"),
        ("ca.crt", Vec::new(), "is damaged"),
        ("ca.key", b"garbage".to_vec(), "is damaged"),
        ("ca.key", other.read("ca.key"), "is not the key of ca.crt"),
    ] {
        let mut folder = Folder::made();
        folder.write(file, contents);
        assert_refused(&mut folder, &[file, problem]);
    }
    let mut folder = Folder::made();
    folder.write("ca.crt", folder.read("server.crt"));
    folder.write("ca.key", folder.read("server.key"));
    assert_refused(&mut folder, &["ca.crt", "is not the certificate of a CA"]);

    let mut folder = Folder::made();
    folder.openssl("pkcs8 -topk8 -in ca.key -out encrypted -passout pass:secret");
    fs::rename(folder.path("encrypted"), folder.path("ca.key")).unwrap();
    assert_refused(&mut folder, &["ca.key", "is encrypted"]);

    let mut folder = Folder::made();
    folder.openssl("pkey -in ca.key -outform DER -out der");
    fs::rename(folder.path("der"), folder.path("ca.key")).unwrap();
    assert_refused(&mut folder, &["ca.key", "does not read: fix it"]);
}

/// rcgen would write the subject differently from how it read it, so nobody could find the CA by it.
#[test]
fn a_ca_with_an_unusual_subject_is_not_replaced_unasked() {
    let mut folder = Folder::new();
    fs::create_dir(&folder.options.out).unwrap();
    folder.openssl(
        "req -x509 -days 3650 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
         -out ca.crt -subj /CN=one/CN=two",
    );
    assert_refused(&mut folder, &["ca.crt cannot issue certificates here", "unusual form"]);
}

#[test]
fn a_ca_outside_its_time_is_not_replaced_unasked() {
    let mut folder = Folder::new();
    folder.run_at(days_ago(3651)).unwrap();
    assert_refused(&mut folder, &["ca.crt", "expired on 20"]);
    let folder = Folder::made();
    let error = folder.refusal_at(days_ago(1));
    assert!(error.contains("is valid only from 20"), "{error}");
}

#[test]
fn a_certificate_of_another_ca_is_not_lost() {
    let other = Folder::made();
    for (name, both) in [("server", "server_chain.pem"), ("client", "client.pem")] {
        let (crt, key, p12) = (format!("{name}.crt"), format!("{name}.key"), format!("{name}.p12"));
        for files in [
            vec![&*crt, &*key, &*p12, both],
            vec![&*crt, &*key],
            vec![&*crt],
            vec![both],
            vec![&*p12],
        ] {
            let mut folder = Folder::made();
            for file in &files {
                folder.copy_from(&other, file);
            }
            assert_refused(&mut folder, &[name, "was not issued by the CA in this folder"]);
        }
    }
}

#[test]
fn leaves_without_their_ca_are_not_lost() {
    let mut folder = Folder::made();
    for file in ["ca.crt", "ca.key", "ca.pem"] {
        folder.remove(file);
    }
    assert_refused(&mut folder, &["server", "was not issued by the CA in this folder"]);
}

#[test]
fn a_ca_of_the_same_name_is_told_apart_by_its_signature() {
    // Same subject, no key identifiers: only the signature shows that it is another CA.
    let folder = Folder::new();
    fs::create_dir(&folder.options.out).unwrap();
    for (ca, leaf) in [("ca", "unused"), ("other", "server")] {
        folder.openssl(&format!(
            "req -x509 -days 3650 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
             -keyout {ca}.key -out {ca}.crt -subj /CN=same"
        ));
        folder.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {leaf}.key \
             -out {leaf}.csr -subj /CN=server.localhost"
        ));
        folder.openssl(&format!(
            "x509 -req -CA {ca}.crt -CAkey {ca}.key -in {leaf}.csr -out {leaf}.crt -days 365"
        ));
    }
    let error = folder.refusal();
    assert!(error.contains("server.crt was not issued by the CA in this folder"), "{error}");
}

#[test]
fn a_key_that_may_be_somebodys_own_is_not_lost() {
    let other = Folder::made();
    let mut folder = Folder::made();
    folder.copy_from(&other, "server.key");
    assert_refused(&mut folder, &["server.key", "is not the key of the certificate beside it"]);

    let mut folder = Folder::made();
    folder.remove("client.crt");
    folder.remove("client.pem");
    assert_refused(&mut folder, &["client.key", "whose certificate is missing or damaged"]);

    let mut folder = Folder::made();
    folder.openssl("pkcs8 -topk8 -in server.key -out encrypted -passout pass:secret");
    fs::rename(folder.path("encrypted"), folder.path("server.key")).unwrap();
    assert_refused(&mut folder, &["server.key", "is encrypted"]);

    for file in ["client.pem", "server.crt"] {
        let mut folder = Folder::made();
        folder.write(file, other.read("client.key"));
        assert_refused(&mut folder, &[file, "holds a key"]);
    }

    let mut folder = Folder::made();
    folder.write("ca.pem", other.read("ca.pem"));
    assert_refused(&mut folder, &["ca.pem", "was not issued by the CA"]);
}

/// Only a key that is cut off is damaged. These are whole, and most of them work for a server.
#[test]
fn a_key_of_a_kind_or_in_a_form_that_is_not_read_is_not_lost() {
    type Change = fn(&Folder);
    const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    const CUT_OFF: &[u8] = b"-----BEGIN CERTIFICATE-----\nMIIB\n";
    fn in_place(folder: &Folder, command: &str) {
        folder.openssl(&format!("{command} -in server.key -out other"));
        fs::rename(folder.path("other"), folder.path("server.key")).unwrap();
    }
    fn between(folder: &Folder, before: &[u8], behind: &[u8]) {
        let key = folder.read("server.key");
        folder.write("server.key", [before, &key, behind].concat());
    }
    let kinds: [(&str, Change); 9] = [
        ("-algorithm ED448", |_| {}),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", |_| {}),
        ("-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", |_| {}),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", |_| {}),
        (P256, |folder| in_place(folder, "pkey -outform DER")),
        (P256, |folder| in_place(folder, "ec -outform DER")),
        (P256, |folder| in_place(folder, "pkcs8 -topk8 -outform DER -passout pass:secret")),
        (P256, |folder| between(folder, b"", CUT_OFF)),
        (P256, |folder| between(folder, CUT_OFF, b"end\n")),
    ];
    for (n, (key, change)) in kinds.into_iter().enumerate() {
        let mut folder = Folder::made();
        folder.issue_by_hand("server", key, "extendedKeyUsage = serverAuth");
        change(&folder);
        let said = folder.refusal();
        assert!(said.contains("server.key may hold a key, of a kind or in a form"), "{n}: {said}");
        assert_refused(&mut folder, &["server.key", "does not read: move it away"]);
    }
}

#[test]
fn a_pkcs12_file_with_a_password_of_its_own_is_not_lost() {
    let mut folder = Folder::made();
    folder.openssl(
        "pkcs12 -export -in server.crt -inkey server.key -out server.p12 -passout pass:secret",
    );
    assert_refused(&mut folder, &["server.p12", "has a password of its own"]);
}

/// A new CA makes new certificates for clients. The keys of other certificates of the old CA would be lost.
#[test]
fn what_the_old_ca_issued_by_hand_for_others_than_clients_is_not_lost() {
    for (kind, extensions) in [
        ("a server", "extendedKeyUsage = serverAuth"),
        ("both", "extendedKeyUsage = serverAuth, clientAuth"),
        ("a CA", "basicConstraints = critical, CA:TRUE"),
        ("a CA of clients", "basicConstraints = critical, CA:TRUE\nextendedKeyUsage = clientAuth"),
        ("neither", "extendedKeyUsage = OCSPSigning"),
        ("anything", "basicConstraints = CA:FALSE"),
    ] {
        let mut folder = Folder::made();
        folder.issue_by_hand("db", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", extensions);
        folder.openssl("pkcs12 -export -in db.crt -inkey db.key -out db.p12 -passout pass:turnkey");
        folder.write("db.pem", [folder.read("db.crt"), folder.read("db.key")].concat());
        folder.options.force = true;
        let error = folder.refusal();
        let path = folder.path("db.crt");
        assert!(error.starts_with(&format!("{} was issued by", path.display())), "{kind}: {error}");
        assert!(error.contains("move it away and run again"), "{kind}: {error}");

        // Without its certificate, its other files are no obstacle, and none is changed.
        fs::rename(path, folder.path("db.old")).unwrap();
        let before = folder.snapshot();
        assert_eq!(outcome(&folder.run().unwrap(), "server"), "replaced");
        for (file, contents) in folder.snapshot() {
            assert!(!file.starts_with("db.") || before[&file] == contents, "{kind}: {file}");
        }
        folder.assert_verifies();
    }
}

#[test]
fn once_moved_away_what_stood_in_the_way_is_made_anew() {
    let other = Folder::made();
    let folder = Folder::made();
    folder.copy_from(&other, "server.key");
    folder.refusal();
    fs::rename(folder.path("server.key"), folder.path("mine.key")).unwrap();
    assert_eq!(outcome(&folder.run().unwrap(), "server"), "renewed: had lost its key");
    folder.assert_verifies();
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let with = |change: fn(&mut CertsOptions)| {
        let mut folder = Folder::new();
        change(&mut folder.options);
        let error = folder.run().unwrap_err().to_string();
        assert!(!folder.options.out.exists(), "{error}");
        error
    };
    for (error, part) in [
        (with(|o| o.days = 0), "--days 0: give 1 to 825 days"),
        (with(|o| o.days = 826), "--days 826: give 1 to 825 days"),
        (with(|o| o.hosts = vec!["ok.test".into(), "no host".into()]), "--host \"no host\": "),
        (with(|o| o.hosts = vec!["bücher.test".into()]), "punycode"),
        (with(|o| o.clients = vec!["../alice".into()]), "--client \"../alice\": "),
        (with(|o| o.clients = vec!["alice".into(), "server".into()]), "--client \"server\": "),
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn bad_input_leaves_what_is_there() {
    let mut folder = Folder::made();
    folder.options.force = true;
    folder.options.hosts = vec!["no host".to_owned()];
    assert!(folder.refusal().contains("no host"));
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("file");
    fs::write(&file, "mine").unwrap();
    let run = |out: PathBuf| {
        certs(&CertsOptions { out, ..CertsOptions::default() }, SystemTime::now())
            .unwrap_err()
            .to_string()
    };
    let error = run(file.clone());
    assert_eq!(error, format!("{} is not a folder: give another one with --out", file.display()));
    let error = run(file.join("certs"));
    assert!(error.starts_with(&format!("cannot read {}/certs: ", file.display())), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

/// Nobody can create files in `/proc`, not even root.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_written_to_is_named() {
    for (out, named) in [("/proc/turnkey", "/proc/turnkey"), ("/proc", "/proc/ca.crt")] {
        let options = CertsOptions { out: out.into(), ..CertsOptions::default() };
        let error = certs(&options, SystemTime::now()).unwrap_err();
        assert!(matches!(error, PkiError::Write { .. }), "{error}");
        assert!(error.to_string().starts_with(&format!("cannot write {named}: ")), "{error}");
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("server.key")).unwrap();
    let error = folder.run().unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("server.key"), "{error}");
    assert_eq!(fs::read_dir(&folder.options.out).unwrap().count(), 1);
}
