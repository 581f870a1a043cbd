//! Shells on a terminal of their own, into which a line is typed and the tab key pressed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::{run, tool};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What has become of a line.
#[derive(Debug)]
pub(crate) struct Completed {
    /// The line as it stands after the tab key.
    pub(crate) line: String,
    /// What was shown to choose from.
    pub(crate) shown: String,
}

/// Starts a shell with the arguments on a terminal that is large enough for any list. Once it says that
/// it is ready, types each line of the first argument into it, presses the tab key, and then the one that
/// has the shell print its line and empty it. Prints all that was shown for each, in JSON.
const TERMINAL: &str = r#"
import fcntl, json, os, pty, select, struct, sys, termios, time
lines, argv = sys.argv[1].split("\n"), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 200, 0, 0))
def until(marker):
    shown, end = b"", time.time() + 25
    while marker not in shown:
        if time.time() > end:
            sys.exit("no %r in %r" % (marker, shown))
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536)
    return shown.decode()
until(b"READY")
completed = []
for line in lines:
    os.write(terminal, line.encode() + b"\t\x14")
    completed.append(until(b">>>"))
print(json.dumps(completed))
os.kill(pid, 9)
os.waitpid(pid, 0)
"#;

/// Ctrl-T prints the line. What is ambiguous is listed at once.
const BASH: &str = r#"
PS1= PROMPT_COMMAND='printf READY; PROMPT_COMMAND='
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind 'set show-all-if-ambiguous on'
bind 'set enable-bracketed-paste off'
show() { printf '<<<%s>>>' "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\C-t": show'
source ./script
"#;

const ZSH: &str = r#"
PROMPT= RPROMPT=
unsetopt beep prompt_cr prompt_sp
LISTMAX=0
autoload -Uz compinit
compinit -u -D
show() { print -rn -- "<<<$BUFFER>>>" >/dev/tty; BUFFER=; }
zle -N show
bindkey '^T' show
zle-line-init() { print -n READY; }
zle -N zle-line-init
"#;

impl Shell {
    /// Types each line, and expects its last word to be filled in, and nothing else to change.
    #[track_caller]
    pub(crate) fn assert_fills_in(self, cases: &[(&str, &str)]) {
        let typed: Vec<_> = cases.iter().map(|(typed, _)| *typed).collect();
        for ((typed, word), completed) in cases.iter().zip(self.complete(&typed)) {
            let (before, _) = typed.rsplit_once(' ').unwrap();
            // An option is waiting for its value, in zsh behind a `=`.
            let line = completed.line.trim_end().trim_end_matches('=');
            assert_eq!(line, format!("{before} {word}"), "{self:?}: {typed}: {completed:?}");
        }
    }

    /// Types the lines in a folder with some files, and presses the tab key behind each.
    pub(crate) fn complete(self, typed: &[&str]) -> Vec<Completed> {
        let folder = tempfile::tempdir().unwrap();
        let zsh = format!("fpath=({} $fpath)\n{ZSH}", folder.path().join("site").display());
        self.complete_in(folder.path(), &zsh, typed)
    }

    /// The same in a zsh that reads the script like any other.
    pub(crate) fn complete_sourced(self, typed: &[&str]) -> Vec<Completed> {
        let folder = tempfile::tempdir().unwrap();
        self.complete_in(folder.path(), &format!("{ZSH}\nsource ./script"), typed)
    }

    fn complete_in(self, folder: &Path, zsh: &str, typed: &[&str]) -> Vec<Completed> {
        for below in ["below", "site"] {
            fs::create_dir(folder.join(below)).unwrap();
        }
        for file in ["server.crt", "with space.crt", "belt.txt", "below/ca.crt"] {
            fs::write(folder.join(file), "").unwrap();
        }
        let script = self.script();
        fs::write(folder.join("script"), &script).unwrap();
        fs::write(folder.join("site/_turnkey"), &script).unwrap();
        fs::write(folder.join("bashrc"), BASH).unwrap();
        fs::write(folder.join(".zshrc"), zsh).unwrap();
        let completed = match self {
            Self::Bash => {
                on_terminal(folder, typed, &["bash", "--noprofile", "--rcfile", "bashrc"])
            }
            Self::Zsh => on_terminal(folder, typed, &["zsh", "-d"]),
            Self::Fish => fish(folder, typed),
        };
        assert_eq!(completed.len(), typed.len(), "{self:?}: {completed:?}");
        completed
    }

    fn script(self) -> String {
        let mut turnkey = tool(env!("CARGO_BIN_EXE_turnkey"));
        turnkey.args(["completions", &format!("{self:?}").to_lowercase()]);
        let output = run(turnkey, b"", DEADLINE);
        assert_eq!(output.code, Some(0), "{output:?}");
        output.text()
    }
}

fn on_terminal(folder: &Path, typed: &[&str], shell: &[&str]) -> Vec<Completed> {
    let mut python = tool("python3");
    python.args(["-c", TERMINAL, &typed.join("\n")]).args(shell).current_dir(folder);
    python.env("TERM", "xterm").env("HOME", folder).env("ZDOTDIR", folder);
    let output = run(python, b"", DEADLINE);
    let shown: Vec<String> = serde_json::from_str(&output.text())
        .unwrap_or_else(|error| panic!("{error}: {typed:?}: {output:?}"));
    let completed = shown.iter().map(|text| {
        let (shown, line) = text.rsplit_once("<<<").unwrap();
        let (line, _) = line.split_once(">>>").unwrap();
        Completed { line: line.to_owned(), shown: without_escapes(shown) }
    });
    completed.collect()
}

/// fish has a command that says what it would offer.
fn fish(folder: &Path, typed: &[&str]) -> Vec<Completed> {
    const OFFER: &str = "source ./script; for line in $argv; complete -C $line; echo ----; end";
    let mut fish = tool("fish");
    fish.args(["--no-config", "-c", OFFER, "--"]).args(typed);
    fish.current_dir(folder).env("HOME", folder);
    let output = run(fish, b"", DEADLINE);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{typed:?}: {output:?}");
    let text = output.text();
    let completed = typed.iter().zip(text.split_terminator("----\n")).map(|(typed, shown)| {
        let words: Vec<_> = shown.lines().filter_map(|line| line.split('\t').next()).collect();
        let line = match (words.as_slice(), typed.rsplit_once(' ')) {
            // It is quoted when it is put into the line.
            ([word], Some((before, _))) => format!("{before} {}", word.replace(' ', r"\ ")),
            _ => (*typed).to_owned(),
        };
        Completed { line, shown: shown.to_owned() }
    });
    completed.collect()
}

/// Without what moves the cursor and sets colours.
fn without_escapes(shown: &str) -> String {
    let mut text = String::new();
    let mut chars = shown.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            // An escape sequence ends with a letter.
            _ = chars.by_ref().find(char::is_ascii_alphabetic);
            text.push(' ');
        } else {
            text.push(c);
        }
    }
    text
}
