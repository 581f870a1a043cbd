//! Whom to believe about who is at the other end.
//!
//! A proxy tells the application behind it whom it speaks for, in fields that a client can write
//! just as well. No proxy is trusted yet, so all of them go before anyone reads them.

use http_types::Request;
use http_types::headers::HeaderName;

/// Fields by which a proxy speaks for a client, by their full names.
const SPOKEN_FOR: [&str; 8] = [
    "forwarded",
    "x-real-ip",
    "client-cert",
    "client-cert-chain",
    "x-client-verify",
    "x-client-subject",
    "x-client-fingerprint",
    "x-client-cert",
];

/// Removes from `request` what nobody is trusted to say; the result is what was removed.
pub(crate) fn remove_untrusted(request: &mut Request) -> Vec<String> {
    let untrusted: Vec<String> = request
        .header_names()
        .map(HeaderName::as_str)
        .filter(|name| speaks_for_client(name))
        .map(str::to_owned)
        .collect();
    for name in &untrusted {
        request.remove_header(name.as_str());
    }
    untrusted
}

fn speaks_for_client(name: &str) -> bool {
    // CGI and WSGI do not tell `_` from `-`: `X_Forwarded_Proto` reaches the application as
    // `X-Forwarded-Proto` does.
    let is = |known: &str| {
        name.len() == known.len()
            && name.bytes().zip(known.bytes()).all(|(b, k)| b == k || (b == b'_' && k == b'-'))
    };
    let prefix = "x-forwarded-";
    SPOKEN_FOR.iter().any(|known| is(known))
        || name.get(..prefix.len()).is_some_and(|start| start.replace('_', "-") == prefix)
}

#[cfg(test)]
mod tests {
    use http_types::Method;

    use super::*;

    #[test]
    fn what_a_proxy_would_say_goes_and_the_rest_stays() {
        let mut request = Request::new(Method::Get, "http://localhost/");
        let go = [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Anything",
            "X_Forwarded_Host",
            "X-Real-IP",
            "Client-Cert",
            "X-Client-Verify",
            "x_client_subject",
        ];
        let stay = ["Accept", "X-Forwarded", "Client-Certificate", "Cookie"];
        for name in go.iter().chain(&stay) {
            request.insert_header(*name, "1");
        }
        assert_eq!(remove_untrusted(&mut request).len(), go.len());
        assert_eq!(request.header_names().count(), stay.len());
        for name in stay {
            assert!(request.header(name).is_some(), "{name}");
        }
    }
}
