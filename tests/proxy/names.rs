//! Fields that tell who a client is, under every name that is in use: none of a client's reaches an
//! upstream.

use crate::support::identity::{IN_USE, SPELLINGS, documented};
use crate::support::table;
use crate::support::upstream::{Received, Upstream};
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        no_name_in_use_reaches_an_upstream
        no_trailer_of_such_a_name_does
        no_second_length_reaches_an_upstream
        strange_names_reach_an_upstream_only_if_they_may
        a_trusted_proxy_speaks_for_its_clients
    }
}

/// A head has room for a hundred fields, and 16 KiB.
const AT_ONCE: usize = 80;

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nX-Mine: kept\r\n{fields}\r\n")
}

#[track_caller]
fn only(upstream: &Upstream) -> Received {
    let mut requests = upstream.take_requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

fn no_name_in_use_reaches_an_upstream(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let names: Vec<_> = IN_USE.iter().map(ToString::to_string).chain(documented()).collect();
    for spell in SPELLINGS {
        for names in names.chunks(AT_ONCE) {
            let lines: Vec<_> = names.iter().map(|n| format!("{}: forged\r\n", spell(n))).collect();
            assert_eq!(proxied.ask(get(&lines.concat())), OK_CLOSE, "{lines:?}");
            let request = only(&upstream);
            assert_eq!(request.values("x-mine"), ["kept"]);
            assert!(!request.text().contains("forged"), "{}", request.text());
        }
    }
    proxied.server.assert_logs(&["ignored $WSCC from 127.0.0.1: not in --trust-proxy"]);
}

fn no_trailer_of_such_a_name_does(front: Front) {
    let upstream = Upstream::answering(OK);
    for args in [&[][..], &["--proxy-streaming"], &["--trust-proxy", "127.0.0.1"]] {
        let proxied = Proxied::with(front, &[&upstream.url], args);
        let request = "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                       2\r\nhi\r\n0\r\nX-Mine: kept\r\nX-SSL-Client-Verify: forged\r\n\
                       Remote.User: forged\r\nX-Real-IP: forged\r\n\r\n";
        assert_eq!(proxied.ask(request), OK_CLOSE);
        let request = only(&upstream);
        let all = [request.head, request.body].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("forged"), "{all}");
    }
}

/// Apps that take `_` or `.` for `-` would read another body than was sent.
fn no_second_length_reaches_an_upstream(front: Front) {
    let upstream = Upstream::answering(OK);
    for args in [&[][..], &["--proxy-streaming"], &["--trust-proxy", "127.0.0.1"]] {
        let proxied = Proxied::with(front, &[&upstream.url], args);
        let forged = "Content_Length: forged\r\nTransfer_Encoding: forged\r\n\
                      content.length: forged\r\nTRANSFER~ENCODING: forged\r\n";
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nX_Mine: kept\r\n{forged}\
             Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{forged}\r\n"
        );
        assert_eq!(proxied.ask(request), OK_CLOSE);
        let request = only(&upstream);
        assert_eq!(request.values("x_mine"), ["kept"]);
        let all = [request.head, request.body].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("forged"), "{all}");
        proxied
            .server
            .assert_logs(&["ignored Content_Length from 127.0.0.1: applications may take it"]);
    }
}

/// What is no letter or digit is `-` or `_` to many an app.
fn strange_names_reach_an_upstream_only_if_they_may(front: Front) {
    let strange: Vec<String> =
        ".!#$%&'*+^`|~".chars().map(|mark| format!("My{mark}Own: strange\r\n")).collect();
    let fields = format!("X_Mine: kept\r\nx-mine-2: kept\r\n{}", strange.concat());
    let request = format!(
        "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{fields}\
         Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{fields}\r\n"
    );
    let upstream = Upstream::answering(OK);
    for args in [&[][..], &["--trust-proxy", "127.0.0.1"]] {
        for (lenient, count) in [(&[][..], 0), (&["--lenient-names"], 2 * strange.len())] {
            let args = [args, lenient, &["--proxy-streaming"]].concat();
            let proxied = Proxied::with(front, &[&upstream.url], &args);
            assert_eq!(proxied.ask(&request), OK_CLOSE);
            let request = only(&upstream);
            let all = [request.head, request.body].concat();
            let all = String::from_utf8_lossy(&all);
            assert_eq!(all.matches(": strange\r\n").count(), count, "{args:?}: {all}");
            assert_eq!(all.matches(": kept\r\n").count(), 4, "{args:?}: {all}");
            if count == 0 {
                let why = "ignored My.Own from 127.0.0.1: its name has other marks than - and _";
                proxied.server.assert_logs(&[why, "--lenient-names"]);
            }
        }
    }
}

/// What it says in a field that turnkey does not write itself is for the app.
fn a_trusted_proxy_speaks_for_its_clients(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::with(front, &[&upstream.url], &["--trust-proxy", "127.0.0.1"]);
    let theirs = ["X-SSL-Client-Verify", "SSL_CLIENT_S_DN", "REMOTE_USER", "X-Auth-Request-User"];
    let ours = ["X-Client-Verify", "X_Client_Verify", "X.Client.Verify", "X.Real.IP"];
    let lines = theirs.iter().map(|name| format!("{name}: told\r\n"));
    let lines = lines.chain(ours.iter().map(|name| format!("{name}: forged\r\n")));
    assert_eq!(proxied.ask(get(&lines.collect::<String>())), OK_CLOSE);
    let request = only(&upstream);
    for name in theirs {
        assert_eq!(request.values(&name.to_ascii_lowercase()), ["told"], "{}", request.text());
    }
    assert!(!request.text().contains("forged"), "{}", request.text());
    proxied.server.assert_logs(&["ignored X.Real.IP from 127.0.0.1: applications may take it"]);
}
