use http_types::url::Position;
use http_types::{Method, Request};

use super::coding::Coding;
use super::conditions::Conditions;
use super::place::Place;
use super::ranges::Ranges;
use crate::common::field;
use crate::common::fields::Fields;
use crate::page;

/// A request for a folder, without the http-types request, so that another thread can look it up.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) place: Place,
    /// The path of the request, as the client wrote it.
    pub(super) path: String,
    /// The query with its question mark, or nothing.
    pub(super) query: String,
    /// Whether the answer has no content.
    pub(super) head_only: bool,
    pub(super) conditions: Conditions,
    /// Ranges are defined for `GET` only (RFC 9110 §14.2).
    pub(super) ranges: Option<Ranges>,
    pub(super) codings: Vec<Coding>,
    pub(super) likes: Likes,
}

/// The kind of content that the client prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likes {
    Page,
    Json,
    /// It has no preference, or one that is not available.
    Whatever,
    /// It does not accept a page.
    NoPage,
}

impl Asked {
    /// `path` is relative to the folder. `None` if it is never served.
    pub(super) fn new(request: &Request, path: &str) -> Option<Self> {
        let url = request.url();
        Some(Self {
            // An empty path is the folder itself, without its slash.
            place: if path.is_empty() { Place::without_slash() } else { Place::parse(path)? },
            path: url.path().to_owned(),
            query: url[Position::AfterPath..Position::AfterQuery].to_owned(),
            head_only: request.method() == Method::Head,
            conditions: Conditions::of(request),
            ranges: Ranges::of(request).filter(|_| request.method() == Method::Get),
            codings: Coding::preferred(request),
            likes: Likes::of(request),
        })
    }
}

impl Likes {
    fn of(request: &Request) -> Self {
        let values = || Fields::of(request).values("accept");
        if values().next().is_none() {
            return Self::Whatever;
        }
        if page::wants_page(request) {
            return Self::Page;
        }
        let ranges: Vec<&[u8]> = values()
            .flat_map(field::list)
            .map(|range| range.split(|&b| b == b';').next().map(field::trim).unwrap_or_default())
            .collect();
        if ranges.iter().any(|range| range.eq_ignore_ascii_case(b"application/json")) {
            return Self::Json;
        }
        let takes_page = |range: &&[u8]| matches!(*range, b"*/*" | b"text/*");
        if ranges.iter().any(takes_page) { Self::Whatever } else { Self::NoPage }
    }
}
