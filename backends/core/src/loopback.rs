//! For tests: a connection over loopback, or a panic.

use std::net::{TcpListener, TcpStream};

/// Both ends of a connection: the connecting one and the accepting one.
pub(crate) fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (connecting, listener.accept().unwrap().0)
}
