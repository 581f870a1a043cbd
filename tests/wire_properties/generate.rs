//! Requests, and what is no request, made up by proptest.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use turnkey_test_support::wire::Cut;

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) struct Valid {
    pub(crate) bytes: Vec<u8>,
    pub(crate) to_head: bool,
}

/// A header field that means nothing to the wire.
fn field() -> impl Strategy<Value = String> {
    let name = "[xX]-[A-Za-z0-9!#$%&'*+.^_`|~-]{0,12}";
    let space = "[ \t]{0,3}";
    let value = prop_oneof!["[!-~]{0,20}", "[!-~][ -~\t]{0,20}[!-~]"];
    (name, space, value, space)
        .prop_map(|(n, before, v, after)| format!("{n}:{before}{v}{after}\r\n"))
}

/// The same text with the case of each letter as `upper` says.
fn cased(text: &str, upper: &[bool]) -> String {
    let mut upper = upper.iter().cycle();
    let case = |c: char| {
        if *upper.next().unwrap_or(&false) {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    text.chars().map(case).collect()
}

fn casing() -> impl Strategy<Value = Vec<bool>> {
    vec(any::<bool>(), 1..8)
}

/// A chunk extension, well-formed.
fn extension() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => ";[a-z]{1,6}",
        1 => ";[a-z]{1,6}=[a-z0-9]{1,6}",
        1 => ";[a-z]{1,6}=\"([ !#-\\[\\]-~]|\\\\[ -~]){0,8}\"",
    ]
}

/// `body` in chunked framing, cut at `cuts`.
fn chunked(
    body: &[u8],
    cuts: &[Index],
    extensions: &[String],
    upper: bool,
    zeros: usize,
) -> Vec<u8> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.dedup();
    let mut extensions = extensions.iter().cycle();
    let mut extension = || extensions.next().map_or("", String::as_str);
    let mut out = Vec::new();
    for pair in at.windows(2) {
        let data = &body[pair[0]..pair[1]];
        let zeros = "0".repeat(zeros);
        let line = if upper {
            format!("{zeros}{:X}", data.len())
        } else {
            format!("{zeros}{:x}", data.len())
        };
        out.extend_from_slice(format!("{line}{}\r\n", extension()).as_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("0{}\r\n", extension()).as_bytes());
    out
}

/// Content that would do harm if it were taken for framing, or for a request.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        vec(select(b"\r\n0:; 1aG".to_vec()), 0..60),
        Just(b"GET /canary HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        Just(b"\r\n0\r\n\r\nGET /canary HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        (1_usize..20_000).prop_map(|n| vec![b'x'; n]),
    ]
}

