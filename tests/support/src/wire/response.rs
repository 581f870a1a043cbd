//! A strict reader of responses. What it does not take, a server must not send.

/// A response, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// As it came: `HTTP/1.1 200 OK`.
    pub status_line: String,
    pub status: u16,
    /// With names in lower case, in order.
    pub fields: Vec<(String, String)>,
    /// Without chunked framing.
    pub body: Vec<u8>,
    pub ended: Ended,
}

/// What marks the end of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its status, or that it answers `HEAD`.
    WithHead,
    ByLength,
    ByChunks,
    /// The end of the connection (RFC 9112 §6.3).
    ByClose,
}

impl Response {
    /// The values of the field `name`.
    pub fn values<'r>(&'r self, name: &str) -> Vec<&'r str> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    pub fn says_close(&self) -> bool {
        self.values("connection").contains(&"close")
    }

    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }
}

/// The response at the start of `bytes` and its length, or `None` if there is more to come. `eof`
/// is whether nothing more will come, `to_head` whether it answers `HEAD`.
pub fn parse(bytes: &[u8], eof: bool, to_head: bool) -> Result<Option<(Response, usize)>, String> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return match bytes {
            [] => Ok(None),
            // What cannot become a response is told before it ends.
            _ if !bytes.starts_with(b"HTTP/1.1 ") && bytes.len() >= 9 => {
                Err("this is no response".to_owned())
            }
            _ if eof => Err("the connection ended within a head".to_owned()),
            _ => Ok(None),
        };
    };
    let mut response = head(&bytes[..end])?;
    let rest = &bytes[end + 4..];
    let (lengths, codings) =
        (response.values("content-length").len(), response.values("transfer-encoding").len());
    if response.status == 204 || response.is_interim() || response.status == 304 {
        if lengths + codings > 0 {
            return Err(format!("a {} speaks of content", response.status));
        }
        return Ok(Some((response, end + 4)));
    }
    let (body, ended, length) = match (lengths, codings) {
        _ if to_head && lengths + codings <= 1 => (Vec::new(), Ended::WithHead, 0),
        (1, 0) => {
            let length = response.values("content-length")[0];
            if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("Content-Length: {length}"));
            }
            let length: usize = length.parse().map_err(|_| "a length beyond counting")?;
            match rest.get(..length) {
                Some(body) => (body.to_vec(), Ended::ByLength, length),
                None if eof => return Err("the connection ended within a body".to_owned()),
                None => return Ok(None),
            }
        }
        (0, 1) => {
            if response.values("transfer-encoding") != ["chunked"] {
                return Err("an unknown transfer coding".to_owned());
            }
            match chunks(rest)? {
                Some((body, length)) => (body, Ended::ByChunks, length),
                None if eof => return Err("the connection ended within chunks".to_owned()),
                None => return Ok(None),
            }
        }
        (0, 0) if !response.says_close() => {
            return Err("a body without an end, and the connection is to go on".to_owned());
        }
        (0, 0) if eof => (rest.to_vec(), Ended::ByClose, rest.len()),
        (0, 0) => return Ok(None),
        _ => return Err("a body with more than one length".to_owned()),
    };
    response.body = body;
    response.ended = ended;
    Ok(Some((response, end + 4 + length)))
}

fn head(bytes: &[u8]) -> Result<Response, String> {
    let mut lines = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.is_ascii())
        .ok_or("a head with bytes outside of ASCII")?
        .split("\r\n");
    let status_line = lines.next().unwrap_or_default().to_owned();
    let status = match status_line.strip_prefix("HTTP/1.1 ").map(|rest| rest.split_at_checked(3)) {
        Some(Some((code, reason)))
            if code.bytes().all(|b| b.is_ascii_digit()) && reason.starts_with(' ') =>
        {
            code.parse().map_err(|_| "a bad status")?
        }
        _ => return Err(format!("a bad status line: {status_line:?}")),
    };
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(format!("no field: {line:?}"))?;
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty()
            || !name.bytes().all(token)
            || value.bytes().any(|b| b.is_ascii_control())
        {
            return Err(format!("a malformed field: {line:?}"));
        }
        fields.push((name.to_ascii_lowercase(), value.trim_matches(' ').to_owned()));
    }
    let response =
        Response { status_line, status, fields, body: Vec::new(), ended: Ended::WithHead };
    // RFC 9110 §6.6.1: an origin server with a clock sends one in all but interim responses.
    if !response.is_interim() && response.values("date").len() != 1 {
        return Err("not one Date".to_owned());
    }
    Ok(response)
}

/// The content of a chunked body, and its length with the framing (RFC 9112 §7.1).
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = &bytes[at..];
        let Some(line) = find(rest, b"\r\n") else {
            return if rest.len() > 16 {
                Err("an endless chunk size".to_owned())
            } else {
                Ok(None)
            };
        };
        let size = std::str::from_utf8(&rest[..line])
            .ok()
            .filter(|size| !size.is_empty() && size.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|size| usize::from_str_radix(size, 16).ok())
            .ok_or_else(|| {
                format!("a bad chunk size: {:?}", rest[..line].escape_ascii().to_string())
            })?;
        let data = at + line + 2;
        let Some(end) = bytes.get(data + size..data + size + 2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err("a chunk that does not end where it says, or trailers".to_owned());
        }
        body.extend_from_slice(&bytes[data..data + size]);
        at = data + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
