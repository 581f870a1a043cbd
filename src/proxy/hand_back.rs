//! What becomes of an answer, and of the two connections, once an upstream has answered.

use std::sync::Arc;

use http_types::StatusCode;

use super::ahead::{Ahead, NotTaken};
use super::balance::Member;
use super::forward::Answered;
use super::private::Private;
use super::relay::{Relay, Relayed};
use super::request::Outgoing;
use super::{Forwarded, Proxy, tunnel};
use crate::common::refusal::Refusal;
use crate::wire::deadline::Deadline;
use crate::wire::head::Version;
use crate::wire::{Shared, lock};

impl Proxy {
    /// Hands the answer on to the client, until the upstream has finished. What the client has not taken by then
    /// is for [`deliver`].
    #[expect(clippy::too_many_arguments, reason = "all that there is to know about one exchange")]
    pub(super) async fn hand_back<'s>(
        &'s self,
        shared: &'s Shared,
        outgoing: &Outgoing,
        hsts: Option<u64>,
        persistent: impl FnOnce() -> bool,
        answered: Answered<'s>,
        member: &Arc<Member>,
        id: &impl std::fmt::Display,
        private: &mut Private,
    ) -> (Forwarded, Option<Ahead<'s>>) {
        let Answered { incoming, mut connection, mut upload } = answered;
        if incoming.status == 101 {
            let done = tunnel::change_protocol(self, shared, incoming, connection, id).await;
            return (done, None);
        }
        let reusable = incoming.persistent && !outgoing.is_last_on(&connection);
        connection.private |= outgoing.authenticates || incoming.authenticates;
        let length = incoming.body;
        let status = incoming.status;
        let by_close = outgoing.version == Version::Http10 && length.is_open_ended();
        let buffers = (!self.streaming && !incoming.is_event_stream).then_some(&self.buffers);
        let (head, persistent) = incoming.finish(outgoing.version, persistent(), hsts);
        answer(shared, status, &head);
        lock(shared).set_until_close(by_close);
        let mut ahead = Ahead::new(shared, buffers);
        let relay = Relay {
            shared,
            connection: &mut connection,
            upload: &mut upload,
            out: head,
            ahead: &mut ahead,
            begun: false,
            waiting: Deadline::default(),
            limit: self.timeout,
        };
        let done = match relay.run(length, outgoing.version).await {
            Relayed::Whole if reusable && upload.is_done() => {
                if connection.private {
                    private.put(member, connection);
                } else {
                    member.put_idle(connection, &self.tls);
                }
                after(persistent)
            }
            Relayed::Whole | Relayed::WholeAndDone => {
                connection.close().await;
                after(persistent)
            }
            Relayed::Truncated { error, begun } => {
                let upstream = &member.upstream;
                lock(shared).tally().fail("broke_off");
                log::error!(
                    "request {id}: the answer of the upstream {upstream} broke off: {error}"
                );
                if !begun {
                    let what = "the upstream's answer broke off";
                    return (Forwarded::Refused(Refusal::new(StatusCode::BadGateway, what)), None);
                }
                Forwarded::BrokenOff
            }
            Relayed::ClientLeft(error) => {
                log::debug!("request {id}: the client left: {error}");
                return (Forwarded::Abort, None);
            }
        };
        (done, Some(ahead))
    }
}

/// Sends what was read ahead to the client, after which the exchange is `done`.
pub(super) async fn deliver(
    ahead: Option<Ahead<'_>>,
    done: Forwarded,
    id: &impl std::fmt::Display,
) -> Forwarded {
    let Some(ahead) = ahead else { return done };
    match ahead.deliver().await {
        Ok(()) => done,
        Err(NotTaken::Client(error)) => {
            log::debug!("request {id}: the client left: {error}");
            Forwarded::Abort
        }
        Err(NotTaken::Spool(error)) => {
            log::error!("request {id}: what was read ahead cannot be read back: {error}");
            Forwarded::BrokenOff
        }
    }
}

/// Counts what is written from here on as an answer that begins with `head`.
pub(super) fn answer(shared: &Shared, status: u16, head: &[u8]) {
    let mut transport = lock(shared);
    transport.tally().answer(status);
    transport.tally().head(head.len());
}

fn after(persistent: bool) -> Forwarded {
    if persistent { Forwarded::Persist } else { Forwarded::Close }
}
