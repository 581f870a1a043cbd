//! Connections to other servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use futures_lite::future::{block_on, or};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::{Ca, littered};
use turnkey_backend::{ConnectConfig, Connector as _, Socket, Timer, TrustAnchors};
use turnkey_native_tls::NativeTlsConnector;

/// OpenSSL has one queue of errors for each thread, and takes what stands there for its own.
#[test]
fn what_another_connection_left_is_not_taken_for_an_error() {
    let ca = Ca::new();
    let anchors = TrustAnchors::from_pem(ca.pem().as_bytes(), SystemTime::now()).unwrap();
    let config = ConnectConfig { anchors: Some(anchors), identity: None };
    let connector = NativeTlsConnector::new(&config).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| echo(&ca, &listener));
        let socket = Socket::tcp(TcpStream::connect(address).unwrap()).unwrap();
        let late = async {
            Timer::after(Duration::from_secs(10)).await;
            panic!("it takes too long");
        };
        let talk = littered(async {
            let mut stream = connector.connect(socket.clone(), "localhost").await.unwrap().stream;
            stream.write_all(b"!").await.unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            assert_eq!(&byte, b"!");
            stream.close().await.unwrap();
            socket.shutdown_write().unwrap();
            assert_eq!(stream.read(&mut byte).await.unwrap(), 0);
        });
        block_on(or(late, talk));
    });
}

/// Says to one client what it says.
fn echo(ca: &Ca, listener: &TcpListener) {
    let identity = ca.identity("localhost");
    let chain = identity.chain().iter().map(|c| c.der().clone()).collect();
    let key = PrivatePkcs8KeyDer::from(identity.key().secret_pkcs8_der().to_vec());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    let (tcp, _) = listener.accept().unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    let mut stream = StreamOwned::new(connection, tcp);
    let mut said = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).unwrap() > 0 {
        said.extend_from_slice(&byte);
        stream.write_all(&byte).unwrap();
    }
    assert_eq!(said, b"!");
    stream.conn.send_close_notify();
    stream.flush().unwrap();
}
