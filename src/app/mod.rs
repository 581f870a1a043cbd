//! Routes, and the handlers behind them.

pub(crate) mod answer;
mod builtin;
mod failure;
mod handler;
mod mount;
mod next;
mod params;
mod pattern;
pub(crate) mod redirect;
mod route;
pub(crate) mod test_client;
#[cfg(test)]
mod tests;
mod whoami;

use std::fmt;

use http_types::{Method, Request, Response, StatusCode};
use matchit::{InsertError, Router};

use self::answer::Answered;
pub use self::builtin::builtin;
pub use self::failure::public_error;
use self::failure::{Begun, begin, settle};
use self::handler::{BoxedHandler, boxed};
pub use self::handler::{Handler, with_state};
use self::next::{BoxedMiddleware, End, Ready};
pub use self::next::{Middleware, Next};
pub use self::params::Params;
use self::pattern::Pattern;
pub use self::route::Route;
use crate::common::answer::Answer;
use crate::peer::Peer;

/// An application: routes and their handlers.
///
/// A path is matched exactly, with case and trailing slash, as it is in the request's URL:
/// percent-encoded as the client sent it, and with `.` and `..` resolved. A segment `:name` matches any one
/// segment, and `*name` at the end matches all that follow, at least one; [`Params::of`] has what they
/// matched. A fixed segment is preferred to a parameter.
///
/// ```
/// use turnkey::{App, Params, Request, Result};
///
/// async fn hello(request: Request) -> Result<String> {
///     let name: String = Params::of(&request).get("name")?;
///     Ok(format!("Hello, {name}!"))
/// }
///
/// let mut app = App::new();
/// app.at("/").get(|_| async { Ok("Top-level content") });
/// app.at("/hello/:name").get(hello);
/// app.at("/files/*path").get(|request| async move { Params::of(&request).get::<String>("path") });
/// ```
#[derive(Default)]
pub struct App {
    router: Router<Target>,
    routes: Vec<Route>,
    nested: Vec<Self>,
    fallback: Option<BoxedHandler>,
    middleware: Vec<BoxedMiddleware>,
}

/// The index of each path's route.
#[derive(Debug, Clone, Copy)]
enum Target {
    Route(usize),
    Nested(usize),
}

/// The answer if there is no route.
const NOT_FOUND: End<'_> = End::Ready(Ready::Status(StatusCode::NotFound));

/// What answers a request, and the middleware before it.
#[derive(Default)]
struct Found<'a> {
    end: Option<End<'a>>,
    params: Params,
    middleware: Vec<BoxedMiddleware>,
}

impl App {
    /// An application without routes: it answers 404 to every request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The route for `path`; the same route each time for the same path.
    ///
    /// # Panics
    /// If `path` does not begin with `/`, is not a valid pattern, or conflicts with another: that is a
    /// mistake in the program, not in its input.
    #[expect(clippy::panic, reason = "documented: a bad route is a bug in the program")]
    pub fn at(&mut self, path: &str) -> &mut Route {
        let known = self.routes.iter().position(|route| route.path() == path);
        let index = known.unwrap_or(self.routes.len());
        if known.is_none() {
            match Pattern::new(path) {
                Ok(pattern) => self.insert(path, pattern, Target::Route(index)),
                Err(error) => panic!("the route {path:?} cannot be added: {error}"),
            }
            self.routes.push(Route::new(path));
        }
        match self.routes.get_mut(index) {
            Some(route) => route,
            None => panic!("the route {path:?} was not added"),
        }
    }

    /// Makes `app` answer all paths below `prefix`, without the prefix: its `/` is `prefix`, with and without a
    /// slash at the end. Its middleware runs after that of this application. Requests that it has no
    /// route for go to its fallback, or else to the fallback of this application.
    ///
    /// The URL of the request does not change.
    ///
    /// ```
    /// use turnkey::App;
    ///
    /// let mut api = App::new();
    /// api.at("/status").get(|_| async { Ok("well") });
    ///
    /// let mut app = App::new();
    /// app.nest("/api", api);    // GET /api/status
    /// ```
    ///
    /// # Panics
    /// As [`App::at`] does; and if `prefix` ends with `/` or a wildcard.
    #[expect(clippy::panic, reason = "documented: a bad prefix is a bug in the program")]
    pub fn nest(&mut self, prefix: &str, app: Self) -> &mut Self {
        let target = Target::Nested(self.nested.len());
        match Pattern::of_prefix(prefix) {
            Ok(patterns) => {
                for pattern in patterns {
                    self.insert(prefix, pattern, target);
                }
            }
            Err(error) => panic!("nothing can be nested under {prefix:?}: {error}"),
        }
        self.nested.push(app);
        self
    }

