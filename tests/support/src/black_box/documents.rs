//! The pages of the repository, taken apart.

/// A page.
#[derive(Debug)]
pub struct Document {
    /// Its path from the repository's root.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! documents {
    ($($name:literal)+) => {
        [$(Document { name: $name, text: include_str!(concat!("../../../../", $name)) }),+]
    };
}

/// All pages but the changelog, whose commands may be of the past.
pub const DOCUMENTS: &[Document] = &documents! {
    "README.md"
    "CONTRIBUTING.md"
    "SECURITY.md"
    "backends/README.md"
    "backends/reactor/README.md"
    "benches/README.md"
    "benches/RESULTS.md"
    "certs/README.md"
    "docs/ARCHITECTURE.md"
    "docs/COVERAGE.md"
    "docs/DECISIONS.md"
    "docs/ERRORS.md"
    "docs/GUIDE.md"
    "docs/IDENTITY_FIELDS.md"
    "docs/MUTANTS.md"
    "docs/SCALING.md"
    "docs/SOAK.md"
    "tests/wire/README.md"
};

/// The lines between two fences.
#[derive(Debug)]
pub struct Block {
    /// The page that it is on.
    pub page: &'static str,
    pub language: &'static str,
    pub lines: Vec<&'static str>,
}

/// All blocks of all pages.
pub fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for Document { name: page, text } in DOCUMENTS {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(language) = line.strip_prefix("```") {
                let lines = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block { page, language, lines });
            }
        }
    }
    blocks
}

/// The blocks in one language; there is at least one.
pub fn in_language(language: &str) -> Vec<Block> {
    let blocks: Vec<_> = blocks().into_iter().filter(|b| b.language == language).collect();
    assert!(!blocks.is_empty(), "no document has {language}");
    blocks
}
