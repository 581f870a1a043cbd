//! Entry points for `benches/instructions`, which counts what they cost: requests through the wire and an app, and
//! lines of the access log. The tests keep this module working.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use http_types::Method;
use smol::io::{AsyncRead, AsyncWrite};

use crate::App;
use crate::common::request_id::RequestId;
use crate::h1;
use crate::h1::standing::Standing;
use crate::peer::Link;
use crate::report::access::{self, LogFormat};
use crate::report::record::{Completion, Noted, Record};
use crate::wire::Transport;

/// Lets `app` answer `request` `count` times over one connection. Returns the total size of the answers in bytes.
#[must_use]
pub fn serve(app: App, request: &[u8], count: u64) -> u64 {
    let answered = Arc::new(AtomicU64::new(0));
    let client = Client {
        request: request.to_vec(),
        left: count,
        waited: false,
        answered: Arc::clone(&answered),
    };
    let content = app.into();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let mut link = Arc::new(Link::in_process(peer.into(), None));
    let transport = Transport::new(Box::new(client), Arc::clone(&link.settings.limits));
    let shared = Arc::new(Mutex::new(transport));
    let mut standing = Standing::default();
    let serving = h1::serve(&shared, &mut link, &mut standing, &content);
    smol::block_on(serving);
    answered.load(Ordering::Relaxed)
}

/// Writes `count` lines of the access log in `format`, 100 microseconds apart. Returns their total size in bytes.
#[must_use]
pub fn log(format: LogFormat, count: u64) -> usize {
    let client = SocketAddr::from(([192, 0, 2, 217], 1)).ip();
    let mut noted = Noted::new(client.into(), true);
    noted.line(b"GET /assets/index-4f3a.js?v=12 HTTP/1.1\r\n");
    noted.head(Method::Get, Some("localhost:8000"), &[]);
    let line = |number| {
        let record = Record {
            id: Some(RequestId { connection: 4217, number }),
            noted: &noted,
            tls: None,
            began: UNIX_EPOCH + Duration::from_micros(1_800_000_000_000_000 + 100 * number),
            took: Duration::from_micros(261),
            status: 200,
            outcome: Completion::Complete,
            sent: 18_342,
            received: 0,
            upstream: None,
            failures: &[],
        };
        access::with_line(format, false, &record, <[u8]>::len)
    };
    (1..=count).map(line).sum()
}

/// A client that sends its next request after the server has waited for it once, as real clients do.
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
        let one = serve(crate::builtin(), request, 1);
        assert!(one > 100, "{one}");
        assert_eq!(serve(crate::builtin(), request, 10), 10 * one);
    }

    #[test]
    fn each_record_has_its_line() {
        let one = log(LogFormat::Text, 1);
        assert!(one > 100, "{one}");
        assert_eq!(log(LogFormat::Text, 9), 9 * one);
    }
}
