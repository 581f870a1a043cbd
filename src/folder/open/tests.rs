use std::fs;
use std::io::Read;
#[cfg(unix)]
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A folder with files, and one file outside of it.
fn made() -> (TempDir, Root) {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("folder");
    fs::create_dir_all(folder.join("sub/deep")).unwrap();
    fs::write(outer.path().join("secret"), "secret").unwrap();
    fs::write(folder.join("file"), "file").unwrap();
    fs::write(folder.join("sub/deep/file"), "deep").unwrap();
    let root = Root::new(folder).unwrap();
    (outer, root)
}

/// All the ways to open a file here, since each may treat a link differently.
#[cfg(unix)]
fn ways(root: &Root, relative: &str) -> Vec<Result<File, Missed>> {
    let relative = Path::new(relative);
    let folder = root.folder(Patience::Any).unwrap();
    vec![
        root.open(relative, Patience::Any),
        root.resolve(relative).and_then(|inside| walk::open(&folder, &inside)),
    ]
}

fn contents(opened: Result<File, Missed>) -> String {
    let mut text = String::new();
    opened.unwrap().read_to_string(&mut text).unwrap();
    text
}

#[cfg(unix)]
#[test]
fn links_lead_where_they_lead_as_long_as_that_is_inside() {
    let (outer, root) = made();
    let link = |to: &str, at: &str| symlink(to, root.path().join(at)).unwrap();
    link("file", "plain");
    link("sub/deep/file", "down");
    link("../../file", "sub/deep/up");
    link("../folder/file", "around");
    link("deep", "sub/folder");
    link(root.path().join("file").to_str().unwrap(), "absolute");
    for (name, text) in [
        ("file", "file"),
        ("sub/deep/file", "deep"),
        ("plain", "file"),
        ("down", "deep"),
        ("sub/deep/up", "file"),
        ("around", "file"),
        ("sub/folder/file", "deep"),
        ("absolute", "file"),
    ] {
        for opened in ways(&root, name) {
            assert_eq!(contents(opened), text, "{name}");
        }
    }
    link("../secret", "out");
    link("..", "parent");
    link(outer.path().join("secret").to_str().unwrap(), "away");
    link("/proc/self/root/etc/passwd", "magic");
    link("out", "twice");
    for name in
        ["out", "parent", "parent/secret", "away", "magic", "twice", "parent/folder/../secret"]
    {
        for opened in ways(&root, name) {
            assert!(matches!(opened, Err(Missed::Outside)), "{name}: {opened:?}");
        }
    }
    link("gone", "dangling");
    link("loop", "loop");
    for name in ["dangling", "loop", "nothing", "file/x", "sub/nothing/x", &"x".repeat(300)] {
        for opened in ways(&root, name) {
            assert!(matches!(opened, Err(Missed::Nothing)), "{name}: {opened:?}");
        }
    }
}

/// After the path was resolved, a link replaces a part of it before it is opened.
#[cfg(unix)]
#[test]
fn a_link_that_comes_too_late_is_not_followed() {
    let (_outer, root) = made();
    let folder = root.folder(Patience::Any).unwrap();
    symlink("../secret", root.path().join("out")).unwrap();
    symlink("sub", root.path().join("other")).unwrap();
    for inside in ["out", "other/deep/file"] {
        let opened = walk::open(&folder, Path::new(inside));
        assert!(matches!(opened, Err(Missed::Nothing)), "{inside}: {opened:?}");
    }
    assert_eq!(contents(walk::open(&folder, Path::new("sub/deep/file"))), "deep");
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_keep_nobody_waiting() {
    let (_outer, root) = made();
    let pipe = root.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    for opened in ways(&root, "pipe") {
        assert!(!opened.unwrap().metadata().unwrap().is_file());
    }
    for opened in ways(&root, "socket") {
        assert!(matches!(opened, Err(Missed::Nothing)), "{opened:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_in_memory_takes_no_patience() {
    let (_outer, root) = made();
    // The name is not in the cache, so the disk would have to be read.
    let opened = root.open(Path::new("sub/none"), Patience::None);
    assert!(matches!(opened, Err(Missed::NotNow | Missed::Nothing)), "{opened:?}");
    assert_eq!(contents(root.open(Path::new("sub/deep/file"), Patience::None)), "deep");
}

#[cfg(unix)]
#[test]
fn the_folder_may_be_a_link_that_changes() {
    let outer = tempfile::tempdir().unwrap();
    for release in ["1", "2"] {
        fs::create_dir(outer.path().join(release)).unwrap();
        fs::write(outer.path().join(release).join("file"), release).unwrap();
    }
    let current = outer.path().join("current");
    symlink("1", &current).unwrap();
    let root = Root::new(current.clone()).unwrap();
    assert_eq!(contents(root.open(Path::new("file"), Patience::Any)), "1");
    fs::remove_file(&current).unwrap();
    symlink("2", &current).unwrap();
    std::thread::sleep(FRESH);
    assert!(matches!(root.open(Path::new("file"), Patience::None), Err(Missed::NotNow)));
    assert_eq!(contents(root.open(Path::new("file"), Patience::Any)), "2");
}

#[test]
fn a_folder_has_to_be_one() {
    let (outer, _root) = made();
    for name in ["none", "secret"] {
        assert!(Root::new(outer.path().join(name)).is_err(), "{name}");
    }
}
