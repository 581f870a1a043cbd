//! What a service manager is told (`sd_notify(3)`), read from its socket.

use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

use crate::support::{Conn, Dialer, Pki, Program, Server};

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
    /// What stands in `NOTIFY_SOCKET`.
    name: String,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("notify").to_str().unwrap().to_owned();
        Self { socket: UnixDatagram::bind(&name).unwrap(), name, _folder: folder }
    }

    /// With a name that is no file.
    fn abstract_one() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("notify").to_str().unwrap().to_owned();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Self {
            socket: UnixDatagram::bind_addr(&address).unwrap(),
            name: format!("@{name}"),
            _folder: folder,
        }
    }

    fn start(&self, args: &[&str], environment: &[(&str, &str)]) -> Server {
        let program = Program::new(&[args, &["--port", "0"]].concat());
        let program = program.env("NOTIFY_SOCKET", &self.name);
        environment.iter().fold(program, |program, (name, value)| program.env(name, value)).start()
    }

    /// The next message, as its assignments.
    #[track_caller]
    fn next(&self) -> Vec<String> {
        self.next_within(Duration::from_secs(10)).expect("a message within ten seconds")
    }

    fn next_within(&self, limit: Duration) -> Option<Vec<String>> {
        self.socket.set_read_timeout(Some(limit)).unwrap();
        let mut message = [0; 4096];
        match self.socket.recv(&mut message) {
            Ok(length) => {
                let text = std::str::from_utf8(&message[..length]).unwrap();
                Some(text.lines().map(str::to_owned).collect())
            }
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                    "{error}"
                );
                None
            }
        }
    }
}

/// Microseconds on the clock that starts with the machine.
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000 + now.tv_nsec / 1000).unwrap()
}

#[test]
fn it_is_told_of_start_reload_and_stop() {
    let manager = Manager::new();
    let pki = Pki::new();
    let mut server =
        manager.start(&[&pki.server_args()[..], &["--drain-timeout", "7"]].concat(), &[]);
    let ready = manager.next();
    assert_eq!(ready, ["READY=1".to_owned(), format!("STATUS={}", server.banner)]);

    let before = monotonic();
    server.reload();
    let reloading = manager.next();
    assert_eq!(reloading[0], "RELOADING=1");
    let at: u64 = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
    assert!((before..=monotonic()).contains(&at), "{before} {at}");
    let ready = manager.next();
    assert_eq!(ready[0], "READY=1");
    assert!(ready[1].starts_with("STATUS=reloaded (SIGHUP)"), "{ready:?}");

    server.signal("TERM");
    let stopping = manager.next();
    // A second more than the server takes at most.
    assert_eq!(stopping[..2], ["STOPPING=1", "EXTEND_TIMEOUT_USEC=8000000"]);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(manager.next_within(Duration::from_millis(100)), None);
}

/// `systemctl status` shows it.
#[test]
fn it_is_told_why_a_reload_failed() {
    let manager = Manager::new();
    let pki = Pki::new();
    let server = manager.start(&pki.server_args(), &[]);
    manager.next();
    std::fs::write(&pki.server.cert, "nothing").unwrap();
    let line = server.hang_up();
    assert!(line.starts_with("error: not reloaded"), "{line}");
    assert_eq!(manager.next()[0], "RELOADING=1");
    let ready = manager.next();
    assert_eq!(ready.len(), 2, "{ready:?}");
    assert_eq!(ready[0], "READY=1");
    assert!(ready[1].contains("not reloaded (SIGHUP)"), "{ready:?}");
    assert!(ready[1].contains(&pki.server.cert), "{ready:?}");
}

/// `Type=notify-reload` waits for an answer to the signal in every mode.
#[test]
fn a_reload_in_http_mode_has_an_end_too() {
    let manager = Manager::abstract_one();
    let server = manager.start(&[], &[]);
    assert_eq!(manager.next()[0], "READY=1");
    server.signal("HUP");
    assert_eq!(manager.next()[0], "RELOADING=1");
    assert_eq!(manager.next()[0], "READY=1");
}

/// Twice within the time, also while it serves, and while it drains.
#[test]
fn the_watchdog_is_fed() {
    let manager = Manager::new();
    let mut server = manager.start(&[], &[("WATCHDOG_USEC", "400000")]);
    let mut signs = Vec::new();
    let mut feed = || loop {
        if manager.next() == ["WATCHDOG=1"] {
            signs.push(Instant::now());
            return;
        }
    };
    for _ in 0..4 {
        feed();
    }
    let mut conn: Conn = Dialer::plain(server.port).open();
    conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    for _ in 0..4 {
        feed();
    }
    conn.send(b"x").unwrap();
    assert_eq!(server.wait().code(), Some(0));
    // Of each it is known when it was read, which may be later than it came.
    let (limit, last) = (Duration::from_millis(400), signs.len() - 1);
    assert!(signs[last] - signs[0] < limit * 7 * 3 / 4, "{signs:?}");
    for pair in signs.windows(2) {
        assert!(pair[1] - pair[0] < 2 * limit, "{signs:?}");
    }
}

#[test]
fn the_watchdog_of_another_process_is_not_ours() {
    let manager = Manager::new();
    let _server = manager.start(&[], &[("WATCHDOG_USEC", "100000"), ("WATCHDOG_PID", "1")]);
    assert_eq!(manager.next()[0], "READY=1");
    assert_eq!(manager.next_within(Duration::from_millis(500)), None);
}

/// A manager that is gone keeps nobody from being served.
#[test]
fn a_socket_that_is_not_there_is_a_warning() {
    let program = Program::new(&["--port", "0"]).env("NOTIFY_SOCKET", "/nonexistent/notify");
    let server = program.start();
    server.assert_logs(&["warn: cannot tell the service manager"]);
    Dialer::plain(server.port).open().get().assert_top_level();
}

/// One that cannot serve is not said to be ready.
#[test]
fn nothing_is_told_of_a_server_that_does_not_start() {
    let manager = Manager::new();
    let program = Program::new(&["--cert", "/nonexistent"]).env("NOTIFY_SOCKET", &manager.name);
    assert_eq!(program.run().code, Some(1));
    assert_eq!(manager.next_within(Duration::from_millis(50)), None);
}
