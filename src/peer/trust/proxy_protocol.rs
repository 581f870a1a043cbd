//! The PROXY protocol, versions 1 and 2: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>
//!
//! It must not read more than the header: the bytes after it are the client's, for the TLS stack.

use std::io;
use std::net::{IpAddr, SocketAddr};

use smol::io::AsyncReadExt;
use turnkey_backend::Socket;

use crate::common::address::ClientAddr;
use crate::common::setting_names::SettingNames;

/// The beginning of each version. No header is shorter than the longer of them.
const V1: &[u8] = b"PROXY ";
const V2: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// How many bytes are needed to recognise a header.
pub(crate) const START: usize = V2.len();

/// The longest header of version 1, with its line end, in bytes (section 2.1).
const V1_MAX: usize = 107;

/// Signature, version and command, family, length (section 2.2).
const V2_FIXED: usize = 16;

/// The maximum length of the rest of a header of version 2, in bytes; the format allows 64 KiB. Addresses
/// and the other values that proxies send take a few hundred.
const V2_MAX_REST: usize = 4096;

/// Whose connection it is, according to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxiedClient {
    /// This client's.
    Client(SocketAddr),
    /// The proxy's own, for a health check (`LOCAL`).
    Local,
    /// A client without an address: `UNKNOWN`, or an address of another kind than TCP.
    Unnamed,
}

/// Reads a header, without any byte after it; `None` if the peer leaves without a byte.
pub(crate) async fn read(socket: &Socket) -> Result<Option<ProxiedClient>, ProxyHeaderError> {
    let mut socket = socket.clone();
    let mut header = vec![0; V2.len()];
    // Many health checks end with a reset.
    if matches!(socket.peek(&mut [0]).await, Ok(0) | Err(_)) {
        return Ok(None);
    }
    socket.read_exact(&mut header).await?;
    if header == V2 {
        read_more(&mut socket, &mut header, V2_FIXED - V2.len()).await?;
        let rest = v2_rest(&header)?;
        read_more(&mut socket, &mut header, rest).await?;
    } else if header.starts_with(V1) {
        while let Some(room) = v1_room(&header)? {
            let mut ahead = vec![0; room];
            let n = socket.peek(&mut ahead).await?;
            let line = memchr::memchr(b'\n', ahead.get(..n).unwrap_or_default());
            // The next read reports the end of the stream.
            read_more(&mut socket, &mut header, line.map_or(n.max(1), |end| end + 1)).await?;
        }
    } else {
        return Err(ProxyHeaderError::Missing);
    }
    parse(&header).map(Some)
}

async fn read_more(socket: &mut Socket, header: &mut Vec<u8>, n: usize) -> io::Result<()> {
    let start = header.len();
    header.resize(start + n, 0);
    socket.read_exact(header.get_mut(start..).unwrap_or_default()).await
}

/// Fails if a peer that is not trusted sends a header. Without this check, the layers above would report
/// it as malformed HTTP or TLS. It consumes nothing, and does not fail if the peer sends nothing.
pub(crate) async fn refuse(socket: &Socket, peer: ClientAddr) -> Result<(), ProxyHeaderError> {
    let mut start = [0; V2.len()];
    let n = socket.peek(&mut start).await.unwrap_or(0);
    if is_header(start.get(..n).unwrap_or_default()) {
        return Err(ProxyHeaderError::Untrusted { peer });
    }
    Ok(())
}

/// Whether a connection with this beginning has a header. [`START`] bytes are enough to know.
pub(crate) fn is_header(start: &[u8]) -> bool {
    start.starts_with(V1) || start.starts_with(V2)
}

/// How many more bytes a header of version 1 may have; `None` when its line has ended.
fn v1_room(header: &[u8]) -> Result<Option<usize>, ProxyHeaderError> {
    match V1_MAX.checked_sub(header.len()) {
        _ if header.ends_with(b"\n") => Ok(None),
        None | Some(0) => Err(ProxyHeaderError::Malformed("its line does not end".to_owned())),
        room => Ok(room),
    }
}