    /// Answers every request for a path without a route with `handler`, for all methods. The default is
    /// 404.
    ///
    /// ```
    /// let mut app = turnkey::App::new();
    /// app.at("/").get(|_| async { Ok("Top-level content") });
    /// app.fallback(|request| async move { Ok(format!("There is no {}", request.url().path())) });
    /// ```
    pub fn fallback(&mut self, handler: impl Handler) -> &mut Self {
        self.fallback = Some(boxed(handler));
        self
    }

    /// Runs `middleware` for every request, also for routes that are added later, and for 404 and 405.
    /// Middleware runs in the order in which it was added, before that of the [route](Route::wrap).
    ///
    /// Middleware is a function of a request and of what comes [next](Next). It may read or change the
    /// request, answer it itself, and change the response.
    ///
    /// ```
    /// use std::time::Instant;
    /// use turnkey::{App, Next, Request, Response, Result};
    ///
    /// async fn timing(request: Request, next: Next) -> Result<Response> {
    ///     let start = Instant::now();
    ///     let mut response = next.run(request).await;
    ///     let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    ///     response.insert_header("server-timing", format!("app;dur={milliseconds:.1}"));
    ///     Ok(response)
    /// }
    ///
    /// let mut app = App::new();
    /// app.wrap(timing);
    /// ```
    pub fn wrap(&mut self, middleware: impl Middleware) -> &mut Self {
        self.middleware.push(next::boxed(middleware));
        self
    }

    /// Answers `request`. A path without a route gets the fallback, or else 404. A method without a handler
    /// gets 405, with the methods of the route (RFC 9110 §15.5.6). `HEAD` is answered wherever `GET` is, and
    /// `OPTIONS` everywhere, unless the route has handlers for them.
    ///
    /// If a handler fails, the answer has the status of its error, and its text only if it is a
    /// [`public_error`]. If it panics, the answer is 500. The log has the cause.
    ///
    /// Without middleware before it, the handler is called at once, and its future is polled when this one is.
    pub fn call(&self, request: Request) -> impl Future<Output = Response> + Send + use<> {
        let answered = self.answered(request);
        async move { answered.await.into() }
    }

    fn answered(&self, mut request: Request) -> impl Future<Output = Answered> + Send + use<> {
        let found = self.find(request.method(), request.url().path());
        if !found.params.is_empty() {
            request.ext_mut().insert(found.params);
        }
        let id = Peer::of(&request).map(Peer::request_id);
        let begun: Begun = match found.end {
            // Most requests need no more than this.
            Some(End::Handler(handler)) if found.middleware.is_empty() => {
                begin(|| handler(request))
            }
            end => {
                let end = end.unwrap_or(NOT_FOUND);
                let next = Next::new(found.middleware, &end);
                Ok(Box::pin(
                    async move { Ok(Answered::Response(Box::new(next.run(request).await))) },
                ))
            }
        };
        settle(begun, id)
    }

    /// The answer to a request for `path`, if it needs neither a handler nor middleware.
    pub(crate) fn answer_at_once(&self, method: Method, path: &str) -> Option<Answer> {
        let found = self.find(method, path);
        match found.end.unwrap_or(NOT_FOUND) {
            End::Ready(ready) if found.middleware.is_empty() => Some(ready.answer()),
            _ => None,
        }
    }

    fn find(&self, method: Method, path: &str) -> Found<'_> {
        let mut found = Found::default();
        self.find_end(method, path, &mut found);
        found
    }

    /// Adds the matches in this application to `found`.
    fn find_end<'a>(&'a self, method: Method, path: &str, found: &mut Found<'a>) {
        found.middleware.extend(self.middleware.iter().cloned());
        if let Ok(matched) = self.router.at(path) {
            match *matched.value {
                Target::Route(index) => {
                    found.params.extend(&matched.params);
                    if let Some(route) = self.routes.get(index) {
                        found.middleware.extend(route.middleware().iter().cloned());
                        found.end = Some(route.end(method));
                    }
                }
                Target::Nested(index) => {
                    found.params.extend(&matched.params);
                    if let Some(app) = self.nested.get(index) {
                        app.find_end(method, pattern::rest(path, &matched.params), found);
                    }
                }
            }
        }
        if found.end.is_none() {
            found.end = self.fallback.as_ref().map(End::Handler);
        }
    }

    #[expect(clippy::panic, reason = "documented: a bad route is a bug in the program")]
    fn insert(&mut self, path: &str, pattern: Pattern, target: Target) {
        match self.router.insert(pattern.into_matchit(), target) {
            Ok(()) => {}
            Err(InsertError::Conflict { with }) => {
                let with = pattern::from_matchit(&with);
                panic!("the route {path:?} cannot be added: it is in conflict with {with:?}")
            }
            Err(error) => panic!("the route {path:?} cannot be added: {error}"),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.routes)
            .field("nested", &self.nested)
            .field("fallback", &self.fallback.is_some())
            .field("middleware", &self.middleware.len())
            .finish_non_exhaustive()
    }
}
