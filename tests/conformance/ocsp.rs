//! The CA's word that the certificate is not revoked, beside the certificate.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::Setup;
use crate::mutual::assert_served_as;
use crate::support::ocsp::{Status, ocsp_until};
use crate::support::{FAILURE, Leaf, Pki, Profile, Program, Server, assert_complaint, s_client};

crate::on_every_verifying_backend! {
    a_client_that_asks_is_shown_it
    it_is_shown_in_mutual_mode_too
    each_name_has_its_own
    a_newer_one_is_read_again
    one_that_has_run_out_holds_up_nothing
    a_bad_new_one_changes_nothing
}

/// Clients would refuse what is out of date, and they do without what is not there.
#[test]
fn it_is_not_shown_when_it_has_run_out() {
    crate::at_once(&Setup::VERIFYING, |setup| {
        let site = Site::new();
        let response = site.response(Status::Good, 1);
        let end = Instant::now() + Duration::from_secs(4);
        ocsp_until(&response, OffsetDateTime::now_utc() + Duration::from_secs(4));
        let server = setup.serve(&site.args(&response));
        assert!(shown(setup, &server, None).is_some());
        // To the next second, which is what responses count in.
        thread::sleep(end.saturating_duration_since(Instant::now()) + Duration::from_secs(1));
        assert_eq!(shown(setup, &server, None), None);
        setup.client(&site.pki).fetch(&server.url).assert_top_level();
    });
}

#[test]
fn what_is_no_good_response_is_an_error() {
    let site = Site::new();
    let pki = &site.pki;
    for (file, why) in [
        (pki.ocsp("revoked.der", &site.leaf, Status::Revoked, 1), "revoked"),
        (pki.ca_file.clone(), "OCSP"),
        (pki.write("empty.der", ""), "empty"),
        (pki.path("missing.der"), "no such file"),
    ] {
        let output = Program::new(&[&site.args(&file)[..], &["--port", "0"]].concat()).run();
        assert_complaint(&output, FAILURE, &[&file, "--ocsp", why]);
    }
}

fn a_client_that_asks_is_shown_it(setup: Setup) {
    let site = Site::new();
    let response = site.response(Status::Good, 3);
    let server = setup.serve(&site.args(&response));
    let shown = shown(setup, &server, None).unwrap();
    assert!(shown.contains("Cert Status: good"), "{shown}");
    let serial = format!("Serial Number: {:08X}", site.leaf.serial);
    assert!(shown.contains(&serial), "expected {serial}: {shown}");
    // One that checks its signature, and insists on there being one.
    let insisting = setup.client(&site.pki).and(&["--cert-status"]);
    insisting.fetch(&server.url).assert_top_level();
    let without = setup.serve(&site.pki.server_args());
    assert_eq!(self::shown(setup, &without, None), None);
    insisting.fetch(&without.url).assert_refused();
}

fn it_is_shown_in_mutual_mode_too(setup: Setup) {
    let site = Site::new();
    let response = site.response(Status::Good, 1);
    let args = [&site.args(&response)[..], &["--client-ca", &site.pki.ca_file]].concat();
    let server = setup.serve(&args);
    // In TLS 1.2 the server shows what it has before it asks for what the client has.
    assert!(shown(setup, &server, None).is_some());
    assert_served_as(setup, &site.pki, &server, &site.pki.client);
}

fn each_name_has_its_own(setup: Setup) {
    let pki = Pki::new();
    let names = ["first.test", "second.test", "third.test"];
    let leaves = names.map(|name| pki.ca.issue(&Profile::server(name).names(&[name])));
    let files: Vec<_> =
        names.iter().zip(&leaves).map(|(name, leaf)| pki.save(name, leaf)).collect();
    // In no order, and not for all: each response says whom it is about.
    let second = pki.ocsp("second.der", &leaves[1], Status::Good, 1);
    let first = pki.ocsp("first.der", &leaves[0], Status::Good, 1);
    let mut args = vec!["--ocsp", &second, "--ocsp", &first];
    args.extend(files.iter().flat_map(|f| ["--cert", &*f.cert, "--key", &*f.key]));
    let server = setup.serve(&args);
    for (name, leaf) in names.iter().zip(&leaves).take(2) {
        let shown = shown(setup, &server, Some(name)).unwrap();
        assert!(shown.contains(&format!("Serial Number: {:08X}", leaf.serial)), "{name}: {shown}");
    }
    assert_eq!(shown(setup, &server, Some("third.test")), None);
    let by_default = shown(setup, &server, Some("elsewhere.test")).unwrap();
    assert!(by_default.contains(&format!("{:08X}", leaves[0].serial)), "{by_default}");
}

