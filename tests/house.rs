//! The layout of the code: rooms under `src/`, imports that run downwards only, and files that are not too long.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file, in lines.
const MAX_LINES: usize = 400;

/// Pairs of rooms that may import each other. It stays empty.
const CIRCLES: [(&str, &str); 0] = [];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the repository, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no Rust files");
    found.sort();
    found
}

/// The path of a file in the repository, with slashes.
fn name(path: &Path) -> String {
    let parts = path.strip_prefix(root()).unwrap().components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The code of a file without comments, and without its tests, which are at its end.
fn product_code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that follow `crate::` in `code`: one each, or all of a list in braces.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect()
    };
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in list.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => names.insert(word(std::mem::take(&mut item).trim())),
                '{' | '}' => {
                    depth += if c == '{' { 1 } else { -1 };
                    continue;
                }
                c => {
                    item.push(c);
                    continue;
                }
            };
        }
        names.insert(word(item.trim()));
    }
    names
}

/// The rooms, and what `lib.rs` exports of each.
fn rooms() -> BTreeMap<String, String> {
    let mut rooms = BTreeMap::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let room = path.file_name().unwrap().to_string_lossy().into_owned();
            rooms.insert(room.clone(), room);
        }
    }
    let lib = product_code(&root().join("src/lib.rs"));
    for statement in lib.split("pub use ").skip(1) {
        let statement = statement.split(';').next().unwrap();
        let room = statement.split("::").next().unwrap().to_owned();
        if rooms.contains_key(&room) {
            let words = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
            for word in words.filter(|word| word.starts_with(char::is_uppercase)) {
                rooms.insert(word.to_owned(), room.clone());
            }
        }
    }
    rooms
}

/// What each room imports, and in which files.
fn imports() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let rooms = rooms();
    let mut imports: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for path in files("src") {
        let file = name(&path);
        let Some((room, _)) = file["src/".len()..].split_once('/') else { continue };
        if file.contains("/tests/") || file.ends_with("/tests.rs") {
            continue;
        }
        for other in named(&product_code(&path)).iter().filter_map(|name| rooms.get(name)) {
            if other != room {
                let of_room = imports.entry(room.to_owned()).or_default();
                of_room.entry(other.clone()).or_default().insert(file.clone());
            }
        }
    }
    imports
}

#[test]
fn no_rooms_import_each_other_in_a_circle() {
    let imports = imports();
    assert!(imports["server"].contains_key("h1"), "the imports are not found: {imports:?}");
    let below = |room: &str| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![room.to_owned()]);
        while let Some(room) = todo.pop() {
            for other in imports.get(&room).into_iter().flat_map(BTreeMap::keys) {
                if !CIRCLES.contains(&(&room, other)) && seen.insert(other.clone()) {
                    todo.push(other.clone());
                }
            }
        }
        seen
    };
    let mut circles = Vec::new();
    for (room, others) in &imports {
        for (other, files) in others {
            if !CIRCLES.contains(&(room, other)) && below(other).contains(room) {
                circles.push(format!("{room} imports {other} in {files:?}"));
            }
        }
    }
    assert!(circles.is_empty(), "imports that are part of a circle:\n{}", circles.join("\n"));
}

/// The modules that a crate declares in its first file.
fn modules(file: &str) -> BTreeSet<String> {
    let code = product_code(&root().join(file));
    let words =
        code.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    words.filter_map(|rest| Some(rest.strip_suffix(';')?.to_owned())).collect()
}

/// The library is what `src/lib.rs` declares, the program what `src/main.rs` does: the compiler sees to it that
/// the one does not know the other's rooms, and that the program has only the library's public API.
#[test]
fn library_and_program_have_no_room_in_common() {
    let (library, program) = (modules("src/lib.rs"), modules("src/main.rs"));
    let common: Vec<_> = library.intersection(&program).collect();
    assert!(common.is_empty(), "rooms of both: {common:?}");
    assert!(program.contains("cli") && library.contains("server"), "{library:?} {program:?}");
    let folders = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    let folders = folders.map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    let declared: BTreeSet<String> = library.union(&program).cloned().collect();
    assert_eq!(folders.collect::<BTreeSet<_>>(), declared);
}

/// What the library and the backends say speaks of values: only the program knows which option has one, and tells
/// the library by `SettingNames`.
#[test]
fn the_library_names_no_option() {
    // Of other programs.
    let allowed = ["(curl: --cert and --key)", "(curl: --cacert)"];
    let library = modules("src/lib.rs").into_iter().map(|room| format!("src/{room}"));
    let mut found = Vec::new();
    let mut names = 0;
    for path in library.chain(["backends".to_owned()]).flat_map(|folder| files(&folder)) {
        let file = name(&path);
        if file.split('/').any(|part| part.starts_with("tests")) {
            continue;
        }
        for line in product_code(&path).lines() {
            names += usize::from(line.contains("names."));
            let line = allowed.iter().fold(line.to_owned(), |line, name| line.replace(name, ""));
            let options = line.match_indices("--").filter(|(at, _)| {
                let before = line[..*at].chars().next_back().unwrap_or(' ');
                let after = line[at + 2..].chars().next().unwrap_or(' ');
                !before.is_alphanumeric() && before != '-' && after.is_ascii_lowercase()
            });
            if options.count() > 0 {
                found.push(format!("{file}: {}", line.trim()));
            }
        }
    }
    assert!(names > 5, "the code is not read");
    assert!(found.is_empty(), "options: {found:#?}");
}

