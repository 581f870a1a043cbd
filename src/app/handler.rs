use std::future::Future;
use std::sync::Arc;

use http_types::{Request, Response, Result};
use turnkey_backend::BoxFuture;

use super::answer::Answered;

/// What answers requests: an async function of a [`Request`], or a closure like one.
///
/// It stands for the bounds that these meet; there is nothing to implement.
pub trait Handler: Fn(Request) -> <Self as Handler>::Answering + Send + Sync + 'static {
    /// The call under way.
    type Answering: Future<Output = Result<Self::Answer>> + Send + 'static;
    /// What it answers: a [`Response`], or text, or whatever else turns into one.
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

/// The one form that all handlers have.
pub(super) type BoxedHandler =
    Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Answered>> + Send + Sync>;

/// `handler`, and what it answers, in the one form that all handlers have.
pub(super) fn boxed(handler: impl Handler) -> BoxedHandler {
    Arc::new(move |request| {
        let answer = handler(request);
        Box::pin(async move { answer.await.map(Answered::of) })
    })
}

/// A handler that is given a clone of `state` beside the request: an `Arc`, a pool of connections, or
/// whatever else several handlers share.
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