fn a_newer_one_is_read_again(setup: Setup) {
    let site = Site::new();
    let response = site.response(Status::Good, 1);
    let server = setup.serve(&site.args(&response));
    let before = shown(setup, &server, None).unwrap();

    site.response(Status::Good, 5);
    server.reload();
    let after = shown(setup, &server, None).unwrap();
    assert_ne!(next_update(&before), next_update(&after));
    setup.client(&site.pki).and(&["--cert-status"]).fetch(&server.url).assert_top_level();
}

fn a_bad_new_one_changes_nothing(setup: Setup) {
    let site = Site::new();
    let file = site.response(Status::Good, 1);
    let server = setup.serve(&site.args(&file));
    let before = shown(setup, &server, None).unwrap();
    let assert_unchanged = |why: &str| {
        let line = server.hang_up();
        assert!(line.starts_with("error: not reloaded"), "{line}");
        assert!(line.contains(&file) && line.contains(why), "expected {why}: {line}");
        assert_eq!(next_update(&shown(setup, &server, None).unwrap()), next_update(&before));
    };
    site.response(Status::Revoked, 5);
    assert_unchanged("revoked");
    fs::write(&file, "no response").unwrap();
    assert_unchanged("OCSP");
    fs::remove_file(&file).unwrap();
    assert_unchanged("no such file");
}

/// Whoever asks the responder may come late, or never: what else has changed is taken up.
fn one_that_has_run_out_holds_up_nothing(setup: Setup) {
    let site = Site::new();
    let file = site.response(Status::Good, 1);
    ocsp_until(&file, OffsetDateTime::now_utc() - 365 * time::Duration::DAY);
    let not_sent = |why: &str| format!("warn: {file}: no client is sent it: {why}");
    let server = setup.serve(&site.args(&file));
    server.logged(&[&not_sent("the OCSP response expired on ")]);
    assert_eq!(shown(setup, &server, None), None);

    site.response(Status::Good, 5);
    server.reload();
    assert!(shown(setup, &server, None).is_some());
    // A new certificate needs a response of its own.
    let renewed = site.pki.ca.issue(&Profile::server("renewed"));
    site.pki.save("stapled", &renewed);
    server.reload();
    server.logged(&[&not_sent("the OCSP response is not about the certificate \"CN=renewed")]);
    assert_eq!(shown(setup, &server, None), None);
    let presented = s_client(server.port, setup.s_client_args(), b"").text();
    assert!(presented.contains("CN = renewed"), "{presented}");
}

/// A certificate that the responder knows.
struct Site {
    pki: Pki,
    leaf: Leaf,
    files: [String; 2],
}

impl Site {
    fn new() -> Self {
        let pki = Pki::new();
        // curl looks for the issuer among what it is sent.
        let leaf = pki.ca.issue(&Profile::server("stapled")).with_chain(&[&pki.ca]);
        let files = pki.save("stapled", &leaf);
        Self { pki, leaf, files: [files.cert, files.key] }
    }

    /// Always in the same file.
    fn response(&self, status: Status, days: u32) -> String {
        self.pki.ocsp("response.der", &self.leaf, status, days)
    }

    fn args<'a>(&'a self, response: &'a str) -> [&'a str; 6] {
        ["--cert", &self.files[0], "--key", &self.files[1], "--ocsp", response]
    }
}

/// The response that a client is shown who asks for one; `None` if there is none.
fn shown(setup: Setup, server: &Server, name: Option<&str>) -> Option<String> {
    let asking = name.map_or(vec![], |name| vec!["-servername", name]);
    let args = [&["-status"], setup.s_client_args(), &asking].concat();
    let output = s_client(server.port, &args, b"");
    let text = output.text();
    if text.contains("OCSP response: no response sent") {
        return None;
    }
    let response = text.split("OCSP Response Data:").nth(1);
    let response = response.unwrap_or_else(|| panic!("not a word of it: {output:?}"));
    Some(response.split("======").next().unwrap_or_default().to_owned())
}

fn next_update(response: &str) -> &str {
    response.lines().find(|line| line.contains("Next Update: ")).expect("an end")
}
