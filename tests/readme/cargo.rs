//! The commands for cargo. Their builds take minutes; `make lint` checks each combination of
//! features, and the tests build the examples.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::page;
use crate::support::readme::README;
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
    let mut seen = 0;
    for command in page::commands().into_iter().filter(|c| c.text.starts_with("cargo ")) {
        let words: Vec<_> = command.text.split(' ').take_while(|word| *word != "--").collect();
        assert!(["build", "doc", "install", "run"].contains(&words[1]), "{words:?}");
        for pair in words.windows(2).filter(|pair| pair[0] == "--features") {
            assert!(package["features"][pair[1]].is_array(), "{words:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2, "features that are named");
}

/// The rows of the table below a heading, as their first cells have it in code.
fn first_cells(heading: &str) -> BTreeSet<String> {
    let rows = README.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
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
