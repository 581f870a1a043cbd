mod json;
mod page;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use http_types::{Body, Request, Response, StatusCode};

use crate::page::wants_page;
use crate::peer::Peer;

/// Shows the connection as the server sees it: a page for a browser, JSON for others.
pub(super) fn answer(request: &Request) -> http_types::Result<Response> {
    let Some(peer) = Peer::of(request) else {
        return Err(http_types::Error::from_str(
            StatusCode::InternalServerError,
            "/whoami needs a request that came over a connection",
        ));
    };
    let now = SystemTime::now();
    let mut response = if wants_page(request) {
        page::of(peer, now).response(StatusCode::Ok)
    } else {
        let mut text = serde_json::to_string_pretty(&json::of(peer, now))?;
        text.push('\n');
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_string(text));
        response.insert_header("content-type", "application/json");
        response
    };
    // The URL has two answers, and they differ between clients (RFC 9111 §4.1).
    response.insert_header("vary", "accept");
    response.insert_header("cache-control", "no-store");
    Ok(response)
}

/// Whole days until `end`; 0 if it is today.
fn days_left(end: SystemTime, now: SystemTime) -> u64 {
    end.duration_since(now).unwrap_or_default().as_secs() / 86_400
}
