//! HTTP where TLS is spoken, and TLS where HTTP is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Service;
use crate::support::{Client, Dialer, Pki, Server, TlsVersion, s_client};

crate::support::table! {
    columns {
        https_native_tls = Service::HTTPS_NATIVE_TLS;
        https_rustls = Service::HTTPS_RUSTLS;
        https_openssl = Service::HTTPS_OPENSSL;
        mutual_rustls = Service::MUTUAL_RUSTLS;
        mutual_openssl = Service::MUTUAL_OPENSSL;
    } rows {
        http_on_the_tls_port_is_sent_to_https
        noise_on_the_tls_port_harms_nobody
    }
}

crate::support::table! {
    columns {
        native_tls = Service::HTTPS_NATIVE_TLS;
        rustls = Service::HTTPS_RUSTLS;
        openssl = Service::HTTPS_OPENSSL;
    } rows {
        tls_within_tls_is_no_request
    }
}

fn http_on_the_tls_port_is_sent_to_https(service: Service) {
    let pki = Pki::new();
    let mut server = service.start(&pki);
    let answer = Client::new(&["-i"]).fetch(&server.url.replace("https://", "http://"));
    assert_eq!((answer.exit, answer.status), (0, 400), "{answer:?}");
    let text = answer.text();
    assert!(text.to_ascii_lowercase().contains("content-type: text/plain"), "{text}");
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(body.contains(&server.url), "expected {} in {body:?}", server.url);

    // Two requests at once, so that a close over unread input would be a reset.
    let twice = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2);
    let answer = send(&server, &twice).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    assert_eq!(answer.windows(5).filter(|w| w == b"HTTP/").count(), 1, "one answer");

    service.client(&pki).fetch(&server.url).assert_top_level();
    server.assert_alive();
}

fn noise_on_the_tls_port_harms_nobody(service: Service) {
    let pki = Pki::new();
    let mut server = service.start(&pki);
    let handshake_cut_short = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let record_too_long = b"\x16\x03\x01\xff\xff\x01";
    for noise in [&b"\0\0\0\0"[..], b"SSH-2.0-x\r\n", handshake_cut_short, record_too_long] {
        if let Ok(answer) = send(&server, noise) {
            let text = String::from_utf8_lossy(&answer).into_owned();
            assert!(!text.contains("Top-level content"), "{text}");
        }
    }
    service.client(&pki).fetch(&server.url).assert_top_level();
    server.assert_alive();
}

#[test]
fn tls_on_the_plain_port_is_refused() {
    let mut server = Server::with(&[]);
    let url = server.url.replace("http://", "https://");
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let answer = Client::new(&["-k"]).and(&version.curl()).fetch(&url);
        answer.assert_refused();
        assert_eq!(answer.exit, 35, "{answer:?}");
        let said = answer.stderr.to_ascii_lowercase();
        assert!(said.contains("protocol version"), "{said}");
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let output = s_client(server.port, &["-quiet", version.s_client()], request);
        assert_eq!(output.text(), "");
        assert!(output.stderr.contains("alert protocol version"), "{}", output.stderr);
    }

    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20);
    assert_eq!(send(&server, &hello).unwrap(), b"\x15\x03\x01\x00\x02\x02\x46");
    // Only what a connection begins with is taken for a handshake.
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = send(&server, &[request, &hello[..]].concat()).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("HTTP/1.1 400 "), "{text}");

    Client::new(&[]).fetch(&server.url).assert_top_level();
    server.assert_alive();
}

fn tls_within_tls_is_no_request(service: Service) {
    let pki = Pki::new();
    let mut server = service.start(&pki);
    let mut conn = Dialer::tls(server.port, &pki.ca_file).open();
    conn.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").unwrap();
    let response = conn.response();
    assert!(
        response.status == 400 && response.body.starts_with(b"the client began a TLS handshake")
    );
    assert_eq!(conn.rest(), b"");
    server.assert_alive();
}

/// What comes back until the server closes the connection.
fn send(server: &Server, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(bytes)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
