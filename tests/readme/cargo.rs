//! The commands for cargo. Their builds take minutes; `make lint` checks each combination of
//! features, and the tests build the examples.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::page;
use crate::support::documents::{DOCUMENTS, in_language};
use crate::support::run;

/// What cargo knows of the package.
fn package() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = run(cargo, b"", Duration::from_secs(60));
    assert_eq!(output.code, Some(0), "{output:?}");
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages = all["packages"].as_array().unwrap().iter();
    packages.find(|package| package["name"] == "turnkey").unwrap().clone()
}

/// The names of the targets of a kind.
fn targets(package: &Value, kind: &str) -> BTreeSet<String> {
    let targets = package["targets"].as_array().unwrap().iter();
    let of_kind = targets.filter(|target| target["kind"][0] == kind);
    of_kind.map(|target| target["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn its_commands_name_what_there_is() {
    let package = package();
    assert_eq!(targets(&package, "bin"), BTreeSet::from(["turnkey".to_owned()]));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for command in page::commands() {
        // What is before it sets variables.
        let mut words = command.text.split(' ').skip_while(|word| word.contains('='));
        if words.next() != Some("cargo") {
            continue;
        }
        let words: Vec<_> = words.take_while(|word| *word != "--").collect();
        let known = ["build", "deny", "doc", "fuzz", "install", "run", "test"];
        assert!(known.contains(&words[0]), "{words:?}");
        for pair in words.windows(2) {
            let is_there = match pair {
                ["--features", "…"] => true,
                ["--features", names] => {
                    names.split(',').all(|name| package["features"][name].is_array())
                }
                ["--test", name] => targets(&package, "test").contains(*name),
                ["--manifest-path", path] => root.join(path).is_file(),
                ["run", name] if words[0] == "fuzz" => {
                    root.join(format!("fuzz/fuzz_targets/{name}.rs")).is_file()
                }
                _ => continue,
            };
            assert!(is_there, "{words:?}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} names were found");
}

/// The lines for a `Cargo.toml` of one's own bring the library, where this repository is beside it.
#[test]
fn the_dependency_is_found() {
    let [block] = &in_language("toml")[..] else { panic!("there is one dependency") };
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let lines = block.lines.join("\n");
    assert!(lines.contains("\"../turnkey\""), "{lines}");
    let lines = lines.replace("../turnkey", &beside.display().to_string());
    let text = format!("[package]\nname = \"own\"\nedition = \"2024\"\n{lines}\n");
    fs::write(dir.path().join("Cargo.toml"), text).unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    fs::copy(beside.join("Cargo.lock"), dir.path().join("Cargo.lock")).unwrap();
    let brought = tree(dir.path(), &[]);
    for name in ["turnkey", "turnkey-rustls", "http-types"] {
        assert!(brought.contains(name), "{name}: {brought:?}");
    }
    assert!(brought.is_disjoint(&BTreeSet::from(PROGRAM_ONLY.map(str::to_owned))), "{brought:?}");
}

/// What only the program needs, and no user of the library builds.
const PROGRAM_ONLY: [&str; 9] = [
    "anstyle-query",
    "argh",
    "env_logger",
    "gethostname",
    "listenfd",
    "roff",
    "rpassword",
    "strsim",
    "tikv-jemallocator",
];

/// The crates that a package is built from, with these features.
fn tree(package: &Path, features: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--edges", "normal", "--prefix", "none"]).args(features);
    cargo.current_dir(package);
    let output = run(cargo, b"", Duration::from_secs(60));
    assert_eq!(output.code, Some(0), "{output:?}");
    output.text().lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect()
}

#[test]
fn the_library_alone_has_no_dependency_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (library, program) = (tree(root, &["--no-default-features"]), tree(root, &[]));
    assert!(library.contains("http-types"), "{library:?}");
    let found: Vec<_> = PROGRAM_ONLY.into_iter().filter(|name| library.contains(*name)).collect();
    assert!(found.is_empty(), "{found:?}");
    for name in PROGRAM_ONLY {
        assert!(program.contains(name) || cfg!(not(unix)), "{name} is a dependency of nobody");
    }
    // All that the feature brings is in the list, but for what the library has by other ways.
    let cli = package()["features"]["cli"].as_array().unwrap().clone();
    let brought = cli.iter().filter_map(|feature| feature.as_str()?.strip_prefix("dep:"));
    let others: Vec<_> = brought.filter(|name| !PROGRAM_ONLY.contains(name)).collect();
    assert_eq!(others, ["zeroize"]);
}

/// The rows of the table below a heading, as their first cells have it in code.
fn first_cells(heading: &str) -> BTreeSet<String> {
    let lines = DOCUMENTS.iter().flat_map(|document| document.text.lines());
    let rows = lines.skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cell = |row: &str| row.split('`').nth(1).expect("code").to_owned();
    let cells: BTreeSet<_> = rows.map(cell).collect();
    assert!(!cells.is_empty(), "no table {heading}");
    cells
}

#[test]
fn the_table_of_examples_has_them_all() {
    assert_eq!(first_cells("| `cargo run --example …`"), targets(&package(), "example"));
}

#[test]
fn the_table_of_features_has_them_all() {
    let features = package()["features"].as_object().unwrap().keys().cloned().collect();
    let told: BTreeSet<_> = first_cells("| feature |");
    let own: BTreeSet<String> = features;
    let untold: BTreeSet<_> = own.difference(&told).map(String::as_str).collect();
    assert!(told.is_subset(&own), "{told:?}");
    assert_eq!(untold, BTreeSet::from(["default"]));
}
