//! A request under way, limited by how long its connection may last.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_types::StatusCode;

use super::content::Content;
use super::exchange::{self, After, Exchange};
use super::standing::Standing;
use super::underway::Underway;
use crate::common::refusal::Refusal;
use crate::peer::Link;
use crate::proxy::Private;
use crate::wire::deadline::Deadline;
use crate::wire::transport::{Shared, lock};

/// How long an answer or a request body may continue after the connection has reached its maximum age. Most are
/// complete by then; an endless one must end.
const GRACE: Duration = Duration::from_secs(2);

/// The connection of a request.
pub(crate) struct Lasting<'c> {
    pub(crate) shared: &'c Shared,
    pub(crate) link: &'c Arc<Link>,
    pub(crate) standing: &'c mut Standing,
}

/// Why a request is cut off.
enum Cut {
    /// The policy would no longer let the client in; with what to tell it.
    Refused(String),
    /// The connection has reached its maximum age.
    Aged,
}

impl<'c> Lasting<'c> {
    /// Lets `content` answer while the connection may last. After that, a client that has received nothing of the
    /// answer is told why. A client that has received a part cannot take it for the whole.
    #[expect(clippy::manual_async_fn, reason = "what an async fn takes, its future holds twice")]
    pub(crate) fn run(
        mut self,
        underway: Underway<'c>,
        exchange: Exchange,
        content: &'c Content,
        private: &'c mut Private,
    ) -> impl Future<Output = After> + Send {
        async move {
            let (shared, asked) = (self.shared, exchange.asked);
            let cut = {
                let mut work = pin!(exchange.run(shared, content, private));
                let mut grace = Deadline::default();
                let done = poll_fn(|cx| match work.as_mut().poll(cx) {
                    Poll::Ready(after) => Poll::Ready(Ok(after)),
                    Poll::Pending => self.poll_cut(cx, &mut grace).map(Err),
                });
                match done.await {
                    Ok(after) => return underway.ends(after),
                    Err(cut) => cut,
                }
            };
            if !lock(shared).tally().is_silent() {
                log::debug!("request {}: cut off: {}", asked.id, cut.refusal().reason);
                // Tells the log that the request was cut off.
                drop(underway);
                return if lock(shared).would_deceive() { After::Reset } else { After::Close };
            }
            underway.ends(exchange::refuse(shared, &cut.refusal(), asked).await)
        }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>, grace: &mut Deadline) -> Poll<Cut> {
        if let Poll::Ready(why) = self.standing.poll_refused(cx, self.link) {
            return Poll::Ready(Cut::Refused(why));
        }
        let mut transport = lock(self.shared);
        ready!(transport.poll_age(cx));
        if transport.tally().status() == Some(101) {
            return Poll::Ready(Cut::Aged);
        }
        if transport.tally().is_silent() && !transport.is_receiving() {
            // The answer will say that it is the last.
            return Poll::Pending;
        }
        grace.poll(cx, GRACE).map(|()| Cut::Aged)
    }
}

impl Cut {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(why) => Refusal::new(StatusCode::Forbidden, why.clone()),
            Self::Aged => Refusal::new(
                StatusCode::RequestTimeout,
                "the connection is as old as one may get; send the request over a new one",
            ),
        }
    }
}
