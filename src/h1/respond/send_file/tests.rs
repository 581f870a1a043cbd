//! How the kernel sends a file over a loopback connection.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use smol::io::AsyncWrite as _;
use turnkey_backend::Reactor;

use super::*;
use crate::wire::Transport;

/// Both ends of a connection: the client's, then the server's.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (connecting, listener.accept().unwrap().0)
}

/// Sends `range` of `file` over `ours`, after `before` has changed the connection. Returns the result, and whether
/// the client is known to have left.
fn send(
    ours: TcpStream,
    file: File,
    range: Range<u64>,
    before: impl AsyncFnOnce(&mut Socket, &File),
) -> (io::Result<()>, bool) {
    let mut reactor = Reactor::new().unwrap();
    let sent = reactor.drive(async {
        let mut socket = Socket::tcp(ours).unwrap();
        before(&mut socket, &file).await;
        let transport = Transport::new(Box::new(socket.clone()), Arc::default());
        let shared = Arc::new(Mutex::new(transport));
        let body = FileBody { file: Arc::new(file), pieces: Arc::default() };
        let result = Out::new(&shared).send_range(&socket, &body, range).await;
        (result, lock(&shared).is_broken())
    });
    sent.unwrap()
}

/// A temporary file of this length, deleted when it is closed.
fn file(length: u64) -> File {
    let file = tempfile::tempfile().unwrap();
    file.set_len(length).unwrap();
    file
}

#[test]
fn what_the_kernel_cannot_send_is_read() {
    const PATH: &str = "/proc/self/cmdline";
    let (mut theirs, ours) = pair();
    let content = fs::read(PATH).unwrap();
    let range = 1..content.len() as u64;
    let sent = send(ours, File::open(PATH).unwrap(), range, async |socket, file| {
        let error = socket.send_file(file, 0, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
    });
    assert!(matches!(sent, (Ok(()), false)), "{sent:?}");
    let mut got = Vec::new();
    theirs.read_to_end(&mut got).unwrap();
    assert_eq!(got, content[1..]);
}

#[test]
fn a_connection_that_is_full_is_waited_for() {
    const LENGTH: u64 = 100_000;
    let (mut theirs, ours) = pair();
    let (full, is_full) = std::sync::mpsc::channel();
    let reading = thread::spawn(move || {
        let filled: u64 = is_full.recv().unwrap();
        // Wait until the kernel reports that the socket is full.
        thread::sleep(Duration::from_millis(50));
        let mut got = Vec::new();
        theirs.read_to_end(&mut got).unwrap();
        (filled, got.len() as u64)
    });
    // A part from the middle of a file.
    let sent = send(ours, file(3 * LENGTH), LENGTH..2 * LENGTH, async |socket, file| {
        let mut filled = 0;
        poll_fn(|cx| {
            while let Poll::Ready(n) = Pin::new(&mut *socket).poll_write(cx, &[b'f'; 10_000]) {
                filled += n.unwrap() as u64;
            }
            Poll::Ready(())
        })
        .await;
        let error = socket.send_file(file, 0, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
        full.send(filled).unwrap();
    });
    assert!(matches!(sent, (Ok(()), false)), "{sent:?}");
    let (filled, got) = reading.join().unwrap();
    assert_eq!(got, filled + LENGTH);
}

#[test]
fn a_client_that_has_left_is_known_to_have() {
    let (theirs, ours) = pair();
    let sent = send(ours, file(100), 0..100, async |socket, _| {
        smol::io::AsyncWriteExt::write_all(socket, b"unread").await.unwrap();
        // Closing with unread bytes is a reset.
        drop(theirs);
    });
    let (Err(error), true) = sent else { panic!("{sent:?}") };
    let left = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    assert!(left.contains(&error.kind()), "{error:?}");
}
