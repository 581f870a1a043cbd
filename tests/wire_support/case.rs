use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{fs, io};

use super::{Client, Cut, Ending, Response, TestServer, parse, show};

/// A pair of files of the corpus. `tests/wire/README.md` says what may stand in them.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    request: Vec<u8>,
    expected: Expected,
    /// The file, for whoever reads of a failure.
    text: String,
}

#[derive(Debug, Default)]
struct Expected {
    flags: BTreeSet<Flag>,
    answers: Vec<Answer>,
    /// `raw text`: bytes that are no response, after all that are.
    raw: Vec<u8>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Flag {
    /// `@may-continue`: `100 Continue` may come before any response.
    MayContinue,
    /// `@fin`: the client says that it is done after it has sent the request.
    Fin,
    /// `@short-timeouts`: the server waits for nobody.
    ShortTimeouts,
    /// `@plain-only`: it is about what is not TLS.
    PlainOnly,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The connection persists and answers one more request.
    #[default]
    Open,
    /// The server closes it well.
    Closed,
    /// The last answer ends before it is complete.
    Broken,
}

/// What is expected of one response.
#[derive(Debug, Default)]
struct Answer {
    status_line: String,
    /// Fields that must be there, with exactly this value.
    fields: Vec<(String, String)>,
    /// Fields that must not be there.
    absent: Vec<String>,
    /// `?connection`: the connection may close without its having been said.
    may_close: bool,
    body: Vec<BodyRule>,
}

#[derive(Debug, PartialEq, Eq)]
enum BodyRule {
    /// `= text`: the whole, with `\r`, `\n`, `\\` and `\xHH`.
    Is(Vec<u8>),
    /// `~ text`: a part, in any case of letters.
    Holds(String),
    /// `!~ text`: nowhere in the response, head included.
    HoldsNot(String),
    /// `length N`.
    Length(usize),
    /// `none`: nothing comes after the head, whatever the head says.
    None,
}

/// All cases, in the order of their names. A file without the other of its pair is a failure, and
/// so is one that cannot be read.
pub(crate) fn corpus() -> Vec<Case> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let (mut requests, mut expected) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(&dir).expect("tests/wire is there") {
        let name = entry.unwrap().file_name().into_string().expect("a name in UTF-8");
        match name.rsplit_once('.') {
            Some((stem, "request")) => _ = requests.insert(stem.to_owned()),
            Some((stem, "expected")) => _ = expected.insert(stem.to_owned()),
            _ => assert_eq!(name, "README.md", "what is this in tests/wire?"),
        }
    }
    let orphans: Vec<_> = requests.symmetric_difference(&expected).collect();
    assert!(orphans.is_empty(), "cases with one file only: {orphans:?}");
    let case = |name: String| {
        let request = fs::read(dir.join(format!("{name}.request"))).unwrap();
        let text = fs::read_to_string(dir.join(format!("{name}.expected"))).unwrap();
        let expected = Expected::parse(&text)
            .and_then(|e| e.check(&request).map(|()| e))
            .unwrap_or_else(|e| panic!("{name}.expected: {e}"));
        Case { name, request, expected, text }
    };
    requests.into_iter().map(case).collect()
}

impl Case {
    /// Whether the case says anything when sent to such a server, cut like that.
    pub(crate) fn is_for(&self, tls: bool, hurried: bool, cut: &Cut) -> bool {
        let in_time = !hurried || *cut == Cut::Whole;
        let sayable = !(tls && self.expected.has(Flag::PlainOnly));
        self.expected.has(Flag::ShortTimeouts) == hurried && in_time && sayable
    }

    /// Sends the request and compares. The error is for people.
    pub(crate) fn run(&self, server: &TestServer, cut: &Cut) -> Result<(), String> {
        let mut client = Client::connect(server).map_err(|e| format!("no connection: {e}"))?;
        let result = self.talk(&mut client, cut);
        let hits = server.hits.take(client.local());
        let result = match hits {
            0 => result,
            n => Err(format!("{n} requests got through to /canary")),
        };
        result.map_err(|what| {
            format!(
                "{}: {what}\n  on {:?}, cut {cut:?}\n  sent:\n{}\n  expected:\n    {}\n  came:\n{}",
                self.name,
                server.stack,
                show(&self.request),
                self.text.trim_end().replace('\n', "\n    "),
                show(&client.received),
            )
        })
    }

