//! `--san` and `--no-default-names`: the names of a client, and only the given names for a server.

use super::*;

const URI: &str = "spiffe://example.test/ns/a/sa/web";

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// A folder with the client `web`, which has these names.
fn with_web(sans: &[&str]) -> Folder {
    let mut folder = Folder::new();
    folder.options.clients = strings(&["web"]);
    folder.options.sans = strings(sans);
    folder.run().unwrap();
    folder
}

fn names(folder: &Folder, file: &str) -> String {
    folder.openssl(&format!("x509 -in {file}.crt -noout -ext subjectAltName"))
}

#[test]
fn a_client_gets_names_of_each_kind_and_the_report_shows_them() {
    let folder = with_web(&["DNS:web.example.test", "alice@example.test", URI, "IP:10.0.0.1"]);
    let expected =
        format!("DNS:web.example.test, email:alice@example.test, URI:{URI}, IP Address:10.0.0.1");
    assert!(names(&folder, "web").contains(&expected), "{}", names(&folder, "web"));
    folder.assert_verifies_as("web", "sslclient");
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "web"), "kept");
    let shown = format!("  for web.example.test, alice@example.test, {URI}, 10.0.0.1\n");
    assert!(report.to_string().contains(&shown), "{report}");
    // It is for that client only.
    assert_eq!(identity(&report, "client").names, [] as [&str; 0]);
    assert!(!names(&folder, "server").contains("web.example.test"));
}

#[test]
fn the_client_that_is_always_made_can_be_named() {
    let mut folder = Folder::new();
    folder.options.clients = strings(&["client", "client"]);
    folder.options.sans = strings(&[URI]);
    assert_eq!(identity(&folder.run().unwrap(), "client").names, [URI]);
}

#[test]
fn a_name_that_a_client_lacks_is_added_to_those_that_it_has() {
    let mut folder = with_web(&[URI]);
    folder.options.sans = strings(&["web.example.test"]);
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "web"), "renewed: was not for web.example.test");
    assert_eq!(identity(&report, "web").names, ["web.example.test", URI]);
}

#[test]
fn the_names_of_a_client_stay_when_it_is_renewed_or_replaced() {
    let mut folder = Folder::new();
    folder.options.clients = strings(&["web"]);
    folder.options.sans = strings(&[URI]);
    folder.run_at(days_ago(400)).unwrap();
    folder.options.sans.clear();
    let report = folder.run().unwrap();
    assert!(outcome(&report, "web").starts_with("renewed: expired"), "{report}");
    assert_eq!(identity(&report, "web").names, [URI]);

    folder.remove("web.key");
    assert_eq!(identity(&folder.run().unwrap(), "web").names, [URI]);

    // The client is not named this time, but the old CA issued its certificate.
    folder.options.clients.clear();
    folder.options.force = true;
    let report = folder.run().unwrap();
    assert_eq!(outcome(&report, "web"), "replaced");
    assert_eq!(identity(&report, "web").names, [URI]);
    folder.assert_verifies_as("web", "sslclient");
}

/// A copy of another identity's files must not give a client a name that lets it in.
#[test]
fn the_names_of_another_client_or_of_a_server_are_not_taken_over() {
    for from in ["web", "server"] {
        let mut folder = with_web(&[URI]);
        for suffix in [".crt", ".key", ".p12"] {
            folder.write(&format!("other{suffix}"), folder.read(&format!("{from}{suffix}")));
        }
        folder.options.clients = strings(&["other"]);
        folder.options.sans.clear();
        let report = folder.run().unwrap();
        assert!(outcome(&report, "other").starts_with("renewed: was not for"), "{report}");
        assert_eq!(identity(&report, "other").names, [] as [&str; 0], "{from}");
    }
}

#[test]
fn a_name_of_nobody_or_of_several_is_refused_with_what_to_type() {
    let mut folder = Folder::made();
    folder.options.sans = strings(&[URI]);
    let error = folder.refusal();
    assert!(error.contains(&format!("as in --client web --san {URI}")), "{error}");
    assert!(error.contains("--host"), "{error}");
    folder.options.clients = strings(&["alice", "bob"]);
    let error = folder.refusal();
    assert!(error.contains(&format!("turnkey certs --client alice --san {URI}")), "{error}");
    folder.options.clients = strings(&["alice"]);
    folder.options.sans = strings(&["a b"]);
    assert!(folder.refusal().contains("--san \"a b\": not a DNS name"));
}

#[test]
fn without_the_default_names_a_server_has_those_of_host_alone_and_stays_so() {
    let mut folder = Folder::new();
    folder.options.no_default_names = true;
    folder.options.hosts = strings(&["a.example.test"]);
    assert_eq!(identity(&folder.run().unwrap(), "server").names, ["a.example.test"]);

    folder.options.no_default_names = false;
    folder.options.hosts.clear();
    let before = folder.snapshot();
    folder.run().unwrap();
    assert_eq!(folder.snapshot(), before, "a later run adds nothing");
    folder.options.hosts = strings(&["b.example.test"]);
    let report = folder.run().unwrap();
    assert_eq!(identity(&report, "server").names, ["b.example.test", "a.example.test"]);
    folder.options.force = true;
    let report = folder.run().unwrap();
    assert_eq!(identity(&report, "server").names, ["b.example.test", "a.example.test"]);
    folder.assert_verifies();
}

#[test]
fn default_names_that_stand_go_when_they_are_not_wanted() {
    let mut folder = Folder::new();
    folder.options.hosts = strings(&["old.test"]);
    folder.run().unwrap();
    folder.options.no_default_names = true;
    folder.options.hosts = strings(&["127.0.0.1"]);
    let report = folder.run().unwrap();
    let outcome = outcome(&report, "server");
    assert!(outcome.starts_with("renewed: was for localhost, "), "{outcome}");
    assert!(outcome.ends_with(" too, which --no-default-names leaves out"), "{outcome}");
    assert_eq!(identity(&report, "server").names, ["127.0.0.1", "old.test"]);
}

#[test]
fn a_server_without_any_name_is_refused() {
    let mut folder = Folder::made();
    folder.options.no_default_names = true;
    let error = folder.refusal();
    assert!(error.contains("--no-default-names --host example.test"), "{error}");
}
