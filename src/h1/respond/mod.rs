mod counted;
mod out;
mod send_file;

use std::io;
use std::sync::atomic::Ordering;

use async_h1::server::Encoder;
use http_types::headers::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, TRANSFER_ENCODING,
};
use http_types::{Body, Method, Response, StatusCode};

use self::counted::count_content;
use self::out::Out;
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
    /// All of it; the connection may go on, or was said to end.
    Whole { persistent: bool },
    /// Nothing has been written: there is still time for another response.
    NotBegun(io::Error),
    /// It broke off. The client must not take what it has for the whole: nothing may follow.
    BrokenOff(io::Error),
}

/// Sends a refusal; the connection is done for after that.
pub(crate) async fn write_refusal(shared: &Shared, refusal: &Refusal, asked: Asked) -> Written {
    let asked = Asked { persistent: false, ..asked };
    write_response(shared, refusal.response(), asked).await
}

/// Sends `response`, which has been checked. A small one is one write.
pub(crate) async fn write_response(
    shared: &Shared,
    mut response: Response,
    asked: Asked,
) -> Written {
    if asked.page {
        refusal::for_people(&mut response, asked.id);
    }
    let asked = begin(shared, response.status(), asked);
    let (framed, persistent) = complete(&mut response, &asked);
    let length = response.len();
    let mut out = Out::new(shared);
    let result = match framed {
        Framed::ByEncoder if asked.method == Method::Head => {
            out.encode(&mut Encoder::new(response, Method::Head), None, Some(0)).await.map(drop)
        }
        Framed::ByEncoder if length.is_none() => {
            let content = count_content(&mut response);
            let mut encoder = Encoder::new(response, asked.method);
            out.encode(&mut encoder, None, None).await.map(|body| {
                let framing = body.saturating_sub(content.load(Ordering::Relaxed));
                lock(shared).tally().frame(framing);
            })
        }
        Framed::ByEncoder => {
            if let Some((socket, body)) = send_file::body(shared, &mut response) {
                Box::pin(out.send_file(response, socket.as_ref(), body)).await
            } else {
                let mut encoder = Encoder::new(response, asked.method);
                out.encode(&mut encoder, None, length).await.map(drop)
            }
        }
        Framed::Nothing => {
            let framing = if length.is_some() { CONTENT_LENGTH } else { TRANSFER_ENCODING };
            let mut head = Encoder::new(response, Method::Head);
            out.encode(&mut head, Some(framing), None).await.map(|_| out.fix_reason())
        }
        Framed::ByClose => {
            lock(shared).set_until_close(true);
            let named = response.header(CONTENT_TYPE).is_some();
            let mut body = response.take_body();
            // A body of unknown length again, so that there is one field to take out, not two.
            response.set_body(Body::from_reader(smol::io::empty(), None));
            if !named {
                // http-types makes one up.
                response.remove_header(CONTENT_TYPE);
            }
            let mut head = Encoder::new(response, Method::Head);
            match out.encode(&mut head, Some(TRANSFER_ENCODING), None).await {
                Ok(_) if asked.method != Method::Head => out.copy(&mut body).await.map(drop),
                other => other.map(drop),
            }
        }
    };
    match match result {
        Ok(()) => out.write().await,
        Err(e) => Err(e),
    } {
        Ok(()) => Written::Whole { persistent },
        Err(e) if out.has_begun() => Written::BrokenOff(e),
        Err(e) => Written::NotBegun(e),
    }
}

/// Counts what is written from here on as an answer with this status, which may be the last.
fn begin(shared: &Shared, status: StatusCode, asked: Asked) -> Asked {
    let mut transport = lock(shared);
    transport.tally().answer(status.into());
    Asked { persistent: asked.persistent && !transport.has_aged(), ..asked }
}

/// Has the fields say what the wire and the server have to say. The results are how it is framed, and
/// whether the connection goes on.
fn complete(response: &mut Response, asked: &Asked) -> (Framed, bool) {
    let said = Said::in_fields_of(response);
    // Framing and persistence are the wire's to say.
    if said.ours {
        for name in &OURS {
            response.remove_header(name);
        }
    }
    // The encoder writes it anew for each response.
    if !said.date {
        date::with_now(|date| response.insert_header(DATE, date));
    }
    if let Some(seconds) = asked.hsts
        && !said.hsts
    {
        response.insert_header(HSTS, format!("max-age={seconds}"));
    }
    let framed = match (has_content(response.status()), response.len(), asked.version) {
        (false, ..) => Framed::Nothing,
        // HTTP/1.0 knows no chunks: what has no length ends with the connection.
        (true, None, Version::Http10) => Framed::ByClose,
        (true, ..) => Framed::ByEncoder,
    };
    let persistent = asked.persistent && !said.close && framed != Framed::ByClose;
    match (persistent, asked.version) {
        (false, _) => _ = response.insert_header(CONNECTION, "close"),
        (true, Version::Http10) => _ = response.insert_header(CONNECTION, "keep-alive"),
        (true, Version::Http11) => {}
    }
    (framed, persistent)
}

/// Who says where the content ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framed {
    ByEncoder,
    /// There is none, and no field may speak of it.
    Nothing,
    ByClose,
}

/// RFC 9110 §15.3.5, §15.4.5: 204 and 304 have no content. (1xx does not get this far.)
fn has_content(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NoContent | StatusCode::NotModified)
}

/// What a handler has said in the fields that are the wire's business. Most responses have two or three
/// fields: to go through them once is less than to look for each of these.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "any of them goes with any other")]
struct Said {
    /// There are fields of [`OURS`].
    ours: bool,
    /// The connection is to be closed.
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
