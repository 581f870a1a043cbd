//! What is in a folder: sorted by links, walked through, and with names of all kinds.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use crate::support::{Client, Server};
use crate::{Seen, Visit, browse, in_every_look};

/// An autumn day of 1994.
const DAY: u64 = 784_111_777;

/// Writes a file of this size, changed so many seconds after that day began to be remembered.
fn put(path: &Path, size: usize, seconds: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, vec![b'x'; size]).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(DAY + seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A folder in which name, size and date each make another order.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, size, seconds) in [
        ("apple.txt", 1536, 0),
        ("Berry.pdf", 20, 7200),
        ("cherry.tar.gz", 5_000_000, 3600),
        ("sub/deeper/inside.txt", 3, 0),
        ("sub/other.txt", 4, 0),
    ] {
        put(&folder.path().join(name), size, seconds);
    }
    folder
}

fn serve(folder: &TempDir) -> Server {
    Server::with(&["--dir", folder.path().to_str().unwrap(), "--listing"])
}

/// The first cell of each row that is no heading.
fn names(seen: &Seen) -> Vec<&str> {
    let rows = seen.rows();
    rows.iter().skip(1).map(|row| row[0]).collect()
}

#[test]
fn each_look() {
    let folder = folder();
    let server = serve(&folder);
    for seen in in_every_look(&Visit::to(&server.url, "listing")) {
        assert_eq!((seen.status(), seen.title()), (200, "Index of /"));
        assert!(seen.text().contains("1 folder, 3 files"), "{}", seen.text());
        let rows = seen.rows();
        assert_eq!(rows[0], ["Name \u{2191}", "Size", "Modified (UTC)"]);
        assert_eq!(rows[2], ["apple.txt", "1.5 KiB", "1994-11-06 08:49"]);
        assert_eq!(rows[4], ["cherry.tar.gz", "4.7 MiB", "1994-11-06 09:49"]);
        assert_eq!(names(&seen), ["sub/", "apple.txt", "Berry.pdf", "cherry.tar.gz"]);
        // The same, to programs.
        assert_eq!(seen.json()[3]["size"], 5_000_000);
    }
}

#[test]
fn the_headings_sort_it() {
    let folder = folder();
    let server = serve(&folder);
    let (name, size, date) = ("Name", "Size", "Modified (UTC)");
    let (apple, berry, cherry) = ("apple.txt", "Berry.pdf", "cherry.tar.gz");
    let cases: [(&[&str], &str, [&str; 3]); 7] = [
        (&[name], "Name \u{2193}", [cherry, berry, apple]),
        (&[name, name], "Name \u{2191}", [apple, berry, cherry]),
        (&[size], "Size \u{2191}", [berry, apple, cherry]),
        (&[size, size], "Size \u{2193}", [cherry, apple, berry]),
        (&[date], "Modified (UTC) \u{2191}", [apple, cherry, berry]),
        (&[date, date], "Modified (UTC) \u{2193}", [berry, cherry, apple]),
        // Another column begins at its beginning.
        (&[size, size, name], "Name \u{2191}", [apple, berry, cherry]),
    ];
    let visits = cases.map(|(clicks, ..)| {
        let picture = format!("listing-{}", clicks.join("-").replace(' ', "-"));
        clicks.iter().fold(Visit::to(&server.url, &picture), |visit, link| visit.click(link))
    });
    for (seen, (clicks, heading, order)) in browse(&visits).iter().zip(cases) {
        seen.assert_sound();
        assert_eq!(names(seen), [&["sub/"][..], &order].concat(), "{clicks:?}");
        let marked = [name, size, date].map(|h| if heading.starts_with(h) { heading } else { h });
        assert_eq!(seen.rows()[0], marked, "{clicks:?}");
    }
}

#[test]
fn folders_are_walked_into_and_out_of() {
    let folder = folder();
    let server = serve(&folder);
    let start = Visit::to(&server.url, "listing-walked");
    let walks: [(&[&str], &str, &[&str]); 4] = [
        (&["sub/"], "sub/", &["../", "deeper/", "other.txt"]),
        (&["sub/", "deeper/"], "sub/deeper/", &["../", "inside.txt"]),
        (&["sub/", "deeper/", "../"], "sub/", &["../", "deeper/", "other.txt"]),
        (&["sub/", "../"], "", &["sub/", "apple.txt", "Berry.pdf", "cherry.tar.gz"]),
    ];
    let visits = walks
        .map(|(clicks, ..)| clicks.iter().fold(start.clone(), |visit, link| visit.click(link)));
    for (seen, (_, path, expected)) in browse(&visits).iter().zip(walks) {
        seen.assert_sound();
        assert_eq!(seen.url(), format!("{}{path}", server.url));
        assert_eq!(seen.title(), format!("Index of /{path}"));
        assert_eq!(names(seen), expected);
    }
}

/// Names that somebody chose who means ill, or has a long one, or writes in another script.
#[test]
fn names_are_text_and_their_links_work() {
    // As it is called, and as it is shown.
    let names = [
        ("<b onclick='x'>bold<b>.txt", "<b onclick='x'>bold<b>.txt"),
        ("\"quoted\" & 'so' &amp;.txt", "\"quoted\" & 'so' &amp;.txt"),
        ("100% of a+b?c#d.txt", "100% of a+b?c#d.txt"),
        ("javascript:alert(1).txt", "javascript:alert(1).txt"),
        (
            "Zo\u{eb} \u{65e5}\u{672c}\u{8a9e} \u{1f511}.txt",
            "Zo\u{eb} \u{65e5}\u{672c}\u{8a9e} \u{1f511}.txt",
        ),
        ("\u{5e9}\u{5dc}\u{5d5}\u{5dd}.txt", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}.txt"),
        ("\u{202e}exe.txt", "\\u{202e}exe.txt"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (at, (name, _)) in names.iter().enumerate() {
        fs::write(folder.path().join(name), at.to_string()).unwrap();
    }
    let long = format!("{}.txt", "long-name-".repeat(20));
    fs::write(folder.path().join(&long), "long").unwrap();
    let server = serve(&folder);
    let looks = in_every_look(&Visit::to(&server.url, "listing-odd"));
    for seen in &looks {
        let rows = seen.rows();
        for (_, shown) in names.iter().chain([&(&*long, &*long)]) {
            assert!(rows.iter().any(|row| row[0] == *shown), "no {shown:?}: {rows:?}");
        }
        assert_eq!(rows.len(), names.len() + 2);
    }
    for (at, (_, shown)) in names.iter().enumerate() {
        let link = looks[0].link(shown);
        let url = format!("{}{}", server.url, link.strip_prefix("./").unwrap());
        let answer = Client::new(&[]).fetch(&url);
        assert_eq!((answer.status, answer.text()), (200, at.to_string()), "{link}");
    }
    // Clicked as a browser understands it.
    let visits = names.map(|(_, shown)| Visit::to(&server.url, "listing-clicked").click(shown));
    let clicked: Vec<_> = browse(&visits).iter().map(|seen| seen.text().to_owned()).collect();
    let expected: Vec<_> = (0..names.len()).map(|at| at.to_string()).collect();
    assert_eq!(clicked, expected);
}

#[test]
fn an_empty_folder_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let server = serve(&folder);
    for seen in in_every_look(&Visit::to(&format!("{}empty/", server.url), "listing-empty")) {
        assert!(seen.text().contains("0 folders, 0 files"), "{}", seen.text());
        assert_eq!(names(&seen), ["../"]);
    }
}
