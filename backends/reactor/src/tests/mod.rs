mod driving;
mod sockets;
mod timers;

use std::future::{Future, poll_fn};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::time::Duration;

use futures_io::{AsyncRead as _, AsyncWrite as _};
use smol::future::FutureExt as _;

use crate::{Reactor, Socket, Timer};

/// Both ends of a connection of this machine with itself: the connecting and the accepting one.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (connecting, listener.accept().unwrap().0)
}

/// Drives `future`, which must finish within seconds.
#[track_caller]
fn drive<F: Future>(future: F) -> F::Output {
    let output = Reactor::new().unwrap().drive(in_time(future)).unwrap();
    output.expect("it waits for what has happened")
}

/// `None` if it does not finish within seconds.
async fn in_time<F: Future>(future: F) -> Option<F::Output> {
    let late = async {
        Timer::after(Duration::from_secs(10)).await;
        None
    };
    async { Some(future.await) }.or(late).await
}

async fn read(socket: &mut Socket, buf: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_read(cx, buf)).await
}

async fn write(socket: &mut Socket, buf: &[u8]) -> io::Result<usize> {
    poll_fn(|cx| Pin::new(&mut *socket).poll_write(cx, buf)).await
}
