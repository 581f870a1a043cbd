//! A client for the tests of an app, in the process and without a socket.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_types::convert::DeserializeOwned;
use http_types::headers::{CONTENT_TYPE, HeaderName, ToHeaderValues};
use http_types::{Body, Method, Request, Response, StatusCode, Url};
use turnkey_backend::{Certificate, TlsInfo};

use super::answer;
use crate::app::App;
use crate::common::address::RemoteAddr;
use crate::common::request_id::RequestId;
use crate::peer::Link;

/// Sends requests to an [`App`] as a server would, without one: for tests.
///
/// The responses are those that a client would get, also after errors and panics. It leaves out what a
/// server does before the app gets a request: limits, and the trust in proxies.
///
/// ```
/// use turnkey::{App, TestClient};
///
/// let mut app = App::new();
/// app.at("/hello").get(|_| async { Ok("Hello!") });
///
/// let client = TestClient::new(app);
/// let response = client.get("/hello").send();
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.text(), "Hello!");
/// assert_eq!(client.post("/hello").send().status(), 405);
/// ```
#[derive(Debug, Clone)]
pub struct TestClient {
    app: Arc<App>,
    remote: RemoteAddr,
    tls: Option<TlsInfo>,
    requests: Arc<AtomicU64>,
}

impl TestClient {
    /// A client at 127.0.0.1 that speaks plain HTTP.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self {
            app: Arc::new(app),
            remote: RemoteAddr::Tcp((Ipv4Addr::LOCALHOST, 49152).into()),
            tls: None,
            requests: Arc::default(),
        }
    }

    /// The same client, for the same app, at another address, for example [`RemoteAddr::Unix`].
    #[must_use]
    pub fn at(&self, address: impl Into<RemoteAddr>) -> Self {
        Self { remote: address.into(), ..self.clone() }
    }

    /// The same client, for the same app, over TLS with these negotiated values. [`TlsInfo::default`] has
    /// none.
    #[must_use]
    pub fn tls(&self, tls: TlsInfo) -> Self {
        Self { tls: Some(tls), ..self.clone() }
    }

    /// The same client, for the same app, with a certificate that it has shown in mutual mode.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use turnkey::tls::Certificate;
    /// use turnkey::{App, Peer, Request, TestClient};
    ///
    /// let mut app = App::new();
    /// app.at("/").get(|request: Request| async move {
    ///     let certificate = Peer::of(&request).and_then(Peer::certificate);
    ///     Ok(certificate.map_or("nobody", Certificate::subject).to_owned())
    /// });
    ///
    /// let client = TestClient::new(app);
    /// assert_eq!(client.get("/").send().text(), "nobody");
    /// # let made = rcgen::generate_simple_self_signed(["alice".to_owned()])?;
    /// # let der = made.cert.der();
    /// let alice = Certificate::from_der(der)?;
    /// # let subject = alice.subject().to_owned();
    /// let response = client.certificate(alice).get("/").send();
    /// assert_eq!(response.text(), subject);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn certificate(&self, certificate: Certificate) -> Self {
        let mut tls = self.tls.clone().unwrap_or_default();
        tls.client_certificate = Some(certificate);
        self.tls(tls)
    }

    /// A `GET` of `path`, which may have a query.
    pub fn get(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::Get, path)
    }

    /// A `POST` to `path`, which may have a query.
    pub fn post(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::Post, path)
    }

    /// A request for `path`, which may have a query.
    ///
    /// # Panics
    /// If `path` does not begin with `/`.
    #[expect(clippy::panic, reason = "documented: a bad path is a bug in the test")]
    pub fn request(&self, method: Method, path: &str) -> TestRequest<'_> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = Url::parse(&format!("{scheme}://localhost{path}"));
        let (true, Ok(url)) = (path.starts_with('/'), url) else {
            panic!("{path:?} is no path: it begins with /");
        };
        TestRequest { client: self, request: Request::new(method, url) }
    }

    fn link(&self) -> Arc<Link> {
        Arc::new(Link::in_process(self.remote, self.tls.clone()))
    }
}

/// A request of a [`TestClient`].
#[derive(Debug)]
#[must_use = "it is not sent before `send`"]
pub struct TestRequest<'c> {
    client: &'c TestClient,
    request: Request,
}

impl TestRequest<'_> {
    /// Adds a field, beside others of the same name.
    pub fn header(mut self, name: impl Into<HeaderName>, values: impl ToHeaderValues) -> Self {
        self.request.append_header(name, values);
        self
    }

    /// Sets the body, and the `Content-Type` that goes with it, such as that of
    /// [`Body::from_json`] or [`Body::from_form`].
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.request.set_body(body);
        self
    }

    /// Sends the request, and waits for the whole response.
    ///
    /// # Panics
    /// If the body of the response cannot be read to its end. A client would get a part of it.
    #[must_use]
    #[expect(clippy::panic, reason = "documented: there is no response to give back")]
    pub fn send(self) -> TestResponse {
        let Self { client, mut request } = self;
        let number = client.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let id = RequestId { connection: 0, number };
        request.ext_mut().insert(client.link().sends(id, "localhost"));
        let head_only = request.method() == Method::Head;
        smol::block_on(async {
            let mut response = Response::from(answer::answer(&client.app, request, id).await);
            let has_type = response.header(CONTENT_TYPE).is_some();
            let body = response.take_body();
            if !has_type {
                // The length of the empty body that replaces it.
                response.remove_header(CONTENT_TYPE);
            }
            // A client gets only its length.
            let body = if head_only { Ok(Vec::new()) } else { body.into_bytes().await };
            match body {
                Ok(body) => TestResponse { response, body },
                Err(error) => panic!("the body of the response broke off: {error}"),
            }
        })
    }
}

/// The response to a [`TestClient`].
#[derive(Debug)]
pub struct TestResponse {
    response: Response,
    body: Vec<u8>,
}

impl TestResponse {
    /// The status; it can be compared with a number.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The last value of a field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        Some(self.response.header(name)?.last().as_str())
    }

    /// The body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    /// If it is not UTF-8.
    #[must_use]
    #[expect(clippy::panic, reason = "documented: a test that asks for text fails without")]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body is not text: {error}"),
        }
    }

    /// The body, parsed as JSON.
    ///
    /// # Panics
    /// If the body is not JSON for a `T`.
    #[must_use]
    #[expect(clippy::panic, reason = "documented: a test that asks for JSON fails without")]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not the JSON that is expected: {error}"),
        }
    }
}
