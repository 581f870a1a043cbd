//! Requests, by method and status, how long they took, and what they carried.

use std::collections::BTreeSet;

use crate::support::upstream::Upstream;
use crate::support::{Client, Conn, Dialer, Pki};
use crate::{assert_counts, counted, samples};

#[test]
fn requests_by_method_and_status() {
    let pki = Pki::new();
    let server = counted(&pki.server_args());
    let curl = Client::new(&["--cacert", &pki.ca_file]);
    for _ in 0..3 {
        curl.fetch(&server.url).assert_top_level();
    }
    curl.and(&["-d", "twelve bytes"]).fetch(&format!("{}echo", server.url)).assert_ok();
    curl.and(&["-I"]).fetch(&server.url).assert_ok();
    assert_eq!(curl.fetch(&format!("{}nowhere", server.url)).status, 404);
    assert_eq!(curl.and(&["-X", "PROPFIND"]).fetch(&server.url).status, 405);
    let mut conn = Dialer::tls(server.port, &pki.ca_file).open();
    conn.send(b"no request\r\n\r\n").unwrap();
    assert_eq!(conn.response().status, 400);
    assert_counts(
        &server,
        &[
            (r#"turnkey_requests_total{code="200",method="GET"}"#, 3.0),
            (r#"turnkey_requests_total{code="200",method="POST"}"#, 1.0),
            (r#"turnkey_requests_total{code="200",method="HEAD"}"#, 1.0),
            (r#"turnkey_requests_total{code="404",method="GET"}"#, 1.0),
            (r#"turnkey_requests_total{code="405",method="other"}"#, 1.0),
            (r#"turnkey_requests_total{code="400",method="none"}"#, 1.0),
            (r#"turnkey_request_duration_seconds_count{class="2xx"}"#, 5.0),
            (r#"turnkey_request_duration_seconds_count{class="4xx"}"#, 3.0),
            (r#"turnkey_request_duration_seconds_bucket{class="2xx",le="60"}"#, 5.0),
            (r#"turnkey_request_duration_seconds_bucket{class="2xx",le="+Inf"}"#, 5.0),
            ("turnkey_request_body_bytes_total", 12.0),
        ],
    );
    let samples = samples(&server);
    let sent = samples["turnkey_response_body_bytes_total"];
    assert!(sent > 3.0 * 17.0 + 12.0 + 14.0, "{sent}");
    let sum = samples[r#"turnkey_request_duration_seconds_sum{class="2xx"}"#];
    assert!(sum > 0.0 && sum < 10.0, "{sum}");
}

/// Whatever a client does, it makes no series of its own.
#[test]
fn a_client_cannot_make_series() {
    let server = counted(&[]);
    let mut conn: Conn = Dialer::plain(server.port).open();
    conn.get().assert_top_level();
    for method in ["PROPFIND", "MKCOL", "LOCK", "SEARCH", "REPORT"] {
        for path in ["/", "/a\"b", "/\u{1}"] {
            let mut conn = Dialer::plain(server.port).open();
            conn.send(format!("{method} {path} HTTP/1.1\r\nHost: {method}\r\n\r\n").as_bytes())
                .unwrap();
            conn.response();
        }
    }
    assert_counts(&server, &[(r#"turnkey_requests_total{code="400",method="none"}"#, 5.0)]);
    let all = samples(&server);
    let requests = all.keys().filter(|name| name.starts_with("turnkey_requests_total"));
    let expected = [
        r#"turnkey_requests_total{code="200",method="GET"}"#,
        r#"turnkey_requests_total{code="400",method="none"}"#,
        r#"turnkey_requests_total{code="404",method="other"}"#,
        r#"turnkey_requests_total{code="405",method="other"}"#,
    ];
    assert_eq!(requests.map(String::as_str).collect::<BTreeSet<_>>(), expected.into());
}

#[test]
fn upstreams_that_fail() {
    let broken = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n");
    let gone = "http://127.0.0.1:1";
    let server = counted(&["--proxy", gone, "--proxy", &broken.url]);
    assert_eq!(Client::new(&[]).fetch(&server.url).status, 502);
    let malformed = format!(
        "turnkey_upstream_failures_total{{reason=\"malformed\",upstream=\"{}\"}}",
        broken.url
    );
    let unreachable =
        format!("turnkey_upstream_failures_total{{reason=\"unreachable\",upstream=\"{gone}\"}}");
    assert_counts(
        &server,
        &[
            (&malformed, 1.0),
            (&unreachable, 1.0),
            (r#"turnkey_requests_total{code="502",method="GET"}"#, 1.0),
        ],
    );
}