    fn talk(&self, client: &mut Client, cut: &Cut) -> Result<(), String> {
        let reset = |e: io::Error| format!("the server does not take all that is sent: {e}");
        client.send(&self.request, cut).map_err(reset)?;
        if self.expected.has(Flag::Fin) {
            client.finish().map_err(reset)?;
        }
        let mut taken = 0;
        let mut latest = None;
        // One that breaks off comes last.
        let broken = usize::from(self.expected.end == End::Broken);
        let whole = self.expected.answers.len() - broken;
        for (n, answer) in self.expected.answers.iter().take(whole).enumerate() {
            let numbered = |e| format!("response {}: {e}", n + 1);
            let response = loop {
                let response = next(client, &mut taken, answer.has_none()).map_err(numbered)?;
                if !(response.is_interim() && self.expected.has(Flag::MayContinue)) {
                    break response;
                }
                if response.status_line != "HTTP/1.1 100 Continue" {
                    return Err(format!("an interim response: {}", response.status_line));
                }
            };
            answer.check(&response).map_err(numbered)?;
            latest = Some((answer, response));
        }
        if !self.expected.raw.is_empty() {
            latest = None;
            let end = taken + self.expected.raw.len();
            while client.received.len() < end && client.fill() {}
            let came = client.received.get(taken..end).unwrap_or_default();
            if came != self.expected.raw {
                return Err(format!("{:?} instead of the raw bytes", show(came)));
            }
            taken = end;
        }
        self.ends(client, taken, latest)
    }

    /// After the `latest` of the responses, and all of the `taken` bytes that were expected so far.
    fn ends(
        &self,
        client: &mut Client,
        mut taken: usize,
        latest: Option<(&Answer, Response)>,
    ) -> Result<(), String> {
        match self.expected.end {
            End::Open => {
                if latest.is_some_and(|(_, response)| response.says_close()) {
                    return Err("the last response says Connection: close".to_owned());
                }
                probe(client, &mut taken)
            }
            End::Closed => {
                if latest.is_some_and(|(answer, r)| !answer.may_close && !r.says_close()) {
                    return Err("the last response does not say Connection: close".to_owned());
                }
                match client.ending() {
                    Ending::Clean if client.received.len() == taken => Ok(()),
                    Ending::Clean => Err("more came than was expected".to_owned()),
                    Ending::Unclean(how) => {
                        Err(format!("the connection was not closed well: {how}"))
                    }
                }
            }
            End::Broken => {
                client.ending();
                let last = &client.received[taken..];
                let partial = self.expected.answers.last().expect("what breaks off");
                let head = format!("{}\r\n", partial.status_line);
                if !last.starts_with(head.as_bytes()) {
                    return Err("another response, or none".to_owned());
                }
                match parse(last, true, false) {
                    Err(how) if how.contains("the connection ended within") => Ok(()),
                    other => Err(format!("it looks as if it were complete: {other:?}")),
                }
            }
        }
    }
}

/// The next response, taken off what came.
fn next(client: &mut Client, taken: &mut usize, to_head: bool) -> Result<Response, String> {
    let mut eof = false;
    loop {
        if let Some((response, length)) = parse(&client.received[*taken..], eof, to_head)? {
            *taken += length;
            return Ok(response);
        }
        if eof {
            return Err(format!("did not come: {:?}", client.ending()));
        }
        eof = !client.fill();
    }
}

