//! Sockets that systemd listens on: `systemd-socket-activate` does as it would, and starts the program
//! at the first connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::support::{Client, FAILURE, GET, Pki, Program, Server, assert_complaint};

/// A port that was free a moment ago; `systemd-socket-activate` cannot say which one it got.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Of its own environment it hands on what it is told to; this is where `make coverage` counts.
const ACTIVATE: [&str; 3] = ["systemd-socket-activate", "-E", "LLVM_PROFILE_FILE"];

/// Starts the program on sockets of `systemd-socket-activate`, by a first connection to `wake`.
fn activate(sockets: &[&str], wake: &str, args: &[&str]) -> Server {
    let other = [&ACTIVATE, sockets].concat();
    let program = Program::behind(&other, args);
    let waking = wake_up(wake);
    let server = program.start();
    waking.join().unwrap().expect("a connection to wake it by");
    server
}

/// Connects to `address`, a path or a port, as soon as it can.
fn wake_up(address: &str) -> thread::JoinHandle<io::Result<()>> {
    let wake = address.to_owned();
    // It is held until the program is there.
    thread::spawn(move || {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let woken: io::Result<()> = if wake.starts_with('/') {
                UnixStream::connect(&wake).map(drop)
            } else {
                TcpStream::connect(&wake).map(drop)
            };
            if woken.is_ok() || Instant::now() > end {
                return woken;
            }
            thread::sleep(Duration::from_millis(20));
        }
    })
}

#[test]
fn it_serves_https_on_the_port_that_it_is_given() {
    let pki = Pki::new();
    let address = format!("127.0.0.1:{}", free_port());
    // What else is said of ports has no say.
    let args = [&pki.server_args()[..], &["--port", "1"]].concat();
    let mut server = activate(&["-l", &address], &address, &args);
    assert_eq!(server.url, format!("https://{address}/"));
    server.assert_logs(&["info: serving on the sockets of LISTEN_FDS", "--port have no say"]);
    let curl = Client::new(&["--cacert", &pki.ca_file]);
    for _ in 0..3 {
        assert_eq!(curl.run(&[&server.url]).text(), "Top-level content");
    }
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn several_sockets_of_either_kind_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turnkey.sock").to_str().unwrap().to_owned();
    let address = format!("127.0.0.1:{}", free_port());
    let mut server = activate(&["-l", &address, "-l", &path], &path, &[]);
    assert!(server.banner.contains(&address), "{}", server.banner);

    let answer = |mut conn: Box<dyn ReadWrite>| {
        conn.write_all(GET).unwrap();
        let mut answer = [0; 15];
        conn.read_exact(&mut answer).unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    };
    assert_eq!(answer(Box::new(TcpStream::connect(&address).unwrap())), "HTTP/1.1 200 OK");
    assert_eq!(answer(Box::new(UnixStream::connect(&path).unwrap())), "HTTP/1.1 200 OK");

    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert!(std::path::Path::new(&path).exists(), "the file is systemd's");
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

#[test]
fn the_socket_that_is_called_redirect_sends_on() {
    let pki = Pki::new();
    let (https, http) =
        (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let sockets = ["-l", &https, "-l", &http, "--fdname", "main:redirect"];
    let args = [&pki.server_args()[..], &["--redirect-from", "1"]].concat();
    let server = activate(&sockets, &https, &args);
    let curl = Client::new(&["--cacert", &pki.ca_file]);
    assert_eq!(curl.run(&[&server.url]).text(), "Top-level content");
    let sent = curl.run(&[
        "-w",
        "%{http_code} %{redirect_url}",
        "-o",
        "/dev/null",
        &format!("http://{http}/a"),
    ]);
    assert_eq!(sent.text(), format!("308 https://{https}/a"));
}

/// Runs the program with something as its descriptor 3 that the shell opens, as `LISTEN_FDS`.
fn complain(opens: &str, names: &str, args: &[&str]) -> crate::support::Output {
    let script = format!("export LISTEN_PID=$$; exec \"$0\" \"$@\" {opens}");
    Program::behind(&["sh", "-c", &script], args)
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", names)
        .run()
}

#[test]
fn what_is_no_socket_to_accept_from_is_refused() {
    let output = complain("3</dev/null", "web", &[]);
    assert_complaint(&output, FAILURE, &["LISTEN_FDS", "socket 1 (web)", "Accept=no"]);
}

#[test]
fn sockets_of_another_process_are_left_alone() {
    let server =
        Program::new(&["--port", "0"]).env("LISTEN_FDS", "1").env("LISTEN_PID", "1").start();
    assert_eq!(Client::new(&[]).run(&[&server.url]).text(), "Top-level content");
    assert!(!server.log().contains("LISTEN_FDS"), "{}", server.log());
}

/// Runs the program on sockets of `systemd-socket-activate`, which it refuses, by a connection to `wake`.
fn refused(sockets: &[&str], wake: &str, args: &[&str]) -> crate::support::Output {
    let other = [&ACTIVATE, sockets].concat();
    let program = Program::behind(&other, args);
    let waking = wake_up(wake);
    let output = program.run();
    waking.join().unwrap().expect("a connection to wake it by");
    assert_eq!(output.code, Some(FAILURE), "{output:?}");
    output
}

#[test]
fn a_redirect_without_the_option_is_refused() {
    let addresses = [format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port())];
    let sockets = ["-l", &addresses[0], "-l", &addresses[1], "--fdname=main:redirect"];
    let output = refused(&sockets, &addresses[0], &[]);
    assert!(output.stderr.contains("add --redirect-from"), "{output:?}");
}

#[test]
fn a_redirect_alone_and_two_of_them_are_refused() {
    let addresses = [format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port())];
    let output = refused(&["-l", &addresses[0], "--fdname=redirect"], &addresses[0], &[]);
    assert!(output.stderr.contains("the only socket is called redirect"), "{output:?}");
    let two = ["-l", &addresses[0], "-l", &addresses[1], "--fdname=redirect:redirect"];
    let output = refused(&two, &addresses[0], &[]);
    assert!(output.stderr.contains("two sockets are called redirect"), "{output:?}");
}

/// There is no port to send people on to, and no host has to do with it.
#[test]
fn a_redirect_to_a_unix_socket_is_refused() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turnkey.sock").to_str().unwrap().to_owned();
    let args = [&pki.server_args()[..], &["--redirect-from", "0"]].concat();
    let output = refused(&["-l", &path], &path, &args);
    for words in ["LISTEN_FDS: --redirect-from needs a port for HTTPS", "Unix sockets only"] {
        assert!(output.stderr.contains(words), "{output:?}");
    }
    assert!(!output.stderr.contains("host"), "{output:?}");
}
