use std::future::Future;
use std::sync::Arc;

use http_types::{Request, Response, Result};
use turnkey_backend::BoxFuture;

use super::answer::Answered;

/// What answers requests: an async function of a [`Request`], or a closure like one.
///
/// It is implemented for all of these.
pub trait Handler: Fn(Request) -> <Self as Handler>::Answering + Send + Sync + 'static {
    /// The future of a call.
    type Answering: Future<Output = Result<Self::Answer>> + Send + 'static;
    /// Its answer: a [`Response`], text, or anything else that converts into one.
    type Answer: Into<Response> + 'static;
}

impl<F, Fut, R> Handler for F
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R>> + Send + 'static,
    R: Into<Response> + 'static,
{
    type Answering = Fut;
    type Answer = R;
}

/// The type-erased form of handlers.
pub(super) type BoxedHandler =
    Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Answered>> + Send + Sync>;

/// Erases the types of `handler` and of its result.
pub(super) fn boxed(handler: impl Handler) -> BoxedHandler {
    Arc::new(move |request| {
        let answer = handler(request);
        Box::pin(async move { answer.await.map(Answered::of) })
    })
}

/// A handler that gets a clone of `state` with each request: an `Arc`, a connection pool, or another value
/// that handlers share.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use turnkey::{App, Request, Result, with_state};
///
/// async fn count(visits: Arc<AtomicU64>, _request: Request) -> Result<String> {
///     let number = visits.fetch_add(1, Ordering::Relaxed) + 1;
///     Ok(format!("You are visitor number {number}.\n"))
/// }
///
/// let visits = Arc::new(AtomicU64::new(0));
/// let mut app = App::new();
/// app.at("/").get(with_state(&visits, count));
/// ```
pub fn with_state<S, F, Fut>(state: &S, handler: F) -> impl Fn(Request) -> Fut + use<S, F, Fut>
where
    S: Clone,
    F: Fn(S, Request) -> Fut,
{
    let state = state.clone();
    move |request| handler(state.clone(), request)
}