/// One more request on a connection that is to persist.
fn probe(client: &mut Client, taken: &mut usize) -> Result<(), String> {
    if client.received.len() > *taken {
        return Err("more came than was expected".to_owned());
    }
    let wrong = |e: &dyn std::fmt::Display| format!("the connection does not persist: {e}");
    client
        .send(b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n", &Cut::Whole)
        .map_err(|e| wrong(&e))?;
    let response = next(client, taken, false).map_err(|e| wrong(&e))?;
    if response.status == 200 && response.body == b"probe\n" {
        Ok(())
    } else {
        Err(wrong(&format_args!("another answer came: {response:?}")))
    }
}

impl Answer {
    fn has_none(&self) -> bool {
        self.body.contains(&BodyRule::None)
    }

    fn check(&self, response: &Response) -> Result<(), String> {
        if response.status_line != self.status_line {
            return Err(format!("{:?} instead of {:?}", response.status_line, self.status_line));
        }
        for (name, value) in &self.fields {
            let values = response.values(name);
            if values != [value] {
                return Err(format!("{name} is {values:?} instead of {value:?}"));
            }
        }
        for name in &self.absent {
            if !response.values(name).is_empty() {
                return Err(format!("there is a field {name}"));
            }
        }
        let text = String::from_utf8_lossy(&response.body).to_lowercase();
        let whole = format!("{:?} {text}", response.fields).to_lowercase();
        for rule in &self.body {
            let ok = match rule {
                BodyRule::Is(body) => response.body == *body,
                BodyRule::Holds(part) => text.contains(part),
                BodyRule::HoldsNot(part) => !whole.contains(part),
                BodyRule::Length(length) => response.body.len() == *length,
                BodyRule::None => response.body.is_empty(),
            };
            if !ok {
                return Err(format!("the body is not {rule:?} but {:?}", show(&response.body)));
            }
        }
        let one_line = text.ends_with('\n') && text.lines().count() == 1;
        if self.is_refusal() && !one_line {
            return Err("a refusal is one line of text".to_owned());
        }
        Ok(())
    }

    fn is_refusal(&self) -> bool {
        let refusals = ["400", "408", "413", "414", "417", "431", "501", "505"];
        let code = self.status_line.split(' ').nth(1).unwrap_or_default();
        refusals.contains(&code) && !self.has_none()
    }
}

impl Expected {
    fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut expected = Self::default();
        let mut lines = text.lines().peekable();
        let mut reasons = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('#')) {
            reasons.push_str(line);
        }
        if !["RFC ", "DESIGN", "HAZARDS"].iter().any(|source| reasons.contains(source)) {
            return Err("the first line must be a comment that says on whose word".to_owned());
        }
        while let Some(line) = lines.next_if(|line| line.starts_with('@')) {
            expected.flags.insert(match line {
                "@may-continue" => Flag::MayContinue,
                "@fin" => Flag::Fin,
                "@short-timeouts" => Flag::ShortTimeouts,
                "@plain-only" => Flag::PlainOnly,
                _ => return Err(format!("unknown: {line}")),
            });
        }
        let mut lines: Vec<&str> = lines.collect();
        expected.end = match lines.pop() {
            Some("open") => End::Open,
            Some("closed") => End::Closed,
            Some("broken") => End::Broken,
            other => return Err(format!("the last line must say how it ends: {other:?}")),
        };
        if let Some(raw) = lines.last().and_then(|line| line.strip_prefix("raw ")) {
            expected.raw = unescape(raw)?;
            lines.pop();
        }
        if !lines.is_empty() {
            expected.answers =
                lines.split(|&line| line == "---").map(Answer::parse).collect::<Result<_, _>>()?;
        }
        Ok(expected)
    }

    /// Whether the case can show what it is about.
    fn check(&self, request: &[u8]) -> Result<(), String> {
        let canary = request.windows(7).any(|window| window == b"/canary");
        let refused = self.answers.last().is_some_and(Answer::is_refusal) || !self.raw.is_empty();
        if refused && !canary && !self.has(Flag::Fin) && !self.has(Flag::ShortTimeouts) {
            return Err("a refused request must be followed by one for /canary".to_owned());
        }
        if self.end == End::Broken && self.answers.is_empty() {
            return Err("what is it that breaks off?".to_owned());
        }
        Ok(())
    }
}

impl Answer {
    fn parse(lines: &[&str]) -> Result<Self, String> {
        let mut answer = Self::default();
        let (&status_line, rest) = lines.split_first().ok_or("an empty response")?;
        status_line.clone_into(&mut answer.status_line);
        let blank = rest.iter().position(|line| line.is_empty()).ok_or("no blank line")?;
        for line in &rest[..blank] {
            if *line == "?connection" {
                answer.may_close = true;
            } else if let Some(name) = line.strip_prefix('!') {
                answer.absent.push(name.to_owned());
            } else {
                let (name, value) = line.split_once(": ").ok_or(format!("no field: {line}"))?;
                answer.fields.push((name.to_owned(), value.to_owned()));
            }
        }
        for line in &rest[blank + 1..] {
            answer.body.push(match line.split_once(' ') {
                None if *line == "none" => BodyRule::None,
                None if *line == "=" => BodyRule::Is(Vec::new()),
                Some(("=", body)) => BodyRule::Is(unescape(body)?),
                Some(("~", part)) => BodyRule::Holds(part.to_lowercase()),
                Some(("!~", part)) => BodyRule::HoldsNot(part.to_lowercase()),
                Some(("length", n)) => BodyRule::Length(n.parse().map_err(|_| "a bad length")?),
                _ => return Err(format!("no rule for a body: {line:?}")),
            });
        }
        if answer.body.is_empty() {
            return Err(format!("nothing is said of the body of {status_line:?}"));
        }
        if answer.is_refusal() {
            let plain = "text/plain; charset=utf-8".to_owned();
            answer.fields.push(("content-type".to_owned(), plain));
            answer.fields.push(("connection".to_owned(), "close".to_owned()));
        }
        Ok(answer)
    }
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let escape = |n| after.get(..n).ok_or_else(|| format!("an escape that ends early: {text}"));
        let (byte, length) = match escape(1)? {
            "r" => (b'\r', 1),
            "n" => (b'\n', 1),
            "\\" => (b'\\', 1),
            "x" => {
                let hex = &escape(3)?[1..];
                (u8::from_str_radix(hex, 16).map_err(|_| format!("a bad escape: {text}"))?, 3)
            }
            other => return Err(format!("unknown escape: \\{other}")),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}