/// The crates below the library are its own affair.
#[test]
fn the_program_uses_the_library_and_no_backend() {
    // `turnkey check` is a client on rustls, whose errors that backend has words for.
    let allowed = ["turnkey_rustls::io_in_words", "turnkey_rustls::{fault_in_words, io_in_words}"];
    let mut found = Vec::new();
    for room in modules("src/main.rs") {
        for path in files(&format!("src/{room}")) {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().filter(|line| line.trim_start().starts_with("use turnkey_"));
            let others = lines.filter(|line| !allowed.iter().any(|name| line.contains(name)));
            found.extend(others.map(|line| format!("{}: {line}", name(&path))));
        }
    }
    assert!(found.is_empty(), "not the library's public API: {found:#?}");
}

#[test]
fn the_wire_knows_only_what_all_rooms_know() {
    let imports = imports();
    let others: Vec<&String> = imports["wire"].keys().collect();
    assert_eq!(others, ["common"], "{:?}", imports["wire"]);
}

#[test]
fn a_room_is_a_folder_that_begins_with_a_sentence() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let text = fs::read_to_string(path.join("mod.rs")).unwrap();
            let says = text.strip_prefix("//! ").unwrap_or_else(|| panic!("{path:?} says nothing"));
            let sentence: Vec<&str> = says
                .lines()
                .map_while(|line| Some(line.strip_prefix("//! ").unwrap_or(line)))
                .take_while(|line| !line.is_empty())
                .collect();
            let sentence = sentence.join(" ");
            assert!(sentence.contains('.'), "{}: no sentence: {sentence}", name(&path));
        } else {
            let file = name(&path);
            assert!(["src/lib.rs", "src/main.rs"].contains(&&*file), "{file} belongs into a room");
        }
    }
}

#[test]
fn a_folder_of_modules_has_a_mod_rs() {
    let mut beside = Vec::new();
    for path in ["src", "backends", "tests"].into_iter().flat_map(files) {
        if path.with_extension("").is_dir() {
            beside.push(name(&path));
        }
    }
    assert!(beside.is_empty(), "files beside their folders, in place of mod.rs: {beside:?}");
}

#[test]
fn modules_are_where_the_compiler_looks_for_them() {
    let mut paths = Vec::new();
    for path in ["src", "backends", "tests"].into_iter().flat_map(files) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| line.trim_start().starts_with("#[path"));
        paths.extend(lines.map(|line| format!("{}: {line}", name(&path))));
    }
    assert!(paths.is_empty(), "{paths:#?}");
}

#[test]
fn no_file_is_too_long() {
    let mut long = Vec::new();
    for path in ["src", "backends", "tests"].into_iter().flat_map(files) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > MAX_LINES {
            long.push(format!("{}: {lines} lines", name(&path)));
        }
    }
    assert!(long.is_empty(), "over {MAX_LINES} lines: {long:#?}");
}

#[test]
fn no_type_has_a_name_that_says_nothing() {
    let mut found = Vec::new();
    for path in ["src", "backends"].into_iter().flat_map(files) {
        for line in fs::read_to_string(&path).unwrap().lines() {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let declared = words.windows(2).find(|pair| {
                ["struct", "enum", "union", "trait"].contains(&pair[0])
                    && ["State", "Source", "Outcome", "Verdict"].contains(&pair[1])
            });
            if declared.is_some() {
                found.push(format!("{}: {}", name(&path), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "name them for what they hold: {found:#?}");
}

/// The lines of a section of a TOML file, without comments.
fn section(file: &str, name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let lines = text.lines().skip_while(|line| *line != name).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// What is measured beside turnkey, and what is counted of it, is built as it is; callgrind needs the symbols.
#[test]
fn benchmarks_are_built_as_the_program_is() {
    let mut released = section("Cargo.toml", "[profile.release]");
    assert!(released.remove("strip = true") && released.len() == 3, "{released:?}");
    for file in ["benches/Cargo.toml", "benches/instructions/Cargo.toml"] {
        assert_eq!(section(file, "[profile.release]"), released, "{file}");
    }
    let smaller = section("Cargo.toml", "[profile.release.package]");
    let counted = section("benches/instructions/Cargo.toml", "[profile.release.package]");
    let lock = fs::read_to_string(root().join("benches/instructions/Cargo.lock")).unwrap();
    let is_counted = |line: &&String| {
        let package = line.split(' ').next().unwrap();
        lock.contains(&format!("name = \"{package}\"\n"))
    };
    let expected: BTreeSet<_> = smaller.iter().filter(is_counted).cloned().collect();
    assert_eq!(counted, expected);
}
