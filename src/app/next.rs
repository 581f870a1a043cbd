use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::vec;

use http_types::{Request, Response, Result, StatusCode};
use turnkey_backend::BoxFuture;

use super::Route;
use super::answer::{Answered, TEXT};
use super::failure::{begin, settle};
use super::handler::BoxedHandler;
use crate::common::answer::Answer;
use crate::common::refusal::Refusal;
use crate::peer::Peer;

/// The rest after a middleware: more middleware, and at the end the handler.
pub struct Next {
    middleware: vec::IntoIter<BoxedMiddleware>,
    last: Last,
}

/// Middleware: an async function of a [`Request`] and of what comes [next](Next), or a closure like one.
///
/// It is implemented for all of these.
pub trait Middleware:
    Fn(Request, Next) -> <Self as Middleware>::Answering + Send + Sync + 'static
{
    /// The future of a call.
    type Answering: Future<Output = Result<Self::Answer>> + Send + 'static;
    /// Its answer: a [`Response`], text, or anything else that converts into one.
    type Answer: Into<Response> + 'static;
}

impl<F, Fut, R> Middleware for F
where
    F: Fn(Request, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R>> + Send + 'static,
    R: Into<Response> + 'static,
{
    type Answering = Fut;
    type Answer = R;
}

/// The type-erased form of middleware.
pub(super) type BoxedMiddleware =
    Arc<dyn Fn(Request, Next) -> BoxFuture<'static, Result<Answered>> + Send + Sync>;

/// Answers a request.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    Handler(&'a BoxedHandler),
    Ready(Ready<'a>),
}

/// An answer that needs no handler.
#[derive(Clone, Copy)]
pub(super) enum Ready<'a> {
    /// The same text for everybody.
    Text(&'static str),
    Status(StatusCode),
    /// A status, and the methods of the route.
    Allow(StatusCode, &'a Route),
}

impl Ready<'_> {
    pub(super) fn answer(self) -> Answer {
        match self {
            Self::Text(text) => Answer::of_type(TEXT, text),
            Self::Status(status) => Refusal::bare(status).answer(),
            Self::Allow(status, route) => route.allow(status),
        }
    }
}

/// An owned `End`.
enum Last {
    Handler(BoxedHandler),
    Response(Box<Response>),
}

impl Next {
    pub(super) fn new(middleware: Vec<BoxedMiddleware>, end: &End<'_>) -> Self {
        let last = match end {
            End::Handler(handler) => Last::Handler(Arc::clone(handler)),
            End::Ready(ready) => Last::Response(Box::new(ready.answer().into())),
        };
        Self { middleware: middleware.into_iter(), last }
    }

    /// Answers `request`. Errors and panics have become responses: the result is what the client would
    /// get.
    pub async fn run(mut self, request: Request) -> Response {
        let id = Peer::of(&request).map(Peer::request_id);
        match (self.middleware.next(), self.last) {
            (Some(middleware), last) => {
                let rest = Self { middleware: self.middleware, last };
                settle(begin(|| middleware(request, rest)), id).await.into()
            }
            (None, Last::Handler(handler)) => settle(begin(|| handler(request)), id).await.into(),
            (None, Last::Response(response)) => *response,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("middleware", &self.middleware.len()).finish_non_exhaustive()
    }
}

/// Erases the types of `middleware` and of its result.
pub(super) fn boxed(middleware: impl Middleware) -> BoxedMiddleware {
    Arc::new(move |request, next| {
        let answer = middleware(request, next);
        Box::pin(async move { answer.await.map(Answered::of) })
    })
}
