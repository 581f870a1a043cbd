//! What happens to a response, and to both connections, once an upstream has responded.

use std::sync::Arc;

use http_types::StatusCode;

use super::ahead::{Ahead, NotTaken};
use super::balance::Member;
use super::forward::Answered;
use super::private::Private;
use super::relay::{Relay, Relayed};
use super::{Forwarded, Forwarding, tunnel};
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;
use crate::wire::asked::Asked;
use crate::wire::deadline::Deadline;
use crate::wire::head::Version;
use crate::wire::{Shared, lock};

impl<'s> Forwarding<'s> {
    /// Forwards the response to the client until the upstream has finished. [`deliver`] sends what the client
    /// has not accepted by then.
    pub(super) async fn hand_back(
        self,
        answered: Answered<'s>,
        member: &Arc<Member>,
        private: &mut Private,
    ) -> (Forwarded, Option<Ahead<'s>>) {
        let Self { proxy, shared, asked: Asked { id, version, hsts, .. }, outgoing } = self;
        let Answered { incoming, mut connection, mut upload } = answered;
        if incoming.status == 101 {
            let done = tunnel::change_protocol(self, incoming, connection).await;
            return (done, None);
        }
        let reusable = incoming.persistent && !outgoing.is_last_on(&connection);
        connection.private |= outgoing.authenticates || incoming.authenticates;
        let length = incoming.body;
        let status = incoming.status;
        let by_close = *version == Version::Http10 && length.is_open_ended();
        let buffers = (!proxy.streaming && !incoming.is_event_stream).then_some(&proxy.buffers);
        let (head, persistent) = incoming.finish(*version, self.asked.persists(shared), *hsts);
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
            limit: proxy.timeout,
        };
        let done = match relay.run(length, *version).await {
            Relayed::Whole if reusable && upload.is_done() => {
                if connection.private {
                    private.put(member, connection);
                } else {
                    member.put_idle(connection, &proxy.tls);
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

/// Sends what was read ahead to the client. The result is `done`, if that succeeds.
pub(super) async fn deliver(ahead: Option<Ahead<'_>>, done: Forwarded, id: RequestId) -> Forwarded {
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

/// Counts what is written from here on as a response that begins with `head`.
pub(super) fn answer(shared: &Shared, status: u16, head: &[u8]) {
    let mut transport = lock(shared);
    transport.tally().answer(status);
    transport.tally().head(head.len());
}

fn after(persistent: bool) -> Forwarded {
    if persistent { Forwarded::Persist } else { Forwarded::Close }
}