/// The length of the rest of a header of version 2, from its fixed part `header`.
fn v2_rest(header: &[u8]) -> Result<usize, ProxyHeaderError> {
    let rest = match header {
        [.., high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    if rest > V2_MAX_REST {
        return Err(ProxyHeaderError::Malformed(format!(
            "{rest} bytes are more than it has use for"
        )));
    }
    Ok(rest)
}

/// Parses a complete header of either version.
pub(crate) fn parse(header: &[u8]) -> Result<ProxiedClient, ProxyHeaderError> {
    if header.starts_with(V2) { parse_v2(header) } else { parse_v1(header) }
}

fn parse_v1(header: &[u8]) -> Result<ProxiedClient, ProxyHeaderError> {
    // Section 2.1 requires CRLF; ppp accepts a bare LF.
    if !header.ends_with(b"\r\n") {
        return Err(ProxyHeaderError::Malformed("its line does not end in CRLF".to_owned()));
    }
    // Section 2.1: the rest after `UNKNOWN` must be ignored; ppp requires addresses there.
    if let Some(rest) = header.strip_prefix(b"PROXY UNKNOWN")
        && matches!(rest, [b'\r' | b' ', .., b'\n'])
    {
        return Ok(ProxiedClient::Unnamed);
    }
    let header = ppp::v1::Header::try_from(header).map_err(malformed)?;
    Ok(match header.addresses {
        ppp::v1::Addresses::Tcp4(ip) => ProxiedClient::client(ip.source_address, ip.source_port),
        ppp::v1::Addresses::Tcp6(ip) => ProxiedClient::client(ip.source_address, ip.source_port),
        ppp::v1::Addresses::Unknown => ProxiedClient::Unnamed,
    })
}

fn parse_v2(header: &[u8]) -> Result<ProxiedClient, ProxyHeaderError> {
    // Section 2.2: the family of a LOCAL header and the rest must be ignored; ppp requires both to be
    // valid.
    if header.get(V2.len()) == Some(&0x20) && header.len() >= V2_FIXED {
        return Ok(ProxiedClient::Local);
    }
    let header = ppp::v2::Header::try_from(header).map_err(malformed)?;
    Ok(match (header.protocol, header.addresses) {
        (ppp::v2::Protocol::Stream, ppp::v2::Addresses::IPv4(ip)) => {
            ProxiedClient::client(ip.source_address, ip.source_port)
        }
        (ppp::v2::Protocol::Stream, ppp::v2::Addresses::IPv6(ip)) => {
            ProxiedClient::client(ip.source_address, ip.source_port)
        }
        _ => ProxiedClient::Unnamed,
    })
}

impl ProxiedClient {
    fn client(address: impl Into<IpAddr>, port: u16) -> Self {
        Self::Client(SocketAddr::new(address.into().to_canonical(), port))
    }
}

fn malformed(error: impl std::error::Error) -> ProxyHeaderError {
    ProxyHeaderError::Malformed(error.to_string().escape_debug().to_string())
}

/// Why a connection is closed at its PROXY header.
#[derive(Debug)]
pub(crate) enum ProxyHeaderError {
    Missing,
    Untrusted { peer: ClientAddr },
    Unexpected { peer: ClientAddr },
    Malformed(String),
    Broken(io::Error),
}

impl From<io::Error> for ProxyHeaderError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl ProxyHeaderError {
    /// What is wrong, and which setting may be.
    pub(crate) fn text(&self, names: &SettingNames) -> String {
        let SettingNames { proxy_protocol, trusted_proxies, trust_proxy, .. } = names;
        match self {
            Self::Missing => format!(
                "no PROXY header came first, and {proxy_protocol} asks the proxies in \
                 {trusted_proxies} for one; have the proxy send it (send-proxy-v2 in HAProxy), or \
                 leave {proxy_protocol} out"
            ),
            Self::Untrusted { peer } => format!(
                "a PROXY header came from {peer}, which is not in {trusted_proxies}; {trust_proxy} \
                 {peer} if that is a proxy of yours"
            ),
            Self::Unexpected { peer } => format!(
                "a PROXY header came first, and {proxy_protocol} was not given; add it, and \
                 {trusted_proxies} {peer}, if that is a proxy of yours, or have it send none"
            ),
            Self::Malformed(what) => format!("the PROXY header is malformed: {what}"),
            Self::Broken(error) => format!("the PROXY header did not come whole: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(text: &str) -> ProxiedClient {
        ProxiedClient::Client(text.parse().unwrap())
    }

    fn v2(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&V2[..], &[version_command, family], &length, rest].concat()
    }

    const IPV4: &[u8] = &[192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x34, 0, 80];

    #[test]
    fn version_1() {
        for (line, expected) in [
            ("PROXY TCP4 192.0.2.1 10.0.0.1 4660 80\r\n", client("192.0.2.1:4660")),
            ("PROXY TCP6 2001:db8::1 ::1 4660 80\r\n", client("[2001:db8::1]:4660")),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 4660 80\r\n", client("192.0.2.1:4660")),
            ("PROXY UNKNOWN\r\n", ProxiedClient::Unnamed),
            ("PROXY UNKNOWN a b c d e f g h\r\n", ProxiedClient::Unnamed),
            ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ProxiedClient::Unnamed),
        ] {
            assert_eq!(parse(line.as_bytes()).unwrap(), expected, "{line}");
        }
        for bad in [
            "PROXY TCP4 192.0.2.1 10.0.0.1 4660\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 4660 80\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 4660 80",
            "PROXY TCP4  192.0.2.1 10.0.0.1 4660 80\r\n",
            "PROXY TCP4 2001:db8::1 ::1 4660 80\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 99999 80\r\n",
            "PROXY UDP4 192.0.2.1 10.0.0.1 4660 80\r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY \r\n",
            "PROXY TCP4 \u{fc} 10.0.0.1 4660 80\r\n",
            "",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn version_2() {
        assert_eq!(parse(&v2(0x21, 0x11, IPV4)).unwrap(), client("192.0.2.1:4660"));
        let tlvs = [IPV4, &[0x04, 0, 3, 1, 2, 3, 0x20, 0, 1, 9]].concat();
        assert_eq!(parse(&v2(0x21, 0x11, &tlvs)).unwrap(), client("192.0.2.1:4660"));
        let mut ipv6 = [0; 36];
        ipv6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        ipv6[15] = 1;
        ipv6[33] = 80;
        assert_eq!(parse(&v2(0x21, 0x21, &ipv6)).unwrap(), client("[2001:db8::1]:80"));
        for unnamed in [v2(0x21, 0, &[]), v2(0x21, 0x31, &[0; 216]), v2(0x21, 0x12, IPV4)] {
            assert_eq!(parse(&unnamed).unwrap(), ProxiedClient::Unnamed);
        }
        for local in [v2(0x20, 0, &[]), v2(0x20, 0x11, IPV4), v2(0x20, 0xff, &[1, 2, 3])] {
            assert_eq!(parse(&local).unwrap(), ProxiedClient::Local);
        }
        for bad in [
            v2(0x11, 0x11, IPV4),
            v2(0x22, 0x11, IPV4),
            v2(0x21, 0x41, IPV4),
            v2(0x21, 0x13, IPV4),
            v2(0x21, 0x11, &IPV4[..11]),
            v2(0x21, 0x21, IPV4),
            v2(0x21, 0x11, IPV4)[..20].to_vec(),
            V2.to_vec(),
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(v2_rest(&v2(0x21, 0x11, &[0; 4096])[..16]).unwrap(), 4096);
        assert!(v2_rest(&v2(0x21, 0x11, &[0; 4097])[..16]).is_err());
        assert_eq!(v1_room(&[b'a'; 12]).unwrap(), Some(95));
        assert!(v1_room(&[b'a'; 107]).is_err());
        assert_eq!(v1_room(b"PROXY UNKNOWN\r\n").unwrap(), None);
    }

    proptest! {
        #[test]
        fn takes_any_bytes(
            version in 0..4,
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            words in "[A-Z0-9 .:\r\n\u{e9}]{0,100}",
        ) {
            let header = match version {
                0 => bytes,
                1 => [&V2[..], &bytes].concat(),
                2 => [V1, &bytes].concat(),
                _ => [V1, words.as_bytes()].concat(),
            };
            // The result does not matter: it must not panic.
            _ = parse(&header);
        }
    }
}
