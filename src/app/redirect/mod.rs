//! Redirects to HTTPS: the app of the plain HTTP listener, which redirects clients to the HTTPS listener.
//!
//! It redirects only to hosts that we have a certificate for. A redirect to any host that a request names
//! would be an open redirect (CWE-601).

mod challenge;
mod host;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_types::url::Position;
use http_types::{Request, Response, StatusCode, Url};

use self::host::Host;
use crate::app::App;
use crate::common::refusal::Refusal;
use crate::peer::Peer;

/// The default port of `https` URLs (RFC 9110 §4.2.2).
const HTTPS: u16 = 443;

/// The target of redirects.
pub(crate) struct Target {
    /// Whether one of our certificates is for a host: a name in lower case without a dot at its end, or an
    /// address without brackets.
    pub(crate) is_ours: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// The port of the HTTPS listener.
    pub(crate) https_port: u16,
    /// The folder with the answers to a CA's challenges, if there is one.
    pub(crate) folder: Option<PathBuf>,
}

/// An app that answers all requests with 308, which keeps method and body (RFC 9110 §15.4.9), except the
/// challenges of a CA (RFC 8555 §8.3).
pub(crate) fn app(target: Target) -> App {
    let mut app = App::new();
    if let Some(folder) = &target.folder {
        let folder: Arc<Path> = folder.as_path().into();
        // The folder of challenges itself has no answer either.
        for path in [challenge::PATH.to_owned(), format!("{}*token", challenge::PATH)] {
            let folder = Arc::clone(&folder);
            app.at(&path).get(move |request| challenge::answer(Arc::clone(&folder), request));
        }
    }
    app.fallback(move |request| {
        let response = redirect(&target, &request);
        async move { Ok(response) }
    });
    app
}

fn redirect(target: &Target, request: &Request) -> Response {
    let host = Peer::of(request).map(Peer::host);
    let Some(location) = host.and_then(|host| location(target, host, request.url())) else {
        let reason = "none of this server's certificates is for the host that was asked for";
        return Refusal::new(StatusCode::MisdirectedRequest, reason).response();
    };
    let mut response = Response::new(StatusCode::PermanentRedirect);
    response.set_body(format!("moved to {location}\n"));
    response.insert_header("location", location);
    response
}

/// `url` with the scheme `https` and `host` (with its port, if it has one); `None` if we have no
/// certificate for that host.
fn location(target: &Target, host: &str, url: &Url) -> Option<String> {
    let host = Host::parse(host).filter(|host| (target.is_ours)(&host.name()))?;
    let port = match target.https_port {
        HTTPS => String::new(),
        port => format!(":{port}"),
    };
    // It begins with a slash, as what follows the host must.
    let what = &url[Position::BeforePath..Position::AfterQuery];
    Some(format!("https://{host}{port}{what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(https_port: u16) -> Target {
        let is_ours = |host: &str| matches!(host, "localhost" | "www.example.test" | "::1");
        Target { is_ours: Box::new(is_ours), https_port, folder: None }
    }

    /// The redirect for a request for `host` and `path`, with the URL that the wire makes of them.
    fn sent(https_port: u16, host: &str, path: &str) -> Option<String> {
        let url = Url::parse(&format!("http://{host}{path}")).unwrap();
        location(&target(https_port), host, &url)
    }

    #[test]
    fn the_port_is_that_of_https_and_left_out_when_it_is_the_usual() {
        for host in ["localhost", "LocalHost:80", "localhost.", "localhost:", "localhost:443"] {
            assert_eq!(sent(443, host, "/").unwrap(), "https://localhost/", "{host}");
            assert_eq!(sent(8443, host, "/").unwrap(), "https://localhost:8443/", "{host}");
        }
        assert_eq!(sent(443, "[::1]:8080", "/").unwrap(), "https://[::1]/");
        assert_eq!(sent(80, "[0:0::1]", "/").unwrap(), "https://[::1]:80/");
    }

    #[test]
    fn path_and_query_go_on_as_they_are() {
        for path in [
            "/",
            "/a/b",
            "/a%20b%2Fc%3f?d=%26&e",
            "/?",
            "/?a?b=/..//",
            "//evil.test/a",
            "///evil.test",
            "/@evil.test",
            "/%5Cevil.test",
            "/:8443",
            "/a;b=c/~d!$&'()*+,=:@-._",
            "/https://evil.test/",
            "/%0d%0aSet-Cookie:a=b",
        ] {
            assert_eq!(sent(443, "localhost", path).unwrap(), format!("https://localhost{path}"));
        }
        // `OPTIONS *`, which has no path.
        assert_eq!(sent(443, "localhost", "").unwrap(), "https://localhost/");
    }

    #[test]
    fn other_hosts_are_not_redirected_to() {
        for host in ["example.test", "localhost.example.test", "127.0.0.1", "[::2]", "evil.test"] {
            assert_eq!(sent(443, host, "/"), None, "{host}");
        }
    }

    /// Even if every host were ours.
    #[test]
    fn what_is_no_host_is_not_redirected_to() {
        let all = Target { is_ours: Box::new(|_| true), ..target(443) };
        let url = Url::parse("http://localhost/").unwrap();
        for host in [
            "",
            ".",
            ":80",
            "localhost..",
            ".localhost",
            "a..b",
            "localhost@evil.test",
            "evil.test/localhost",
            "evil.test\\localhost",
            "evil.test?localhost",
            "evil.test#localhost",
            "localhost:80@evil.test",
            "localhost:80:80",
            "localhost\r\nx: y",
            "localhost ",
            "local%68ost",
            "*.example.test",
            "a,b",
            "a&b",
            "[::1",
            "[::1]evil.test",
            "[localhost]",
            "[::1%25eth0]",
            "::1",
            "300.1.1.1",
            "1.2.3",
            "l\u{f6}calhost",
        ] {
            assert_eq!(location(&all, host, &url), None, "{host:?}");
        }
    }
}
