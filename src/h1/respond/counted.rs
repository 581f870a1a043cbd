use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use http_types::headers::CONTENT_TYPE;
use http_types::{Body, Response};
use smol::io::{AsyncBufRead, AsyncRead};

/// Counts the content of `response` as it is read. async-h1 frames it in chunks, and does not report which of its
/// bytes are content.
pub(crate) fn count_content(response: &mut Response) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let named = response.header(CONTENT_TYPE).is_some();
    let body = Counted { body: response.take_body(), count: Arc::clone(&count) };
    response.set_body(Body::from_reader(body, None));
    if !named {
        // http-types adds `application/octet-stream`, which the handler did not set.
        response.remove_header(CONTENT_TYPE);
    }
    count
}

/// A body, and how much of it has been read.
#[derive(Debug)]
struct Counted {
    body: Body,
    count: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.body).poll_read(cx, buf))?;
        self.count.fetch_add(n, Ordering::Relaxed);
        Poll::Ready(Ok(n))
    }
}

impl AsyncBufRead for Counted {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().body).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.count.fetch_add(n, Ordering::Relaxed);
        Pin::new(&mut self.body).consume(n);
    }
}

#[cfg(test)]
mod tests {
    use http_types::StatusCode;
    use smol::io::{AsyncBufReadExt, AsyncReadExt, Cursor};

    use super::*;

    #[test]
    fn all_content_is_counted_however_it_is_read() {
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_reader(Cursor::new(b"hello, world"), None));
        let count = count_content(&mut response);
        let mut body = response.take_body();
        smol::block_on(async {
            let mut hello = [0; 5];
            body.read_exact(&mut hello).await.unwrap();
            assert_eq!((&hello, count.load(Ordering::Relaxed)), (b"hello", 5));
            assert_eq!(body.fill_buf().await.unwrap(), b", world");
            assert_eq!(count.load(Ordering::Relaxed), 5, "none of it has been taken");
            body.consume(2);
            assert_eq!(count.load(Ordering::Relaxed), 7);
            let mut rest = String::new();
            body.read_to_string(&mut rest).await.unwrap();
            assert_eq!((rest.as_str(), count.load(Ordering::Relaxed)), ("world", 12));
        });
    }

    #[test]
    fn the_type_is_what_the_handler_says() {
        for said in [None, Some("text/html")] {
            let mut response = Response::new(StatusCode::Ok);
            response.set_body(Body::from_reader(smol::io::empty(), None));
            response.remove_header(CONTENT_TYPE);
            if let Some(said) = said {
                response.insert_header(CONTENT_TYPE, said);
            }
            count_content(&mut response);
            let header = response.header(CONTENT_TYPE).map(|values| values.as_str());
            assert_eq!(header, said);
        }
    }
}
