//! Paths in the documents are those of files and folders of the repository.

use std::path::Path;

use crate::support::documents::DOCUMENTS;

const FOLDERS: [&str; 6] = ["src/", "backends/", "tests/", "benches/", "fuzz/", "scripts/"];

fn exists(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

/// What stands between backticks, and is one word without a placeholder.
fn words_of_code(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |word: &&str| !word.is_empty() && !word.contains([' ', '\n', '*', '…', '<']);
    text.split('`').skip(1).step_by(2).filter(is_word)
}

#[test]
fn paths_lead_somewhere() {
    let mut seen = 0;
    for document in DOCUMENTS {
        let paths = words_of_code(document.text)
            .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)));
        for path in paths {
            // `src/app.rs:12` is the form of compilers.
            let path = path.split(':').next().unwrap();
            assert!(exists(path), "{}: {path} does not exist", document.name);
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} paths were found");
}

/// Each promise of SECURITY.md names the tests that hold it: a path, or a file beside the one before.
#[test]
fn each_promise_names_its_tests() {
    let page = DOCUMENTS.iter().find(|document| document.name == "SECURITY.md").unwrap().text;
    let promises: Vec<&str> = page.lines().filter(|line| line.starts_with("| **")).collect();
    assert!(promises.len() > 15, "only {} promises were found", promises.len());
    for promise in promises {
        let tests = promise.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        let (mut folder, mut named) = (String::new(), 0);
        let is_file = |word: &&str| word.contains('/') || Path::new(word).extension().is_some();
        for word in words_of_code(tests).filter(is_file) {
            let places = [word.to_owned(), format!("tests/{word}"), format!("{folder}/{word}")];
            let found = places.iter().find(|place| exists(place));
            let found = found.unwrap_or_else(|| panic!("{word} does not exist: {promise}"));
            let parent = Path::new(found).parent().unwrap();
            folder = parent.to_str().unwrap().to_owned();
            named += 1;
        }
        let is_fuzzed = tests.contains("fuzz target") || tests.contains("`wire/");
        assert!(named > 0 || is_fuzzed, "no test is named: {promise}");
    }
}
