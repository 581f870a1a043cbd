//! A GiB up and a GiB down, in memory that stays as it was: whoever is to take it is late, and what
//! waits meanwhile must wait at the other end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

use crate::Front;
use crate::support::programs::directory;
use crate::support::{report, table, tool};

table! {
    columns {
        http = "http";
        https = "https";
    } rows {
        a_gib_up_with_a_length
        a_gib_up_in_chunks
        a_gib_down_with_a_length
        a_gib_down_in_chunks
        a_gib_down_until_the_end
    }
}

const GIB: u64 = 1 << 30;
/// How much more memory the server may have held at any time, in KiB.
const MORE: u64 = 16 * 1024;
const PIECE: usize = 1 << 20;
/// How late the one is that takes it.
const LATE: Duration = Duration::from_millis(700);

fn a_gib_up_with_a_length(mode: &'static str) {
    up(mode, &["--proxy-streaming"], &[], "content-length: 1073741824");
}

fn a_gib_up_in_chunks(mode: &'static str) {
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    up(mode, &["--proxy-streaming"], &chunked, "transfer-encoding: chunked");
}

/// In a file, which needs the room: once will do.
#[test]
fn a_gib_up_held_back() {
    up("https", &[], &["-H", "Transfer-Encoding: chunked"], "content-length: 1073741824");
}

/// Uploads a file full of nothing; the upstream gets `framing`.
fn up(mode: &'static str, server: &[&str], curl: &[&str], framing: &str) {
    let dir = directory();
    let file = dir.path().join("zeros");
    File::create(&file).and_then(|f| f.set_len(GIB)).expect("room for a file of holes");
    let options = [curl, &["-T", file.to_str().unwrap()]].concat();
    let mut said = String::new();
    through(mode, server, &options, "up", |mut out| _ = out.read_to_string(&mut said).unwrap());
    assert_eq!(said, format!("{framing}: {GIB} bytes\n"));
}

fn a_gib_down_with_a_length(mode: &'static str) {
    down(mode, "length");
}

fn a_gib_down_in_chunks(mode: &'static str) {
    down(mode, "chunked");
}

fn a_gib_down_until_the_end(mode: &'static str) {
    down(mode, "until-close");
}

fn down(mode: &'static str, path: &str) {
    through(mode, &[], &["-f"], path, |out| {
        thread::sleep(LATE);
        assert_eq!(count(&mut BufReader::with_capacity(PIECE, out), u64::MAX), GIB);
    });
}

/// Has curl do this through a server that must not grow. curl has to end well: when an answer breaks off,
/// it does not.
fn through(
    mode: &'static str,
    server: &[&str],
    options: &[&str],
    path: &str,
    take: impl FnOnce(ChildStdout),
) {
    let upstream = upstream();
    let front = Front::start(mode, &upstream, &[server, &["--max-body", "0"]].concat());
    // The first exchange brings what is kept from then on.
    assert_eq!(front.curl().fetch(&format!("{}nothing", front.url())).status, 200);
    let before = peak(&front);

    let mut curl = tool("curl");
    curl.args(["-q", "-sS", "-4", "--cacert", &front.pki.ca_file, "--max-time", "100"]);
    curl.args(options).arg(format!("{}{path}", front.url()));
    let mut curl = curl.stdout(Stdio::piped()).spawn().expect("curl");
    take(curl.stdout.take().unwrap());
    let status = curl.wait().unwrap();
    assert!(status.success(), "curl: {status}; {}", front.server.log());
    let after = peak(&front);
    report((mode, path), &format!("{before} KiB at first, {after} KiB at most"));
    assert!(after < before + MORE, "grew from {before} KiB to {after} KiB");
}

/// The most memory that was ever resident, in KiB.
fn peak(front: &Front) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", front.server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// A server that counts what comes in and sends as much as a client can want. It lives as long as the
/// tests do.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for tcp in listener.incoming() {
            thread::spawn(move || answer(tcp.unwrap()));
        }
    });
    url
}

/// Answers one request, and closes.
fn answer(mut tcp: TcpStream) {
    let mut input = BufReader::with_capacity(PIECE, tcp.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head).unwrap() == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let ok = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    match &*path {
        "/up" => {
            let framing = head.to_lowercase();
            let framing = framing.lines().find(|line| {
                line.starts_with("content-length:") || line.starts_with("transfer-encoding:")
            });
            let framing = framing.unwrap();
            thread::sleep(LATE);
            let got = if framing.ends_with("chunked") {
                count_chunked(&mut input)
            } else {
                count(&mut input, GIB)
            };
            let body = format!("{framing}: {got} bytes\n");
            let length = body.len();
            write!(tcp, "{ok}Content-Length: {length}\r\n\r\n{body}").unwrap();
        }
        "/nothing" => write!(tcp, "{ok}Content-Length: 0\r\n\r\n").unwrap(),
        "/length" => {
            write!(tcp, "{ok}Content-Length: {GIB}\r\n\r\n").unwrap();
            send(&mut tcp, b"", b"");
        }
        "/chunked" => {
            write!(tcp, "{ok}Transfer-Encoding: chunked\r\n\r\n").unwrap();
            send(&mut tcp, format!("{PIECE:x}\r\n").as_bytes(), b"\r\n");
            tcp.write_all(b"0\r\n\r\n").unwrap();
        }
        _ => {
            write!(tcp, "{ok}\r\n").unwrap();
            send(&mut tcp, b"", b"");
        }
    }
}

/// Sends a GiB, with this around each piece.
fn send(tcp: &mut TcpStream, before: &[u8], after: &[u8]) {
    let piece = [before, &vec![b'x'; PIECE], after].concat();
    for _ in 0..GIB / PIECE as u64 {
        tcp.write_all(&piece).unwrap();
    }
}

/// How much comes, up to `most`.
fn count(input: &mut impl BufRead, most: u64) -> u64 {
    let mut got = 0;
    while got < most {
        let n = input.fill_buf().unwrap().len() as u64;
        if n == 0 {
            break;
        }
        let n = n.min(most - got);
        input.consume(usize::try_from(n).unwrap());
        got += n;
    }
    got
}

fn count_chunked(input: &mut impl BufRead) -> u64 {
    let mut got = 0;
    loop {
        let mut line = String::new();
        input.read_line(&mut line).unwrap();
        let size = u64::from_str_radix(line.trim(), 16).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        got += count(input, size);
        line.clear();
        input.read_line(&mut line).unwrap();
        assert_eq!(line, "\r\n");
        if size == 0 {
            return got;
        }
    }
}
