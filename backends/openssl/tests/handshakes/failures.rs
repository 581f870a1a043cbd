//! Handshakes that end early, and what is said of why.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustls::CertificateError;
use turnkey_backend::{
    Alert, Common, HandshakeError, Identity, Resumption, TlsVersion, VersionRange,
};

use crate::support::{Authority, Client, Config, Server, VERSIONS};

fn identity() -> Identity {
    Authority::root("CA").server(&["localhost"])
}

fn only(version: TlsVersion) -> Server {
    let mut config = Config::new(identity()).resumption(Resumption::On);
    config.0.versions = VersionRange::new(version, version).unwrap();
    config.serve()
}

/// Sends just these bytes, and nothing after them.
fn send(server: &Server, bytes: &[u8]) -> (HandshakeError, Vec<u8>) {
    let mut tcp = TcpStream::connect(server.address).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    tcp.write_all(bytes).unwrap();
    tcp.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer);
    (server.outcome().unwrap_err(), answer)
}

/// A `ClientHello` of a version that has no extensions: with one cipher, AES128-SHA.
fn old_hello(version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let mut bytes = vec![22, 3, version[1].min(1), 0, u8::try_from(hello.len()).unwrap() + 4];
    bytes.extend([1, 0, 0, u8::try_from(hello.len()).unwrap()]);
    bytes.extend(hello);
    bytes
}

#[test]
fn the_client_refuses_our_certificate() {
    let server = Config::new(identity()).serve();
    for version in VERSIONS {
        for (why, alert) in [
            (CertificateError::UnknownIssuer, 48),
            (CertificateError::Expired, 45),
            (CertificateError::Revoked, 44),
            (CertificateError::NotValidForName, 42),
        ] {
            Client::new(version).refusing(why).connect(server.address).unwrap_err();
            let error = server.outcome().unwrap_err();
            let HandshakeError::Alert { alert: Alert(number), .. } = error else {
                panic!("{error:?}")
            };
            assert_eq!(number, alert, "in {version}");
        }
    }
}

#[test]
fn no_version_in_common() {
    let [older, newer] = VERSIONS;
    for (ours, theirs) in [(newer, older), (older, newer)] {
        let server = only(ours);
        let heard = Client::new(theirs).connect(server.address).unwrap_err();
        let error = server.outcome().unwrap_err();
        assert!(matches!(error, HandshakeError::NothingInCommon(Common::Version)), "{error:?}");
        assert_eq!(heard, rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion));
    }
    for server in [only(older), only(newer), Config::new(identity()).serve()] {
        for version in [[3, 0], [3, 1], [3, 2]] {
            let (error, answer) = send(&server, &old_hello(version));
            assert!(matches!(error, HandshakeError::NothingInCommon(Common::Version)), "{error:?}");
            // SSL 3.0 has handshake_failure in place of protocol_version.
            let alert = if version == [3, 0] { 40 } else { 70 };
            assert_eq!(answer.get(5..), Some(&[2, alert][..]));
        }
    }
}

#[test]
fn what_is_not_tls() {
    let server = Config::new(identity()).serve();
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT localhost:443 HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        &[0; 64],
        &[0xff; 64],
        b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
    ] {
        let (error, _) = send(&server, bytes);
        assert!(matches!(error, HandshakeError::NotTls), "{bytes:?}: {error:?}");
    }
}

#[test]
fn the_client_leaves() {
    let server = Config::new(identity()).serve();
    let hello = old_hello([3, 3]);
    for bytes in [&[][..], &hello[..3], &hello[..20]] {
        let (error, _) = send(&server, bytes);
        let HandshakeError::Io(error) = error else { panic!("{bytes:?}: {error:?}") };
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn the_client_leaves_with_an_alert() {
    let server = only(TlsVersion::Tls12);
    let hello = Client::new(TlsVersion::Tls12).hello();
    for (alert, number) in [([1, 0], 0), ([2, 40], 40), ([2, 80], 80), ([2, 250], 250)] {
        let (error, _) = send(&server, &[&hello[..], &[21, 3, 3, 0, 2], &alert].concat());
        let HandshakeError::Alert { alert: heard, .. } = error else {
            panic!("{alert:?}: {error:?}")
        };
        assert_eq!(heard, Alert(number));
    }
}

#[test]
fn tls_that_is_malformed() {
    let server = Config::new(identity()).serve();
    let mut hello = old_hello([3, 3]);
    hello.truncate(40);
    hello[4] = 35;
    hello[8] = 31;
    let (error, _) = send(&server, &hello);
    assert!(matches!(error, HandshakeError::Tls(_)), "{error:?}");
}
