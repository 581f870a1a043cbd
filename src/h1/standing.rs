//! Whether an open connection would still be let in now.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use turnkey_backend::HandshakeError;

use crate::common::shutdown::Listening;
use crate::mode::current::{Current, Serving};
use crate::peer::Link;
use crate::report::explain::Event;
use crate::wire::deadline::Deadline;

/// How often a request under way checks the clock, which may have been set meanwhile.
const LOOK: Duration = Duration::from_secs(60);

const SECOND: Duration = Duration::from_secs(1);

/// The terms on which a connection was let in. The client policy is checked again if it was replaced, or if time may
/// have changed its verdict: before each request, and at once while a request is under way.
#[derive(Debug, Default)]
pub(crate) struct Standing(Option<Box<Terms>>);

#[derive(Debug)]
struct Terms {
    current: Arc<Current>,
    /// The policy that was checked last.
    generation: u64,
    /// Until when its verdict holds; `None` if there is no time limit.
    until: Option<SystemTime>,
    /// A verdict reached while a request was under way, for the next request.
    found: Option<Arc<Link>>,
    replaced: Listening,
    /// When to check the clock.
    due: Option<Deadline>,
}

impl Standing {
    /// The terms of the connection `link`, which was let in under `serving`. Without TLS, every client is let in.
    pub(crate) fn new(current: &Arc<Current>, serving: &Serving, link: &Link) -> Self {
        if link.tls.is_none() {
            return Self::default();
        }
        Self(Some(Box::new(Terms {
            current: Arc::clone(current),
            generation: serving.generation,
            until: holds_until(link),
            found: None,
            replaced: Listening::default(),
            due: None,
        })))
    }

    /// Updates `link` with the verdict of the current policy.
    pub(crate) fn check(&mut self, link: &mut Arc<Link>) {
        let Some(terms) = &mut self.0 else { return };
        if !terms.hold() {
            terms.ask(link);
        }
        if let Some(found) = terms.found.take() {
            *link = found;
        }
    }

    /// Ready when the policy no longer lets the client in, with what to tell it.
    pub(crate) fn poll_refused(&mut self, cx: &mut Context<'_>, link: &Arc<Link>) -> Poll<String> {
        let Some(terms) = &mut self.0 else { return Poll::Pending };
        loop {
            if !terms.hold() {
                terms.ask(link);
            }
            if let Some(denied) = terms.found.as_ref().and_then(|found| found.denied.clone()) {
                return Poll::Ready(denied);
            }
            if terms.poll_change(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Terms {
    fn hold(&self) -> bool {
        self.generation == self.current.generation()
            && self.until.is_none_or(|until| SystemTime::now() < until)
    }

    /// Checks the client against the current policy.
    #[cold]
    fn ask(&mut self, link: &Arc<Link>) {
        let serving = self.current.get();
        let found = Arc::new(Self::said_by(&serving, self.found.as_ref().unwrap_or(link)));
        self.generation = serving.generation;
        self.until = holds_until(&found);
        self.found = Some(found);
        // Both belong to the previous check.
        self.replaced.leave();
        self.due = None;
    }

    fn said_by(serving: &Serving, link: &Link) -> Link {
        let mut link = Link { asks_clients: !serving.clients.is_none(), ..link.clone() };
        let denied = match serving.verify_again(link.tls.as_deref()) {
            Err(error) => {
                link.explain(serving, &Event::NoLonger(&error));
                Some(told(&error))
            }
            Ok(vouched) => {
                if let Some(tls) = &mut link.tls {
                    tls.set_client(vouched);
                }
                let denied = serving.denied(link.tls.as_deref());
                if let (Some(denied), None) = (&denied, &link.denied) {
                    link.explain(serving, &Event::NotAllowed(denied));
                }
                denied.map(|denied| denied.told())
            }
        };
        link.denied = denied;
        link
    }

    /// Ready when it may be time to check again.
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { current, generation, until, replaced, due, .. } = self;
        if replaced.poll(cx, current.replaced(), || current.generation() != *generation).is_ready()
        {
            return Poll::Ready(());
        }
        let Some(until) = *until else { return Poll::Pending };
        let due = due.get_or_insert_with(|| {
            // The policy may still let the client in after `until`; limit how often it is checked.
            let left = until.duration_since(SystemTime::now()).unwrap_or(SECOND);
            Deadline::at(Instant::now() + left.min(LOOK))
        });
        if due.poll(cx, LOOK).is_pending() {
            return Poll::Pending;
        }
        self.due = None;
        Poll::Ready(())
    }
}

/// When time may change the policy's verdict on the client; `None`: never.
fn holds_until(link: &Link) -> Option<SystemTime> {
    let tls = link.tls.as_deref()?;
    let leaf = tls.client_certificate.as_ref()?;
    // One second later: TLS stacks differ in whether the last second still counts as valid.
    tls.client_vouched_until.unwrap_or(leaf.not_after()).checked_add(SECOND)
}

/// What to tell a client that is no longer let in.
fn told(error: &HandshakeError) -> String {
    match error {
        HandshakeError::NoClientCertificate => "a client certificate is needed here".to_owned(),
        HandshakeError::ClientCertificate(refused) => {
            let (certificate, culprit) = (refused.certificate(), refused.culprit());
            let because = if culprit == certificate {
                String::new()
            } else {
                format!(", because of \"{}\"", culprit.subject())
            };
            let (subject, fault) = (certificate.subject(), refused.fault());
            format!(
                "the client certificate \"{subject}\" is not accepted any more{because}: {fault}"
            )
        }
        _ => "the client certificate is not accepted any more".to_owned(),
    }
}
