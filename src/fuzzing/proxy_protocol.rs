use std::net::{IpAddr, SocketAddr};

use crate::common::setting_names::SettingNames;
use crate::peer::trust::proxy_protocol::{ProxiedClient, parse};

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// `input` is what a proxy sends first in the PROXY protocol: a header of either version. Its addresses are parsed
/// here once more, by their offsets or their places in the line.
pub fn proxy_protocol(input: &[u8]) {
    // The server never parses incomplete or longer input, but it must do no harm.
    check(input, None);
    if let Some(header) = header(input) {
        check(header, Some(header));
    }
}

/// A header that is as long as it says.
fn header(input: &[u8]) -> Option<&[u8]> {
    if input.starts_with(V2) {
        let length = u16::from_be_bytes([*input.get(14)?, *input.get(15)?]);
        input.get(..16 + usize::from(length))
    } else {
        let end = input.iter().position(|&b| b == b'\n')?;
        input.get(..=end)
    }
}

fn check(input: &[u8], header: Option<&[u8]>) {
    let source = match parse(input) {
        Ok(source) => source,
        Err(error) => {
            let text = error.text(&SettingNames::default());
            assert!(!text.contains(char::is_control), "{text:?}");
            return;
        }
    };
    if let ProxiedClient::Client(address) = source {
        assert_eq!(address.ip(), address.ip().to_canonical(), "IPv4 is written as IPv6");
    }
    match header {
        None => {}
        Some(header) if header.starts_with(V2) => check_v2(header, source),
        Some(header) => check_v1(header, source),
    }
}

/// Checks version 1: section 2.1 of the specification.
fn check_v1(header: &[u8], source: ProxiedClient) {
    assert!(header.ends_with(b"\r\n"), "the line ends in a bare LF: {header:?}");
    let Ok(line) = std::str::from_utf8(header) else {
        return assert_eq!(source, ProxiedClient::Unnamed, "{header:?}");
    };
    let words: Vec<_> = line.trim_end_matches("\r\n").split(' ').collect();
    assert_eq!(words[0], "PROXY");
    match source {
        ProxiedClient::Local => panic!("{line:?} is not of version 2"),
        ProxiedClient::Unnamed => assert!(words[1].starts_with("UNKNOWN"), "{line:?}"),
        ProxiedClient::Client(address) => {
            assert!(line.is_ascii() && words.len() == 6, "{line:?}");
            let ip = words[2].parse().map(|ip: IpAddr| {
                assert_eq!(words[1], if ip.is_ipv4() { "TCP4" } else { "TCP6" });
                ip.to_canonical()
            });
            let port = words[4].parse();
            assert_eq!((ip, port), (Ok(address.ip()), Ok(address.port())), "{line:?}");
        }
    }
}

/// Checks version 2: section 2.2 of the specification.
fn check_v2(header: &[u8], source: ProxiedClient) {
    let (command, family) = (header[12], header[13]);
    match source {
        ProxiedClient::Local => assert_eq!(command, 0x20),
        ProxiedClient::Unnamed => assert!(command == 0x21 && !matches!(family, 0x11 | 0x21)),
        ProxiedClient::Client(address) => {
            assert_eq!(command, 0x21);
            let (ip, port) = match family {
                0x11 => (IpAddr::from(bytes::<4>(header, 16)), bytes(header, 24)),
                0x21 => (IpAddr::from(bytes::<16>(header, 16)), bytes(header, 48)),
                _ => panic!("there is no address of TCP in {header:?}"),
            };
            let expected = SocketAddr::new(ip.to_canonical(), u16::from_be_bytes(port));
            assert_eq!(address, expected);
        }
    }
}

fn bytes<const N: usize>(header: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}
