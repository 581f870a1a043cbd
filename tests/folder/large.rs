//! A GiB, in memory that stays as it was: in plain the kernel sends it by itself.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Client, Program, Site, Stack, report, table, tool};
use crate::{Folder, Served, bytes};

table! {
    columns {
        plain = Stack::Plain;
        rustls = Stack::Rustls;
        native_tls = Stack::NativeTls;
    } rows {
        a_gib_takes_no_memory
        who_takes_nothing_is_not_waited_for
    }
}

const GIB: u64 = 1 << 30;

/// How much more memory the server may have held at any time, in KiB.
const MORE: u64 = 16 * 1024;

/// What reads the file in pieces makes at least so many calls to do so.
const PIECES: u64 = GIB / (64 << 10);

fn huge(stack: Stack, limits: &[(&str, &str)]) -> Served {
    let folder = Folder::new();
    let path = folder.file("huge.bin", "");
    fs::File::options().append(true).open(&path).unwrap().set_len(GIB).unwrap();
    folder.file("small.txt", "small");
    Served::limited(stack, folder, &[], limits)
}

fn a_gib_takes_no_memory(stack: Stack) {
    let served = huge(stack, &[]);
    served.get("/small.txt").assert_is(200, "small");
    let (before, calls) = (peak(&served), reads(&served.site));
    let mut curl = tool("curl");
    curl.args(["-q", "-sS", "-f", "--cacert", &served.site.pki.ca_file, "--max-time", "100"]);
    curl.arg(format!("{}huge.bin", served.site.server.url));
    let mut curl = curl.stdout(Stdio::piped()).spawn().expect("curl");
    let mut out = curl.stdout.take().unwrap();
    // Late, so that all that is on its way has to wait.
    thread::sleep(Duration::from_millis(500));
    let (mut got, mut piece) = (0, vec![0; 1 << 20]);
    loop {
        match out.read(&mut piece).unwrap() {
            0 => break,
            n => got += n as u64,
        }
    }
    assert!(curl.wait().unwrap().success(), "{}", served.site.server.log());
    assert_eq!(got, GIB);
    let (after, calls) = (peak(&served), reads(&served.site) - calls);
    report(stack, &format!("{before} KiB at first, {after} KiB at most, {calls} calls to read"));
    assert!(after < before + MORE, "grew from {before} KiB to {after} KiB");
    if stack.is_tls() {
        assert!(calls >= PIECES, "{calls} calls");
    } else {
        assert!(calls < PIECES / 2, "{calls} calls: its bytes went through the program");
    }
}

/// `--write-timeout` is for what the kernel sends, too.
fn who_takes_nothing_is_not_waited_for(stack: Stack) {
    let served = huge(stack, &[]);
    let mut conn = served.site.open();
    conn.send(b"GET /huge.bin HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    // It has begun, so the connection and the file are open.
    assert!(matches!(conn.read_some(), Ok(1..)));
    let descriptors = served.site.server.descriptors();
    let start = Instant::now();
    while served.site.server.descriptors() >= descriptors {
        assert!(start.elapsed() < Duration::from_secs(8), "still there");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() > Duration::from_millis(700), "gone after {:?}", start.elapsed());
    // Who takes a little now and then is.
    let mut conn = served.site.open();
    conn.send(b"GET /huge.bin HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        // What there is room for on the way, and more.
        for _ in 0..500 {
            assert!(matches!(conn.read_some(), Ok(1..)));
        }
        thread::sleep(Duration::from_millis(300));
    }
}

/// One who takes all there is does not keep others waiting, on one thread.
#[test]
fn a_large_file_keeps_nobody_waiting() {
    for stack in Stack::PLAIN_AND_TLS {
        let served = huge(stack, &[("--threads", "1")]);
        let over = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut conn = served.site.open();
                    let get = b"GET /huge.bin HTTP/1.1\r\nHost: a.test\r\n\r\n";
                    conn.send(get).unwrap();
                    let mut got = 0;
                    while !over.load(std::sync::atomic::Ordering::SeqCst) && got < GIB {
                        got += conn.skim().unwrap() as u64;
                    }
                });
            }
            let _over = crate::support::Raise(&over);
            for _ in 0..10 {
                let start = Instant::now();
                served.get("/small.txt").assert_is(200, "small");
                let waited = start.elapsed();
                assert!(waited < Duration::from_secs(1), "{stack:?}: served after {waited:?}");
            }
        });
    }
}

fn proc(site: &Site, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/{file}", site.server.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The most memory that was ever resident, in KiB.
fn peak(served: &Served) -> u64 {
    proc(&served.site, "status", "VmHWM:")
}

/// How often it has read anything, or had the kernel do so.
fn reads(site: &Site) -> u64 {
    proc(site, "io", "syscr:")
}

/// Over a Unix socket too, the kernel sends it.
#[test]
fn over_a_unix_socket_it_is_the_same() {
    let folder = Folder::new().with("large.bin", bytes(3_000_000)).with("small.txt", "small");
    let socket = folder.outer.path().join("socket");
    let path = folder.path();
    let listen = format!("unix:{}", socket.display());
    let program = Program::new(&["--dir", path.to_str().unwrap(), "--listen", &listen]).start();
    let curl = Client::new(&["--unix-socket", socket.to_str().unwrap()]);
    assert_eq!(curl.fetch("http://localhost/small.txt").text(), "small");
    assert!(curl.fetch("http://localhost/large.bin").body == bytes(3_000_000));
    drop(program);
}
