//! Errors, methods and middleware: a connection goes on after each of them, and the test client is
//! told the same.

use turnkey::{App, Method, Next, Params, Request, Response, StatusCode, TestClient, public_error};

use crate::support::{Library, Stack, on};

fn app() -> App {
    let mut app = App::new();
    app.wrap(|request: Request, next: Next| async move {
        let mut response = next.run(request).await;
        let status = response.status().to_string();
        response.insert_header("x-seen", status);
        Ok(response)
    });
    app.at("/hello/:name").get(|request: Request| async move {
        Ok(format!("Hello, {}!", Params::of(&request).get::<String>("name")?))
    });
    app.at("/public").get(|_| async {
        Err::<Response, _>(public_error(StatusCode::Conflict, "somebody else was first"))
    });
    app.at("/secret").get(|_| async {
        Err::<Response, _>(turnkey::Error::from_str(StatusCode::Conflict, "secret"))
    });
    app.at("/fails")
        .get(|_| async { Err::<Response, _>(turnkey::http_types::format_err!("secret")) });
    app.at("/upper").post(|mut request: Request| async move {
        Ok(request.body_json::<String>().await?.to_uppercase())
    });
    app
}

/// Method, path, body; and the status that is answered.
const CASES: [(Method, &str, &str, u16); 12] = [
    (Method::Get, "/hello/w%C3%B6rld", "", 200),
    (Method::Get, "/hello/%ff", "", 400),
    (Method::Head, "/hello/world", "", 200),
    (Method::Options, "/hello/world", "", 204),
    (Method::Delete, "/hello/world", "", 405),
    (Method::Get, "/hello/", "", 404),
    (Method::Get, "/public", "", 409),
    (Method::Get, "/secret", "", 409),
    (Method::Get, "/fails", "", 500),
    (Method::Post, "/upper", "\"quiet\"", 200),
    (Method::Post, "/upper", "quiet", 422),
    (Method::Get, "/hello/again", "", 200),
];

#[test]
fn a_connection_outlives_errors_and_the_test_client_is_told_the_same() {
    let in_process = TestClient::new(app());
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let library = Library::serve(stack, app());
        let mut conn = library.open();
        for (method, path, body, status) in CASES {
            let length = body.len();
            conn.send(
                format!(
                    "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                )
                .as_bytes(),
            )
            .unwrap();
            let answer =
                if method == Method::Head { head_only(&mut conn) } else { conn.response() };
            let said = in_process
                .request(method, path)
                .header("content-type", "application/json")
                .body(body)
                .send();
            let case = format!("{method} {path}: {answer:?}");
            assert_eq!((answer.status, u16::from(said.status())), (status, status), "{case}");
            assert_eq!(&*answer.body, said.bytes(), "{case}");
            for field in ["x-seen", "allow", "content-type"] {
                let line = said.header(field).map(|value| format!("{field}: {value}"));
                let line = line.map(|line| line.to_ascii_lowercase());
                assert!(line.is_none_or(|line| answer.has(&line)), "{field} in {case}");
            }
            assert!(answer.has(&format!("x-seen: {status}")), "{case}");
            assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{case}");
        }
    });
}

/// The answer to a `HEAD`, of which no more than the head comes.
fn head_only(conn: &mut crate::support::Conn) -> crate::support::Response {
    let end = loop {
        match conn.ahead().windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end + 4,
            None => assert!(conn.read_some().unwrap() > 0),
        }
    };
    let head = String::from_utf8_lossy(&conn.ahead()[..end]).to_ascii_lowercase();
    assert_eq!(conn.ahead().len(), end, "a body came: {head}");
    assert!(head.contains("content-length: 13\r\n"), "{head}");
    conn.forget_ahead();
    let status = head[9..12].parse().unwrap();
    crate::support::Response { status, head, body: Vec::new() }
}
