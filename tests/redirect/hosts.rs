//! Who is sent where.

use crate::support::Dialer;
use crate::{Said, Site};

#[test]
fn every_method_is_sent_on_and_stays_what_it_is() {
    let mut site = Site::start(&[]);
    let location = format!("{}/a/b?c=d", site.at("localhost"));
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"]
    {
        let said = site.ask(format!(
            "{method} /a/b?c=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
             Connection: close\r\n\r\nhello"
        ));
        said.assert_sent_to(&location);
        assert!(said.has("content-type: text/plain;charset=utf-8"), "{said:?}");
        let body = if method == "HEAD" { String::new() } else { format!("moved to {location}\n") };
        assert_eq!(said.body, body, "{method}");
    }
    let said = site.ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    said.assert_sent_to(&format!("{}/", site.at("localhost")));
    // RFC 9112 §9.3: there is no need to connect again for each.
    let mut conn = Dialer::plain(site.plain).open();
    for _ in 0..3 {
        let response = conn.get();
        assert!(response.has(&format!("location: {}/", site.at("localhost"))), "{response:?}");
    }
    site.server.assert_alive();
}

#[test]
fn clients_that_follow_arrive() {
    let site = Site::start(&[]);
    let url = format!("http://localhost:{}/", site.plain);
    site.curl().and(&["-L"]).fetch(&url).assert_top_level();
    let echo = site.curl().and(&["-L", "--data", "hello"]).fetch(&format!("{url}echo"));
    echo.assert_ok();
    assert_eq!(echo.text(), "hello", "method and body stay with 308");
}

#[test]
fn path_and_query_go_on_as_they_are() {
    let site = Site::start(&[]);
    for target in [
        "/",
        "/?",
        "/a%2Fb%20c/%C3%A4?q=%26&r=a+b&&=",
        "/a;b,c=d/~!$&'()*+:@",
        "/a?b?c=/d//e",
        "//evil.test/",
        "//evil.test:80@localhost",
        "///",
        "/@evil.test",
        "/%5cevil.test",
        "/https://evil.test",
        "/%0d%0ax-injected:1",
    ] {
        let location = format!("{}{target}", site.at("localhost"));
        site.get("localhost", target).assert_sent_to(&location);
    }
    let long = format!("/{}", "a".repeat(8000));
    site.get("localhost", &long).assert_sent_to(&format!("{}{long}", site.at("localhost")));
}

