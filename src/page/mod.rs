//! The layout of every page that the server generates: `/whoami`, the listing of a folder, and errors.
//!
//! A page loads nothing and runs no script. Its `Content-Security-Policy` tells the browser so: injected
//! content has no effect.

mod accept;
pub(crate) mod escape;
pub(crate) mod refusal;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_types::{Body, Response, StatusCode};
use sha2::{Digest as _, Sha256};

pub(crate) use accept::{prefers_page, wants_page};
pub(crate) use escape::escape;

use crate::common::field;

/// The style of all pages. The policy allows it by its hash, so pages have no other `style`, neither an
/// attribute nor an element.
///
/// Besides plain elements it knows `dl.facts`, in which each `div` is a name and its value; `code` for
/// exact values; `table.list` with `td.number`; `p.lead` below the heading;
/// `p.status` above it; `section` with a heading of its own; `ol.chain`; `.whole` for what is
/// never broken; `span.tag` with `good`, `warn` or `bad`; and `.none` for missing values.
const STYLE: &str = include_str!("style.css");

/// A key on a dark background, inside the document: otherwise browsers ask for `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'\
%3E%3Crect width='16' height='16' rx='3.5' fill='%23274b6d'/%3E%3Cpath d='M5.5 5.5a2.5 2.5 0 1 0 \
0 5a2.5 2.5 0 0 0 2.4-1.8H13M11 8.7v2' fill='none' stroke='%23fff' stroke-width='1.4' \
stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

/// Allows the style and the icon of the page itself. It does not affect links.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// A page: a title, and the content of its `main`.
#[derive(Debug)]
pub(crate) struct Page {
    title: String,
    body: String,
}

impl Page {
    /// A page with `title`, which is text; `body` is markup, with all text in it escaped by [`escape`].
    pub(crate) fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self { title: title.into(), body: body.into() }
    }

    /// The response with this page.
    pub(crate) fn response(&self, status: StatusCode) -> Response {
        let mut response = Response::new(status);
        self.put_into(&mut response);
        response
    }

    /// Replaces the content of `response` by this page.
    pub(crate) fn put_into(&self, response: &mut Response) {
        response.set_body(Body::from_string(self.markup()));
        response.insert_header("content-type", "text/html; charset=utf-8");
        response.insert_header("content-security-policy", POLICY.as_str());
        response.insert_header("x-content-type-options", "nosniff");
        response.insert_header("referrer-policy", "no-referrer");
        // Clients that do not want a page get another answer at the same URL (RFC 9110 §12.5.5).
        if !names_accept(response) {
            response.append_header("vary", "accept");
        }
    }

    fn markup(&self) -> String {
        let Self { title, body } = self;
        let title = escape(title);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <link rel=\"icon\" href=\"{ICON}\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <main>\n{body}\n</main>\n</body>\n</html>\n"
        )
    }
}

/// Whether the `Vary` field of `response` names `Accept`.
fn names_accept(response: &Response) -> bool {
    response.header("vary").is_some_and(|values| {
        let mut names = values.iter().flat_map(|value| field::list(value.as_str().as_bytes()));
        names.any(|name| name.eq_ignore_ascii_case(b"accept"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_text_and_the_body_markup() {
        let markup = Page::new("a < b", "<h1>a</h1>").markup();
        assert!(markup.contains("<title>a &lt; b</title>"), "{markup}");
        assert!(markup.contains("<main>\n<h1>a</h1>\n</main>"), "{markup}");
    }

    #[test]
    fn the_style_stands_once_and_says_nothing_of_elsewhere() {
        let markup = Page::new("", "").markup();
        assert!(markup.contains("<style>") && !markup.contains(" style="), "{markup}");
        for reach in ["url(", "@import", "</", "script", "http:", "https:"] {
            assert!(!STYLE.contains(reach), "{reach}");
        }
    }

    #[test]
    fn fields_that_stand_stay() {
        let mut response = Response::new(StatusCode::MethodNotAllowed);
        response.insert_header("allow", "GET");
        response.insert_header("vary", "accept-encoding");
        Page::new("", "").put_into(&mut response);
        let vary: Vec<_> = response["vary"].iter().map(|v| v.as_str().to_owned()).collect();
        assert_eq!(
            (response["allow"].as_str(), vary.as_slice()),
            ("GET", &["accept-encoding".to_owned(), "accept".to_owned()][..])
        );
    }
}
