use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_types::Method;
use httparse::Header;
use smol::io::Cursor;

use super::cuts::Cuts;
use crate::common::limits::Limits;
use crate::common::refusal::Refusal;
use crate::h1::body::RequestBody;
use crate::h1::request;
use crate::peer::trust::{Decision, Own, Trust};
use crate::wire::Transport;
use crate::wire::head::{Framing, Head, Target, Version, field_slots, lower_minor_version};
use crate::wire::head_limits::HeadLimits;
use crate::wire::scanner::HeadScanner;

/// The result for an input.
#[derive(Debug, PartialEq, Eq)]
enum HeadOutcome {
    /// The head from the first to the second offset is accepted.
    Taken(usize, usize),
    More,
    Refused,
}

/// `input` begins with a request head, and other bytes follow. All ways to cut it must give the same result. An
/// accepted head must have only one meaning: it is parsed here once more, in another way.
pub fn head(input: &[u8]) {
    // The default, a low limit and a raised limit.
    for max_head in [Limits::default().max_head, 200, 64 * 1024] {
        let whole = read(input, max_head);
        if let HeadOutcome::Taken(start, end) = whole {
            check_head(&lowered(&input[start..end]), HeadLimits::of(max_head));
        }
    }
}

/// Reads `input` cut in several ways, which must all give the same result.
fn read(input: &[u8], max_head: usize) -> HeadOutcome {
    let (whole, _) = read_pieces(input, max_head, |left| left);
    let (bytes, fed) = read_pieces(input, max_head, |_| 1);
    let mut cuts = Cuts::of(input);
    let (pieces, _) = read_pieces(input, max_head, |left| cuts.piece(left));
    assert_eq!(whole, bytes);
    assert_eq!(whole, pieces);
    match whole {
        HeadOutcome::Taken(start, end) => {
            assert_eq!(fed, end, "it was taken before its last byte, or after it");
            assert!(end <= max_head && input[start..end].ends_with(b"\r\n\r\n"));
            assert!(input[..start].iter().all(|b| b"\r\n".contains(b)), "bytes were passed over");
        }
        HeadOutcome::More => assert!(input.len() <= max_head, "{} bytes are held", input.len()),
        HeadOutcome::Refused => {}
    }
    if whole != HeadOutcome::More {
        // More bytes must not change the result.
        let more = [input, b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"].concat();
        assert_eq!(read_pieces(&more, max_head, |left| left).0, whole);
    }
    whole
}

/// Reads `input` in pieces; `piece` gives the length of the next piece of the remaining bytes. Also returns how
/// many bytes were fed.
fn read_pieces(
    input: &[u8],
    max_head: usize,
    mut piece: impl FnMut(usize) -> usize,
) -> (HeadOutcome, usize) {
    let mut scanner = HeadScanner::default();
    let mut fed = 0;
    let refusal = loop {
        match scanner.scan(&input[..fed], HeadLimits::of(max_head)) {
            Ok(Some((start, end))) => {
                let (bytes, mut slots) = (lowered(&input[start..end]), field_slots());
                match Head::parse(&bytes, &mut slots, HeadLimits::of(max_head)) {
                    Ok(_) => return (HeadOutcome::Taken(start, end), fed),
                    Err(refusal) => break refusal,
                }
            }
            Ok(None) if fed == input.len() => return (HeadOutcome::More, fed),
            Ok(None) => fed += piece(input.len() - fed),
            Err(refusal) => break refusal,
        }
    };
    check_refusal(&refusal);
    (HeadOutcome::Refused, fed)
}

fn lowered(bytes: &[u8]) -> Vec<u8> {
    let mut lowered = bytes.to_vec();
    lower_minor_version(&mut lowered);
    let changed = bytes.iter().zip(&lowered).filter(|(before, after)| before != after);
    assert!(changed.count() <= 1, "more than the minor version changed");
    lowered
}

fn check_head(bytes: &[u8], limits: HeadLimits) {
    let (mut slots, mut again) = (field_slots(), field_slots());
    let head = Head::parse(bytes, &mut slots, limits);
    let second = Head::parse(bytes, &mut again, limits);
    assert_eq!(format!("{head:?}"), format!("{second:?}"));
    let Ok(head) = head else { unreachable!("it was taken before") };
    let fields = check_fields(bytes, &head);
    check_request_line(bytes, &head, limits);
    check_framing(&fields, &head);
    check_authority(&fields, &head);
    check_connection(&fields, &head);
    check_request(&head);
}

fn check_refusal(refusal: &Refusal) {
    assert!(refusal.status.is_client_error() || refusal.status.is_server_error());
    assert!(refusal.reason.bytes().all(|b| (b' '..=b'~').contains(&b)), "{}", refusal.reason);
}

/// The fields of a head, read in the simplest way: names in lower case, values trimmed.
struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// The elements of all lists called `name`, in lower case.
    fn elements(&self, name: &str) -> Vec<String> {
        let values = self.values(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let elements = values.flat_map(|value| {
            value
                .split(',')
                .map(|e| e.trim_matches([' ', '\t']).to_ascii_lowercase())
                .collect::<Vec<_>>()
        });
        elements.filter(|element| !element.is_empty()).collect()
    }
}

/// The lines of a head, without the empty line that ends it.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let Some(bytes) = bytes.strip_suffix(b"\r\n\r\n") else { unreachable!("checked by `scan`") };
    // The callers check for a bare CR or LF in a line.
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    lines.push(rest);
    lines
}