#[test]
fn hosts_of_the_certificate_are_sent_to() {
    let site = Site::start(&[]);
    for (host, to) in [
        ("localhost", "localhost"),
        ("localhost:80", "localhost"),
        ("localhost:", "localhost"),
        ("LOCALHOST:65535", "localhost"),
        ("localhost.", "localhost"),
        ("www.example.test", "www.example.test"),
        ("WWW.Example.TEST.:80", "www.example.test"),
        ("xn--bcher-kva.example.test", "xn--bcher-kva.example.test"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[0:0:0:0:0:0:0:1]:80", "[::1]"),
    ] {
        site.get(host, "/a").assert_sent_to(&format!("{}/a", site.at(to)));
        let absolute = format!("http://{host}/a");
        site.get("localhost", &absolute).assert_sent_to(&format!("{}/a", site.at(to)));
    }
    // HTTP/1.0 may name no host; the address that was called is one of the certificate's here.
    let said = site.ask("GET /a HTTP/1.0\r\n\r\n");
    said.assert_sent_to(&format!("{}/a", site.at("127.0.0.1")));
}

#[test]
fn others_are_told_that_they_are_wrong_here() {
    let mut site = Site::start(&[]);
    for host in [
        "evil.test",
        "example.test",
        "a.b.example.test",
        "*.example.test",
        "www.example.test.evil.test",
        "localhost.evil.test",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "0x7f.1",
        "[::2]",
        "[::ffff:127.0.0.1]",
        "local%68ost",
        "localhost,evil.test",
        "localhost;evil.test",
        "localhost..",
        ".localhost",
        ".example.test",
        "_",
    ] {
        let said = site.get(host, "/");
        // The URL that the wire makes of some of these would not be one.
        if said.status != 400 {
            said.assert_misdirected();
        }
        assert_eq!(said.location, None, "{host}");
    }
    // The target is whom the client means, whatever Host says (RFC 9112 §3.2.2).
    site.get("localhost", "http://evil.test/").assert_misdirected();
    site.get("localhost", "https://evil.test/").assert_misdirected();
    site.get("evil.test", "http://localhost/")
        .assert_sent_to(&format!("{}/", site.at("localhost")));
    site.server.assert_alive();
}

/// Whatever is sent, no answer leads elsewhere or has a field that it was talked into.
#[test]
#[expect(clippy::too_many_lines, reason = "most of it is a table")]
fn nobody_is_sent_to_others() {
    let mut site = Site::start(&[]);
    let hosts = [
        "localhost@evil.test",
        "evil.test@localhost",
        "localhost:80@evil.test",
        "evil.test#localhost",
        "evil.test?localhost",
        "evil.test/localhost",
        "evil.test\\localhost",
        "localhost\\@evil.test",
        "evil.test%00localhost",
        "evil.test\0localhost",
        "localhost\r\nX-Injected: 1",
        "localhost\nX-Injected: 1",
        "localhost\rX-Injected: 1",
        "localhost%0d%0aX-Injected:1",
        "localhost evil.test",
        "localhost\tevil.test",
        "[::1]evil.test",
        "[::1]@evil.test",
        "[::1",
        "[evil.test]",
        "[::1%25evil.test]",
        "ev\u{131}l.test",
        "\u{ff0f}evil.test",
        "localhost:80:evil.test",
        "localhost:evil",
        "evil.test\r\nHost: localhost",
        "",
    ];
    let targets = [
        "/",
        "//evil.test/",
        "/\\evil.test/",
        "\\\\evil.test/",
        "/\t/evil.test/",
        "//localhost@evil.test/",
        "/..//evil.test/",
        "/.//evil.test/",
        "/%2e%2e//evil.test",
        "http://evil.test/",
        "http://localhost@evil.test/",
        "http://evil.test\\@localhost/",
        "http:evil.test",
        "http:/evil.test",
        "http:///evil.test",
        "https://evil.test",
        "javascript:alert(1)",
        "evil.test:443",
        "@evil.test/",
        ".evil.test/",
        ":80/",
        "?//evil.test",
        "/%0d%0aX-Injected:1",
        "/\r\nX-Injected: 1",
        "/#@evil.test",
        "/\u{2028}",
    ];
    let ours = site.at("localhost");
    let asked = hosts.map(|host| ("/", host)).into_iter();
    for (target, host) in asked.chain(targets.map(|target| (target, "localhost"))) {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let said = site.ask(&request);
        if said.status == 308 {
            let location = said.location.as_deref().unwrap();
            let rest = location.strip_prefix(&ours).unwrap_or_else(|| panic!("{request}{said:?}"));
            assert!(rest.starts_with('/') && rest.is_ascii(), "{request}{said:?}");
        } else {
            assert!([400, 421].contains(&said.status), "{request}{said:?}");
            assert_eq!(said.location, None, "{request}{said:?}");
        }
        let injected = said.head.lines().any(|line| line.starts_with("x-injected"));
        assert!(!injected, "{request}{said:?}");
    }
    site.server.assert_alive();
}

#[test]
fn a_trusted_proxy_says_by_which_host_it_was_called() {
    let site = Site::start(&["--trust-proxy", "127.0.0.1"]);
    let forwarded = |host: &str| {
        site.ask(format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: {host}\r\n\
             Connection: close\r\n\r\n"
        ))
    };
    forwarded("www.example.test").assert_sent_to(&format!("{}/", site.at("www.example.test")));
    forwarded("evil.test").assert_misdirected();
    let site = Site::start(&[]);
    let said: Said = site.ask(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: www.example.test\r\n\
         Connection: close\r\n\r\n",
    );
    said.assert_sent_to(&format!("{}/", site.at("localhost")));
}

#[test]
fn the_port_closes_with_the_server() {
    let mut site = Site::start(&[]);
    site.server.signal("TERM");
    assert_eq!(site.server.wait().code(), Some(0), "{}", site.server.log());
    Dialer::plain(site.plain).try_tcp().unwrap_err();
}
