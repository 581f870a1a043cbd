//! Advice for a user who types options of another server, or leaves out a value: the whole command line, as turnkey
//! expects it.

use std::path::Path;

use super::complaint::shown;
use super::habits::{self, Means};
use super::line::{Line, Part, Typed};
use super::meant::{self, Options};
use super::{Stop, understood};
use crate::cli::nearest::nearest;
use crate::cli::options::{self, Described, Opt, Value};
use crate::cli::units::boolean;

/// What turnkey does not do with an app, and what to do instead.
const NO_APP: &str =
    "starts no app: start it, and name where it listens, as in --proxy http://127.0.0.1:5000";

/// The options that turn on TLS.
const IDENTITY: [&str; 4] = ["--cert", "--key", "--identity", "--adhoc"];

/// One line of advice, if there is any for `line`.
pub(super) fn advice(line: &Line) -> Option<String> {
    let mut rewrite = Rewrite::new(line.command());
    for (at, part) in line.0.iter().enumerate() {
        match part {
            Part::Word(_) if at == 0 && rewrite.command.is_some() => rewrite.keep(part),
            Part::Word(word) => rewrite.word(word),
            Part::Option(typed) => rewrite.option(typed),
            Part::End => {
                rewrite.say("there is no -- here: all words are options or a command".to_owned());
            }
        }
    }
    rewrite.tls();
    if rewrite.said.is_empty() {
        return None;
    }
    let said = rewrite.said.join("; ");
    let line = Line(rewrite.parts);
    let typed = line.typed();
    Some(match understood(&line) {
        Err(Stop::Usage(rest)) if !rewrite.to_fill_in => format!("{said}; {rest}"),
        // The command line would need more than one line.
        _ if typed.contains(char::is_control) => format!("{said}; see turnkey --help"),
        _ => format!("{said}; type: {typed}"),
    })
}

/// A rewritten command line, and the reasons.
struct Rewrite {
    command: Option<&'static str>,
    /// The command, or the program if there is none.
    here: Described,
    parts: Vec<Part>,
    said: Vec<String>,
    /// Whether the user must still fill in a value.
    to_fill_in: bool,
    /// The option that asks for TLS, if there is one.
    tls: Option<String>,
}

impl Rewrite {
    fn new(command: Option<&'static str>) -> Self {
        let known = options::commands().into_iter().find(|known| Some(known.name) == command);
        Self {
            command,
            here: known.unwrap_or_else(options::program),
            parts: Vec::new(),
            said: Vec::new(),
            to_fill_in: false,
            tls: None,
        }
    }

    fn say(&mut self, said: String) {
        if !self.said.contains(&said) {
            self.said.push(said);
        }
    }

    fn keep(&mut self, part: &Part) {
        self.parts.push(part.clone());
    }

    fn push(&mut self, name: &str, value: Option<String>, joined: bool) {
        self.parts.push(Part::Option(Typed::new(name, value, joined)));
    }

