//! `--spa`: an app in the browser that finds its way by itself.

use std::fs;

use crate::support::Stack;
use crate::{Folder, Served};

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";

fn served(switches: &[&str]) -> Served {
    let folder = Folder::new()
        .with("index.html", "app")
        .with("main.js", "script")
        .with("docs/index.html", "docs")
        .with("assets/a.css", "css");
    folder.file(".env", "secret");
    Served::with(Stack::Plain, folder, switches)
}

#[test]
fn pages_that_there_are_not_are_the_apps() {
    let served = served(&["--spa"]);
    for (target, body) in [("/", "app"), ("/main.js", "script"), ("/docs/", "docs")] {
        served.ask("GET", target, &[BROWSER]).assert_is(200, body);
    }
    for target in ["/users/7", "/users/7/", "/users?a=b", "/assets/", "/users/john.doe", "/a.html"]
    {
        for method in ["GET", "HEAD"] {
            let answer = served.ask(method, target, &[BROWSER]);
            answer.assert_is(200, if method == "GET" { "app" } else { "" });
            answer.assert_has(&[("content-type", "text/html; charset=utf-8")]);
            let vary: Vec<_> = answer.fields.iter().filter(|(n, _)| n == "vary").collect();
            assert_eq!(vary.len(), 2, "{answer:?}");
        }
    }
    // By a name without an extension, whoever does not say what it wants gets it too.
    for fields in [&[][..], &["Accept: */*"]] {
        served.ask("GET", "/users/7", fields).assert_is(200, "app");
        // A script that there is not must not be a page.
        served.ask("GET", "/assets/old.js", fields).assert_refused(404);
    }
    for fields in [["Accept: application/json"], ["Accept: image/png"], ["Accept: text/css"]] {
        let answer = served.ask("GET", "/users/7", &fields);
        answer.assert_refused(404).assert_has(&[("vary", "accept")]);
    }
    // It is a file like any: with a tag, and parts.
    let etag = served.get("/users/7").field("etag").unwrap().to_owned();
    let again = served.ask("GET", "/users/8", &[&format!("If-None-Match: {etag}")]);
    again.assert_is(304, "");
    served.ask("POST", "/users/7", &["Content-Length: 0"]).assert_refused(405);
    for target in ["/.env", "/.git/x", "/..%2fsecret", "//users"] {
        served.ask("GET", target, &[BROWSER]).assert_refused_on_a_page(404);
    }
    assert_eq!(served.ask("GET", "/docs", &[BROWSER]).status, 301);
}

#[test]
fn without_it_there_are_no_other_pages() {
    let served = served(&[]);
    served.ask("GET", "/users/7", &[BROWSER]).assert_refused_on_a_page(404);
}

#[test]
fn with_a_listing_folders_are_listed_and_the_rest_is_the_apps() {
    let served = served(&["--spa", "--listing"]);
    let list = served.ask("GET", "/assets/", &[BROWSER]);
    assert!(list.text().contains("Index of /assets/"), "{}", list.text());
    served.ask("GET", "/users/7", &[BROWSER]).assert_is(200, "app");
    fs::remove_file(served.folder.path().join("index.html")).unwrap();
    served.ask("GET", "/users/7", &[BROWSER]).assert_refused_on_a_page(404);
}
