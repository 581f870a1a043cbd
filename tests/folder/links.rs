//! Links, and what is no file.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Stack;
use crate::{Folder, SECRET, Served};

#[test]
fn links_stay_in_the_folder() {
    let folder = Folder::new().with("a.txt", "a").with("sub/b.txt", "b");
    let link = |to: &str, at: &str| symlink(to, folder.path().join(at)).unwrap();
    let inside = folder.path();
    link("a.txt", "plain");
    link("../a.txt", "sub/up");
    link("sub", "folder");
    link("../web/a.txt", "around");
    link(inside.join("a.txt").to_str().unwrap(), "absolute");
    link("../secret", "out");
    link("..", "parent");
    link("/etc/passwd", "passwd");
    link("/", "root");
    link("/proc/self/environ", "environ");
    link("out", "twice");
    link("gone", "dangling");
    link("loop", "loop");
    link("../secret", "a.txt.gz");
    let mut served = Served::with(Stack::Plain, folder, &["--listing"]);
    for (target, body) in [
        ("/plain", "a"),
        ("/sub/up", "a"),
        ("/folder/b.txt", "b"),
        ("/around", "a"),
        ("/absolute", "a"),
    ] {
        served.get(target).assert_is(200, body);
    }
    assert_eq!(served.get("/folder").field("location"), Some("/folder/"));
    for target in [
        "/out",
        "/parent/secret",
        "/passwd",
        "/root/etc/passwd",
        "/environ",
        "/twice",
        "/parent",
        "/parent/",
        "/root/",
    ] {
        served.get(target).assert_refused(404);
    }
    served.site.server.assert_logs(&["web/out\": not served: a link leads out of the folder"]);
    for target in ["/dangling", "/loop", "/loop/x"] {
        served.get(target).assert_refused(404);
    }
    served.ask("GET", "/a.txt", &["Accept-Encoding: gzip"]).assert_is(200, "a");
    // Nor are they told of.
    let list = served.get("/").text();
    for name in ["out", "parent", "passwd", "root", "environ", "twice", "dangling", "loop"] {
        assert!(!list.contains(&format!(">{name}")), "{name}: {list}");
    }
    assert!(list.contains(">plain<") && list.contains(">folder/<"), "{list}");
    served.site.server.assert_alive();
}

/// Kubernetes mounts a `ConfigMap` like this: its files are links by way of `..data`.
#[test]
fn a_link_to_a_hidden_name_is_followed() {
    let folder = Folder::new().with("..2026_01_01/a.txt", "a").with(".hidden", SECRET);
    let link = |to: &str, at: &str| symlink(to, folder.path().join(at)).unwrap();
    link("..2026_01_01", "..data");
    link("..data/a.txt", "a.txt");
    link("..data", "folder");
    let served = Served::new(folder);
    served.get("/a.txt").assert_is(200, "a");
    served.get("/folder/a.txt").assert_is(200, "a");
    for target in ["/..data/a.txt", "/..2026_01_01/a.txt", "/folder/../.hidden", "/.hidden"] {
        assert_ne!(served.get(target).status, 200, "{target}");
    }
}

/// There is no moment in which a link that changes leads out.
#[test]
fn a_link_that_changes_never_leads_out() {
    let folder = Folder::new().with("good/file", "inside");
    let outside = folder.outer.path().join("bad");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), SECRET).unwrap();
    let served = Served::new(folder);
    let (link, new) = (served.folder.path().join("link"), served.folder.path().join("new"));
    symlink("good", &link).unwrap();
    let end = Instant::now() + Duration::from_secs(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            for to in ["../bad", "good"].iter().cycle() {
                symlink(to, &new).unwrap();
                fs::rename(&new, &link).unwrap();
                if Instant::now() > end {
                    return;
                }
            }
        });
        let (mut served_inside, mut refused) = (0, 0);
        let mut conn = served.site.open();
        while Instant::now() < end {
            conn.send(b"GET /link/file HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
            let answer = conn.response();
            match answer.status {
                200 => {
                    assert_eq!(answer.body, b"inside");
                    served_inside += 1;
                }
                404 => refused += 1,
                other => panic!("{other}"),
            }
        }
        assert!(served_inside > 0 && refused > 0, "{served_inside} and {refused}");
    });
}

#[test]
fn what_is_no_file_keeps_nobody_waiting() {
    let folder = Folder::new().with("a.txt", "a");
    let path = folder.path();
    assert!(Command::new("mkfifo").arg(path.join("pipe")).status().unwrap().success());
    let _socket = UnixListener::bind(path.join("socket")).unwrap();
    symlink("/dev/zero", path.join("device")).unwrap();
    symlink("pipe", path.join("pipe.txt")).unwrap();
    fs::create_dir(path.join("sub")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("sub/index.html")).status().unwrap().success());
    assert!(Command::new("mkfifo").arg(path.join("a.txt.gz")).status().unwrap().success());
    let served = Served::new(folder);
    let start = Instant::now();
    for target in ["/pipe", "/socket", "/device", "/pipe.txt", "/sub/", "/sub/index.html"] {
        served.get(target).assert_refused(404);
    }
    served.ask("GET", "/a.txt", &["Accept-Encoding: gzip"]).assert_is(200, "a");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// As those change it who deploy: a new folder, and a link that leads there.
#[test]
fn the_folder_itself_may_be_a_link_that_changes() {
    let outer = Folder::new().with("1/file", "one").with("2/file", "two");
    let (current, new) = (outer.path().join("current"), outer.path().join("new"));
    symlink("1", &current).unwrap();
    let server = crate::support::Server::with(&["--dir", current.to_str().unwrap()]);
    let curl = crate::support::Client::new(&[]);
    let get = || curl.fetch(&format!("{}file", server.url)).text();
    assert_eq!(get(), "one");
    symlink("2", &new).unwrap();
    fs::rename(&new, &current).unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    while get() != "two" {
        assert!(Instant::now() < end, "still the old one");
        thread::sleep(Duration::from_millis(50));
    }
}
