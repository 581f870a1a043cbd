use std::fmt::Write;

use super::{both_names, names, quoted};
use crate::cli::options::{Described, Value};

/// The part that is the same for all options. It also works in bash 3.2 of macOS, which completes files where later
/// versions complete nothing.
const START: &str = r"# Completions of turnkey for bash; turnkey completions bash prints them.

_turnkey() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]} prefix= options= choices= kind=
    COMPREPLY=()
    [[ $COMP_CWORD -gt 1 ]] || command=

    # --mode=ht is three words to bash, or one when = is not in COMP_WORDBREAKS.
    if [[ $current == = ]]; then
        current=
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $current == --*=* ]]; then
        previous=${current%%=*} prefix=${current%%=*}= current=${current#*=}
    fi

";

const END: &str = r#"
    case $kind in
        # bash itself completes files, where nothing else is found.
        file) [[ $prefix ]] && _turnkey_paths -f ;;
        dir)
            if [[ $prefix ]]; then _turnkey_paths -d; else compopt +o default -o dirnames 2>/dev/null; fi
            ;;
        choice)
            compopt +o default 2>/dev/null
            COMPREPLY=($(compgen -P "$prefix" -W "$choices" -- "$current"))
            ;;
        text) compopt +o default 2>/dev/null ;;
        *)
            compopt +o default 2>/dev/null
            if [[ $current == -* || ! $choices ]]; then choices=$options; fi
            COMPREPLY=($(compgen -W "$choices" -- "$current"))
            ;;
    esac
}

_turnkey_paths() {
    local IFS=$'\n'
    compopt -o filenames +o default 2>/dev/null
    COMPREPLY=($(compgen "$1" -P "$prefix" -- "$current"))
}

complete -o default -F _turnkey turnkey
"#;

pub(super) fn script(program: &Described, commands: &[Described]) -> String {
    let mut script = START.to_owned();
    script.push_str("    case $command in\n");
    for command in commands {
        let words = command.words.iter().filter_map(|word| word.choices()).flatten();
        arm(&mut script, command.name, command, &words.collect::<Vec<_>>().join(" "));
    }
    arm(&mut script, "*", program, "");
    script.push_str("    esac\n");
    // A command is the first word.
    _ = writeln!(script, "    [[ $COMP_CWORD -gt 1 ]] || choices={}", quoted(&names(commands)));
    script.push_str(END);
    script
}

/// The completions for `command`: one branch of the `case`, for `pattern`.
fn arm(script: &mut String, pattern: &str, command: &Described, words: &str) {
    let options = command.options.iter().flat_map(both_names).collect::<Vec<_>>().join(" ");
    // Writing to a `String` cannot fail.
    _ = writeln!(script, "        {pattern})");
    _ = writeln!(script, "            options={} choices={}", quoted(&options), quoted(words));
    script.push_str("            case $previous in\n");
    for option in &command.options {
        let Some(value) = option.value else { continue };
        let patterns = both_names(option).join("|");
        _ = writeln!(script, "                {patterns}) {} ;;", assignments(value));
    }
    script.push_str("            esac\n            ;;\n");
}

fn assignments(value: Value) -> String {
    match value.choices() {
        Some(choices) => {
            let choices = choices.collect::<Vec<_>>().join(" ");
            format!("kind=choice choices={}", quoted(&choices))
        }
        None if value.is_file() => "kind=file".to_owned(),
        None if value.is_folder() => "kind=dir".to_owned(),
        None => "kind=text".to_owned(),
    }
}
