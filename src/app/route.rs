use std::fmt;

use http_types::{Method, StatusCode};

use super::handler::{BoxedHandler, Handler, boxed};
use super::next::{self, BoxedMiddleware, End, Middleware, Ready};
use crate::common::answer::Answer;
use crate::common::refusal::Refusal;

/// The handlers of a path, by method.
pub struct Route {
    path: String,
    handlers: Vec<(Method, Answering)>,
    /// What answers to all other methods.
    all: Option<BoxedHandler>,
    middleware: Vec<BoxedMiddleware>,
}

/// What answers to a method.
enum Answering {
    Handler(BoxedHandler),
    Text(&'static str),
}

/// A method of [`Route`] for each method of HTTP that apps answer to.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)+) => {
        $($(#[$doc])*
        pub fn $name(&mut self, handler: impl Handler) -> &mut Self {
            self.method(Method::$method, handler)
        })+
    };
}

impl Route {
    pub(super) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), handlers: Vec::new(), all: None, middleware: Vec::new() }
    }

    methods! {
        /// Answers `GET` with `handler`, and `HEAD` with the same without the body.
        get = Get;
        /// Answers `POST` with `handler`.
        post = Post;
        /// Answers `PUT` with `handler`.
        put = Put;
        /// Answers `DELETE` with `handler`.
        delete = Delete;
        /// Answers `PATCH` with `handler`.
        patch = Patch;
    }

    /// Answers `method` with `handler`, which replaces an earlier one.
    pub fn method(&mut self, method: Method, handler: impl Handler) -> &mut Self {
        self.set(method, Answering::Handler(boxed(handler)))
    }

    /// Answers every `GET` with `text`, without making a `Request`.
    pub(super) fn text(&mut self, text: &'static str) -> &mut Self {
        self.set(Method::Get, Answering::Text(text))
    }

    fn set(&mut self, method: Method, answering: Answering) -> &mut Self {
        self.handlers.retain(|(m, _)| *m != method);
        self.handlers.push((method, answering));
        self
    }

    /// Answers all methods without their own handler with `handler`. The default is 405.
    pub fn all(&mut self, handler: impl Handler) -> &mut Self {
        self.all = Some(boxed(handler));
        self
    }

    /// Runs `middleware` for every request for this path, with any method, after that of the
    /// [app](super::App::wrap). Middleware runs in the order in which it was added.
    ///
    /// ```
    /// use turnkey::{App, Next, Peer, Request, Response, Result, StatusCode, public_error};
    ///
    /// async fn only_alice(request: Request, next: Next) -> Result<Response> {
    ///     let certificate = Peer::of(&request).and_then(Peer::certificate);
    ///     match certificate.and_then(|certificate| certificate.sole_common_name()) {
    ///         Some("alice") => Ok(next.run(request).await),
    ///         _ => Err(public_error(StatusCode::Forbidden, "this is for alice")),
    ///     }
    /// }
    ///
    /// let mut app = App::new();
    /// app.at("/diary").wrap(only_alice).get(|_| async { Ok("Dear diary") });
    /// ```
    pub fn wrap(&mut self, middleware: impl Middleware) -> &mut Self {
        self.middleware.push(next::boxed(middleware));
        self
    }

    /// The path as the program wrote it.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn middleware(&self) -> &[BoxedMiddleware] {
        &self.middleware
    }

    /// The handler of `method`.
    pub(super) fn end(&self, method: Method) -> End<'_> {
        let handler = self.handler(method).or_else(|| match method {
            Method::Head => self.handler(Method::Get),
            _ => None,
        });
        match (handler, &self.all, method) {
            (Some(Answering::Handler(handler)), ..) | (None, Some(handler), _) => {
                End::Handler(handler)
            }
            (Some(Answering::Text(text)), ..) => End::Ready(Ready::Text(text)),
            (None, None, Method::Options) => End::Ready(Ready::Allow(StatusCode::NoContent, self)),
            (None, None, _) => End::Ready(Ready::Allow(StatusCode::MethodNotAllowed, self)),
        }
    }

    fn handler(&self, method: Method) -> Option<&Answering> {
        self.handlers.iter().find(|(m, _)| *m == method).map(|(_, handler)| handler)
    }

    /// An answer that lists the supported methods (RFC 9110 §10.2.1).
    pub(super) fn allow(&self, code: StatusCode) -> Answer {
        let mut allowed: Vec<&str> = self.handlers.iter().map(|(m, _)| m.as_ref()).collect();
        if self.handler(Method::Get).is_some() {
            allowed.push(Method::Head.as_ref());
        }
        allowed.push(Method::Options.as_ref());
        allowed.sort_unstable();
        allowed.dedup();
        let answer = match code {
            StatusCode::NoContent => Answer::empty(code),
            _ => Refusal::bare(code).answer(),
        };
        answer.with("allow", allowed.join(", "))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.handlers.iter().map(|(m, _)| m).collect::<Vec<_>>();
        f.debug_struct("Route")
            .field("path", &self.path)
            .field("methods", &methods)
            .field("all", &self.all.is_some())
            .field("middleware", &self.middleware.len())
            .finish()
    }
}
