//! What is spoken: ciphers, groups, signatures, application protocols; and what is not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_lite::future::block_on;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslVersion};
use rustls::{AlertDescription, Error};
use turnkey_backend::{
    Common, ConnectConfig, Connector as _, HandshakeError, Socket, TlsInfo, TlsVersion,
};
use turnkey_openssl::OpenSslConnector;

use crate::support::{Authority, Client, Config, Profile, Server, VERSIONS};

/// Sets one thing, by its name.
type Set = fn(&mut SslContextBuilder, &str) -> Result<(), ErrorStack>;

const CIPHERS: Set = SslContextBuilder::set_cipher_list;

/// The cipher that was agreed on with a client of OpenSSL's that speaks `version` and can do just `one`, and
/// what the server says was negotiated.
fn agree(server: &Server, version: SslVersion, set: Set, one: &str) -> Option<(String, TlsInfo)> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    // Whatever this OpenSSL can.
    builder.set_security_level(0);
    set(&mut builder, one).ok()?;
    let tcp = TcpStream::connect(server.address).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut ssl = Ssl::new(&builder.build()).unwrap();
    ssl.set_hostname("localhost").unwrap();
    let mut stream = match ssl.connect(tcp) {
        Ok(stream) => stream,
        Err(error) => {
            let heard_alert = error.to_string().contains("alert");
            drop(error);
            let error = server.outcome().unwrap_err();
            let nothing = matches!(error, HandshakeError::NothingInCommon(Common::Cipher));
            // The others are those that the client cannot do.
            assert_eq!(nothing, heard_alert, "{one}: {error:?}");
            return None;
        }
    };
    stream.read_exact(&mut [0]).unwrap();
    stream.write_all(b"!").unwrap();
    let cipher = stream.ssl().current_cipher().unwrap().name();
    drop(stream);
    Some((cipher.to_owned(), server.outcome().unwrap()))
}

/// One server with an RSA key, and one with an EC key.
fn servers() -> [Server; 2] {
    let ca = Authority::root("CA");
    let rsa = ca.issue(&Profile::server(&["localhost"]).rsa()).identity();
    [Config::new(rsa).serve(), Config::new(ca.server(&["localhost"])).serve()]
}

/// Which of `all` a client can do alone with, at either server.
fn accepted<'a>(
    version: SslVersion,
    all: impl IntoIterator<Item = &'a str>,
    set: Set,
) -> Vec<&'a str> {
    let servers = servers();
    let goes = |one: &str| servers.iter().any(|server| agree(server, version, set, one).is_some());
    all.into_iter().filter(|one| goes(one)).collect()
}

#[test]
fn the_ciphers_of_tls_1_2() {
    let all = openssl(&["ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]);
    let all: Vec<_> = all.trim().split(':').filter(|name| !name.starts_with("TLS_")).collect();
    assert!(all.contains(&"DHE-RSA-AES128-GCM-SHA256") && all.contains(&"AES128-SHA"), "{all:?}");
    let mut accepted = accepted(SslVersion::TLS1_2, all, CIPHERS);
    accepted.sort_unstable();
    let expected = [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ];
    assert_eq!(accepted, expected);
}

#[test]
fn the_ciphers_of_tls_1_3() {
    let all = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ];
    let accepted = accepted(SslVersion::TLS1_3, all, SslContextBuilder::set_ciphersuites);
    assert_eq!(accepted, all[..3]);
}

#[test]
fn the_order_is_ours_but_for_clients_without_aes() {
    let [rsa, _] = servers();
    for (theirs, agreed) in [
        ("AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256"),
        ("CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256", "CHACHA20-POLY1305"),
        ("AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305", "AES256-GCM-SHA384"),
    ] {
        let list = format!("ECDHE-RSA-{theirs}");
        let cipher = agree(&rsa, SslVersion::TLS1_2, CIPHERS, &list);
        assert_eq!(cipher.unwrap().0, format!("ECDHE-RSA-{agreed}"));
    }
}

#[test]
fn the_groups() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let all = ["X25519", "P-256", "P-384", "P-521", "P-224", "X448", "ffdhe2048", "secp256k1"];
        let accepted = accepted(version, all, SslContextBuilder::set_groups_list);
        assert_eq!(accepted, ["X25519", "P-256", "P-384"], "{version:?}");
    }
}