/// The fields must be the lines of the head, each of them well-formed (RFC 9112 §5).
fn check_fields(bytes: &[u8], head: &Head<'_, '_>) -> Fields {
    let lines = lines(bytes);
    assert_eq!(lines.len() - 1, head.fields.len());
    let mut fields = Vec::new();
    for (line, field) in lines[1..].iter().zip(head.fields) {
        let Some(colon) = line.iter().position(|&b| b == b':') else {
            panic!("no colon: {line:?}")
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        assert!(!name.is_empty());
        assert!(name.iter().all(|b| b.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(b)));
        assert!(value.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f)), "{value:?}");
        let blank = |b: &u8| matches!(b, b' ' | b'\t');
        let begin = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
        let end = value.iter().rposition(|b| !blank(b)).map_or(begin, |last| last + 1);
        assert_eq!(name, field.name.as_bytes());
        assert_eq!(&value[begin..end], field.value);
        fields.push((field.name.to_ascii_lowercase(), field.value.to_vec()));
    }
    Fields(fields)
}

/// `method SP request-target SP HTTP-version` (RFC 9112 §3).
fn check_request_line(bytes: &[u8], head: &Head<'_, '_>, limits: HeadLimits) {
    let line = lines(bytes)[0];
    let parts: Vec<_> = line.split(|&b| b == b' ').collect();
    let [method, target, version] = parts[..] else { panic!("{line:?} has not three parts") };
    assert_eq!(method, head.method.as_ref().as_bytes());
    let expected = if head.version == Version::Http11 { b"HTTP/1.1" } else { b"HTTP/1.0" };
    assert_eq!(version, expected);
    assert!(!target.is_empty() && limits.check_target(target.len()).is_ok());
    assert!(target.iter().all(|b| b.is_ascii_graphic() && *b != b'#'));
    match head.target {
        Target::Server => assert_eq!(head.method, Method::Options),
        Target::Path(path) => {
            assert!(path.starts_with(['/', '?']), "{path}");
            assert!(target.ends_with(path.as_bytes()) || path == "/");
        }
    }
}

/// There must be only one way to determine the length of the body (RFC 9112 §6.3).
fn check_framing(fields: &Fields, head: &Head<'_, '_>) {
    let lengths: Vec<_> = fields.values("content-length").collect();
    let codings: Vec<_> = fields.values("transfer-encoding").collect();
    match head.framing {
        Framing::Empty if lengths.is_empty() => assert!(codings.is_empty()),
        Framing::Empty => {
            assert!(lengths.len() == 1 && codings.is_empty());
            assert!(!lengths[0].is_empty() && lengths[0].iter().all(|&b| b == b'0'));
        }
        Framing::Length(length) => {
            assert!(length > 0 && lengths.len() == 1 && codings.is_empty());
            let digits: Vec<_> = lengths[0].iter().copied().skip_while(|&b| b == b'0').collect();
            assert_eq!(digits, length.to_string().as_bytes());
        }
        Framing::Chunked => {
            assert!(lengths.is_empty() && head.version == Version::Http11);
            assert_eq!(codings.len(), 1);
            assert!(codings[0].eq_ignore_ascii_case(b"chunked"), "{:?}", codings[0]);
        }
    }
}

