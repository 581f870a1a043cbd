//! The HTTP/1.1 loop of a connection: reads a request, lets the app or the proxy answer it, and writes the response.

pub(crate) mod body;
pub(crate) mod content;
pub(crate) mod exchange;
mod lasting;
pub(crate) mod request;
mod respond;
pub(crate) mod standing;
pub(crate) mod underway;

use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_types::{Method, StatusCode};

use self::body::RequestBody;
use self::content::Content;
use self::exchange::{After, Exchange, Work};
use self::lasting::Lasting;
use self::standing::Standing;
use self::underway::Underway;
use crate::app::App;
use crate::common::answer::Answer;
use crate::common::field;
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;
use crate::common::shutdown::Watch;
use crate::page;
use crate::peer::Link;
use crate::proxy::{Outgoing, Private, max_forwards};
use crate::report::record::Noted;
use crate::wire::asked::Asked;
use crate::wire::deadline::Deadline;
use crate::wire::head::{self, Framing, Head, Target, field_slots};
use crate::wire::head_limits::HeadLimits;
use crate::wire::scanner::{HeadScanner, TLS_HANDSHAKE};
use crate::wire::transport::{Next, Shared, Transport, lock};

/// How long a new connection has to send its first request when the server shuts down.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Serves the requests of one connection, one after the other, until it ends. Returns how to close it. `standing`
/// checks whether the client would still be let in, and updates `link`.
pub(crate) async fn serve(
    shared: &Shared,
    link: &mut Arc<Link>,
    standing: &mut Standing,
    content: &Content,
) -> After {
    let mut shutdown = link.settings.shutdown.watch();
    let mut grace = Deadline::default();
    let mut private = Private::default();
    loop {
        // A client that sends many requests at once could keep this task busy for as long as it likes. Give other
        // tasks their turn.
        if !lock(shared).input().is_empty() {
            smol::future::yield_now().await;
        }
        let mut scanner = HeadScanner::default();
        let (next, exchange) = poll_fn(|cx| {
            let mut transport = lock(shared);
            let next =
                ready!(poll_next(cx, &mut transport, &mut scanner, &mut shutdown, &mut grace));
            Poll::Ready((next, transport.exchange()))
        })
        .await;
        // An exchange counts twice: when it begins and when it ends.
        let number = exchange / 2 + 1;
        let id = RequestId { connection: link.id, number };
        let mut noted =
            Noted::new(link.sender.addr().client(), link.settings.observer.keeps_text());
        let (exchange, refused) = match next {
            Next::Left => return After::Left,
            Next::End => return After::Close,
            Next::Refused(_) if began_tls(shared, link) => {
                return Box::pin(exchange::refuse_tls(shared)).await;
            }
            Next::Refused(refusal) => (None, Some((refusal, unread(shared, id, &mut noted)))),
            Next::Head(start, end) => {
                standing.check(link);
                match begin(shared, start..end, link, content, id, &mut noted) {
                    Ok(exchange) => (Some(exchange), None),
                    Err(refused) => (None, Some(refused)),
                }
            }
        };
        let link = &*link;
        let (observer, tls) = (&link.settings.observer, link.tls.as_deref());
        let underway = Underway::new(shared, observer, tls, Some(id), noted);
        // Boxed, so that a connection is small while it waits for the next request.
        let after = match (exchange, refused) {
            (Some(mut exchange), _) => {
                let leaving = shutdown.is_leaving();
                exchange.asked.persistent &= !leaving;
                if let Work::Health { draining } = &mut exchange.work {
                    *draining = leaving;
                }
                let lasting = Lasting { shared, link, standing };
                Box::pin(lasting.run(underway, exchange, content, &mut private)).await
            }
            (None, Some((refusal, asked))) => {
                Box::pin(async move { underway.ends(refuse(shared, link, &refusal, asked).await) })
                    .await
            }
            (None, None) => After::Abort,
        };
        if after != After::Persist {
            return after;
        }
    }
}

/// Tells the client why its bytes are rejected.
async fn refuse(shared: &Shared, link: &Link, refusal: &Refusal, asked: Asked) -> After {
    log::debug!("{}: refused: {}", link.sender.addr(), refusal.reason);
    let asked = Asked { hsts: hsts_of_refused(link), ..asked };
    let proxied = began_with_proxy_header(shared, link);
    match exchange::refuse(shared, refusal, asked).await {
        After::Close if proxied => After::ProxyHeader,
        other => other,
    }
}

/// Waits for the next event. Only between requests, a connection ends at shutdown or at its maximum age.
fn poll_next(
    cx: &mut Context<'_>,
    transport: &mut Transport,
    scanner: &mut HeadScanner,
    shutdown: &mut Watch,
    grace: &mut Deadline,
) -> Poll<Next> {
    match transport.poll_head(cx, scanner) {
        Poll::Pending if scanner.is_idle(transport.input()) => {
            if transport.poll_age(cx).is_pending() {
                ready!(shutdown.poll(cx));
                // A client that has only just connected is about to send a request.
                if transport.exchange() == 0 {
                    ready!(grace.poll(cx, FIRST_REQUEST));
                }
            }
            Poll::Ready(Next::End)
        }
        next => next,
    }
}

