//! What people with a browser are told when they do not get what they asked for; and what others are
//! told, which is plain text.

use std::net::TcpListener;

use turnkey::{App, Request, Response, StatusCode, http_types};

use crate::support::{Client, Library, Pki, Server, Stack};
use crate::{Seen, Visit, browse, in_every_look};

const BROWSER: [&str; 2] =
    ["-H", "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"];

#[track_caller]
fn look(url: &str, picture: &str, status: u64, words: &str) -> Seen {
    let mut all = in_every_look(&Visit::to(url, picture));
    for seen in &all {
        assert_eq!(seen.status(), status);
        assert!(seen.title().starts_with(&status.to_string()), "{}", seen.title());
        assert!(seen.text().contains(words), "no {words:?} in {:?}", seen.text());
    }
    all.swap_remove(0)
}

#[test]
fn of_the_app() {
    let server = Server::with(&[]);
    let seen = look(&format!("{}nothing", server.url), "error-404", 404, "nothing at this address");
    assert!(seen.text().contains("Not Found"), "{}", seen.text());
    look(&format!("{}echo", server.url), "error-405", 405, "not for requests of this kind");
}

#[test]
fn of_an_upstream_that_is_gone() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let server = Server::with(&["--proxy", &upstream]);
    let words = "The upstream refused the connection.";
    let seen = look(&format!("{}a", server.url), "error-502", 502, words);
    // The log knows it by the number that the page has.
    let id = seen.text().split("Request ").nth(1).unwrap().split(' ').next().unwrap();
    server.assert_logs(&[&format!("request {id}: the upstream {upstream}"), "refused"]);
}

#[test]
fn of_an_upstream_that_is_slow() {
    // It takes connections, and never answers.
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("http://{}", slow.local_addr().unwrap());
    let server = Server::with(&["--proxy", &upstream, "--proxy-timeout", "1"]);
    let visit = Visit::to(&format!("{}a", server.url), "error-504");
    let seen = browse(&[visit]).swap_remove(0);
    seen.assert_sound();
    assert_eq!((seen.status(), seen.title()), (504, "504 Gateway Timeout"));
    assert!(seen.text().contains("The upstream "), "{}", seen.text());
}

#[test]
fn of_a_rule() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--allow-cn", "somebody.else"]].concat();
    let server = Server::with(&args);
    let visit = Visit::to(&server.url, "error-403").with(&pki.client);
    for seen in in_every_look(&visit) {
        assert_eq!((seen.status(), seen.title()), (403, "403 Forbidden"));
        let words = "client certificate \"CN=client.localhost,O=Company\" is not allowed here";
        assert!(seen.text().contains(&format!("The {words}.")), "{}", seen.text());
        assert_eq!(seen.as_text(), format!("the {words}\n"));
    }
}

#[test]
fn of_a_handler() {
    let mut app = App::new();
    app.at("/fails").get(|_: Request| async {
        Err::<Response, _>(http_types::Error::from_str(
            StatusCode::InternalServerError,
            "the secret of the database",
        ))
    });
    app.at("/own").get(|_: Request| async {
        let mut response = Response::new(StatusCode::NotFound);
        response.set_body("our own words\n");
        Ok(response)
    });
    let site = Library::serve(Stack::Plain, app);
    let url = format!("http://127.0.0.1:{}", site.port);
    let seen =
        look(&format!("{url}/fails"), "error-500", 500, "Something went wrong on this server.");
    assert!(!seen.text().contains("database"), "{}", seen.text());
    // What a handler says itself stays what it is.
    let own = Client::new(&BROWSER).fetch(&format!("{url}/own"));
    assert_eq!((own.status, own.text().as_str()), (404, "our own words\n"));
}

/// The head of what is answered, in lower case, and the body.
fn parts(text: &str) -> (String, &str) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    (format!("{}\r\n", head.to_ascii_lowercase()), body)
}

#[test]
fn others_are_told_in_text() {
    let server = Server::with(&["--max-body", "1K"]);
    let large = "x".repeat(2000);
    let cases: [(&str, &[&str], &str); 3] = [
        ("nothing", &[], "404 Not Found\n"),
        ("echo", &[], "405 Method Not Allowed\n"),
        ("echo", &["-d", &large], "the request body is larger than 1024 bytes\n"),
    ];
    for (path, options, text) in cases {
        let url = format!("{}{path}", server.url);
        let ask = |more: &[&str]| Client::new(&["-i"]).and(options).and(more).fetch(&url).text();
        for accept in ["*/*", "application/json, text/html;q=0.9", "text/html;q=0", "text/plain"] {
            let plain = ask(&["-H", &format!("Accept: {accept}")]);
            let (head, body) = parts(&plain);
            assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{plain}");
            // The others get another answer.
            assert!(head.contains("\r\nvary: accept\r\n"), "{plain}");
            assert_eq!(body, text, "{accept}");
        }
        let page = ask(&BROWSER);
        let (head, body) = parts(&page);
        for field in [
            "content-type: text/html; charset=utf-8",
            "cache-control: no-store",
            "vary: accept",
            &format!("content-length: {}", body.len()),
        ] {
            assert!(head.contains(&format!("\r\n{field}\r\n")), "no {field} in {head}");
        }
        assert!(body.starts_with("<!doctype html>"), "{body}");
        // What else there is to say is said to both.
        let allow = ask(&[]).to_ascii_lowercase().contains("\r\nallow: ");
        assert_eq!(head.contains("\r\nallow: "), allow);
    }
}

#[test]
fn an_answer_to_head_is_as_long_as_one_to_get() {
    let server = Server::with(&[]);
    let url = format!("{}nothing", server.url);
    let head = Client::new(&["-I"]).and(&BROWSER).fetch(&url);
    let get = Client::new(&["-i"]).and(&BROWSER).fetch(&url);
    let (head, get) = (head.text(), get.text());
    let length = |text: &str| {
        let (head, _) = parts(text);
        head.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap().to_owned()
    };
    assert_eq!(length(&head), length(&get));
    assert!(parts(&head).0.contains("text/html") && parts(&head).1.is_empty(), "{head}");
}

/// Whoever sent bytes that are no request is no person with a browser, whatever the bytes say.
#[test]
fn what_is_not_understood_is_answered_in_text() {
    let server = Server::with(&[]);
    let longest = "x".repeat(9000);
    let cases: [(&[&str], &str, u16); 6] = [
        (&["-H", "Host: a b"], "", 400),
        (&["-H", "Transfer-Encoding: gzip"], "", 400),
        (&["-H", "Transfer-Encoding: gzip, chunked"], "", 501),
        (&["-X", "BREW"], "", 501),
        (&[], &longest, 414),
        (&["-H", "Expect: cake", "-d", "x"], "", 417),
    ];
    for (options, path, status) in cases {
        let curl = Client::new(&["-i"]).and(&BROWSER).and(options);
        let answer = curl.fetch(&format!("{}{path}", server.url));
        assert_eq!(answer.status, status, "{options:?}: {answer:?}");
        assert!(
            answer.text().to_ascii_lowercase().contains("content-type: text/plain"),
            "{answer:?}"
        );
    }
    let trusting = Server::with(&["--trust-proxy", "127.0.0.1"]);
    let both = ["-H", "Forwarded: for=192.0.2.1", "-H", "X-Forwarded-For: 192.0.2.2"];
    let answer = Client::new(&["-i"]).and(&BROWSER).and(&both).fetch(&trusting.url);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("contradict"), "{answer:?}");
    assert!(answer.text().to_ascii_lowercase().contains("content-type: text/plain"), "{answer:?}");
}
