//! Handshakes that end early, and what is said of why, where the platform's stack is OpenSSL.

#![cfg(not(any(target_os = "windows", target_vendor = "apple")))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod support;

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use futures_lite::future::{block_on, or, poll_once};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use openssl::error::ErrorStack;
use openssl::x509::X509;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedCipherSuite,
    SupportedProtocolVersion,
};
use support::{Ca, config, littered};
use turnkey_backend::{Alert, Backend as _, Common, HandshakeError, Socket, Stream, Timer};
use turnkey_native_tls::NativeTls;

/// How the server's side of one handshake went, with that client.
fn meet(ca: &Ca, client: impl FnOnce(TcpStream) + Send) -> Result<(), HandshakeError> {
    meet_and(ca, client, async |_| {})
}

/// The same, and what is to be done `after` it.
fn meet_and(
    ca: &Ca,
    client: impl FnOnce(TcpStream) + Send,
    after: impl AsyncFnOnce(&mut Box<dyn Stream>),
) -> Result<(), HandshakeError> {
    let backend = NativeTls::new(&config(ca.identity("localhost"))).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = move || {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client(tcp);
    };
    thread::scope(|scope| {
        scope.spawn(connect);
        let (tcp, _) = listener.accept().unwrap();
        let mut tcp = Socket::tcp(tcp).unwrap();
        let late = async {
            Timer::after(Duration::from_secs(10)).await;
            panic!("it takes too long");
        };
        block_on(or(late, async {
            let mut outcome = littered(backend.accept(tcp.clone())).await;
            if let Ok(accepted) = &mut outcome {
                after(&mut accepted.stream).await;
            }
            let _ = tcp.shutdown_write();
            let _ = tcp.read_to_end(&mut Vec::new()).await;
            outcome.map(drop)
        }))
    })
}

/// A client that trusts `roots`, and comes for `name`.
fn rustls(
    roots: Option<&Ca>,
    name: &'static str,
    version: &'static SupportedProtocolVersion,
    ciphers: Option<SupportedCipherSuite>,
) -> impl FnOnce(TcpStream) + Send {
    let tls = client(roots, name, version, ciphers);
    |tcp| {
        let mut stream = StreamOwned::new(tls, tcp);
        let _ = stream.write_all(b"!");
        let _ = stream.read(&mut [0]);
    }
}

fn client(
    roots: Option<&Ca>,
    name: &'static str,
    version: &'static SupportedProtocolVersion,
    ciphers: Option<SupportedCipherSuite>,
) -> ClientConnection {
    let mut provider = default_provider();
    if let Some(cipher) = ciphers {
        provider.cipher_suites = vec![cipher];
    }
    let mut store = RootCertStore::empty();
    if let Some(root) = roots {
        store.add(CertificateDer::from(root.der())).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap()
}

fn bytes(bytes: &[u8]) -> impl FnOnce(TcpStream) + Send {
    move |mut tcp| {
        tcp.write_all(bytes).unwrap();
        tcp.shutdown(Shutdown::Write).unwrap();
        let _ = tcp.read_to_end(&mut Vec::new());
    }
}

#[test]
fn none_with_a_client_that_trusts_us() {
    let ca = Ca::new();
    meet(&ca, rustls(Some(&ca), "localhost", &TLS12, None)).unwrap();
}

/// OpenSSL has one queue of errors for each thread, and takes what stands there for its own.
#[test]
fn what_another_connection_left_is_not_taken_for_an_error() {
    let ca = Ca::new();
    let (go_on, told) = channel();
    let tls = client(Some(&ca), "localhost", &TLS12, None);
    let client = move |tcp| {
        let mut stream = StreamOwned::new(tls, tcp);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        told.recv().unwrap();
        stream.write_all(b"!").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    };
    let serve = async move |stream: &mut Box<dyn Stream>| {
        let mut byte = [0];
        X509::from_der(b"none").unwrap_err().put();
        assert!(poll_once(stream.read(&mut byte)).await.is_none(), "there is nothing to read yet");
        go_on.send(()).unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        X509::from_der(b"none").unwrap_err().put();
        stream.close().await.unwrap();
        assert!(ErrorStack::get().errors().is_empty(), "left to others");
    };
    meet_and(&ca, client, serve).unwrap();
}

#[test]
fn the_client_refuses_our_certificate() {
    let ca = Ca::new();
    for (roots, name, number) in [(None, "localhost", 48), (Some(&ca), "other.test", 42)] {
        let error = meet(&ca, rustls(roots, name, &TLS12, None)).unwrap_err();
        let HandshakeError::Alert { alert, .. } = error else { panic!("{error:?}") };
        assert_eq!(alert, Alert(number));
    }
}

#[test]
fn no_version_in_common() {
    let ca = Ca::new();
    let error = meet(&ca, rustls(Some(&ca), "localhost", &TLS13, None)).unwrap_err();
    assert!(matches!(error, HandshakeError::NothingInCommon(Common::Version)), "{error:?}");
}

#[test]
fn no_cipher_in_common() {
    let ca = Ca::new();
    let cipher = cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
    let error = meet(&ca, rustls(Some(&ca), "localhost", &TLS12, Some(cipher))).unwrap_err();
    assert!(matches!(error, HandshakeError::NothingInCommon(Common::Cipher)), "{error:?}");
}

#[test]
fn what_is_not_tls() {
    for sent in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.9\r\n", &[0; 64], &[0xff; 64]]
    {
        let error = meet(&Ca::new(), bytes(sent)).unwrap_err();
        assert!(matches!(error, HandshakeError::NotTls), "{sent:?}: {error:?}");
    }
}

#[test]
fn the_client_leaves() {
    for sent in [&[][..], &[22, 3, 1], &[22, 3, 1, 1, 0, 1, 0, 0, 252]] {
        let error = meet(&Ca::new(), bytes(sent)).unwrap_err();
        let HandshakeError::Io(error) = error else { panic!("{sent:?}: {error:?}") };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn tls_that_is_malformed() {
    let sent = [22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3];
    let error = meet(&Ca::new(), bytes(&sent)).unwrap_err();
    assert!(matches!(error, HandshakeError::Tls(_)), "{error:?}");
}
