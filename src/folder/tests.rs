use std::fs;

use http_types::{Body, Url};

use super::*;
use crate::app::App;

/// A folder with a file, a folder with an index, and a folder without one.
fn folder() -> (tempfile::TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["with", "without"] {
        fs::create_dir(path.join(name)).unwrap();
    }
    fs::write(path.join("index.html"), "top").unwrap();
    fs::write(path.join("with/index.html"), "with").unwrap();
    fs::write(path.join("without/file.txt"), "file").unwrap();
    let served = Folder::new(path).unwrap();
    (folder, served)
}

fn call(app: &App, method: Method, target: &str) -> Response {
    let url = Url::parse(&format!("http://localhost{target}")).unwrap();
    smol::block_on(app.call(Request::new(method, url)))
}

/// The status, and the redirect's target or the body.
fn told(app: &App, target: &str) -> (u16, String) {
    let mut response = call(app, Method::Get, target);
    let status = response.status().into();
    match response.header("location") {
        Some(location) => (status, location.as_str().to_owned()),
        None => (status, smol::block_on(response.body_string()).unwrap()),
    }
}

#[test]
fn at_the_top_it_answers_for_what_has_no_route() {
    let (_folder, served) = folder();
    let mut app = App::new();
    app.at("/with/").get(|_| async { Ok("route") });
    app.mount("/", served);
    assert_eq!(told(&app, "/"), (200, "top".to_owned()));
    assert_eq!(told(&app, "/with/"), (200, "route".to_owned()));
    assert_eq!(told(&app, "/without/file.txt"), (200, "file".to_owned()));
    assert_eq!(told(&app, "/without?a=/b"), (301, "/without/?a=/b".to_owned()));
    assert_eq!(told(&app, "/none").0, 404);
}

#[test]
fn below_a_prefix_it_answers_for_what_is_there() {
    let (_folder, served) = folder();
    for prefix in ["/pre/fix", "/pre/fix/"] {
        let mut app = App::new();
        app.at("/").get(|_| async { Ok("route") });
        app.mount(prefix, served.clone());
        assert_eq!(told(&app, "/"), (200, "route".to_owned()));
        assert_eq!(told(&app, "/pre/fix?q"), (301, "/pre/fix/?q".to_owned()));
        assert_eq!(told(&app, "/pre/fix/"), (200, "top".to_owned()));
        assert_eq!(told(&app, "/pre/fix/with"), (301, "/pre/fix/with/".to_owned()));
        assert_eq!(told(&app, "/pre/fix/with/"), (200, "with".to_owned()));
        assert_eq!(told(&app, "/pre/fix/without/file.txt"), (200, "file".to_owned()));
        for target in ["/pre", "/pre/", "/pre/fixed", "/with/", "/pre/fix//with/", "/pre/fix//"] {
            assert_eq!(told(&app, target).0, 404, "{target}");
        }
    }
}

#[test]
fn in_an_app_that_is_nested_it_is_where_it_is() {
    let (_folder, served) = folder();
    let mut inner = App::new();
    inner.mount("/files", served);
    let mut app = App::new();
    app.nest("/:who/app", inner);
    assert_eq!(told(&app, "/me/app/files"), (301, "/me/app/files/".to_owned()));
    assert_eq!(told(&app, "/me/app/files/with/"), (200, "with".to_owned()));
    assert_eq!(told(&app, "/me/app/files/..%2fwith/").0, 404);
    assert_eq!(told(&app, "/me/app/with/").0, 404);
}

#[test]
fn files_are_only_read() {
    let (_folder, served) = folder();
    for prefix in ["/", "/pre"] {
        let mut app = App::new();
        app.mount(prefix, served.clone());
        let target = format!("{}/with/index.html", prefix.trim_end_matches('/'));
        for method in [Method::Post, Method::Put, Method::Delete, Method::Patch, Method::Trace] {
            let response = call(&app, method, &target);
            assert_eq!(response.status(), StatusCode::MethodNotAllowed, "{method}");
            assert_eq!(response["allow"].as_str(), ALLOW);
        }
        let response = call(&app, Method::Options, &target);
        assert_eq!((response.status(), response["allow"].as_str()), (StatusCode::NoContent, ALLOW));
    }
}

#[test]
fn errors_say_what_to_do() {
    let (folder, _) = folder();
    #[cfg(unix)]
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();
    for (name, why) in [
        ("none", "no such folder"),
        ("index.html", "is a file"),
        #[cfg(unix)]
        ("loop", "cannot be opened: "),
    ] {
        let path = folder.path().join(name);
        let error = Folder::new(&path).unwrap_err().to_string();
        assert!(error.starts_with(path.to_str().unwrap()) && error.contains(why), "{error}");
    }
}

/// The kernel sends a large file only if nobody has replaced the body.
#[test]
fn a_body_that_was_replaced_is_not_the_file() {
    use super::file_body::FileBody;
    let (folder, served) = folder();
    fs::write(folder.path().join("large.html"), vec![b'x'; 100_000]).unwrap();
    let mut app = App::new();
    app.mount("/", served);
    let ask = || call(&app, Method::Get, "/large.html");

    let mut response = ask();
    let body = FileBody::of(&mut response).unwrap();
    assert_eq!(body.length(), 100_000);
    assert_eq!(response["content-type"].as_str(), "text/html; charset=utf-8");
    assert_eq!(response.len(), Some(100_000));

    let mut response = ask();
    response.set_body(vec![b'y'; 100_000]);
    assert!(FileBody::of(&mut response).is_none());
    assert_eq!(smol::block_on(response.body_bytes()).unwrap(), vec![b'y'; 100_000]);

    // As a middleware does that reads the body while it is sent.
    let mut response = ask();
    let body = response.take_body();
    response.set_body(Body::from_reader(body, Some(100_000)));
    response.remove_header("content-type");
    assert!(FileBody::of(&mut response).is_none());
    assert!(response.header("content-type").is_none());
    assert_eq!(smol::block_on(response.body_bytes()).unwrap(), vec![b'x'; 100_000]);
}

#[test]
fn what_there_is_no_room_to_compress_is_sent_as_it_is() {
    let (folder, served) = folder();
    let text = "text ".repeat(1000);
    fs::write(folder.path().join("text.txt"), &text).unwrap();
    fs::write(folder.path().join("long.txt"), text.repeat(20)).unwrap();
    let mut app = App::new();
    app.mount("/", served.clone());
    let get = |target: &str| {
        let mut request =
            Request::new(Method::Get, Url::parse(&format!("http://localhost{target}")).unwrap());
        request.insert_header("accept-encoding", "gzip");
        smol::block_on(app.call(request))
    };
    let coding = |response: &Response| response.header("content-encoding").is_some();
    let mut all = Vec::new();
    // Bodies that are being sent hold permits.
    while let Some(place) = served.room.try_acquire_arc() {
        all.push(place);
    }
    assert!(all.len() >= 4);
    all.pop();
    let sending = get("/long.txt");
    assert!(coding(&sending));
    let mut plain = get("/text.txt");
    assert!(!coding(&plain));
    assert_eq!(smol::block_on(plain.body_string()).unwrap(), text);
    assert_eq!(get("/long.txt").len(), Some(text.len() * 20));
    drop(sending);
    assert!(coding(&get("/text.txt")));
    assert!(coding(&get("/text.txt")), "one that has been sent takes none");
}
