use std::borrow::Cow;

use http_types::headers::CONTENT_TYPE;
use http_types::{Response, StatusCode};

use super::refusal::Refusal;

/// The media type of text that is not a page.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// An answer whose content is at hand. What turnkey says itself goes to the client as this; for handlers and
/// middleware it is a `Response`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Names in lower case, and values.
    pub(crate) fields: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) content: Cow<'static, str>,
    /// What it refuses, if it does: a person with a browser gets that on a page.
    pub(crate) refusal: Option<Refusal>,
}

impl Answer {
    /// An answer that consists of `content` in plain text.
    pub(crate) fn text(status: StatusCode, content: impl Into<Cow<'static, str>>) -> Self {
        Self { status, ..Self::of_type(TEXT, content) }
    }

    /// A good answer that consists of `content`.
    pub(crate) fn of_type(media_type: &'static str, content: impl Into<Cow<'static, str>>) -> Self {
        let content = content.into();
        Self { content, ..Self::empty(StatusCode::Ok) }.with("content-type", media_type)
    }

    /// An answer without content.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, fields: Vec::new(), content: Cow::default(), refusal: None }
    }

    /// The same answer with one more field. `name` is in lower case.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.status);
        if !answer.content.is_empty() {
            response.set_body(answer.content.into_owned());
            // http-types has made one up.
            response.remove_header(CONTENT_TYPE);
        }
        for (name, value) in answer.fields {
            response.append_header(name, &*value);
        }
        if let Some(refusal) = answer.refusal {
            response.ext_mut().insert(refusal);
        }
        response
    }
}
