use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{fs, io};

use super::expected::{Answer, End, Expected, Flag};
use super::{Client, Cut, Ending, Response, TestServer, parse, show};

/// A pair of files of the corpus. `tests/wire/README.md` says what may stand in them.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    request: Vec<u8>,
    expected: Expected,
    /// The file, for whoever reads of a failure.
    text: String,
}

/// All cases, in the order of their names. A file without the other of its pair is a failure, and
/// so is one that cannot be read.
pub fn corpus() -> Vec<Case> {
    let dir = PathBuf::from(crate::root()).join("tests/wire");
    let (mut requests, mut expected) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(&dir).expect("tests/wire is there") {
        let name = entry.unwrap().file_name().into_string().expect("a name in UTF-8");
        match name.rsplit_once('.') {
            Some((stem, "request")) => _ = requests.insert(stem.to_owned()),
            Some((stem, "expected")) => _ = expected.insert(stem.to_owned()),
            _ => {
                let is_known = ["README.md", "main.rs"].contains(&&*name);
                assert!(is_known, "what is this in tests/wire? {name}");
            }
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
    pub fn is_for(&self, tls: bool, hurried: bool, cut: &Cut) -> bool {
        let in_time = !hurried || *cut == Cut::Whole;
        let sayable = !(tls && self.expected.has(Flag::PlainOnly));
        self.expected.has(Flag::ShortTimeouts) == hurried && in_time && sayable
    }

    /// Sends the request and compares. The error is for people.
    pub fn run(&self, server: &TestServer, cut: &Cut) -> Result<(), String> {
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
