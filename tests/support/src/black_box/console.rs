//! Sessions at a terminal, as documents show them: `$ ` and a command, and what it prints below.

/// The commands of a session, each with what is shown of its output.
pub fn commands(lines: &[&str]) -> Vec<(String, Option<String>)> {
    let mut commands = Vec::new();
    let mut rest = lines;
    while let [command, after @ ..] = rest {
        let command = command.strip_prefix("$ ").expect("a command comes first");
        let end = after.iter().position(|l| l.starts_with("$ ")).unwrap_or(after.len());
        commands.push((command.to_owned(), (end > 0).then(|| after[..end].join("\n"))));
        rest = &after[end..];
    }
    commands
}

/// The command as a test runs it: curl says nothing but what matters, does not wait for ever, and goes
/// where it is sent.
pub fn quiet(command: &str) -> String {
    command.replacen("curl ", "curl -q -sS --noproxy '*' --max-time 15 ", 1)
}

/// Whether `text` is what `pattern` says, where `[...]` stands for anything.
pub fn fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split("[...]");
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    last.map_or(rest.is_empty(), |last| last.is_empty() || rest.is_empty())
}
