//! Several places at once, served alike.

use std::thread;
use std::time::Duration;

use crate::support::{Client, Dialer, GET, Program};
use crate::{Service, free_port};

#[test]
fn all_are_served_named_and_drained() {
    let dir = tempfile::tempdir().unwrap();
    let path = format!("{}/socket", dir.path().display());
    let listen = format!("unix:{path}");
    let args = ["--listen", "127.0.0.1:0", "--listen", &listen, "--listen=[::1]:0"];
    let mut server = Program::new(&args).start();
    let banner = server.banner.clone();
    let places = banner.split(" on ").nth(1).unwrap().split(", backend").next().unwrap();
    let places: Vec<_> = places.split(" and ").collect();
    let [ipv4, unix, ipv6] = places[..] else { panic!("{banner}") };
    assert_eq!(unix, listen);
    for (url, options, client) in [
        (ipv4, &[][..], "127.0.0.1"),
        (ipv6, &["--globoff"], "::1"),
        ("http://localhost/", &["--unix-socket", &path], "unix"),
    ] {
        let whoami = Client::new(options).fetch(&format!("{url}whoami")).json();
        assert_eq!(whoami["client"], client, "{url}");
    }
    assert_eq!(server.run_try_command().text(), "Top-level content");
    server.signal("TERM");
    assert!(server.wait().success());
}

#[test]
fn the_limit_on_connections_is_for_all_of_them_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = format!("{}/socket", dir.path().display());
    let listen = format!("unix:{path}");
    let args = ["--listen", "127.0.0.1:0", "--listen", &listen, "--max-connections", "1"];
    let server = Program::new(&args).start();
    let mut held = Dialer::plain(server.port).open();
    held.send(GET).unwrap();
    held.response().assert_top_level();
    let client = Client::new(&["--unix-socket", &path]);
    assert_eq!(client.fetch("http://localhost/").status, 503);
    drop(held);
    for attempt in 0.. {
        if client.fetch("http://localhost/").status == 200 {
            break;
        }
        assert!(attempt < 100, "the place is free again");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn from_the_environment() {
    let service = Service::start("http", &[]);
    drop(service.server);
    let listen = format!("unix:{}, 127.0.0.1:0", service.path);
    let server = Program::new(&[]).env("TURNKEY_LISTEN", &listen).start();
    assert!(server.banner.contains(" and http://127.0.0.1:"), "{}", server.banner);
    drop(server);
    // What is typed counts, and not both.
    let server = Program::new(&["--port", "0"]).env("TURNKEY_LISTEN", &listen).start();
    assert!(!server.banner.contains(&service.path), "{}", server.banner);
}

#[test]
fn ipv6_takes_ipv4_too_and_clients_keep_their_addresses() {
    let server = Program::new(&["--listen", "[::]:0", "--trust-proxy", "127.0.0.0/8"]).start();
    let url = format!("http://127.0.0.1:{}/whoami", server.port);
    let whoami = Client::new(&[]).fetch(&url).json();
    assert_eq!(whoami["client"], "127.0.0.1", "and not ::ffff:127.0.0.1");
    let whoami = Client::new(&["-H", "X-Forwarded-For: 192.0.2.1"]).fetch(&url).json();
    assert_eq!(whoami["client"], "192.0.2.1", "it is trusted as the IPv4 that it is");
    let url = format!("http://[::1]:{}/whoami", server.port);
    assert_eq!(Client::new(&["--globoff"]).fetch(&url).json()["client"], "::1");
}

/// All of IPv4, or one address of it.
#[test]
fn ipv4_and_ipv6_may_be_named_side_by_side() {
    for any_or_one in ["0.0.0.0", "127.0.0.1"] {
        let port = free_port();
        let [ipv4, ipv6] = [format!("{any_or_one}:{port}"), format!("[::]:{port}")];
        for [first, second] in [[&ipv4, &ipv6], [&ipv6, &ipv4]] {
            let server = Program::new(&["--listen", first, "--listen", second]).start();
            for (host, client) in [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")] {
                let url = format!("http://{host}:{}/whoami", server.port);
                assert_eq!(Client::new(&["--globoff"]).fetch(&url).json()["client"], client);
            }
        }
    }
}

#[test]
fn a_redirect_goes_to_the_first_port_for_https() {
    let service = Service::start("https", &["--listen", "127.0.0.1:0", "--redirect-from", "0"]);
    let server = &service.server;
    let line = server.greeting.lines().find(|line| line.ends_with("sends on to https")).unwrap();
    let from = line.split(' ').next().unwrap();
    let https = server.banner.split(" and https://127.0.0.1:").nth(1).unwrap();
    let https = https.split('/').next().unwrap();
    let from = from.replace("127.0.0.1", "localhost");
    let answer = Client::new(&["-o", "/dev/null", "-w", "%{redirect_url}"]).run(&[&from]);
    assert_eq!(answer.text(), format!("https://localhost:{https}/"));
}
