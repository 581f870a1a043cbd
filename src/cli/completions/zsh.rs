use std::fmt::Write;

use super::{both_names, quoted};
use crate::cli::options::{Described, Opt, Value};

const START: &str = r"#compdef turnkey
# Completions of turnkey for zsh; turnkey completions zsh prints them.

_turnkey() {
    local command
    (( CURRENT > 2 )) && command=$words[2]
    case $command in
";

/// The script may be a file in `fpath`, which is the function itself, or be sourced.
const END: &str = r#"}

if [[ $funcstack[1] == _turnkey ]]; then
    _turnkey "$@"
else
    compdef _turnkey turnkey
fi
"#;

pub(super) fn script(program: &Described, commands: &[Described]) -> String {
    let mut script = START.to_owned();
    for command in commands {
        // Writing to a `String` cannot fail.
        _ = writeln!(script, "        {})", command.name);
        script.push_str("            shift words\n            (( CURRENT-- ))\n");
        arguments(&mut script, command);
        script.push_str("            ;;\n");
    }
    script.push_str("        *)\n            local -a commands=(\n");
    for command in commands {
        let line = format!("{}:{}", command.name, command.brief().replace(':', r"\:"));
        _ = writeln!(script, "                {}", quoted(&line));
    }
    script.push_str("            )\n");
    // A command is the first word.
    script.push_str("            (( CURRENT > 2 )) || _describe -t commands command commands\n");
    arguments(&mut script, program);
    script.push_str("            ;;\n    esac\n");
    script.push_str(END);
    script
}

/// A call of the function that completes the arguments of `command`.
fn arguments(script: &mut String, command: &Described) {
    script.push_str("            _arguments -S");
    for option in &command.options {
        for spec in specs(option) {
            _ = write!(script, " \\\n                {}", quoted(&spec));
        }
    }
    for (n, word) in command.words.iter().enumerate() {
        let spec = format!("{}:{}", n + 1, value(*word));
        _ = write!(script, " \\\n                {}", quoted(&spec));
    }
    script.push('\n');
}

fn specs(option: &Opt) -> Vec<String> {
    let text = escaped(option.brief());
    let names = both_names(option);
    let others = if option.repeats { "*".to_owned() } else { format!("({})", names.join(" ")) };
    let spec = |name: &String| match option.value {
        None => format!("{others}{name}[{text}]"),
        // `=` stands for both forms, `--port=8443` and `--port 8443`.
        Some(taken) => format!("{others}{name}=[{text}]:{}", value(taken)),
    };
    names.iter().map(spec).collect()
}

/// What the value is, and how zsh completes it.
fn value(value: Value) -> String {
    match value.choices() {
        Some(choices) => format!("value:({})", choices.collect::<Vec<_>>().join(" ")),
        None if value.is_file() => "file:_files".to_owned(),
        None if value.is_folder() => "folder:_files -/".to_owned(),
        None => format!("{}: ", value.0),
    }
}

/// Text for brackets, escaped; a colon ends it too.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if "[]:\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
