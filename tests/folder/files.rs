//! Which file a path leads to, and what is said of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Program, Site, Stack, table};
use crate::{Answer, DATE, Folder, SECRET, Served, bytes};

table! {
    columns {
        plain = Stack::Plain;
        rustls = Stack::Rustls;
    } rows {
        files_of_any_size
    }
}

fn files_of_any_size(stack: Stack) {
    let sizes = [0, 1, 1023, 1024, 65_535, 65_536, 65_537, 200_000, 3_000_000];
    let folder = Folder::new();
    for size in sizes {
        folder.file(&format!("{size}.bin"), bytes(size));
    }
    let served = Served::with(stack, folder, &[]);
    for size in sizes {
        let target = format!("/{size}.bin");
        let wanted = bytes(size);
        let get = served.get(&target);
        get.assert_is(200, &wanted).assert_has(&[
            ("content-length", &size.to_string()),
            ("content-type", "application/octet-stream"),
            ("accept-ranges", "bytes"),
            ("last-modified", DATE),
            ("x-content-type-options", "nosniff"),
        ]);
        let mut head = served.ask("HEAD", &target, &[]);
        head.assert_is(200, "");
        let mut get = get.fields;
        for fields in [&mut get, &mut head.fields] {
            fields.retain(|(name, _)| name != "date");
        }
        assert_eq!(head.fields, get);
    }
    // One after the other on one connection, and all at once.
    let mut conn = served.site.open();
    let request = |size: usize| format!("GET /{size}.bin HTTP/1.1\r\nHost: a.test\r\n\r\n");
    for size in sizes {
        conn.send(request(size).as_bytes()).unwrap();
        assert_eq!(conn.response().body, bytes(size));
    }
    conn.send(sizes.map(request).concat().as_bytes()).unwrap();
    for size in sizes {
        assert_eq!(conn.response().body, bytes(size));
    }
}

#[test]
fn names_tell_the_type() {
    let folder = Folder::new();
    let types = [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("A.PNG", "image/png"),
        ("a.wasm", "application/wasm"),
        ("a.tar.gz", "application/gzip"),
        ("a", "application/octet-stream"),
        ("a.b", "application/octet-stream"),
    ];
    for (name, _) in types {
        // It is the name that counts.
        folder.file(name, "<html>");
    }
    let served = Served::new(folder);
    for (name, content_type) in types {
        let answer = served.get(&format!("/{name}"));
        answer
            .assert_is(200, "<html>")
            .assert_has(&[("content-type", content_type), ("x-content-type-options", "nosniff")]);
    }
}

#[test]
fn folders_have_an_index_and_a_slash() {
    let folder = Folder::new().with("index.html", "top").with("sub dir/index.html", "sub");
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::create_dir_all(folder.path().join("odd/index.html")).unwrap();
    fs::create_dir_all(folder.path().join("evil.test")).unwrap();
    let served = Served::new(folder);
    for (target, body) in
        [("/", "top"), ("/?a", "top"), ("/index.html", "top"), ("/sub%20dir/", "sub")]
    {
        let answer = served.get(target);
        answer.assert_is(200, body).assert_has(&[("content-type", "text/html; charset=utf-8")]);
    }
    for target in ["/empty/", "/odd/", "/index.html/", "/sub%20dir/index.html/"] {
        served.get(target).assert_refused(404);
    }
    for (target, location) in [
        ("/sub%20dir", "/sub%20dir/"),
        ("/empty", "/empty/"),
        ("/empty?a=b&c=/d?e", "/empty/?a=b&c=/d?e"),
        ("/empty?", "/empty/?"),
        ("/odd/index.html", "/odd/index.html/"),
        ("/evil.test", "/evil.test/"),
        ("/%65mpty", "/%65mpty/"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = served.ask(method, target, &[]);
            assert_eq!(answer.status, 301, "{target}");
            answer.assert_has(&[("location", location)]);
        }
    }
    // With two slashes it would be another host.
    for target in [
        "//evil.test",
        "//evil.test?x",
        "///evil.test",
        "/%2fevil.test",
        "/%5cevil.test",
        "//evil.test/..",
        "/.//evil.test",
        "/x/..//evil.test",
    ] {
        let answer = served.get(target);
        assert!(answer.status == 404, "{target}: {answer:?}");
        answer.assert_lacks(&["location"]);
    }
}

