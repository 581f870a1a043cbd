//! Clients that say themselves what is for the proxy to say: the app sees nothing of it.

use serde_json::{Value, json};

use crate::Front;
use crate::django::Site;
use crate::flask::{base64_of, fingerprint};
use crate::support::programs::Listen;
use crate::support::table;

table! {
    columns {
        https = "https";
        mutual = "mutual";
    } rows {
        forged_fields_change_nothing
        of_identities_nobody_is_believed
    }
}

/// What is known to be believed, somewhere, of whoever is in front.
const FORGED: [(&str, &str); 20] = [
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-For", "192.0.2.66"),
    ("X-Forwarded-Host", "elsewhere.test"),
    ("X-Forwarded-Port", "80"),
    ("X-Forwarded-Protocol", "http"),
    ("X-Forwarded-Ssl", "off"),
    ("X-Forwarded-Prefix", "/elsewhere"),
    ("X-Real-Ip", "192.0.2.66"),
    ("Forwarded", "for=192.0.2.66;proto=http;host=elsewhere.test"),
    ("Client-Cert", ":AAAA:"),
    ("Client-Cert-Chain", ":AAAA:"),
    ("X-Client-Verify", "SUCCESS"),
    ("X-Client-Subject", "CN=root"),
    ("X-Client-Fingerprint", "00:00"),
    ("X-Client-Cert", "AAAA"),
    ("X-SSL-Client-Verify", "SUCCESS"),
    ("SSL_CLIENT_S_DN", "CN=root"),
    ("X-ARR-ClientCert", "AAAA"),
    ("Remote-User", "root"),
    ("X-Scheme", "http"),
];

/// gunicorn believes these of its neighbour, written with `_` and in no other way.
const OF_GUNICORN: [(&str, &str); 2] = [("SCRIPT_NAME", "/elsewhere"), ("PATH_INFO", "/admin/")];

/// WSGI does not tell `_` from `-`, nor great letters from small ones; other servers no mark from another.
const SPELLINGS: [fn(&str) -> String; 6] = [
    str::to_owned,
    |name| name.replace('-', "_"),
    |name| name.replacen('-', "_", 1),
    str::to_ascii_uppercase,
    |name| name.replace('-', "."),
    |name| name.replace('-', "~"),
];

fn forged_fields_change_nothing(mode: &'static str) {
    let site = Site::start(mode, Listen::Tcp);
    let honest = seen(&site, &[]);
    assert_told(&honest, &site.front);

    let mut lines: Vec<_> = OF_GUNICORN.iter().map(|(n, v)| (n.to_string(), *v)).collect();
    for spell in SPELLINGS {
        lines.extend(FORGED.iter().map(|(name, value)| (spell(name), *value)));
    }
    // A head has room for a hundred fields.
    for forged in lines.iter().map(std::slice::from_ref).chain(lines.chunks(80)) {
        let mut fields: Vec<_> = forged.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        assert_eq!(seen(&site, &fields), honest, "with {fields:?}");
        // What `Connection` names goes no further, but for what we say.
        let names =
            ["X-Forwarded-Proto, X-Forwarded-For", "Forwarded, Client-Cert, X-Client-Verify"];
        fields.extend(names.map(|names| format!("Connection: {names}")));
        assert_eq!(seen(&site, &fields), honest, "with {fields:?}");
    }
}

/// A proxy in front of us that is trusted speaks for its clients' addresses; who has shown which
/// certificate, is known to whom it was shown.
fn of_identities_nobody_is_believed(mode: &'static str) {
    let site = Site::with(mode, Listen::Tcp, &["--trust-proxy", "127.0.0.1"], &[]);
    let honest = seen(&site, &[]);
    assert_told(&honest, &site.front);
    for spell in SPELLINGS {
        let ours = |name: &str| name.starts_with("X-Client") || name.starts_with("Client");
        let of_identity = FORGED.iter().filter(|(name, _)| ours(name));
        let fields: Vec<_> = of_identity.map(|(n, v)| format!("{}: {v}", spell(n))).collect();
        assert_eq!(seen(&site, &fields), honest, "with {fields:?}");
    }
    let told = seen(&site, &["X-Forwarded-For: 192.0.2.66".to_owned()]);
    assert_eq!(told["meta"]["HTTP_X_FORWARDED_FOR"], "192.0.2.66");
}

/// All that the app knows, but for the port of the connection between us.
fn seen(site: &Site, fields: &[String]) -> Value {
    let options: Vec<_> = fields.iter().flat_map(|field| ["-H", field]).collect();
    let mut seen = site.seen(&options);
    seen["meta"].as_object_mut().unwrap().remove("REMOTE_PORT");
    seen
}

/// What we tell the app.
fn assert_told(seen: &Value, front: &Front) {
    let host = format!("localhost:{}", front.server.port);
    assert_eq!([&seen["secure"], &seen["host"]], [&json!(true), &json!(host)]);
    assert_eq!(seen["url"], format!("https://{host}/seen"));
    let told = |name: &str| seen["meta"][name].as_str();
    assert_eq!(told("HTTP_X_FORWARDED_FOR"), Some("127.0.0.1"));
    assert_eq!(told("HTTP_X_FORWARDED_PROTO"), Some("https"));
    assert_eq!(told("HTTP_X_FORWARDED_HOST"), Some(&*host));
    let forwarded = format!("for=127.0.0.1;host=\"{host}\";proto=https");
    assert_eq!(told("HTTP_FORWARDED"), Some(&*forwarded));

    let identity = [
        "HTTP_X_CLIENT_VERIFY",
        "HTTP_X_CLIENT_SUBJECT",
        "HTTP_X_CLIENT_FINGERPRINT",
        "HTTP_CLIENT_CERT",
    ];
    if front.mode == "mutual" {
        let der = base64_of(&front.pki.client);
        let fingerprint = fingerprint(&front.pki.client);
        let subject = "CN=client.localhost,O=Company";
        let expected = ["SUCCESS", subject, &fingerprint, &format!(":{der}:")];
        assert_eq!(identity.map(told), expected.map(Some));
    } else {
        assert_eq!(identity.map(told), [None; 4]);
    }
}

/// A redirect to https is for those who come by http, whatever they say.
#[test]
fn http_stays_http_for_those_who_claim_otherwise() {
    let site = Site::start("http", Listen::Tcp);
    let secure = format!("https://localhost:{}/seen", site.front.server.port);
    for claim in [
        "Accept: */*",
        "X-Forwarded-Proto: https",
        "X_Forwarded_Proto: https",
        "x-forwarded-proto: https, https",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Protocol: ssl",
        "Forwarded: proto=https",
    ] {
        let options = ["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", claim];
        let output = site.front.curl().and(&options).run(&[&format!("{}seen", site.front.url())]);
        assert_eq!(output.text(), format!("301 {secure}"), "with {claim}");
    }
}
