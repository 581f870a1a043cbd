//! Reloads under load: not one handshake fails.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use std::{fmt, fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::Setup;
use crate::support::{Conn, Crl, Dialer, Pki, Profile, Raise, report};

#[test]
fn no_handshake_fails_on_rustls() {
    no_handshake_fails(Setup::RUSTLS_CLIENT_13, 1000);
}

#[test]
fn no_handshake_fails_on_openssl() {
    no_handshake_fails(Setup::OPENSSL_CLIENT_13, 1000);
}

/// The stack is the same as for openssl, and what is read is less.
#[test]
fn no_handshake_fails_on_native_tls() {
    no_handshake_fails(Setup::NATIVE_TLS, 200);
}

/// Has clients connect without a pause, some of whom resume their sessions, while two identities take
/// turns.
fn no_handshake_fails(setup: Setup, reloads: usize) {
    let pki = Pki::new();
    let identities = ["even", "odd"].map(|name| pki.ca.issue(&Profile::server(name)));
    let identities = identities.map(|leaf| leaf.cert + &leaf.key);
    let file = pki.write("identity.pem", &identities[0]);
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let clients = ["--client-ca", &pki.ca_file, "--client-crl", &list, "--resumption", "on"];
    let verifies = setup.backend != "native-tls";
    let clients = if verifies { &clients[..] } else { &[] };
    let mut server = setup.serve(&[&["--cert", &file], clients].concat());
    let dialer = || {
        if verifies {
            Dialer::mutual(server.port, &pki.ca_file, &pki.client)
        } else {
            Dialer::tls(server.port, &pki.ca_file)
        }
    };

    let over = AtomicBool::new(false);
    let seen = Mutex::new(Seen::default());
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let dialer = dialer();
                while !over.load(Ordering::Relaxed) {
                    let mut conn = dialer.open();
                    conn.get().assert_top_level();
                    seen.lock().unwrap().add(&conn);
                }
            });
        }
        let _over = Raise(&over);
        let pid = Pid::from_raw(server.pid().try_into().unwrap()).unwrap();
        for n in 1..=reloads {
            // It appears whole, as a file has to of which half would be read.
            let next = pki.write("next.pem", &identities[n % 2]);
            fs::rename(&next, &file).unwrap();
            let start = server.log_len();
            kill_process(pid, Signal::HUP).unwrap();
            let line = server.logged_since(start, &["reloaded ("]);
            assert!(line.starts_with("info: reloaded (SIGHUP)"), "{line}");
        }
    });
    let seen = seen.into_inner().unwrap();
    report(setup.backend, &format!("{reloads} reloads in {:?}: {seen}", begun.elapsed()));
    assert!(seen.connections >= reloads / 2, "too few to tell: {seen}");
    assert!(!verifies || seen.resumed > 0, "nobody came back: {seen}");
    assert_eq!(seen.certificates.len(), identities.len(), "{seen}");
    server.assert_alive();
}

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    connections: usize,
    resumed: usize,
    certificates: HashSet<Vec<u8>>,
}

impl Seen {
    fn add(&mut self, conn: &Conn) {
        self.connections += 1;
        self.resumed += usize::from(conn.is_resumed());
        self.certificates.extend(conn.certificate());
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, resumed, certificates } = self;
        let certificates = certificates.len();
        write!(f, "{connections} connections, {resumed} resumed, {certificates} certificates")
    }
}
