use std::fmt::Write;

use super::names;
use crate::cli::options::{Described, Opt, Value};

pub(super) fn script(program: &Described, commands: &[Described]) -> String {
    let names = names(commands);
    let mut script = format!(
        "# Completions of turnkey for fish; turnkey completions fish prints them.\n\n\
         # Whether it is for this command, or for turnkey itself.\n\
         function __turnkey_on\n    \
             set -l words (commandline -opc)\n    \
             set -l command turnkey\n    \
             if set -q words[2]; and contains -- $words[2] {names}\n        \
                 set command $words[2]\n    \
             end\n    \
             test $command = $argv[1]\n\
         end\n\n\
         complete -c turnkey -f\n"
    );
    for command in commands {
        let (name, text) = (command.name, quoted(command.brief()));
        // Writing to a `String` cannot fail. A command is the first word.
        _ = writeln!(
            script,
            "complete -c turnkey -n 'test (count (commandline -opc)) = 1' -a {name} -d {text}"
        );
    }
    for command in [program].into_iter().chain(commands) {
        let on = format!("__turnkey_on {}", command.name);
        for word in command.words.iter().filter_map(|word| word.choices()) {
            let words = quoted(&word.collect::<Vec<_>>().join(" "));
            let one_is_enough = "test (count (commandline -opc)) = 2";
            _ = writeln!(script, "complete -c turnkey -n '{on}; and {one_is_enough}' -a {words}");
        }
        for option in &command.options {
            _ = writeln!(script, "complete -c turnkey -n '{on}' {}", described(option));
        }
    }
    script
}

fn described(option: &Opt) -> String {
    let mut words = format!("-l {}", option.name.trim_start_matches('-'));
    if let Some(short) = option.short {
        _ = write!(words, " -s {short}");
    }
    if let Some(value) = option.value {
        words.push_str(&taken(value));
    }
    _ = write!(words, " -d {}", quoted(option.brief()));
    words
}

fn taken(value: Value) -> String {
    match value.choices() {
        Some(choices) => format!(" -x -a {}", quoted(&choices.collect::<Vec<_>>().join(" "))),
        None if value.is_file() => " -r -F".to_owned(),
        None if value.is_folder() => {
            " -x -a '(__fish_complete_directories (commandline -ct))'".to_owned()
        }
        None => " -x".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
