//! Routes, and the handlers behind them.

mod builtin;
#[cfg(test)]
mod tests;
mod whoami;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use http_types::{Method, Request, Response, StatusCode};
use matchit::Router;
use turnkey_backend::BoxFuture;

pub use builtin::builtin;

/// An application: paths, and what answers to them.
///
/// Paths are matched exactly, case and trailing slash included. `{name}` stands for one segment,
/// `{*rest}` for all that follow.
///
/// ```
/// let mut app = turnkey::App::new();
/// app.at("/").get(|_| async { Ok("Top-level content") });
/// ```
#[derive(Default)]
pub struct App {
    router: Router<usize>,
    routes: Vec<Route>,
    fallback: Option<Handler>,
}

impl App {
    /// An application that answers to no path yet: 404 to everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The place to say what answers to `path`; the same place each time for the same path.
    ///
    /// # Panics
    /// If `path` does not begin with `/`, is no valid pattern, or is in conflict with another:
    /// that is a mistake in the program, not in its input.
    #[expect(clippy::panic, reason = "documented: a bad route is a bug in the program")]
    pub fn at(&mut self, path: &str) -> &mut Route {
        let index = match self.router.at(path) {
            Ok(found) if self.routes.get(*found.value).is_some_and(|r| r.path == path) => {
                *found.value
            }
            _ => {
                let index = self.routes.len();
                if let Err(error) = self.router.insert(path, index) {
                    panic!("the route {path:?} cannot be added: {error}");
                }
                self.routes.push(Route { path: path.to_owned(), handlers: Vec::new() });
                index
            }
        };
        match self.routes.get_mut(index) {
            Some(route) => route,
            None => panic!("the route {path:?} was not added"),
        }
    }

    /// Answers every request for a path that has no route, whatever its method, with `handler`, in
    /// place of what answered it before: 404, at first.
    ///
    /// ```
    /// let mut app = turnkey::App::new();
    /// app.at("/").get(|_| async { Ok("Top-level content") });
    /// app.fallback(|request| async move { Ok(format!("There is no {}", request.url().path())) });
    /// ```
    pub fn fallback<F, Fut, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = http_types::Result<R>> + Send + 'static,
        R: Into<Response>,
    {
        self.fallback = Some(boxed(handler));
        self
    }

    /// Answers `request`. A path that has no route is for the fallback, or else it is 404; a method
    /// that its route has no handler for is 405, with the methods that it has (RFC 9110 §15.5.6).
    /// `HEAD` is answered wherever `GET` is, and `OPTIONS` everywhere, unless the route does so itself.
    pub async fn call(&self, request: Request) -> http_types::Result<Response> {
        let found = self.router.at(request.url().path()).ok();
        let Some(route) = found.and_then(|found| self.routes.get(*found.value)) else {
            return match &self.fallback {
                Some(fallback) => fallback(request).await,
                None => Ok(status(StatusCode::NotFound)),
            };
        };
        match (route.handler(request.method()), request.method()) {
            (Some(handler), _) => handler(request).await,
            (None, Method::Head) if let Some(get) = route.handler(Method::Get) => {
                get(request).await
            }
            (None, Method::Options) => Ok(route.allow(StatusCode::NoContent)),
            (None, _) => Ok(route.allow(StatusCode::MethodNotAllowed)),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.routes)
            .field("fallback", &self.fallback.is_some())
            .finish_non_exhaustive()
    }
}

/// What answers to a path, by method.
pub struct Route {
    path: String,
    handlers: Vec<(Method, Handler)>,
}

type Handler =
    Arc<dyn Fn(Request) -> BoxFuture<'static, http_types::Result<Response>> + Send + Sync>;

impl Route {
    /// Answers `GET` with `handler`, and `HEAD` with what it answers without the body.
    pub fn get<F, Fut, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = http_types::Result<R>> + Send + 'static,
        R: Into<Response>,
    {
        self.method(Method::Get, handler)
    }

    /// Answers `POST` with `handler`.
    pub fn post<F, Fut, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = http_types::Result<R>> + Send + 'static,
        R: Into<Response>,
    {
        self.method(Method::Post, handler)
    }

    /// Answers `method` with `handler`, in place of what answered it before.
    pub fn method<F, Fut, R>(&mut self, method: Method, handler: F) -> &mut Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = http_types::Result<R>> + Send + 'static,
        R: Into<Response>,
    {
        self.handlers.retain(|(m, _)| *m != method);
        self.handlers.push((method, boxed(handler)));
        self
    }

    fn handler(&self, method: Method) -> Option<&Handler> {
        self.handlers.iter().find(|(m, _)| *m == method).map(|(_, handler)| handler)
    }

    /// A response that names the methods there are (RFC 9110 §10.2.1).
    fn allow(&self, code: StatusCode) -> Response {
        let mut allowed: Vec<&str> = self.handlers.iter().map(|(m, _)| m.as_ref()).collect();
        if self.handler(Method::Get).is_some() {
            allowed.push(Method::Head.as_ref());
        }
        allowed.push(Method::Options.as_ref());
        allowed.sort_unstable();
        allowed.dedup();
        let mut response =
            if code == StatusCode::NoContent { Response::new(code) } else { status(code) };
        response.insert_header("allow", allowed.join(", "));
        response
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.handlers.iter().map(|(m, _)| m).collect::<Vec<_>>();
        f.debug_struct("Route").field("path", &self.path).field("methods", &methods).finish()
    }
}

/// `handler`, and what it answers, in the one form that all handlers have.
fn boxed<F, Fut, R>(handler: F) -> Handler
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = http_types::Result<R>> + Send + 'static,
    R: Into<Response>,
{
    Arc::new(move |request| {
        let answer = handler(request);
        Box::pin(async move { answer.await.map(Into::into) })
    })
}

/// A response that is its status and says so.
fn status(code: StatusCode) -> Response {
    let mut response = Response::new(code);
    response.set_body(format!("{} {}\n", code, code.canonical_reason()));
    response
}
