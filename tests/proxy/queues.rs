//! Upstreams that take no connections for a while, since those that came before fill their queue.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;
use std::{fs, iter, thread};

use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, listen, socket};

use crate::support::upstream::Upstream;
use crate::support::{Dialer, Program, table};
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        a_busy_unix_socket_is_waited_for
    }
}

fn a_busy_unix_socket_is_waited_for(front: Front) {
    const CLIENTS: usize = 6;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock").to_str().unwrap().to_owned();
    let listener = UnixListener::bind(&path).unwrap();
    listen(&listener, 1).unwrap();
    let before: Vec<_> = iter::from_fn(|| queue_up(&path)).collect();
    let proxied = Proxied::with(front, &[&format!("unix:{path}")], &[]);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| proxied.get("/"))).collect();
        thread::sleep(Duration::from_millis(500));
        let upstream = Upstream::on_unix(listener, &path, |talk| talk.answer_all(OK));
        for client in clients {
            assert_eq!(client.join().unwrap(), OK_CLOSE);
        }
        assert_eq!(upstream.requests().len(), CLIENTS);
    });
    assert!(!proxied.server.log().contains("error: "), "{}", proxied.server.log());
    drop(before);
}

/// A connection that waits at the socket at `path`; `None` if there is no room for it.
fn queue_up(path: &str) -> Option<OwnedFd> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = socket(family, kind, None).unwrap();
    ioctl_fionbio(&socket, true).unwrap();
    match connect(&socket, &SocketAddrUnix::new(path).unwrap()) {
        Err(Errno::AGAIN) => None,
        connected => connected.map(|()| Some(socket)).unwrap(),
    }
}

/// The server has a file of hosts for itself, in which a name has two addresses. At the first, which is the
/// nearest, nobody answers; another name has no other.
#[test]
fn a_silent_address_leaves_the_others_their_time() {
    const HOSTS: &str = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    listen(&silent, 1).unwrap();
    let address = silent.local_addr().unwrap();
    let patience = Duration::from_millis(200);
    let queue_up = || TcpStream::connect_timeout(&address, patience).ok();
    let before: Vec<_> = iter::from_fn(queue_up).collect();
    let listener = TcpListener::bind(("127.0.0.2", address.port())).unwrap();
    let upstream = Upstream::on(listener, |talk| talk.answer_all(OK));

    let dir = tempfile::tempdir().unwrap();
    let hosts = dir.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 app.test silent.test\n127.0.0.2 app.test\n").unwrap();
    let unshare = ["unshare", "--map-root-user", "--mount"];
    let other = [&unshare[..], &["sh", "-c", HOSTS, hosts.to_str().unwrap()]].concat();
    for (name, status) in [("app.test", 200), ("silent.test", 504)] {
        let url = format!("http://{name}:{}", address.port());
        let args = ["--port", "0", "--threads", "2", "--proxy", &url, "--proxy-timeout", "2"];
        let server = Program::behind(&other, &args).start();
        let mut conn = Dialer::plain(server.port).open();
        assert_eq!(conn.get().status, status, "{}", server.log());
    }
    assert_eq!(upstream.accepted(), 1);
    drop(before);
}