/// Whether the client began a TLS handshake on a plain HTTP port. Only its first bytes count: a client that has sent
/// a request knows that the port speaks HTTP.
fn began_tls(shared: &Shared, link: &Link) -> bool {
    let transport = lock(shared);
    link.tls.is_none() && transport.exchange() == 0 && transport.input().starts_with(&TLS_HANDSHAKE)
}

/// Whether the rejected bytes begin with a PROXY header, on a plain HTTP port.
fn began_with_proxy_header(shared: &Shared, link: &Link) -> bool {
    let transport = lock(shared);
    link.tls.is_none()
        && transport.exchange() == 0
        && link.settings.trust.unexpected_header(transport.input(), link.sender.addr()).is_some()
}

/// What is known of a request whose head cannot be parsed. Its first line is `noted`.
fn unread(shared: &Shared, id: RequestId, noted: &mut Noted) -> Asked {
    let transport = lock(shared);
    noted.line(transport.input());
    Asked::unread(id, head::method_of_refused(transport.input()))
}

/// Whether the request asks for the health page.
fn asks_for_health(head: &Head<'_, '_>, link: &Link) -> bool {
    let (Some(health), Target::Path(target)) = (&link.settings.health, head.target) else {
        return false;
    };
    matches!(head.method, Method::Get | Method::Head) && target.split('?').next() == Some(&**health)
}

/// HSTS for a request that is rejected before `decide`. The scheme is then that of the connection, unless a proxy
/// states it.
fn hsts_of_refused(link: &Link) -> Option<u64> {
    link.settings.hsts.filter(|_| link.tls.is_some() && !link.sender.is_trusted())
}

/// The answer of `app`, if the request line is enough to determine it.
fn at_once(app: &App, head: &Head<'_, '_>) -> Option<Answer> {
    app.answer_at_once(head.method, head.target.raw_path()?)
}

/// Turns the head at `at` of the input into a request, and consumes it. What can be read of it is `noted`.
fn begin(
    shared: &Shared,
    at: Range<usize>,
    link: &Arc<Link>,
    content: &Content,
    id: RequestId,
    noted: &mut Noted,
) -> Result<Exchange, (Refusal, Asked)> {
    let mut transport = lock(shared);
    let end = at.end;
    if let Some(line) = transport.input_mut().get_mut(at.clone()) {
        noted.line(line);
        head::lower_minor_version(line);
    }
    let mut slots = field_slots();
    let bytes = transport.input().get(at).unwrap_or_default();
    let head = Head::parse(bytes, &mut slots, HeadLimits::of(link.settings.limits.max_head))
        .map_err(|refusal| (refusal, Asked::unread(id, head::method_of_refused(bytes))))?;
    noted.head(head.method, head.authority, head.fields);
    let page = page::prefers_page(field::values(head.fields, "accept"));
    let asked = Asked { page, ..Asked::unread(id, head.method) };
    let refused = |refusal| (refusal, asked);
    if let Some(reason) = &link.denied {
        return Err(refused(Refusal::new(StatusCode::Forbidden, reason.clone())));
    }

    if let (Framing::Length(length), Some(max)) = (head.framing, link.settings.limits.max_body)
        && length > max
    {
        return Err(refused(Refusal::too_large(Some(max))));
    }
    let number = transport.exchange() + 1;
    // HTTP/1.0 may omit the host.
    let local = head.authority.is_none().then(|| link.local.authority());
    let host = head.authority.or(local.as_deref()).unwrap_or_default();
    let mut decision = link
        .decide(head.fields, host)
        .map_err(|contradiction| refused(Refusal::bad_request(contradiction.to_string())))?;
    noted.decided(decision.client, &decision.host);
    // RFC 6797 §7.2: HSTS must not be sent over HTTP.
    let hsts = link.settings.hsts.filter(|_| decision.scheme == "https");
    let work = match content {
        _ if asks_for_health(&head, link) => Work::Health { draining: false },
        // An upstream can handle any host name.
        Content::App(_) if !field::is_authority_of_url(&decision.host) => {
            return Err(refused(head::no_url()));
        }
        Content::App(app) => {
            if let Some(answer) = at_once(app, &head) {
                Work::Answer(Box::new(answer))
            } else {
                let body = RequestBody::new(shared, number);
                let mut request = request::build(&head, &decision, body).map_err(refused)?;
                request.ext_mut().insert(link.peer(decision, id));
                Work::App(Box::new(request))
            }
        }
        Content::Proxy(_) if max_forwards::ends_here(&head) => {
            Work::Answer(Box::new(max_forwards::answer(head.method)))
        }
        Content::Proxy(proxy) => {
            Work::Proxy(Box::new(Outgoing::new(&head, &mut decision, link, host, proxy)))
        }
    };

    let asked = Asked { version: head.version, persistent: head.persistent, hsts, ..asked };
    let exchange = Exchange { work, asked };
    let (framing, expects_continue) = (head.framing, head.expects_continue);
    transport.begin(end, framing, expects_continue);
    Ok(exchange)
}

#[cfg(test)]
mod tests;
