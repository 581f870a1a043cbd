use std::borrow::Cow;

use http_types::Request;

/// The fields of a request, as the bytes that came.
///
/// A value may hold bytes beyond ASCII (obs-text, RFC 9110 §5.5): a cookie in Latin-1, a name in UTF-8.
/// http-types holds ASCII only, so that the request itself is without such a field, and has it here.
///
/// ```
/// use turnkey::{Fields, Request, Result};
///
/// async fn hello(request: Request) -> Result<String> {
///     let name = Fields::of(&request).values("x-name").next().unwrap_or(b"nobody");
///     Ok(format!("Hello, {}!", String::from_utf8_lossy(name)))
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Fields<'r> {
    request: &'r Request,
}

/// The fields that http-types cannot hold, in the extensions of a request that has any.
#[derive(Debug)]
struct BeyondAscii(Vec<(String, Vec<u8>)>);

impl<'r> Fields<'r> {
    /// The fields of `request`: those that it has, and those with values beyond ASCII, which came with it over a
    /// connection of a [`Server`](crate::Server).
    #[must_use]
    pub fn of(request: &'r Request) -> Self {
        Self { request }
    }

    /// The values of all fields called `name`, in any case of letters: those in ASCII first, then the others,
    /// each in the order in which they came.
    pub fn values(self, name: &str) -> impl Iterator<Item = &'r [u8]> + use<'r, '_> {
        let is_it = move |field: &(&str, &[u8])| field.0.eq_ignore_ascii_case(name);
        let ascii = self.request.header(name).into_iter().flatten();
        let ascii = ascii.map(|value| value.as_str().as_bytes());
        ascii.chain(self.beyond_ascii().filter(is_it).map(|(_, value)| value))
    }

    /// The [values](Self::values) as text, for fields whose syntax has no bytes beyond ASCII but in what can match
    /// nothing: these become U+FFFD.
    pub(crate) fn texts(self, name: &str) -> impl Iterator<Item = Cow<'r, str>> + use<'r, '_> {
        self.values(name).map(String::from_utf8_lossy)
    }

    /// The names and values of the fields with bytes beyond ASCII, in the order in which they came, with the
    /// names as the client wrote them. They are not in the request itself.
    pub fn beyond_ascii(self) -> impl Iterator<Item = (&'r str, &'r [u8])> {
        let fields = self.request.ext().get::<BeyondAscii>();
        let fields = fields.into_iter().flat_map(|BeyondAscii(fields)| fields);
        fields.map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// Has `request` hold `fields`, which http-types cannot.
pub(crate) fn keep_beyond_ascii(request: &mut Request, fields: Vec<(String, Vec<u8>)>) {
    if !fields.is_empty() {
        request.ext_mut().insert(BeyondAscii(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_request_and_those_that_it_cannot_hold() {
        let mut request = Request::get("http://localhost/");
        let values = |request: &Request| {
            Fields::of(request).values("X-Name").map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert!(
            values(&request).is_empty() && Fields::of(&request).beyond_ascii().next().is_none()
        );
        request.insert_header("x-name", "ascii");
        let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let fields = vec![field("x-NAME", b"caf\xe9"), field("Other", b"\xff")];
        keep_beyond_ascii(&mut request, fields);
        assert_eq!(values(&request), [&b"ascii"[..], b"caf\xe9"]);
        let names: Vec<_> = Fields::of(&request).beyond_ascii().collect();
        assert_eq!(names, [("x-NAME", &b"caf\xe9"[..]), ("Other", b"\xff")]);
    }
}
