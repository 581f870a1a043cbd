//! Answers to a CA that has a name proved (RFC 8555 §8.3).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::Site;

const PATH: &str = "/.well-known/acme-challenge/";
const SECRET: &str = "this is a secret";

/// A server with a folder of challenges, and what must not get out of it.
struct Challenges {
    site: Site,
    folder: PathBuf,
    web: TempDir,
}

impl Challenges {
    fn new() -> Self {
        let outer = tempfile::Builder::new().prefix("turnkey-test-").tempdir().unwrap();
        let web = outer.path().join("web");
        let folder = web.join(&PATH[1..]);
        fs::create_dir_all(&folder).unwrap();
        for secret in [outer.path(), &web, &web.join(".well-known")] {
            fs::write(secret.join("secret"), SECRET).unwrap();
        }
        // In the folder, by names that tokens do not have.
        fs::create_dir(folder.join("sub")).unwrap();
        for secret in ["sub/secret", "secret.txt"] {
            fs::write(folder.join(secret), SECRET).unwrap();
        }
        fs::write(folder.join("a-Token_1"), "a-Token_1.thumbprint").unwrap();
        let site = Site::start(&["--dir", web.to_str().unwrap()]);
        Self { site, folder, web: outer }
    }

    #[track_caller]
    fn assert_not_served(&self, token: &str, status: u16) {
        let said = self.site.get("localhost", &format!("{PATH}{token}"));
        assert_eq!(said.status, status, "{token}: {said:?}");
        assert!(!said.body.contains(SECRET), "{token}: {said:?}");
    }
}

/// certbot's webroot, in front of an app of one's own.
#[test]
fn beside_a_proxy_the_folder_is_for_challenges_only() {
    let outer = tempfile::Builder::new().prefix("turnkey-test-").tempdir().unwrap();
    fs::create_dir_all(outer.path().join(&PATH[1..])).unwrap();
    fs::write(outer.path().join(&PATH[1..]).join("token"), "token.thumbprint").unwrap();
    fs::write(outer.path().join("secret"), SECRET).unwrap();
    let dir = outer.path().to_str().unwrap();
    // Nobody listens there.
    let site = Site::start(&["--dir", dir, "--proxy", "http://127.0.0.1:1"]);
    assert_eq!(site.get("localhost", &format!("{PATH}token")).body, "token.thumbprint");
    assert_eq!(site.get("localhost", "/secret").status, 308);
    let handed_on = site.curl().fetch(&format!("{}/secret", site.at("localhost")));
    assert_eq!(handed_on.status, 502, "{handed_on:?}");
}

#[test]
fn a_token_is_served_whatever_the_host() {
    let challenges = Challenges::new();
    let target = format!("{PATH}a-Token_1");
    for host in ["localhost", "evil.test", "not-yet.example.org:80", "[2001:db8::1]"] {
        let said = challenges.site.get(host, &target);
        assert_eq!((said.status, said.body.as_str()), (200, "a-Token_1.thumbprint"), "{said:?}");
        assert!(said.has("content-type: application/octet-stream"), "{said:?}");
        assert_eq!(said.location, None);
    }
    let ask = |method: &str| {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: evil.test\r\nConnection: close");
        challenges.site.ask(format!("{head}\r\n\r\n"))
    };
    let said = ask("HEAD");
    assert!(
        said.status == 200 && said.has("content-length: 20") && said.body.is_empty(),
        "{said:?}"
    );
    for method in ["POST", "PUT", "DELETE"] {
        let said = ask(method);
        assert!(said.status == 405 && said.has("allow: get, head, options"), "{said:?}");
    }
    // It may come and go while the server runs.
    challenges.assert_not_served("later", 404);
    fs::write(challenges.folder.join("later"), "now").unwrap();
    assert_eq!(challenges.site.get("localhost", &format!("{PATH}later")).body, "now");
}