#[test]
fn the_signatures() {
    let all = [
        "rsa_pkcs1_sha1",
        "ecdsa_sha1",
        "RSA+SHA224",
        "ECDSA+SHA224",
        "rsa_pkcs1_sha256",
        "rsa_pss_rsae_sha256",
        "ecdsa_secp256r1_sha256",
    ];
    let set: Set = SslContextBuilder::set_sigalgs_list;
    assert_eq!(accepted(SslVersion::TLS1_2, all, set), all[4..]);
    assert_eq!(accepted(SslVersion::TLS1_3, all, set), all[5..]);
}

#[test]
fn a_client_cannot_renegotiate() {
    let [server, _] = servers();
    let address = server.address.to_string();
    let mut client = Command::new("openssl")
        .args(["s_client", "-brief", "-tls1_2", "-legacy_renegotiation", "-connect", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need the openssl program");
    // What the server says first must not come in the middle of it.
    client.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    // `R` on a line of its own renegotiates; an end of the input would be the end of the client.
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"R\n").unwrap();
    let output = client.wait_with_output().unwrap();
    drop(input);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("RENEGOTIATING"), "{stderr}");
    assert!(stderr.contains("no renegotiation"), "{stderr}");
    server.outcome().unwrap();
}

#[test]
fn the_application_protocol() {
    let [server, _] = servers();
    for version in VERSIONS {
        for (theirs, agreed) in [
            (&["h2", "http/1.1"][..], Some("http/1.1")),
            (&["http/1.0", "http/1.1"], Some("http/1.1")),
            (&["http/1.0"], Some("http/1.0")),
            (&[], None),
        ] {
            let met = Client::new(version).speaking(theirs).connect(server.address).unwrap();
            assert_eq!(met.alpn.as_deref(), agreed);
            assert_eq!(server.outcome().unwrap().alpn.as_deref(), agreed);
        }
    }
}

#[test]
fn no_application_protocol_in_common() {
    let [server, _] = servers();
    for version in VERSIONS {
        let client = Client::new(version).speaking(&["h2", "acme-tls/1"]);
        let heard = client.connect(server.address).unwrap_err();
        assert_eq!(heard, Error::AlertReceived(AlertDescription::NoApplicationProtocol));
        let error = server.outcome().unwrap_err();
        assert!(matches!(error, HandshakeError::NothingInCommon(Common::Protocol)), "{error:?}");
    }
}

#[test]
fn the_cipher_is_told_by_its_name_at_iana() {
    let [server, _] = servers();
    for (version, cipher) in VERSIONS
        .into_iter()
        .zip(["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"])
    {
        Client::new(version).connect(server.address).unwrap();
        assert_eq!(server.outcome().unwrap().cipher_suite.as_deref(), Some(cipher));
    }
}

#[test]
fn the_group_is_told_by_its_name_at_iana() {
    let [server, _] = servers();
    let set: Set = SslContextBuilder::set_groups_list;
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        for (theirs, name) in [("X25519", "x25519"), ("P-256", "secp256r1"), ("P-384", "secp384r1")]
        {
            let (_, tls) = agree(&server, version, set, theirs).unwrap();
            assert_eq!(tls.key_exchange.as_deref(), Some(name), "{theirs}");
        }
    }
}

/// From OpenSSL 3.5 on there is one that a quantum computer does not break, before all others.
#[test]
fn the_preferred_group_is_the_hybrid_one_where_openssl_has_it() {
    let ca = Authority::root("CA");
    let server = Config::new(ca.server(&["localhost"])).serve();
    let config = ConnectConfig { anchors: Some(ca.anchors()), identity: None };
    let connector = OpenSslConnector::new(&config).unwrap();
    let socket = Socket::tcp(TcpStream::connect(server.address).unwrap()).unwrap();
    let client = block_on(async {
        let mut connected = connector.connect(socket, "localhost").await.unwrap();
        connected.stream.read_exact(&mut [0]).await.unwrap();
        connected.stream.write_all(b"!").await.unwrap();
        connected.tls
    });
    let mut builder = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
    let has_it = builder.set_groups_list("X25519MLKEM768").is_ok();
    let expected = if has_it { "X25519MLKEM768" } else { "x25519" };
    for tls in [server.outcome().unwrap(), client] {
        assert_eq!(tls.key_exchange.as_deref(), Some(expected));
        assert_eq!(tls.version, Some(TlsVersion::Tls13));
        assert_eq!(tls.resumed, Some(false));
    }
}

fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("these tests need the openssl program");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
