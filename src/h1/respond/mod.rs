mod counted;
mod head;
mod out;
mod send_file;

use std::io;
use std::sync::atomic::Ordering;

use async_h1::server::Encoder;
use http_types::headers::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, TRANSFER_ENCODING};
use http_types::{Method, Response, StatusCode};

use self::counted::count_content;
use self::head::{FramingField, Ours};
use self::out::{GATHER, Out};
use crate::common::answer::Answer;
use crate::common::refusal::Refusal;
use crate::common::{date, field};
use crate::page::refusal;
use crate::wire::asked::Asked;
use crate::wire::head::Version;
use crate::wire::transport::{Shared, lock};

/// Fields that the wire writes itself.
static OURS: [HeaderName; 3] = [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH];

const HSTS: &str = "strict-transport-security";

/// How a response went.
#[derive(Debug)]
pub(crate) enum Written {
    /// All of it was written. `persistent`: the connection may go on.
    Whole { persistent: bool },
    /// Nothing was written: another response can still be sent.
    NotBegun(io::Error),
    /// It broke off. Nothing may follow: the client must not take the part for the whole.
    BrokenOff(io::Error),
}

/// Sends a refusal. The connection ends after it.
pub(crate) async fn write_refusal(shared: &Shared, refusal: &Refusal, asked: Asked) -> Written {
    write_answer(shared, refusal.answer(), Asked { persistent: false, ..asked }).await
}

/// Sends `answer`, in one write if it is small.
pub(crate) async fn write_answer(shared: &Shared, answer: Answer, asked: Asked) -> Written {
    if asked.page && answer.refusal.is_some() {
        // It may be an HTML page.
        return write_response(shared, answer.into(), asked).await;
    }
    let asked = begin(shared, answer.status, asked);
    let content = answer.content.as_bytes();
    let plan = Plan::new(answer.status, Some(content.len()), &Said::default(), &asked);
    let mut out = Out::new(shared);
    out.head(|buffer| {
        let fields = answer.fields.iter().map(|(name, value)| (*name, &**value)).collect();
        head::push(buffer, answer.status, fields, plan.ours);
    });
    let content = if plan.has_content(&asked) { content } else { b"" };
    let result = if content.len() <= GATHER {
        out.append(|buffer| buffer.extend_from_slice(content));
        Ok(())
    } else {
        out.copy(&mut &*content).await.map(drop)
    };
    out.end(result, plan.persistent).await
}

/// Sends `response`, which has been checked, in one write if it is small.
pub(crate) async fn write_response(
    shared: &Shared,
    mut response: Response,
    asked: Asked,
) -> Written {
    if asked.page {
        refusal::for_people(&mut response, asked.id);
    }
    let status = response.status();
    let asked = begin(shared, status, asked);
    let (said, length) = (Said::in_fields_of(&response), response.len());
    let plan = Plan::new(status, length, &said, &asked);
    let has_content = plan.has_content(&asked);
    let mut out = Out::new(shared);
    let result = if has_content && plan.ours.framing == FramingField::Chunked {
        plan.put_into(&mut response, &said);
        let content = count_content(&mut response);
        out.encode(&mut Encoder::new(response, asked.method)).await.map(|body| {
            let framing = body.saturating_sub(content.load(Ordering::Relaxed));
            lock(shared).tally().frame(framing);
        })
    } else {
        let file = if has_content { send_file::body(shared, &mut response) } else { None };
        // Framing and persistence are decided by the wire.
        let is_left_out = |name: &HeaderName| said.ours && OURS.contains(name);
        out.head(|buffer| head::push_head(buffer, &response, is_left_out, plan.ours));
        if plan.by_close {
            lock(shared).set_until_close(true);
        }
        match (file, length) {
            _ if !has_content => Ok(()),
            (Some((socket, body)), _) => Box::pin(out.send_file(socket.as_ref(), body)).await,
            (None, Some(length)) => out.copy_all(&mut response.take_body(), length).await,
            (None, None) => out.copy(&mut response.take_body()).await.map(drop),
        }
    };
    out.end(result, plan.persistent).await
}

/// Counts what is written from here on as an answer with this status. Decides whether it is the last.
fn begin(shared: &Shared, status: StatusCode, asked: Asked) -> Asked {
    let mut transport = lock(shared);
    transport.tally().answer(status.into());
    Asked { persistent: asked.persistent && !transport.has_aged(), ..asked }
}

/// How an answer is framed, and whether the connection persists.
struct Plan {
    ours: Ours,
    /// Whether the end of the connection ends the content.
    by_close: bool,
    persistent: bool,
}

impl Plan {
    /// The plan for an answer of `length` bytes, if that is known, whose fields are `said`.
    fn new(status: StatusCode, length: Option<usize>, said: &Said, asked: &Asked) -> Self {
        let (framing, by_close) = match (may_have_content(status), length, asked.version) {
            (false, ..) => (FramingField::None, false),
            // HTTP/1.0 has no chunks: content of unknown length ends with the connection.
            (true, None, Version::Http10) => (FramingField::None, true),
            (true, None, Version::Http11) => (FramingField::Chunked, false),
            (true, Some(length), _) => (FramingField::Length(length), false),
        };
        let persistent = asked.persistent && !said.close && !by_close;
        let connection = match (persistent, asked.version) {
            (false, _) => Some("close"),
            (true, Version::Http10) => Some("keep-alive"),
            (true, Version::Http11) => None,
        };
        let hsts = asked.hsts.filter(|_| !said.hsts);
        let ours = Ours { framing, connection, date: !said.date, hsts };
        Self { ours, by_close, persistent }
    }

    /// Whether content is sent.
    fn has_content(&self, asked: &Asked) -> bool {
        asked.method != Method::Head && (self.by_close || self.ours.framing != FramingField::None)
    }

    /// Sets the fields for the encoder, which adds the framing.
    fn put_into(&self, response: &mut Response, said: &Said) {
        if said.ours {
            for name in &OURS {
                response.remove_header(name);
            }
        }
        // The encoder formats the date anew for each response, so set it from the cache.
        if self.ours.date {
            date::with_now(|date| response.insert_header(DATE, date));
        }
        if let Some(seconds) = self.ours.hsts {
            response.insert_header(HSTS, format!("max-age={seconds}"));
        }
        if let Some(connection) = self.ours.connection {
            response.insert_header(CONNECTION, connection);
        }
    }
}

/// RFC 9110 §15.3.5, §15.4.5: 204 and 304 have no content. (1xx never gets here.)
fn may_have_content(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NoContent | StatusCode::NotModified)
}

/// What a handler set in the fields that the wire controls. Most responses have two or three fields: one pass over
/// them is faster than a search for each name.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "any of them goes with any other")]
struct Said {
    /// Some fields are in [`OURS`].
    ours: bool,
    /// The handler wants the connection closed.
    close: bool,
    date: bool,
    hsts: bool,
}

impl Said {
    fn in_fields_of(response: &Response) -> Self {
        let mut said = Self::default();
        for (name, values) in response {
            said.ours |= OURS.contains(name);
            said.date |= *name == DATE;
            said.hsts |= name.as_str() == HSTS;
            said.close |= *name == CONNECTION
                && values
                    .iter()
                    .flat_map(|v| field::list(v.as_str().as_bytes()))
                    .any(|option| option.eq_ignore_ascii_case(b"close"));
        }
        said
    }
}
