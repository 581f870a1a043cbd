//! `--dir` and what goes with it, as they are typed and set, in all three modes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::Folder;
use crate::support::{Client, FAILURE, Pki, Program, Server, USAGE, assert_complaint};

#[test]
fn a_folder_is_served_in_all_three_modes() {
    let folder = Folder::new().with("a.txt", "a").with("sub/index.html", "sub");
    let path = folder.path();
    let dir = ["--dir", path.to_str().unwrap()];
    let pki = Pki::new();
    let (https, mutual) = (pki.server_args(), pki.mutual_args());
    for (mode, options) in [("http", &[][..]), ("https", &https[..]), ("mutual", &mutual[..])] {
        let server = Server::with(&[&dir[..], options].concat());
        assert!(server.banner.contains(&format!(": {mode} on ")), "{}", server.banner);
        let scheme = if mode == "http" { "http" } else { "https" };
        let url = format!("{scheme}://localhost:{}", server.port);
        let curl = Client::new(&["-4", "-L", "--cacert", &pki.ca_file, "-E", &pki.client.both]);
        for (target, body) in [("/a.txt", "a"), ("/sub", "sub")] {
            let answer = curl.fetch(&format!("{url}{target}"));
            answer.assert_ok();
            assert_eq!(answer.text(), body);
        }
        // In place of the built-in app.
        for target in ["/", "/whoami", "/echo"] {
            assert_eq!(curl.fetch(&format!("{url}{target}")).status, 404, "{target}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_said() {
    let folder = Folder::new().with("a.txt", "a");
    let (path, file, none) =
        (folder.path(), folder.path().join("a.txt"), folder.path().join("none"));
    let (dir, file, none) =
        (path.to_str().unwrap(), file.to_str().unwrap(), none.to_str().unwrap());
    let proxy = ["--proxy", "http://127.0.0.1:1"];
    for (args, code, naming) in [
        (&["--listing"][..], USAGE, &["--listing", "--dir"][..]),
        (&["--spa"], USAGE, &["--spa", "--dir"]),
        (&[&proxy[..], &["--dir", dir]].concat(), USAGE, &["--dir", "--proxy"]),
        (&[&proxy[..], &["--listing"]].concat(), USAGE, &["--listing", "--dir"]),
        (&["--dir"], USAGE, &["--dir"]),
        (&["--dir", none], FAILURE, &["--dir", none, "no such folder"]),
        (&["--dir", file], FAILURE, &["--dir", file, "is a file"]),
    ] {
        assert_complaint(&Program::new(&[&["--port", "0"], args].concat()).run(), code, naming);
    }
    let both =
        Program::new(&["--port", "0"]).env("TURNKEY_DIR", dir).env("TURNKEY_PROXY", proxy[1]);
    assert_complaint(&both.run(), USAGE, &["--dir", "--proxy"]);
}

#[test]
fn a_folder_that_may_not_be_read_is_said() {
    let folder = Folder::new().with("a.txt", "a");
    let path = folder.path();
    let closed = fs::Permissions::from_mode(0o000);
    fs::set_permissions(&path, closed).unwrap();
    let dir = path.to_str().unwrap();
    let output = Program::without_privileges(&["--port", "0", "--dir", dir]).run();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    assert_complaint(&output, FAILURE, &["--dir", dir, "may not be read", "ls -ld"]);
}

#[test]
fn the_environment_names_it_too_and_what_is_typed_counts() {
    let folder = Folder::new().with("sub/a.txt", "a");
    let path = folder.path();
    let program = |args: &[&str]| {
        Program::new(args)
            .env("TURNKEY_DIR", path.to_str().unwrap())
            .env("TURNKEY_LISTING", "1")
            .env("TURNKEY_PORT", "0")
    };
    let curl = Client::new(&[]);
    let server = program(&[]).start();
    assert!(curl.fetch(&server.url).text().contains("Index of /"));
    let server = program(&[&format!("--dir={}", path.join("sub").display())]).start();
    assert_eq!(curl.fetch(&format!("{}a.txt", server.url)).text(), "a");
    // Another thing to serve, typed: the folder is for other runs.
    let server = program(&["--proxy", "http://127.0.0.1:1"]).start();
    assert_eq!(curl.fetch(&server.url).status, 502);
    let server = program(&[]).env("TURNKEY_DIR", "").env("TURNKEY_PROXY", "http://127.0.0.1:1");
    let server = server.dir(path.to_str().unwrap()).start();
    assert_eq!(curl.fetch(&server.url).status, 502);
}

/// A path is meant from where the program was started.
#[test]
fn a_relative_path_is_from_where_it_was_started() {
    let folder = Folder::new().with("a.txt", "a");
    let outer = folder.outer.path().to_str().unwrap();
    let server = Program::new(&["--dir", "web", "--port", "0"]).dir(outer).start();
    assert_eq!(Client::new(&[]).fetch(&format!("{}a.txt", server.url)).text(), "a");
    let server = Program::new(&["--dir", ".", "--port", "0"]).dir(outer).start();
    assert_eq!(Client::new(&[]).fetch(&format!("{}web/a.txt", server.url)).text(), "a");
}

/// `--health` is the server's own, whatever is in the folder.
#[test]
fn health_is_the_servers_own() {
    let folder = Folder::new().with("healthz", "file");
    let path = folder.path();
    let server = Server::with(&["--dir", path.to_str().unwrap(), "--health", "/healthz"]);
    assert_eq!(Client::new(&[]).fetch(&format!("{}healthz", server.url)).text(), "serving\n");
}
