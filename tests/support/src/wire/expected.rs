//! What is expected of a connection, as a file of the corpus says it.

use std::collections::BTreeSet;

use super::{Response, show};

#[derive(Debug, Default)]
pub(super) struct Expected {
    flags: BTreeSet<Flag>,
    pub(super) answers: Vec<Answer>,
    /// `raw text`: bytes that are no response, after all that are.
    pub(super) raw: Vec<u8>,
    pub(super) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flag {
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
pub(super) enum End {
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
pub(super) struct Answer {
    pub(super) status_line: String,
    /// Fields that must be there, with exactly this value.
    fields: Vec<(String, String)>,
    /// Fields that must not be there.
    absent: Vec<String>,
    /// `?connection`: the connection may close without its having been said.
    pub(super) may_close: bool,
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

impl Answer {
    pub(super) fn has_none(&self) -> bool {
        self.body.contains(&BodyRule::None)
    }

    pub(super) fn check(&self, response: &Response) -> Result<(), String> {
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
    pub(super) fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
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
    pub(super) fn check(&self, request: &[u8]) -> Result<(), String> {
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
