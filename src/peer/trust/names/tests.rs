use super::*;

fn folded(name: &str) -> String {
    name.trim_end_matches('*').bytes().map(|byte| char::from(fold(byte))).collect()
}

#[test]
fn the_table_is_sorted_and_no_row_is_in_vain() {
    for (one, next) in TABLE.iter().zip(TABLE.iter().skip(1)) {
        assert!(folded(one.name) < folded(next.name), "{} before {}", one.name, next.name);
    }
    for row in &TABLE {
        let covering = TABLE.iter().filter(|other| other.covers(row.name.trim_end_matches('*')));
        assert_eq!(covering.count(), 1, "{}", row.name);
    }
}

#[test]
fn fields_that_speak_for_a_client() {
    for name in [
        "Forwarded",
        "X-Forwarded",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "X-Forwarded-Anything",
        "X_Forwarded_Host",
        "X-Real-IP",
        "X.Real.IP",
        "X!Real~IP",
        "Client-Cert",
        "Client.Cert_Chain",
        "X-Client-Verify",
        "x_client_subject",
        "X-Client.Subject",
        "X!Client~Verify",
        "SSL_CLIENT_S_DN",
        "ssl-client-verify",
        "X-SSL",
        "X-SSL-Client-Verify",
        "X_SSL_CERT",
        "REMOTE_USER",
        "$WSRU",
        "_WSRU",
        "x-ms-client-principal",
        "X-MS-CLIENT-PRINCIPAL-ID",
        "CF-Connecting-IPv6",
        "x-amzn-mtls-clientcert-leaf",
        "X-WEBAUTH-USER",
    ] {
        assert!(speaks_for_client(name), "{name}");
    }
}

#[test]
fn each_row_is_found_by_its_name_and_by_others_that_apps_take_for_it() {
    for row in &TABLE {
        let name = row.name.replace('*', "Zz");
        let marked = |mark| name.replace(|c: char| !c.is_ascii_alphanumeric(), mark);
        for spelled in [marked("-"), marked("_"), marked("."), marked("~"), name.to_uppercase()] {
            assert!(speaks_for_client(&spelled), "{spelled}");
            assert_eq!(is_written_here(&spelled), row.ours, "{spelled}");
            // One byte more or less is another name.
            assert!(!speaks_for_client(&format!("A{spelled}")), "A{spelled}");
            if !row.name.ends_with('*') && name != "Client-Cert" && name != "X-Forwarded" {
                assert!(!speaks_for_client(&format!("{spelled}s")), "{spelled}s");
            }
        }
    }
}

/// What browsers and clients of APIs send.
#[test]
fn other_fields_are_let_through() {
    const ORDINARY: &str = "Accept Accept-Charset Accept-Encoding Accept-Language \
        Access-Control-Request-Headers Access-Control-Request-Method Authorization Cache-Control \
        Connection Content-Encoding Content-Length Content-Type Cookie DNT Date Device-Memory \
        Digest Downlink Early-Data Expect From HTTP2-Settings Host Idempotency-Key If-Match \
        If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Event-ID Link \
        Max-Forwards Origin Ping-From Pragma Prefer Priority Proxy-Authorization Purpose RTT Range \
        Referer Save-Data Sec-CH-UA Sec-CH-UA-Mobile Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site \
        Sec-Fetch-User Sec-GPC Sec-WebSocket-Key Service-Worker Signature Slug TE Traceparent \
        Tracestate Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Via \
        Viewport-Width X-API-Key X-Amz-Date X-Amzn-Trace-Id X-Auth-Email X-Auth-Key X-Auth-Token \
        X-Auth-User X-CSRF-Token X-Correlation-ID X-Forward X-HTTP-Method-Override X-Real-I \
        X-Re_l-IP X-Request-ID X-Requested-With X-Goog-Api-Key X-Ms-Client-Request-Id X-User-Agent \
        X-XSRF-TOKEN CF-Access-Client-Id CF-Ray Client-Certificate Soapaction Http-Https Shibboleth \
        SMS Ssl X";
    for name in ORDINARY.split_whitespace() {
        assert!(!speaks_for_client(name), "{name}");
    }
    for name in ["", "-", "_", "\u{e9}", "$"] {
        assert!(!speaks_for_client(name), "{name}");
    }
}

#[test]
fn other_marks_than_hyphens() {
    for (name, has) in [("X-Real-IP", false), ("X-Real_IP", true), ("X.Real-IP", true)] {
        assert_eq!(has_other_marks(name), has, "{name}");
    }
}

/// The lines of the table in `docs/IDENTITY_FIELDS.md`, as they have to be.
fn documented() -> Vec<String> {
    let row = |row: &Row| format!("| `{}` | {} | {} |", row.name, row.tells, row.by);
    TABLE.iter().map(row).collect()
}

#[test]
fn the_page_for_people_says_the_same() {
    let page = include_str!("../../../../docs/IDENTITY_FIELDS.md");
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(lines, documented(), "\n{}", documented().join("\n"));
    let ours: Vec<_> = TABLE.iter().filter(|row| row.ours).map(|row| row.name).collect();
    let sentence = page.lines().find(|line| line.starts_with("turnkey writes")).unwrap();
    assert_eq!(names_in(sentence), ours);
}

/// The short lists are of names that are in the table, and lead to it.
#[test]
fn what_the_other_pages_name_is_in_the_table() {
    let pages =
        [include_str!("../../../../docs/GUIDE.md"), include_str!("../../../../SECURITY.md")];
    for page in pages {
        let lists = page.split("\n\n").flat_map(|paragraph| paragraph.split("\n| "));
        let mut lists = lists.filter(|text| text.contains("IDENTITY_FIELDS.md)")).peekable();
        assert!(lists.peek().is_some(), "no link to the table");
        for list in lists {
            let named = names_in(list);
            let fields = named.iter().filter(|name| name.starts_with(|c: char| c.is_uppercase()));
            for name in fields {
                assert!(speaks_for_client(&name.replace('*', "Zz")), "{name}");
            }
        }
    }
}

/// What stands in back-ticks.
fn names_in(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
