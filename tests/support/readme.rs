//! `README.md`, taken apart.

pub(crate) const README: &str = include_str!("../../README.md");

/// What stands between two fences.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) language: &'static str,
    pub(crate) lines: Vec<&'static str>,
}

/// All blocks.
pub(crate) fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let within = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(Block { language, lines: within.collect() });
        }
    }
    blocks
}

/// The blocks in one language, of which there are some.
pub(crate) fn in_language(language: &str) -> Vec<Block> {
    let blocks: Vec<_> = blocks().into_iter().filter(|b| b.language == language).collect();
    assert!(!blocks.is_empty(), "there is no {language} in README.md");
    blocks
}
