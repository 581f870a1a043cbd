//! For tests: a connection of this machine with itself, which a test cannot go on without.

use std::net::{TcpListener, TcpStream};

/// Both ends of a connection: of who connects, and of who accepts.
pub(crate) fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (connecting, listener.accept().unwrap().0)
}
