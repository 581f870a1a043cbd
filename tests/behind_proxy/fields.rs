//! `Forwarded`, `X-Forwarded-*`, and the fields about the client's certificate.

use std::thread;

use turnkey::{App, Peer, Request};

use crate::support::identity::{IN_USE, SPELLINGS, documented};
use crate::support::{Client, Dialer, Library, Stack, table};
use crate::{Service, assert_said, ignored, with};

table! {
    columns {
        http = "http";
        https = "https";
    } rows {
        a_client_that_forges_changes_nothing
        a_trusted_proxy_is_believed
        the_rightmost_that_is_not_trusted_is_the_client
        what_is_malformed_is_explained
        two_readings_are_refused
    }
}

const FORGED: [&str; 9] = [
    "Forwarded: for=6.6.6.6;proto=ftp;host=evil.example",
    "X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-Proto: gopher",
    "X-Forwarded-Host: evil.example",
    "X_Forwarded_For: 6.6.6.6",
    "X-Forwarded-Anything: 1",
    "X-Real-IP: 6.6.6.6",
    "Client-Cert: :MIIB:",
    "X-Client-Verify: SUCCESS",
];

fn a_client_that_forges_changes_nothing(scheme: &'static str) {
    for args in [&[][..], &["--trust-proxy", "127.0.0.9,10.0.0.0/8"]] {
        let service = Service::start(scheme, args);
        let host = format!("127.0.0.1:{}", service.server.port);
        for _ in 0..2 {
            let whoami = service.whoami(&with(&FORGED));
            assert_said(&whoami, "127.0.0.1", scheme, &host);
            assert_eq!(ignored(&whoami).len(), FORGED.len());
        }
        service.whoami(&["--interface", "127.0.0.2", "-H", FORGED[1]]);
        service.assert_logs(&["ignored X-Forwarded-For from 127.0.0.2"]);
        let log = service.server.log();
        for field in FORGED {
            let name = field.split(':').next().unwrap();
            let line = format!(
                "ignored {name} from 127.0.0.1: not in --trust-proxy; add --trust-proxy 127.0.0.1"
            );
            assert_eq!(log.matches(&line).count(), 1, "{line}: once for each address: {log}");
        }
    }
}

fn a_trusted_proxy_is_believed(scheme: &'static str) {
    let service =
        Service::start(scheme, &["--trust-proxy", "10.0.0.0/8", "--trust-proxy=127.0.0.1"]);
    let other = if scheme == "http" { "https" } else { "http" };
    let proto =
        if scheme == "http" { "X-Forwarded-Proto: https" } else { "X-Forwarded-Proto: http" };
    let host = format!("127.0.0.1:{}", service.server.port);
    let fields =
        with(&["X-Forwarded-For: 192.0.2.1:4711", proto, "X-Forwarded-Host: example.com:8443"]);
    let whoami = service.whoami(&fields);
    assert_said(&whoami, "192.0.2.1", other, "example.com:8443");
    assert!(whoami["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{whoami}");
    assert!(ignored(&whoami).is_empty(), "{whoami}");

    let forwarded = ["Forwarded: for=\"[2001:db8::17]:4711\";proto=https;host=\"example.com\""];
    assert_said(&service.whoami(&with(&forwarded)), "2001:db8::17", "https", "example.com");

    let none = service.whoami(&with(&["Client-Cert: :MIIB:", "X-Client-Verify: SUCCESS"]));
    assert_said(&none, "127.0.0.1", scheme, &host);
    assert!(ignored(&none).is_empty(), "a trusted proxy may say whose certificate it saw");
    assert!(!service.server.log().contains("ignored"), "{}", service.server.log());
    // The same from elsewhere.
    let whoami = service.whoami(&[&fields[..], &["--interface", "127.0.0.2"]].concat());
    assert_said(&whoami, "127.0.0.2", scheme, &host);
}

fn the_rightmost_that_is_not_trusted_is_the_client(scheme: &'static str) {
    let service = Service::start(scheme, &["--trust-proxy", "10.0.0.0/8, 127.0.0.1"]);
    for (fields, client) in [
        (&["X-Forwarded-For: 6.6.6.6, 192.0.2.1, ::ffff:10.0.0.2"][..], "192.0.2.1"),
        (&["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.1,, 10.0.0.2"], "192.0.2.1"),
        (&["X-Forwarded-For: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (&["Forwarded: for=6.6.6.6;x=\", for=192.0.2.1, for=10.0.0.2"], "192.0.2.1"),
        (&["Forwarded: for=6.6.6.6, for=_hidden, for=10.0.0.2"], "10.0.0.2"),
    ] {
        assert_eq!(service.whoami(&with(fields))["client"], client, "{fields:?}");
    }
    let last = service.whoami(&with(&["X-Forwarded-Proto: https, http"]));
    assert_eq!(last["scheme"], "http", "the client's forgery stands on the left");
    let outer = ["X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https, http"];
    assert_eq!(service.whoami(&with(&outer))["scheme"], "https", "that of the client's hop");
}

fn what_is_malformed_is_explained(scheme: &'static str) {
    let service = Service::start(scheme, &["--trust-proxy", "127.0.0.1"]);
    let fields =
        ["X-Forwarded-For: 6.6.6.6, \tju\"nk", "X-Forwarded-Proto: wss", "X-Forwarded-Host: a b"];
    for _ in 0..3 {
        let whoami = service.whoami(&with(&fields));
        let host = format!("127.0.0.1:{}", service.server.port);
        assert_said(&whoami, "127.0.0.1", scheme, &host);
        assert_eq!(ignored(&whoami), ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]);
    }
    service.assert_logs(&["ignored X-Forwarded-For from 127.0.0.1: ju\\\"nk is no address"]);
    service.assert_logs(&["ignored X-Forwarded-Proto from 127.0.0.1: wss is neither"]);
    service.assert_logs(&["ignored X-Forwarded-Host from 127.0.0.1: a b is no valid host"]);
    assert_eq!(service.server.log().matches("ignored").count(), 3, "{}", service.server.log());
}

