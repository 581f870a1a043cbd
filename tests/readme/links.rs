//! Links lead somewhere: to a file of the repository, and to a heading on a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::support::documents::DOCUMENTS;

/// Folders without pages of the repository.
const ELSEWHERE: [&str; 2] = ["target", "node_modules"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages below a folder, by their paths from the root.
fn pages_in(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || path.is_symlink() || ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            pages_in(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    pages_in(root(), &mut pages);
    pages
}

/// The lines of a page that are not in a block of code.
fn lines_of_text(page: &str) -> impl Iterator<Item = &str> {
    let mut is_text = true;
    page.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_text ^= is_fence;
        is_text && !is_fence
    })
}

/// The anchors of the headings, as forges make them: in small letters, blanks as hyphens, without other
/// marks; the second of a name has `-1` behind it.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for line in lines_of_text(page) {
        let Some(heading) = line.strip_prefix('#') else { continue };
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
        let name = heading.chars().filter(kept).collect::<String>().replace(' ', "-");
        let count: &mut u32 = seen.entry(name.clone()).or_default();
        anchors.insert(if *count == 0 { name } else { format!("{name}-{count}") });
        *count += 1;
    }
    anchors
}

/// The targets of the links in a page.
fn links(page: &str) -> Vec<String> {
    let text = lines_of_text(page).collect::<Vec<_>>().join(" ");
    // What looks like a link within code is none.
    let prose: Vec<_> = text.split('`').step_by(2).collect();
    let mut links = Vec::new();
    for (at, _) in prose.join("`").match_indices("](") {
        let prose = prose.join("`");
        let target = prose[at + 2..].split(')').next().unwrap();
        links.push(target.to_owned());
    }
    links
}

/// The path that a link on a page leads to.
fn target_of(page: &Path, link: &str) -> PathBuf {
    let mut path = page.parent().unwrap().to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{}: {link}", page.display()),
            part => path.push(part),
        }
    }
    path
}

/// What is wrong with a link.
fn fault_of(page: &Path, text: &str, link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(f, a)| (f, Some(a)));
    let (target, text) = if file.is_empty() {
        (page.to_owned(), text.to_owned())
    } else {
        let target = target_of(page, file);
        let path = root().join(&target);
        if !path.exists() {
            return Some(format!("{}: no {} ({link})", page.display(), target.display()));
        }
        let is_page = target.extension().is_some_and(|extension| extension == "md");
        let text = if is_page { fs::read_to_string(&path).unwrap() } else { String::new() };
        (target, text)
    };
    let is_missing = anchor.is_some_and(|anchor| !anchors(&text).contains(anchor));
    is_missing.then(|| format!("{}: no heading {link} in {}", page.display(), target.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        let links = links(&text);
        seen += links.len();
        faults.extend(links.iter().filter_map(|link| fault_of(&page, &text, link)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(seen > 100, "only {seen} links were found");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = Path::new("docs/GUIDE.md");
    let text = "# One: `two`\n\n# One: `two`\n\n```sh\n# three\n```\n";
    let fault = |link| fault_of(page, text, link);
    for good in ["#one-two", "#one-two-1", "ERRORS.md", "../README.md", "../tests/wire"] {
        assert_eq!(fault(good), None, "{good}");
    }
    for bad in ["#three", "#one-two-2", "NONE.md", "../docs", "ERRORS.md#none"] {
        assert_eq!(fault(bad).is_some(), bad != "../docs", "{bad}");
    }
    assert_eq!(links("[a](b.md) `[c](d)` [e\nf](#g)"), ["b.md", "#g"]);
}

#[test]
fn the_guide_has_every_section_in_its_table_of_contents() {
    let guide = DOCUMENTS.iter().find(|document| document.name == "docs/GUIDE.md").unwrap().text;
    let (contents, _) = guide.split_once("\n## ").unwrap();
    let listed: BTreeSet<_> = links(contents).into_iter().collect();
    let all = anchors(guide).into_iter().map(|anchor| format!("#{anchor}"));
    let missing: Vec<_> = all.filter(|anchor| !listed.contains(anchor)).collect();
    assert_eq!(missing, ["#the-turnkey-guide"]);
}

#[test]
fn every_page_but_the_changelog_is_a_document() {
    let all: BTreeSet<_> = pages().iter().map(|page| page.display().to_string()).collect();
    let documents = DOCUMENTS.iter().map(|document| document.name.to_owned());
    let expected: BTreeSet<_> = documents.chain(["CHANGELOG.md".to_owned()]).collect();
    assert_eq!(all, expected);
}