#[test]
fn there_is_no_way_out_of_the_folder() {
    let mut challenges = Challenges::new();
    let secret = challenges.web.path().join("secret");
    for token in [
        "",
        "missing",
        "sub",
        "sub/secret",
        "secret.txt",
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..%5csecret",
        "....//secret",
        ".../secret",
        "./secret",
        "a-Token_1/",
        "a-Token_1/x",
        "a-Token_1%00",
        "a-Token_1.",
        "a%2dToken_1",
        "%c0%ae%c0%ae/secret",
        "a=b",
        "~root",
        "%",
        secret.to_str().unwrap(),
        &"a".repeat(256),
        &"a".repeat(5000),
    ] {
        challenges.assert_not_served(token, 404);
    }
    // URLs are read without their dot segments, however these are written (RFC 3986 §5.2.4), and
    // what is left of these is none of a challenge.
    for token in
        ["..", "../secret", "../../secret", "../../../secret", "%2e%2e/secret", "a/../../secret"]
    {
        challenges.assert_not_served(token, 308);
    }
    challenges.assert_not_served("..\\secret", 400);
    // What else is in the folder of `--dir` is for nobody.
    for target in ["/secret", "/.well-known/secret", "/.well-known/", "/.well-known/acme-challenge"]
    {
        let said = challenges.site.get("localhost", target);
        said.assert_sent_to(&format!("{}{target}", challenges.site.at("localhost")));
    }
    challenges.site.server.assert_alive();
}

#[test]
fn only_small_files_of_the_folder_are_served_and_the_log_says_why_not() {
    let mut challenges = Challenges::new();
    let file = |name: &str| challenges.folder.join(name);
    symlink("a-Token_1", file("inside")).unwrap();
    symlink("../../../secret", file("outside")).unwrap();
    symlink("/etc/passwd", file("absolute")).unwrap();
    symlink("dangling-link", file("dangling")).unwrap();
    symlink("loop", file("loop")).unwrap();
    fs::create_dir(file("folder")).unwrap();
    fs::write(file("large"), vec![b'x'; 64 * 1024 + 1]).unwrap();
    fs::write(file("limit"), vec![b'x'; 64 * 1024]).unwrap();
    let made = Command::new("mkfifo").arg(file("pipe")).status().unwrap();
    assert!(made.success());

    let get = |name: &str| challenges.site.get("localhost", &format!("{PATH}{name}"));
    assert_eq!(get("inside").body, "a-Token_1.thumbprint");
    assert_eq!(get("limit").body.len(), 64 * 1024);
    for (name, why) in [
        ("outside", "a link leads out of"),
        ("absolute", "a link leads out of"),
        ("folder", "no regular file"),
        ("pipe", "no regular file"),
        ("large", "larger than 65536 bytes"),
    ] {
        assert_eq!(get(name).status, 404, "{name}");
        challenges.site.server.assert_logs(&[name, "not served", why]);
    }
    for name in ["dangling", "loop"] {
        challenges.assert_not_served(name, 404);
        assert!(!challenges.site.server.log().contains(name), "what is missing is not news");
    }
    challenges.site.server.assert_alive();
}

#[test]
fn without_a_folder_challenges_are_sent_on_like_the_rest() {
    let site = Site::start(&[]);
    let target = format!("{PATH}a-Token_1");
    site.get("localhost", &target).assert_sent_to(&format!("{}{target}", site.at("localhost")));
    site.get("evil.test", &target).assert_misdirected();
}

#[test]
fn by_https_the_folder_is_what_is_served() {
    let challenges = Challenges::new();
    fs::write(challenges.web.path().join("web/index.html"), "home").unwrap();
    let url = |path: &str| format!("{}{path}", challenges.site.server.url.trim_end_matches('/'));
    let curl = challenges.site.curl();
    assert_eq!(curl.fetch(&url("/")).text(), "home");
    assert_eq!(curl.fetch(&url(&format!("{PATH}a-Token_1"))).text(), "a-Token_1.thumbprint");
    // In the clear there is nothing but the challenges.
    challenges
        .site
        .get("localhost", "/")
        .assert_sent_to(&format!("{}/", challenges.site.at("localhost")));
}
