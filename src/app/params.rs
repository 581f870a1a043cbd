use std::str::FromStr;

use http_types::{Error, Request, Result, StatusCode};
use percent_encoding::percent_decode_str;

use super::{pattern, public_error};

/// The values of a route's parameters in a request.
///
/// ```
/// use turnkey::{App, Params, Request, Result};
///
/// async fn page(request: Request) -> Result<String> {
///     let params = Params::of(&request);
///     let (book, number): (String, u32) = (params.get("book")?, params.get("number")?);
///     Ok(format!("page {number} of {book}"))
/// }
///
/// let mut app = App::new();
/// app.at("/books/:book/pages/:number").get(page);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Params {
    /// Names, and their values as they are in the path.
    raw: Vec<(String, String)>,
}

impl Params {
    /// The parameters of the route that matched `request`; empty if none matched.
    #[must_use]
    pub fn of(request: &Request) -> &Self {
        static NONE: Params = Params { raw: Vec::new() };
        request.ext().get::<Self>().unwrap_or(&NONE)
    }

    /// The value of the parameter `name`, percent-decoded, as a `T`.
    ///
    /// The client chooses it: a `String` may contain anything, also `/` and `..`.
    ///
    /// # Errors
    /// With status 400 if it is not UTF-8; with 404 if it is not a `T`, since then no such resource can
    /// exist; with 500 if the route has no parameter `name`.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T> {
        let Some((_, raw)) = self.raw.iter().find(|(n, _)| n == name) else {
            let text = format!("the route has no parameter {name:?}");
            return Err(Error::from_str(StatusCode::InternalServerError, text));
        };
        let text = percent_decode_str(raw).decode_utf8().map_err(|_| {
            public_error(StatusCode::BadRequest, "what is percent-encoded in the path is not UTF-8")
        })?;
        text.parse().map_err(|_| {
            Error::from_str(StatusCode::NotFound, format!("{name} cannot be {text:?}"))
        })
    }

    /// The value of the last parameter `name`, as the client sent it.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.raw.iter().rfind(|(n, _)| n == name).map(|(_, raw)| raw.as_str())
    }

    pub(super) fn extend(&mut self, params: &matchit::Params<'_, '_>) {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.raw.extend(pattern::named(params).map(owned));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
}
