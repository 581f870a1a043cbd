use std::ops::Range;

use http_types::Method;
use httparse::Header;

use crate::common::address::ClientAddr;

/// How much to keep of each value from a client, in bytes.
const MAX: usize = 8 * 1024;

/// What a client requested, as far as the access log shows it. It is copied from the head, which is gone when the
/// request has ended.
#[derive(Debug)]
pub(crate) struct Noted {
    client: ClientAddr,
    method: Option<Method>,
    /// Whether the text is needed.
    keeps_text: bool,
    /// The request line, followed by the fields.
    text: Vec<u8>,
    line: usize,
    host: Option<Range<usize>>,
    user_agent: Option<Range<usize>>,
    referer: Option<Range<usize>>,
}

impl Noted {
    /// Empty, for a request from `client` as far as is known. Without `keeps_text`, no text is kept.
    pub(crate) fn new(client: ClientAddr, keeps_text: bool) -> Self {
        Self {
            client,
            method: None,
            keeps_text,
            text: Vec::new(),
            line: 0,
            host: None,
            user_agent: None,
            referer: None,
        }
    }

    /// Keeps the request line at the start of `head`, whether it is well-formed or not.
    pub(crate) fn line(&mut self, head: &[u8]) {
        if !self.keeps_text {
            return;
        }
        // Skip empty lines before it (RFC 9112 §2.2).
        let head = head.trim_ascii_start();
        let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.text.clear();
        self.text.reserve(line.len() + 128);
        self.line = self.keep(line).len();
    }

    /// Keeps values of a parsed head.
    pub(crate) fn head(&mut self, method: Method, authority: Option<&str>, fields: &[Header<'_>]) {
        self.method = Some(method);
        if !self.keeps_text {
            return;
        }
        self.host = authority.map(|host| self.keep(host.as_bytes()));
        for field in fields {
            // Most fields are neither, as their length already shows.
            match field.name.len() {
                10 if field.name.eq_ignore_ascii_case("user-agent") => {
                    self.user_agent = Some(self.keep(field.value));
                }
                7 if field.name.eq_ignore_ascii_case("referer") => {
                    self.referer = Some(self.keep(field.value));
                }
                _ => {}
            }
        }
    }

    /// Keeps the client and the host after it was decided which fields to believe.
    pub(crate) fn decided(&mut self, client: ClientAddr, host: &str) {
        self.client = client;
        let same = self.host.clone().and_then(|host| self.text.get(host)) == Some(host.as_bytes());
        if self.keeps_text && !same {
            self.host = Some(self.keep(host.as_bytes()));
        }
    }

    /// The client's address.
    pub(crate) fn client(&self) -> ClientAddr {
        self.client
    }

    /// The method, if the head could be read.
    pub(crate) fn method(&self) -> Option<Method> {
        self.method
    }

    /// The request line as it was sent; empty if there was none.
    pub(crate) fn request_line(&self) -> &[u8] {
        self.text.get(..self.line).unwrap_or_default()
    }

    /// The three parts of the request line; `None` if it does not have three.
    pub(crate) fn parts(&self) -> Option<[&[u8]; 3]> {
        let mut parts = self.request_line().split(|&b| b == b' ');
        let three = [parts.next()?, parts.next()?, parts.next()?];
        (parts.next().is_none() && three.iter().all(|part| !part.is_empty())).then_some(three)
    }

    /// The host that the client requested, and the port if there was one.
    pub(crate) fn host(&self) -> Option<&[u8]> {
        self.kept(self.host.as_ref())
    }

    pub(crate) fn user_agent(&self) -> Option<&[u8]> {
        self.kept(self.user_agent.as_ref())
    }

    pub(crate) fn referer(&self) -> Option<&[u8]> {
        self.kept(self.referer.as_ref())
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(bytes.get(..MAX).unwrap_or(bytes));
        start..self.text.len()
    }

    fn kept(&self, range: Option<&Range<usize>>) -> Option<&[u8]> {
        self.text.get(range?.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn noted(line: &[u8]) -> Noted {
        let mut noted = Noted::new(ClientAddr::Unix, true);
        noted.line(line);
        noted
    }

    #[test]
    fn a_request_line_has_three_parts_or_none() {
        let get = noted(b"\r\n\nGET /a?b HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(get.parts().unwrap(), [&b"GET"[..], b"/a?b", b"HTTP/1.1"]);
        for odd in [&b""[..], b"GET", b"GET /", b"GET / HTTP/1.1 x", b"GET  HTTP/1.1", b" GET /"] {
            assert_eq!(noted(odd).parts(), None, "{}", odd.escape_ascii());
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let long = noted(&vec![b'a'; 3 * MAX]);
        assert_eq!(long.request_line().len(), MAX);
        let mut unread = Noted::new(ClientAddr::Unix, false);
        unread.line(b"GET / HTTP/1.1");
        unread.decided(ClientAddr::Unix, "a");
        assert!(unread.text.is_empty());
    }

    #[test]
    fn the_host_is_the_one_that_is_believed() {
        let mut noted = noted(b"GET / HTTP/1.1\r\n");
        let agent = Header { name: "USER-AGENT", value: b"x" };
        noted.head(Method::Get, Some("inner"), &[agent]);
        assert_eq!(noted.host(), Some(&b"inner"[..]));
        let outer = ClientAddr::Ip(Ipv4Addr::BROADCAST.into());
        noted.decided(outer, "outer");
        assert_eq!((noted.host(), noted.user_agent()), (Some(&b"outer"[..]), Some(&b"x"[..])));
        assert_eq!((noted.client(), noted.referer()), (outer, None));
    }
}
