//! The commands in `README.md`.

use crate::support::console;
use crate::support::readme::{README, in_language};

/// With what the commands begin that stand within text.
const PROGRAMS: [&str; 11] = [
    "apk",
    "apt-get",
    "cargo",
    "curl",
    "dnf",
    "make",
    "man",
    "openssl",
    "systemctl",
    "systemd-analyze",
    "turnkey",
];

/// A command, and what is shown of its output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) output: Option<String>,
}

/// All commands: those in blocks, and those in the text around them.
pub(crate) fn commands() -> Vec<Command> {
    let mut commands = Vec::new();
    for block in in_language("console") {
        let said = console::commands(&block.lines).into_iter();
        commands.extend(said.map(|(text, output)| Command { text, output }));
    }
    let scripts = in_language("sh").into_iter().flat_map(|block| script(&block.lines));
    let all = scripts.chain(spans());
    commands.extend(all.map(|text| Command { text, output: None }));
    commands
}

/// The commands of a script, without its comments. One that ends with `\` goes on in the next line.
fn script(lines: &[&str]) -> Vec<String> {
    let whole = lines.join("\n").replace("\\\n", " ");
    let bare = whole.lines().map(|line| line.split("  #").next().unwrap_or_default());
    let one_blank = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    bare.map(one_blank).filter(|line| !line.is_empty()).collect()
}

/// The commands that stand in the text itself.
fn spans() -> Vec<String> {
    let mut is_text = true;
    let mut text = String::new();
    for line in README.lines() {
        let is_fence = line.starts_with("```");
        is_text ^= is_fence;
        if is_text && !is_fence {
            text.push_str(line);
        }
        text.push('\n');
    }
    let one_blank = |span: &str| span.split_whitespace().collect::<Vec<_>>().join(" ");
    let of_paragraph = |paragraph: &str| {
        paragraph.split('`').skip(1).step_by(2).map(one_blank).collect::<Vec<_>>()
    };
    let all = text.split("\n\n").flat_map(of_paragraph);
    let is_command = |span: &String| {
        span.split_once(' ').is_some_and(|(program, _)| PROGRAMS.contains(&program))
    };
    all.filter(is_command).collect()
}

/// What is shown of the output of a command, where it begins like this.
#[track_caller]
pub(crate) fn shown(command: &str, beginning: &str) -> String {
    let all = commands().into_iter().filter(|c| c.text == command).filter_map(|c| c.output);
    let mut matching = all.filter(|output| output.starts_with(beginning));
    let found = matching.next();
    found.unwrap_or_else(|| panic!("README.md shows no {beginning:?} of {command}"))
}
