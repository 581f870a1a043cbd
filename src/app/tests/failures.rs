use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_types::Body;
use smol::io::AsyncReadExt as _;

use super::*;
use crate::common::refusal::Refusal;

#[test]
fn an_error_tells_the_client_its_status_and_what_is_for_it() {
    #[derive(Debug, thiserror::Error)]
    #[error("secret")]
    struct Secret;
    async fn fails(request: Request) -> Result<Response> {
        let status = StatusCode::try_from(Params::of(&request).get::<u16>("status")?);
        let status = status.unwrap_or(StatusCode::InternalServerError);
        Err(match request.url().query() {
            Some("own") => http_types::Error::new(status, Secret),
            Some("text") => http_types::Error::from_str(status, "secret"),
            Some("public") => public_error(status, "for you"),
            _ => Secret.into(),
        })
    }
    let client = client(|app| _ = app.at("/:status").get(fails));
    for (path, status, text) in [
        ("/400?own", 400, "400 Bad Request\n"),
        ("/404?text", 404, "404 Not Found\n"),
        ("/404?public", 404, "for you\n"),
        ("/422?own", 422, "422 Unprocessable Entity\n"),
        ("/500?own", 500, "500 Internal Server Error\n"),
        ("/503?text", 503, "503 Service Unavailable\n"),
        ("/503?public", 503, "for you\n"),
        ("/404", 500, "500 Internal Server Error\n"),
    ] {
        assert_eq!(get(&client, path), said(status, text), "{path}");
    }
}

#[test]
fn a_body_that_is_not_what_is_expected_is_422_with_a_line_that_says_why() {
    #[derive(serde::Deserialize)]
    struct Cat {
        name: String,
    }
    let client = client(|app| {
        app.at("/json")
            .post(|mut request: Request| async move { Ok(request.body_json::<Cat>().await?.name) });
        app.at("/form")
            .post(|mut request: Request| async move { Ok(request.body_form::<Cat>().await?.name) });
        // An error of a parser that is not about the request.
        app.at("/file").post(|_| async {
            let parsed: serde_json::Result<Cat> = serde_json::from_str("secret");
            Ok(parsed?.name)
        });
    });
    let post = |path, body: &str| {
        let response = client.post(path).body(body).send();
        (response.status().into(), response.text().to_owned())
    };
    assert_eq!(post("/json", r#"{"name": "Chashu"}"#), said(200, "Chashu"));
    assert_eq!(post("/form", "name=Nori+%26+Chashu"), said(200, "Nori & Chashu"));
    let json = "the body is not the JSON that is expected: ";
    for (body, why) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{}", "missing field `name` at line 1 column 2"),
        ("{\"name\": 1}", "invalid type: integer `1`, expected a string at line 1 column 10"),
    ] {
        assert_eq!(post("/json", body), said(422, &format!("{json}{why}\n")));
    }
    assert_eq!(
        post("/form", "nam=x"),
        said(422, "the body is not the form that is expected: missing field `name`\n")
    );
    assert_eq!(post("/file", ""), said(500, "500 Internal Server Error\n"));
}

/// A parser may quote its input. The quote stays short, on one line, and visible.
#[test]
fn what_is_told_of_a_body_is_one_short_line() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let client = client(|app| {
        app.at("/").post(|mut request: Request| async move {
            request.body_json::<Nothing>().await.map(|nothing| format!("{nothing:?}"))
        });
    });
    let name = format!("a\\nb\\u202e{}", "x".repeat(10_000));
    let response = client.post("/").body(Body::from(format!("{{\"{name}\": 1}}"))).send();
    assert_eq!(response.status(), 422);
    let (line, rest) = response.text().split_once('\n').unwrap();
    assert!(line.contains(r"a\nb\u{202e}x") && line.len() < 300 && rest.is_empty(), "{line}");
}

#[test]
fn a_response_that_cannot_be_sent_is_500_to_the_test_client_too() {
    let client = client(|app| {
        app.at("/").get(|request: Request| async move {
            let mut response = Response::new(StatusCode::Ok);
            response
                .insert_header("x", request.url().query().unwrap_or_default().replace('-', "\n"));
            Ok(response)
        });
        app.at("/early").get(|_| async { Ok(Response::new(StatusCode::EarlyHints)) });
    });
    assert_eq!(client.get("/?fine").send().header("x"), Some("fine"));
    assert_eq!(client.get("/?a-b").send().status(), 500);
    // An interim response, which cannot be the only one.
    assert_eq!(client.get("/early").send().status(), 500);
}

/// A body that the wire has rejected: the handler passes on its own error, or a parser's.
#[test]
fn a_body_that_cannot_be_read_is_answered_as_the_wire_says() {
    struct Refused;
    impl smol::io::AsyncRead for Refused {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(Refusal::too_large(Some(7)).into()))
        }
    }
    let client = client(|app| {
        app.at("/text").post(|mut request: Request| async move { request.body_string().await });
        app.at("/json")
            .post(|mut request: Request| async move { request.body_json::<String>().await });
        app.at("/form")
            .post(|mut request: Request| async move { request.body_form::<String>().await });
        app.at("/bytes").post(|mut request: Request| async move {
            let mut bytes = Vec::new();
            request.read_to_end(&mut bytes).await?;
            Ok(Response::from(&*bytes))
        });
    });
    for path in ["/text", "/json", "/form", "/bytes"] {
        let body = Body::from_reader(smol::io::BufReader::new(Refused), None);
        let response = client.post(path).body(body).send();
        let said = (response.status().into(), response.text());
        assert_eq!(said, (413, "the request body is larger than 7 bytes\n"), "{path}");
    }
}