fn two_readings_are_refused(scheme: &'static str) {
    let mut service = Service::start(scheme, &["--trust-proxy", "127.0.0.1"]);
    let contradiction = with(&["Forwarded: for=6.6.6.6", "X-Forwarded-For: 192.0.2.1"]);
    let answer = service.client().and(&contradiction).fetch(&service.server.url);
    assert_eq!((answer.exit, answer.status), (0, 400), "{answer:?}");
    assert!(answer.text().contains("X-Forwarded-For"), "{}", answer.text());
    service.assert_logs(&["refused a request from 127.0.0.1: Forwarded and X-Forwarded-For"]);
    service.server.assert_alive();
}

/// Under no name that is in use does a client tell the app who it is, and in no trailer.
#[test]
fn no_name_in_use_reaches_an_app() {
    let mut app = App::new();
    app.at("/").post(async |mut request: Request| {
        let trailers = request.recv_trailers();
        let mut seen: Vec<_> = request.iter().map(|(name, _)| name.to_string()).collect();
        request.body_bytes().await?;
        let trailers = trailers.await;
        let trailers = trailers.iter().flat_map(|all| all.iter());
        seen.extend(trailers.map(|(name, _)| format!("trailer {name}")));
        Ok(seen.join("\n"))
    });
    let server = Library::serve(Stack::Plain, app);
    let names: Vec<_> = IN_USE.iter().map(ToString::to_string).chain(documented()).collect();
    for spell in SPELLINGS {
        for names in names.chunks(80) {
            let lines = names.iter().map(|name| format!("{}: forged\r\n", spell(name)));
            let lines = lines.collect::<String>();
            let request = format!(
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Mine: kept\r\n\
                 Transfer-Encoding: chunked\r\n{lines}\r\n0\r\nX-Own: kept\r\n{lines}\r\n"
            );
            let mut conn = server.open();
            conn.send(request.as_bytes()).unwrap();
            let response = conn.response();
            let body = String::from_utf8_lossy(&response.body);
            let mut seen: Vec<_> = body.lines().collect();
            seen.sort_unstable();
            assert_eq!(
                seen,
                ["connection", "host", "trailer x-own", "transfer-encoding", "x-mine"],
                "{lines}"
            );
        }
    }
}

/// What the app itself gets to see, of a proxy that is trusted and of others.
#[test]
fn url_and_fields_of_the_request_follow() {
    let mut app = App::new();
    app.at("/path").get(async |request: Request| {
        let peer = Peer::of(&request).unwrap();
        let mut lines = vec![request.url().to_string(), peer.client().to_string()];
        for name in ["x-forwarded-for", "x-forwarded-proto", "x_forwarded_for", "client-cert"] {
            let value = request.header(name).map(|values| values.as_str().to_owned());
            lines.push(value.unwrap_or_else(|| "none".to_owned()));
        }
        Ok(lines.join("\n"))
    });
    let proxies = "127.0.0.1, 10.0.0.0/8".parse().unwrap();
    let bound = turnkey::Server::new(app).trust(proxies).bind("127.0.0.1:0").unwrap();
    let port = bound.local_addr().unwrap().port();
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    let server = thread::spawn(move || bound.run_until(async move { _ = stopped.recv().await }));
    let client = Client::new(&with(&[
        "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: example.com",
        "X_Forwarded_For: 6.6.6.6",
        "Client-Cert: :MIIB:",
    ]));
    let url = format!("http://127.0.0.1:{port}/path?q");
    assert_eq!(
        client.fetch(&url).text(),
        "https://example.com/path?q\n192.0.2.1\n192.0.2.1, 10.0.0.2\nhttps\nnone\n:MIIB:"
    );
    assert_eq!(
        client.and(&["--interface", "127.0.0.2"]).fetch(&url).text(),
        format!("{url}\n127.0.0.2\nnone\nnone\nnone\nnone")
    );
    // HTTP/1.0 names no host by itself.
    let mut conn = Dialer::plain(port).open();
    conn.send(b"GET /path HTTP/1.0\r\nX-Forwarded-Host: example.com\r\n\r\n").unwrap();
    let response = conn.response();
    assert!(response.body.starts_with(b"http://example.com/path\n"), "{response:?}");
    drop(stop);
    server.join().unwrap().unwrap();
}