/// There must be one host (RFC 9112 §3.2), without other parts of a URL.
fn check_authority(fields: &Fields, head: &Head<'_, '_>) {
    let hosts = fields.values("host").count();
    assert!(hosts == 1 || (hosts == 0 && head.version == Version::Http10));
    let Some(authority) = head.authority else {
        return assert_eq!(hosts, 0);
    };
    assert!(!authority.is_empty() && !authority.starts_with(':'));
    assert!(authority.bytes().all(|b| b.is_ascii_graphic() && !b"\"#/<>?@\\^`{|}".contains(&b)));
    let host = authority.rsplit_once(']').map_or(authority, |(_, port)| port);
    assert!(host.matches(':').count() <= 1, "{authority}");
}

/// Whether the connection stays open (RFC 9112 §9.3), and whether the client waits for an interim response (RFC
/// 9110 §10.1.1).
fn check_connection(fields: &Fields, head: &Head<'_, '_>) {
    let options = fields.elements("connection");
    let has = |name: &str| options.iter().any(|option| option == name);
    let default = head.version == Version::Http11 || has("keep-alive");
    assert_eq!(head.persistent, default && !has("close"));
    let expectations = fields.elements("expect");
    assert!(expectations.iter().all(|expectation| expectation == "100-continue"));
    let expects = head.version == Version::Http11 && !expectations.is_empty();
    assert_eq!(head.expects_continue, expects);
}

/// Checks what the wire makes of the head, for a client and for a trusted proxy.
fn check_request(head: &Head<'_, '_>) {
    let Ok(proxies) = "192.0.2.1".parse() else { unreachable!("it is an address") };
    let trust = Trust::new(proxies, false);
    let own = Own { scheme: "http", host: head.authority.unwrap_or("localhost") };
    let client = SocketAddr::from(([198, 51, 100, 1], 1));
    let Ok(decision) = trust.decide(trust.at(client), head.fields, own) else {
        panic!("a client's word counts");
    };
    assert_eq!((decision.client, decision.scheme), (client.ip().into(), own.scheme));
    assert_eq!(decision.host, own.host);
    for (name, _) in decision.fields(head.fields) {
        let name = name.to_ascii_lowercase().replace('_', "-");
        assert!(name != "forwarded" && !name.starts_with("x-forwarded-"), "{name} is believed");
    }
    build(head, &decision);

    let proxy = trust.at(SocketAddr::from(([192, 0, 2, 1], 1)));
    if let Ok(decision) = trust.decide(proxy, head.fields, own) {
        assert!(matches!(decision.scheme, "http" | "https"));
        if !decision.ignored.is_empty() {
            // If part of a field is invalid, the whole field is dropped with all that it said.
            return build(head, &decision);
        }
        // Forwarded fields must mean the same to the next reader.
        let fields = decision.fields(head.fields);
        let fields: Vec<_> = fields.map(|(name, value)| Header { name, value }).collect();
        let Ok(again) = trust.decide(proxy, &fields, own) else { panic!("{fields:?}") };
        assert_eq!((again.client, again.scheme), (decision.client, decision.scheme));
        assert_eq!(again.host, decision.host);
        build(head, &decision);
    }
}

/// Builds the request from the head.
fn build(head: &Head<'_, '_>, decision: &Decision<'_>) {
    let transport = Transport::new(Box::new(Cursor::new(Vec::new())), Arc::new(Limits::default()));
    let body = RequestBody::new(&Arc::new(Mutex::new(transport)), 1);
    match request::build(head, decision, body) {
        Err(refusal) => check_refusal(&refusal),
        Ok(request) => {
            assert_eq!(request.method(), head.method);
            assert_eq!(request.url().scheme(), decision.scheme);
            assert!(request.url().username().is_empty() && request.url().password().is_none());
            let ascii = request.iter().map(|(_, values)| values.iter().count()).sum::<usize>();
            let values = ascii + crate::common::fields::Fields::of(&request).beyond_ascii().count();
            assert_eq!(values, decision.fields(head.fields).count(), "fields came or went");
            match head.framing {
                Framing::Length(length) => assert_eq!(request.len(), usize::try_from(length).ok()),
                Framing::Empty => assert_eq!(request.is_empty(), Some(true)),
                Framing::Chunked => assert_eq!(request.len(), None),
            }
        }
    }
}