/// What follows the request line: the fields, and the body in its framing.
#[derive(Debug, Clone)]
enum Kind {
    Get { head: bool, path: &'static str },
    Fixed { path: &'static str, body: Vec<u8> },
    Chunked { path: &'static str, framed: Vec<u8>, trailers: Vec<String> },
}

fn kind() -> impl Strategy<Value = Kind> {
    let get = (any::<bool>(), select(vec!["/", "/probe", "/stream", "/empty", "/show?x", "/none"]))
        .prop_map(|(head, path)| Kind::Get { head, path });
    let fixed = (select(vec!["/echo", "/read", "/ignore"]), body())
        .prop_map(|(path, body)| Kind::Fixed { path, body });
    let framing = (vec(any::<Index>(), 0..6), vec(extension(), 1..4), any::<bool>(), 0_usize..3);
    let path = select(vec!["/echo", "/read", "/ignore", "/trailers"]);
    let chunks = (path, body(), framing, vec(field(), 0..3)).prop_map(
        |(path, body, (cuts, extensions, upper, zeros), trailers)| {
            // `/trailers` reads its body as text.
            let body = if path == "/trailers" { b"text".to_vec() } else { body };
            let framed = chunked(&body, &cuts, &extensions, upper, zeros);
            Kind::Chunked { path, framed, trailers }
        },
    );
    prop_oneof![get, fixed, chunks]
}

pub(crate) fn request() -> impl Strategy<Value = Valid> {
    (kind(), vec(field(), 0..4), any::<Index>(), casing(), 0_usize..3, any::<bool>(), any::<bool>())
        .prop_map(|(kind, mut fields, place, case, empty_lines, minor, absolute)| {
            let (method, path, framing, content) = match kind {
                Kind::Get { head, path } => {
                    (if head { "HEAD" } else { "GET" }, path, None, Vec::new())
                }
                Kind::Fixed { path, body } => {
                    let length = format!("{}: {}\r\n", cased("content-length", &case), body.len());
                    ("POST", path, Some(length), body)
                }
                Kind::Chunked { path, mut framed, trailers } => {
                    framed.extend_from_slice(trailers.concat().as_bytes());
                    framed.extend_from_slice(b"\r\n");
                    let names = ("transfer-encoding", "chunked");
                    let coding =
                        format!("{}: {}\r\n", cased(names.0, &case), cased(names.1, &case));
                    ("POST", path, Some(coding), framed)
                }
            };
            fields.push(format!("{}: a.example\r\n", cased("host", &case)));
            fields.extend(framing);
            let turn = place.index(fields.len());
            fields.rotate_left(turn);
            let origin = if absolute { "http://a.example" } else { "" };
            let version = if minor { "1.1" } else { "1.3" };
            let head = format!(
                "{}{method} {origin}{path} HTTP/{version}\r\n{}\r\n",
                "\r\n".repeat(empty_lines),
                fields.concat()
            );
            let bytes = [head.as_bytes(), &content].concat();
            Valid { bytes, to_head: method == "HEAD" }
        })
}

pub(crate) fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        Just(Cut::Whole),
        Just(Cut::Bytes),
        vec(1_usize..40, 1..6).prop_map(Cut::Pieces),
        vec(1_usize..5000, 1..6).prop_map(Cut::Pieces),
    ]
}

/// A change to well-formed bytes.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Truncate(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let telling = prop_oneof![
        3 => select(b"\r\n\0 \t:;,\"\\/?#%+-0159afxGH\x7f\x80\xff".to_vec()),
        1 => any::<u8>(),
    ];
    let splice = prop_oneof![
        select(vec![
            "\r\n",
            "\n",
            "\r",
            " ",
            "\t",
            ":",
            "\r\n\r\n",
            "\r\n ",
            "0\r\n\r\n",
            "chunked",
            ", ",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Host: b\r\n",
            "Expect: 100-continue\r\n",
            "Connection: close\r\n",
            "HTTP/1.0",
            "ffffffffffffffff\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 1..8),
    ];
    prop_oneof![
        3 => (any::<Index>(), telling).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        3 => (any::<Index>(), splice).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        2 => (any::<Index>(), 1_usize..12).prop_map(|(at, n)| Mutation::Remove(at, n)),
        1 => (any::<Index>(), 1_usize..40).prop_map(|(at, n)| Mutation::Repeat(at, n)),
        1 => any::<Index>().prop_map(Mutation::Truncate),
    ]
}

fn mutate(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match mutation {
            Mutation::Replace(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Mutation::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Mutation::Remove(at, n) => {
                let at = place(at);
                let end = bytes.len().min(at + n);
                bytes.drain(at..end);
            }
            Mutation::Repeat(at, n) => {
                let at = place(at);
                let piece = bytes[at..bytes.len().min(at + n)].to_vec();
                bytes.splice(at..at, piece);
            }
            Mutation::Truncate(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

pub(crate) fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let mutated =
        (vec(request(), 1..4), vec(mutation(), 1..5)).prop_map(|(requests, mutations)| {
            mutate(requests.into_iter().flat_map(|r| r.bytes).collect(), &mutations)
        });
    let soup = vec(
        select(vec![
            "GET ",
            "POST ",
            "HEAD ",
            "/",
            "/echo",
            "*",
            " ",
            "HTTP/1.1",
            "HTTP/1.0",
            "\r\n",
            "\n",
            "\r",
            "Host: a",
            "Host",
            ":",
            "Content-Length: ",
            "Transfer-Encoding: ",
            "chunked",
            ",",
            "Expect: 100-continue",
            "Connection: ",
            "close",
            "keep-alive",
            "0",
            "5",
            "hello",
            "a",
            ";",
            "\"",
            "\t",
            "\0",
        ]),
        0..40,
    )
    .prop_map(|words| words.concat().into_bytes());
    prop_oneof![
        5 => mutated,
        2 => soup,
        1 => vec(any::<u8>(), 0..2000),
        1 => vec(prop_oneof![any::<u8>(), select(b"\r\n :".to_vec())], 0..200),
    ]
}