#[test]
fn other_methods_are_told_which_there_are() {
    let served = Served::new(Folder::new().with("a.txt", "a"));
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        for target in ["/a.txt", "/none"] {
            let answer = served.ask(method, target, &["Content-Length: 0"]);
            answer.assert_refused(405).assert_has(&[("allow", "GET, HEAD, OPTIONS")]);
        }
    }
    for target in ["/a.txt", "*"] {
        let answer = served.ask("OPTIONS", target, &[]);
        answer.assert_is(204, "").assert_has(&[("allow", "GET, HEAD, OPTIONS")]);
    }
}

/// What is hidden is not there, however it is asked for.
#[test]
#[expect(clippy::too_many_lines, reason = "most of it is a table")]
fn there_is_no_way_out_nor_to_what_is_hidden() {
    let folder = Folder::new().with("a.txt", "a").with("sub/b.txt", "b");
    for hidden in
        [".env", ".git/config", "sub/.htpasswd", "sub/.well-known/x", "..a", ".well-knownx"]
    {
        folder.file(hidden, SECRET);
    }
    folder.file(".well-known/security.txt", "well");
    folder.file(".well-known/.hidden", SECRET);
    let whole = folder.outer.path().join("secret");
    let mut served = Served::with(Stack::Plain, folder, &["--listing"]);
    served.get("/.well-known/security.txt").assert_is(200, "well");
    served.get("/%2ewell-known/security.txt").assert_is(200, "well");
    for target in [
        "/.env",
        "/%2eenv",
        "/%2Eenv",
        "/.git/config",
        "/.git/",
        "/.git",
        "/sub/.htpasswd",
        "/sub/.well-known/x",
        "/..a",
        "/.well-knownx",
        "/.well-known/.hidden",
        "/../secret",
        "/../../secret",
        "/sub/../../secret",
        "/%2e%2e/secret",
        "/.%2e/secret",
        "/%2e%2e%2fsecret",
        "/..%2fsecret",
        "/..%2Fsecret",
        "/sub/..%2f..%2fsecret",
        "/..%5csecret",
        "/..%5Csecret",
        "/%252e%252e/secret",
        "/%252e%252e%252fsecret",
        "/..%252fsecret",
        "/%c0%ae%c0%ae/secret",
        "/%e0%80%ae%e0%80%ae/secret",
        "/%c0%afsecret",
        "/..%c0%afsecret",
        "/..%00/secret",
        "/a.txt%00",
        "/a.txt%00.html",
        "/%00",
        "/..;/secret",
        "/....//secret",
        "/...//secret",
        "//secret",
        "/%2f",
        "/a.txt/",
        "/a.txt/.",
        "/a.txt/x",
        "/a.txt/../../secret",
        "/a%2etxt%2f",
        "/sub//b.txt",
        "//a.txt",
        "/a.txt%20",
        "/A.TXT",
        "/%zz",
        "/%",
        "/a.txt%2",
        "/~root",
        "/proc/self/environ",
        &format!("/{}", whole.display()),
        &format!("{}", whole.display()),
        &format!("/%2f{}", whole.display()),
        &format!("/{}", "x".repeat(256)),
        &format!("/{}", "x/".repeat(3000)),
        &format!("/{}", "../".repeat(2000)),
    ] {
        let answer = served.get(target);
        // Segments of dots are taken out of a URL before it is looked for (RFC 3986 §5.2.4).
        let inside = answer.status == 200 && answer.text().contains("Index of /");
        assert!(inside || answer.status == 404, "{target}: {answer:?}");
        assert!(!answer.text().contains(SECRET) && !answer.text().contains("secret"), "{target}");
    }
    for target in ["/..\\secret", "/a.txt\0", "a.txt", "../secret"] {
        served.get(target).assert_refused(400);
    }
    served.get("/a%2etxt").assert_is(200, "a");
    served.get("/sub/../a.txt").assert_is(200, "a");
    served.site.server.assert_alive();
}

#[test]
fn what_may_not_be_read_is_said_to_be_so() {
    let folder =
        Folder::new().with("a.txt", "a").with("closed.txt", SECRET).with("sub/b.txt", SECRET);
    let mode = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("closed.txt", 0o000);
    mode("sub", 0o000);
    let path = folder.path();
    let limits = [("--dir", path.to_str().unwrap())];
    let site = Site::start(Stack::Plain, &limits, Program::without_privileges);
    let ask = |target| Answer::to(&site.dialer, "GET", target, &[]);
    ask("/a.txt").assert_is(200, "a");
    for target in ["/closed.txt", "/sub/b.txt", "/sub/"] {
        ask(target).assert_refused(403);
        site.server.assert_logs(&[target.trim_end_matches('/'), "not served: it may not be read"]);
    }
    // So that it can be removed.
    mode("sub", 0o755);
}
