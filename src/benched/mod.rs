//! The door for `benches/instructions`: requests through the wire and the built-in app, and nothing
//! else, so that what they cost can be counted. The tests keep it from rotting.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use smol::io::{AsyncRead, AsyncWrite};

use crate::h1::standing::Standing;
use crate::peer::Link;
use crate::wire::Transport;
use crate::{app, h1};

/// Has the built-in app answer `request`, `count` times over one connection. The result is how many
/// bytes the answers have in all.
#[must_use]
pub fn serve(request: &[u8], count: u64) -> u64 {
    let answered = Arc::new(AtomicU64::new(0));
    let client = Client {
        request: request.to_vec(),
        left: count,
        waited: false,
        answered: Arc::clone(&answered),
    };
    let content = app::builtin().into();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let mut link = Arc::new(Link::in_process(peer.into(), None));
    let transport = Transport::new(Box::new(client), Arc::clone(&link.settings.limits));
    let shared = Arc::new(Mutex::new(transport));
    let mut standing = Standing::default();
    let serving = h1::serve(&shared, &mut link, &mut standing, &content);
    smol::block_on(serving);
    answered.load(Ordering::Relaxed)
}

/// A client that sends its next request when it has been waited for once, as clients are.
#[derive(Debug)]
struct Client {
    request: Vec<u8>,
    left: u64,
    waited: bool,
    answered: Arc<AtomicU64>,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.left == 0 {
            return Poll::Ready(Ok(0));
        }
        self.left -= 1;
        Poll::Ready(io::Read::read(&mut &*self.request, buf))
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        self.answered.fetch_add(length, Ordering::Relaxed);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_answered() {
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let one = serve(request, 1);
        assert!(one > 100, "{one}");
        assert_eq!(serve(request, 10), 10 * one);
    }
}
