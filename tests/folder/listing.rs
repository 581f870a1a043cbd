//! `--listing`: what is in a folder, as a page and as JSON.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Stack;
use crate::{Folder, MODIFIED, Served, bytes, modified};

fn listed(folder: Folder) -> Served {
    Served::with(Stack::Plain, folder, &["--listing"])
}

/// The names that a page lists, in their order, as they are shown.
fn names(page: &str) -> Vec<String> {
    let body = page.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let name = |row: &str| Some(row.split("\">").nth(1)?.split("</a>").next()?.to_owned());
    body.split("<tr>").skip(1).filter_map(name).collect()
}

/// Where they lead.
fn links(page: &str) -> Vec<String> {
    let body = page.split("<tbody>").nth(1).unwrap();
    body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn without_it_nothing_is_told() {
    let served = Served::new(Folder::new().with("sub/a.txt", "a"));
    for target in ["/", "/sub/"] {
        served.get(target).assert_refused(404);
    }
}

#[test]
fn a_page_tells_what_is_there() {
    let folder = Folder::new()
        .with("b.txt", "b")
        .with("A.bin", bytes(1536))
        .with("sub/index.html", "index")
        .with("deep/er/c.txt", "c")
        .with(".hidden", "h")
        .with(".well-known/x", "x");
    let served = listed(folder);
    let page = served.get("/");
    page.assert_has(&[
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("vary", "accept"),
        ("cache-control", "no-cache"),
    ]);
    let policy = page.field("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let text = page.text();
    assert_eq!(names(&text), ["deep/", "sub/", "A.bin", "b.txt"]);
    for part in [
        "<title>Index of /</title>",
        "2 folders, 2 files",
        "1.5 KiB",
        "1994-11-06 08:49",
        "datetime=\"1994-11-06T08:49:37Z\"",
        "color-scheme\" content=\"light dark",
    ] {
        assert!(text.contains(part), "no {part}: {text}");
    }
    assert!(!text.contains("<script") && !text.contains("hidden"), "{text}");
    served.get("/sub/").assert_is(200, "index");
    let deep = served.get("/deep/").text();
    assert_eq!(names(&deep), ["../", "er/"]);
    // Each leads where it says.
    for link in links(&text) {
        let target = format!("/{}", link.trim_start_matches("./"));
        assert_eq!(served.get(&target).status, 200, "{link}");
    }
    let head = served.ask("HEAD", "/", &[]);
    head.assert_is(200, "").assert_has(&[("content-length", &page.body.len().to_string())]);
}

#[test]
fn links_sort_it() {
    let folder = Folder::new();
    for (name, size, seconds) in [("a", 3, 30), ("b", 1, 10), ("C", 2, 20)] {
        modified(&folder.file(name, bytes(size)), MODIFIED + seconds);
    }
    folder.file("z/x", "x");
    let served = listed(folder);
    for (query, order) in [
        ("", ["z/", "a", "b", "C"]),
        ("?sort=name&order=desc", ["z/", "C", "b", "a"]),
        ("?sort=size", ["z/", "b", "C", "a"]),
        ("?sort=size&order=desc", ["z/", "a", "C", "b"]),
        ("?sort=date&order=asc", ["z/", "b", "C", "a"]),
        ("?sort=date&order=desc", ["z/", "a", "C", "b"]),
        ("?sort=%3Cb%3E&order=x", ["z/", "a", "b", "C"]),
    ] {
        let text = served.get(&format!("/{query}")).text();
        assert_eq!(names(&text), order, "{query}");
    }
    let text = served.get("/?sort=size").text();
    for link in
        ["?sort=name&amp;order=asc", "?sort=size&amp;order=desc", "?sort=date&amp;order=asc"]
    {
        assert!(text.contains(&format!("href=\"{link}\"")), "no {link}: {text}");
    }
    assert!(text.contains("aria-sort=\"ascending\""), "{text}");
}

#[test]
fn names_are_names_and_do_nothing() {
    let odd = [
        "<script>alert(1)</script>".replace('/', "-"),
        "\"onmouseover='x'".to_owned(),
        "&amp;".to_owned(),
        "a b+c%20d".to_owned(),
        "javascript:alert(1)".to_owned(),
        "a?b#c;d".to_owned(),
        "\u{202e}txt.exe".to_owned(),
        "Zo\u{eb} \u{65e5}\u{672c}".to_owned(),
        "line\nbreak".to_owned(),
        "x".repeat(255),
    ];
    let folder = Folder::new();
    for (at, name) in odd.iter().enumerate() {
        folder.file(name, at.to_string());
    }
    fs::write(folder.path().join(OsStr::from_bytes(b"latin-\xe9")), "10").unwrap();
    fs::create_dir(folder.path().join("<i>")).unwrap();
    fs::write(folder.path().join("<i>/x"), "11").unwrap();
    let served = listed(folder);
    let text = served.get("/").text();
    for markup in ["<script", "<i>", "\"onmouseover", "=\"javascript:", "\u{202e}", "line\nbreak"] {
        assert!(!text.contains(markup), "{markup:?} in {text}");
    }
    let mut found: Vec<u32> = links(&text)
        .iter()
        .filter(|link| !link.ends_with('/'))
        .map(|link| {
            let target = format!("/{}", link.strip_prefix("./").unwrap());
            served.get(&target).text().parse().unwrap()
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, (0..=10).collect::<Vec<_>>(), "{text}");
    let inner = served.get("/%3Ci%3E/");
    assert!(inner.text().contains("<h1>Index of /&lt;i&gt;/</h1>"), "{}", inner.text());
    assert!(served.get("/%3Ci%3E/x").text() == "11");
    let redirect = served.get("/%3Ci%3E");
    redirect.assert_has(&[("location", "/%3Ci%3E/")]);
}

#[test]
fn json_is_for_those_who_ask_for_it() {
    let served = listed(Folder::new().with("b.txt", "bb").with("sub/x", "x"));
    let ask = |accept: &str| served.ask("GET", "/", &[&format!("Accept: {accept}")]);
    for accept in
        ["application/json", "application/json, text/plain, */*", "APPLICATION/JSON;q=0.5"]
    {
        let answer = ask(accept);
        answer.assert_has(&[("content-type", "application/json"), ("vary", "accept")]);
        let list: Value = serde_json::from_slice(&answer.body).unwrap();
        let [folder, file] = list.as_array().unwrap().as_slice() else { panic!("{list}") };
        assert_eq!(
            *file,
            json!({"name": "b.txt", "type": "file", "size": 2, "modified": "1994-11-06T08:49:37Z"})
        );
        assert_eq!((&folder["name"], &folder["type"]), (&json!("sub"), &json!("folder")));
        assert_eq!(folder["size"], Value::Null);
    }
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for accept in [browser, "*/*", "text/html, application/json;q=0.9", "image/png"] {
        assert_eq!(ask(accept).field("content-type"), Some("text/html; charset=utf-8"), "{accept}");
    }
    // In the order that is asked for.
    let sorted = served.ask("GET", "/?order=desc", &["Accept: application/json"]);
    assert!(sorted.text().starts_with("[{\"name\":\"sub\""), "{}", sorted.text());
}

#[test]
fn thousands_are_listed_soon() {
    let folder = Folder::new();
    for n in 0..5000 {
        fs::write(folder.path().join(format!("file {n:05}.txt")), "x").unwrap();
    }
    let served = listed(folder);
    let start = Instant::now();
    let text = served.get("/?order=desc").text();
    let took = start.elapsed();
    let names = names(&text);
    assert_eq!((names.len(), &*names[0]), (5000, "file 04999.txt"));
    assert!(took < Duration::from_secs(5), "{took:?}");
}