    /// Whether the options of serving are accepted here.
    fn serves(&self) -> bool {
        matches!(self.command, None | Some("check"))
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return self.say("a word is empty (is a shell variable not set?)".to_owned());
        }
        if self.serves() && habits::serves(word) {
            let said = format!("there is no command {word}: turnkey serves without one");
            let no_app =
                if habits::starts_app(word) { format!(", and {NO_APP}") } else { String::new() };
            return self.say(said + &no_app);
        }
        match content(word) {
            Some((what, options)) if self.serves() && !self.may_be_a_value() => {
                self.say(format!("there is no command {}: {what}", shown(word)));
                for (name, value) in options {
                    self.push(name, Some(value), false);
                }
            }
            _ => self.keep(&Part::Word(word.to_owned())),
        }
    }

    /// Whether the next word may be the value of an unknown option.
    fn may_be_a_value(&self) -> bool {
        let Some(Part::Option(last)) = self.parts.last() else { return false };
        last.value.is_none() && !super::all().any(|option| option.is_named(&last.name))
    }

    fn option(&mut self, typed: &Typed) {
        let ours = self.here.options.iter().find(|option| option.is_named(&typed.name)).copied();
        let means = habits::meaning(&typed.name).filter(|_| self.serves());
        match (ours, means) {
            (Some(option), _) if !option.is_switch() => self.value(typed, &option),
            (None, Some(means)) => self.habit(typed, means),
            _ => self.keep(&Part::Option(typed.clone())),
        }
    }

    /// Handles an option with a value that may be missing or wrong.
    fn value(&mut self, typed: &Typed, option: &Opt) {
        let name = &typed.name;
        let value = match typed.value.as_deref() {
            None => return self.fill_in(format!("{name} needs a value"), option),
            Some("") => {
                let said = format!("the value of {name} is empty (is a shell variable not set?)");
                return self.fill_in(said, option);
            }
            Some("adhoc") if option.name == "--cert" => {
                self.say(format!("{name} adhoc is --adhoc here"));
                return self.push("--adhoc", None, false);
            }
            Some(value) => value,
        };
        let accepted = meant::accepted(self.command, option.name, value);
        let better =
            accepted.err().and_then(|problem| Some((problem, meant::meant(option.name, value)?)));
        match better {
            None => self.keep(&Part::Option(typed.clone())),
            Some((problem, options)) => {
                self.say(format!("{name} {}: {problem}", shown(value)));
                for (name, value) in options {
                    self.push(name, Some(value), typed.joined);
                }
            }
        }
    }

    fn fill_in(&mut self, said: String, option: &Opt) {
        self.say(said);
        self.to_fill_in = true;
        self.push(option.name, option.value.map(Value::shown), false);
    }

    /// Handles an option of another server.
    fn habit(&mut self, typed: &Typed, means: Means) {
        let Typed { name, value, joined } = typed;
        match means {
            Means::Renamed("--cert") if value.as_deref() == Some("adhoc") => {
                self.say(format!("{name} adhoc is --adhoc here"));
                self.push("--adhoc", None, false);
            }
            Means::Renamed(ours) | Means::Switch(ours) => {
                self.say(format!("{name} is {ours} here"));
                self.option(&Typed::new(ours, value.clone(), *joined));
            }
            Means::Client(kind) => {
                self.say(format!("{name} is --allow-san {kind}… here"));
                let value = value.as_deref().filter(|value| !value.is_empty());
                let rule = value.map(|value| format!("{kind}{value}"));
                self.option(&Typed::new("--allow-san", rule, *joined));
            }
            Means::Place => {
                let places = value.as_deref().and_then(meant::place);
                let places =
                    places.unwrap_or_else(|| vec![("--listen", value.clone().unwrap_or_default())]);
                let names: Vec<_> = places.iter().map(|(name, _)| *name).collect();
                self.say(format!("{name} is {} here", names.join(" and ")));
                for (name, value) in places {
                    self.option(&Typed::new(name, Some(value), *joined));
                }
            }
            Means::Tls if value.as_deref().and_then(boolean) == Some(false) => {
                self.say(format!("{name} is not needed: http is the default"));
            }
            Means::Tls => self.tls = Some(name.clone()),
            Means::Password => {
                self.say(format!(
                    "{name} is --key-password-file here: what is typed, others can see"
                ));
                self.to_fill_in = true;
                self.push("--key-password-file", Some("FILE".to_owned()), false);
            }
            Means::App => self.say(format!("there is no option {name}: turnkey {NO_APP}")),
            Means::Implied(why) => self.say(format!("{name} is not needed: {why}")),
        }
    }

    /// Handles an option that asks for TLS, which an identity turns on.
    fn tls(&mut self) {
        let Some(name) = self.tls.take() else { return };
        let identity =
            |part: &Part| matches!(part, Part::Option(o) if IDENTITY.contains(&&*o.name));
        if self.parts.iter().any(identity) {
            return self.say(format!("{name} is not needed: a certificate makes it https"));
        }
        self.say(format!("{name} is --cert and --key here, or --adhoc, which makes a certificate"));
        self.push("--adhoc", None, false);
    }
}

/// What to serve, or where to listen, if `word` says so.
fn content(word: &str) -> Option<(&'static str, Options)> {
    if word.contains("://") {
        let proxy = vec![("--proxy", word.to_owned())];
        return Some(("a server that gets the requests is named with --proxy", proxy));
    }
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    if is_port(word.rsplit_once(':').map_or(word, |(_, port)| port)) {
        return Some(("where to listen is said with --host and --port", meant::place(word)?));
    }
    let commands = options::commands();
    let is_path = word.contains('/') || word.starts_with('.');
    let is_mistyped = nearest(word, commands.iter().map(|command| command.name)).is_some();
    let is_folder = if is_path { !Path::new(word).is_file() } else { Path::new(word).is_dir() };
    (is_folder && (is_path || !is_mistyped))
        .then(|| ("a folder is served with --dir", vec![("--dir", word.to_owned())]))
}
