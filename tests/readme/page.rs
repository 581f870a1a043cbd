//! The commands in the documents.

use crate::support::console;
use crate::support::documents::{DOCUMENTS, blocks, in_language};

/// A span of code in a sentence is a command if it begins with one of these.
const PROGRAMS: [&str; 15] = [
    "apk",
    "apt-get",
    "cargo",
    "curl",
    "dnf",
    "java",
    "keytool",
    "make",
    "man",
    "openssl",
    "systemctl",
    "systemd-analyze",
    "turnkey",
    "valgrind",
    "wget",
];

/// A command, and what the document shows of its output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) output: Option<String>,
}

/// All commands: those in blocks, and those in sentences.
pub(crate) fn commands() -> Vec<Command> {
    let mut commands = Vec::new();
    for block in in_language("console") {
        let said = console::commands(&block.lines).into_iter();
        commands.extend(said.map(|(text, output)| Command { text, output }));
    }
    let blocks = blocks().into_iter().filter(|block| block.language == "sh");
    let scripts = blocks.flat_map(|block| script(&block.lines));
    let spans = DOCUMENTS.iter().flat_map(|document| spans(document.text));
    commands.extend(scripts.chain(spans).map(|text| Command { text, output: None }));
    commands
}

/// The commands of a script, without its comments. One that ends with `\` continues in the next line. A
/// script with files in it (`<<`) is one command, which is called by its first line.
fn script(lines: &[&str]) -> Vec<String> {
    if lines.iter().any(|line| line.contains("<<")) {
        return lines.first().map(|line| (*line).to_owned()).into_iter().collect();
    }
    let whole = lines.join("\n").replace("\\\n", " ");
    let bare = whole.lines().map(|line| line.split("  #").next().unwrap_or_default());
    let commands = bare.map(one_blank).filter(|line| !line.is_empty() && !line.starts_with('#'));
    commands.collect()
}

/// The commands in the sentences of a page.
fn spans(page: &str) -> Vec<String> {
    let mut is_text = true;
    let mut text = String::new();
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        is_text ^= is_fence;
        if is_text && !is_fence {
            text.push_str(line);
        }
        text.push('\n');
    }
    let of_paragraph = |paragraph: &str| {
        paragraph.split('`').skip(1).step_by(2).map(one_blank).collect::<Vec<_>>()
    };
    let all = text.split("\n\n").flat_map(of_paragraph);
    let is_command = |span: &String| {
        span.split_once(' ').is_some_and(|(program, _)| PROGRAMS.contains(&program))
    };
    all.filter(is_command).collect()
}

fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is shown of the output of a command, where it begins like this.
#[track_caller]
pub(crate) fn shown(command: &str, beginning: &str) -> String {
    let all = commands().into_iter().filter(|c| c.text == command).filter_map(|c| c.output);
    let mut matching = all.filter(|output| output.starts_with(beginning));
    let found = matching.next();
    found.unwrap_or_else(|| panic!("no document shows {beginning:?} of {command}"))
}
