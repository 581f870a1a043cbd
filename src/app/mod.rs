//! Routes, and the handlers behind them.

pub(crate) mod answer;
mod builtin;
mod failure;
pub(crate) mod fields;
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
pub use self::fields::Fields;
use self::handler::{BoxedHandler, boxed};
pub use self::handler::{Handler, with_state};
use self::next::{BoxedMiddleware, End, Ready};
pub use self::next::{Middleware, Next};
pub use self::params::Params;
use self::pattern::Pattern;
pub use self::route::Route;
use crate::common::answer::Answer;
use crate::peer::Peer;

/// An application: paths, and what answers to them.
///
/// A path is matched exactly, case and trailing slash included, as the request's URL has it:
/// percent-encoded as the client sent it, and with what `.` and `..` stand for in their place. A segment
/// `:name` stands for any one segment, and `*name` at the end for all that follow, one at least; what
/// they stand for is found with [`Params::of`]. A segment that is named goes before one that is not.
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

/// What a path leads to, by its index.
#[derive(Debug, Clone, Copy)]
enum Target {
    Route(usize),
    Nested(usize),
}

/// What answers where there is no route.
const NOT_FOUND: End<'_> = End::Ready(Ready::Status(StatusCode::NotFound));

/// What answers a request, and all that it passes on the way there.
#[derive(Default)]
struct Found<'a> {
    end: Option<End<'a>>,
    params: Params,
    middleware: Vec<BoxedMiddleware>,
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

    /// Has `app` answer to all paths below `prefix`, as if they began there: its `/` is `prefix`,
    /// with and without a slash at the end. Its middleware is passed after that of this
    /// application; what it has no route for goes to its fallback, or else to this one's.
    ///
    /// The URL of the request stays what the client asked for.
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

    /// Answers every request for a path that has no route, whatever its method, with `handler`, in
    /// place of what answered it before: 404, at first.
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

    /// Has every request pass `middleware` on its way, whatever it is for and whenever its route was
    /// added; 404 and 405 too. What is added first is passed first, before that of the
    /// [route](Route::wrap).
    ///
    /// Middleware is a function of a request and of what comes [next](Next). It may look at the
    /// request or change it, answer in its place, and change the response.
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

    /// Answers `request`. A path that has no route is for the fallback, or else it is 404; a method
    /// that its route has no handler for is 405, with the methods that it has (RFC 9110 §15.5.6).
    /// `HEAD` is answered wherever `GET` is, and `OPTIONS` everywhere, unless the route does so itself.
    ///
    /// A handler that fails is answered with the status of its error, and with no more of it to read
    /// than [`public_error`] says; one that panics with 500. The log has the cause.
    ///
    /// Where no middleware stands before it, the handler is called at once, and its future polled when
    /// this one is.
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
            // What most requests come to does not go through what only few need.
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

    /// The answer to a request for `path`, if that takes neither a handler nor middleware.
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

    /// Adds to `found` what is found here.
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
