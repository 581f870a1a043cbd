use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_types::headers::{HeaderValue, HeaderValues};
use http_types::{Body, Method, Request, Response, Result, StatusCode};
use smol::io::AsyncReadExt as _;

use super::{App, Next, Params, public_error};
use crate::refusal::Refusal;
use crate::test_client::{TestClient, TestResponse};

fn client(build: impl FnOnce(&mut App)) -> TestClient {
    let mut app = App::new();
    build(&mut app);
    TestClient::new(app)
}

fn send(client: &TestClient, method: Method, path: &str) -> TestResponse {
    client.request(method, path).send()
}

/// What `GET` is answered: the status, and the body.
fn get(client: &TestClient, path: &str) -> (u16, String) {
    let response = client.get(path).send();
    (response.status().into(), response.text().to_owned())
}

fn said(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

/// A handler that says which one it is.
fn says(
    text: &'static str,
) -> impl Fn(Request) -> std::future::Ready<Result<&'static str>> + Send + Sync + 'static {
    move |_| std::future::ready(Ok(text))
}

#[test]
fn what_has_no_route_is_404_unless_there_is_a_fallback() {
    let mut app = App::new();
    app.at("/").get(says("root"));
    let without = TestClient::new(app);
    assert_eq!(get(&without, "/else"), said(404, "404 Not Found\n"));
    assert_eq!(send(&without, Method::Options, "/else").status(), 404);

    let with = client(|app| {
        app.at("/").get(says("root"));
        app.fallback(says("first"));
        app.fallback(|request: Request| async move {
            Ok(format!("{} {}", request.method(), request.url().path()))
        });
    });
    for method in [Method::Get, Method::Post, Method::Options, Method::PropFind] {
        let response = send(&with, method, "/else/where");
        assert_eq!(
            (response.status(), response.text()),
            (StatusCode::Ok, &*format!("{method} /else/where"))
        );
    }
}

#[test]
fn a_path_that_has_a_route_never_comes_to_the_fallback() {
    let client = client(|app| {
        app.at("/").get(says("root"));
        app.fallback(says("fallback"));
    });
    assert_eq!(get(&client, "/"), said(200, "root"));
    assert_eq!(send(&client, Method::Post, "/").status(), 405);
    assert_eq!(send(&client, Method::Options, "/").status(), 204);
}

#[test]
fn each_method_has_its_handler_and_all_has_the_rest() {
    let client = client(|app| {
        let route = app.at("/");
        route.get(says("get")).post(says("post")).put(says("put"));
        route
            .delete(says("delete"))
            .patch(says("patch"))
            .method(Method::PropFind, says("propfind"));
        app.at("/all").all(says("all")).get(says("get"));
        app.at("/any").all(says("any"));
    });
    for (method, text) in [
        (Method::Get, "get"),
        (Method::Post, "post"),
        (Method::Put, "put"),
        (Method::Delete, "delete"),
        (Method::Patch, "patch"),
        (Method::PropFind, "propfind"),
    ] {
        assert_eq!(send(&client, method, "/").text(), text);
    }
    assert_eq!(get(&client, "/all"), said(200, "get"));
    for method in [Method::Post, Method::Options, Method::Trace] {
        assert_eq!(send(&client, method, "/all").text(), "all", "{method}");
    }
    for method in [Method::Get, Method::Head, Method::Options] {
        assert_eq!(send(&client, method, "/any").status(), 200, "{method}");
    }
}

/// RFC 9110 §9.3.2, §9.3.7, §15.5.6.
#[test]
fn head_options_and_405_follow_from_the_other_methods() {
    let client = client(|app| {
        app.at("/").get(says("root")).delete(says("gone"));
        app.at("/put").put(says("put"));
    });
    let head = send(&client, Method::Head, "/");
    assert_eq!((head.status(), head.bytes()), (StatusCode::Ok, &b""[..]));
    let options = send(&client, Method::Options, "/");
    assert_eq!((options.status(), options.bytes()), (StatusCode::NoContent, &b""[..]));
    assert_eq!(options.header("allow"), Some("DELETE, GET, HEAD, OPTIONS"));
    let post = send(&client, Method::Post, "/");
    assert_eq!(
        (post.status(), post.text()),
        (StatusCode::MethodNotAllowed, "405 Method Not Allowed\n")
    );
    assert_eq!(post.header("allow"), Some("DELETE, GET, HEAD, OPTIONS"));
    // There is no HEAD where there is no GET.
    let head = send(&client, Method::Head, "/put");
    assert_eq!(
        (head.status(), head.header("allow")),
        (StatusCode::MethodNotAllowed, Some("OPTIONS, PUT"))
    );
}

/// What the parameters of a route are, in the order of their names here.
async fn show(request: Request) -> Result<String> {
    let params = Params::of(&request);
    let shown = |name| params.get::<String>(name).unwrap_or_else(|_| "-".to_owned());
    Ok(format!("{} {} {}", shown("a"), shown("b"), shown("rest")))
}

#[test]
fn parameters_and_wildcards_stand_for_what_is_there() {
    let client = client(|app| {
        app.at("/one/:a").get(show);
        app.at("/one/fixed").get(says("fixed"));
        app.at("/two/:a/and/:b").get(show);
        app.at("/files/*rest").get(show);
        app.at("/files").get(says("the root"));
        app.at("/mixed/:a/*rest").get(show);
        app.at("/caf\u{e9}").get(says("coffee"));
    });
    for (path, expected) in [
        ("/one/x", "x - -"),
        ("/one/fixed", "fixed"),
        ("/one/fixedly", "fixedly - -"),
        ("/two/1/and/2", "1 2 -"),
        ("/files/a/b.txt", "- - a/b.txt"),
        ("/files", "the root"),
        ("/mixed/x/y/z", "x - y/z"),
        // Decoded once, and not before the route is chosen.
        ("/one/a%2Fb", "a/b - -"),
        ("/one/%252F%20+%C3%A9", "%2F +\u{e9} - -"),
        ("/one/x?a=query", "x - -"),
        ("/caf%C3%A9", "coffee"),
    ] {
        assert_eq!(get(&client, path), said(200, expected), "{path}");
    }
    for path in ["/one/", "/one", "/one/x/", "/one/x/y", "/files/", "/two/1/and/", "/ONE/x"] {
        assert_eq!(get(&client, path).0, 404, "{path}");
    }
}

#[test]
fn a_parameter_that_cannot_be_is_the_clients_fault_and_one_that_is_not_there_is_ours() {
    let client = client(|app| {
        app.at("/n/:n")
            .get(|request| async move { Ok(Params::of(&request).get::<u8>("n")?.to_string()) });
        app.at("/m/:n").get(|request| async move { Params::of(&request).get::<String>("m") });
        app.at("/none").get(|request| async move { Params::of(&request).get::<String>("n") });
        app.at("/text/:n").get(|request| async move { Params::of(&request).get::<String>("n") });
    });
    assert_eq!(get(&client, "/n/255"), said(200, "255"));
    assert_eq!(get(&client, "/n/256"), said(404, "404 Not Found\n"));
    assert_eq!(get(&client, "/n/x"), said(404, "404 Not Found\n"));
    assert_eq!(
        get(&client, "/text/%ff"),
        said(400, "what is percent-encoded in the path is not UTF-8\n")
    );
    assert_eq!(get(&client, "/m/1"), said(500, "500 Internal Server Error\n"));
    assert_eq!(get(&client, "/none"), said(500, "500 Internal Server Error\n"));
}

#[test]
fn routes_that_cannot_be_are_a_panic_that_says_why() {
    for (paths, why) in [
        (&["a"][..], "begin with /"),
        (&["/{id}"], "/:name"),
        (&["/:a", "/:b"], "in conflict with \"/:a\""),
        (&["/x/*a", "/x/*b"], "in conflict with \"/x/*a\""),
    ] {
        let add = || {
            let mut app = App::new();
            for path in paths {
                app.at(path).get(says(""));
            }
        };
        let panic = std::panic::catch_unwind(add).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(why), "{text}");
    }
}

/// A middleware that writes its name on the way in and on the way out.
fn marks(
    name: &'static str,
) -> impl Fn(Request, Next) -> turnkey_backend::BoxFuture<'static, Result<Response>> + Send + Sync {
    move |mut request, next| {
        Box::pin(async move {
            request.append_header("way", name);
            let mut response = next.run(request).await;
            response.append_header("way", name);
            Ok(response)
        })
    }
}

/// The marks on the way in.
async fn way(request: Request) -> Result<String> {
    Ok(marks_of(request.header("way")))
}

fn marks_of(values: Option<&HeaderValues>) -> String {
    values.into_iter().flatten().map(HeaderValue::as_str).collect::<Vec<_>>().join(" ")
}

fn way_out(response: &Response) -> String {
    marks_of(response.header("way"))
}

fn call(app: &App, method: Method, path: &str) -> (Response, String) {
    let url = http_types::Url::parse(&format!("http://localhost{path}")).unwrap();
    smol::block_on(async {
        let mut response = app.call(Request::new(method, url)).await;
        let body = response.body_string().await.unwrap();
        (response, body)
    })
}

#[test]
fn middleware_is_passed_in_the_order_in_which_it_was_added() {
    let mut inner = App::new();
    inner.wrap(marks("inner"));
    inner.at("/way").wrap(marks("its route")).get(way);
    let mut app = App::new();
    app.at("/way").wrap(marks("r1")).get(way).wrap(marks("r2"));
    app.at("/bare").get(way);
    app.nest("/in", inner);
    app.wrap(marks("a1")).wrap(marks("a2"));
    for (path, way_in, back) in [
        ("/way", "a1 a2 r1 r2", "r2 r1 a2 a1"),
        ("/bare", "a1 a2", "a2 a1"),
        ("/in/way", "a1 a2 inner its route", "its route inner a2 a1"),
    ] {
        let (response, body) = call(&app, Method::Get, path);
        assert_eq!((&*body, &*way_out(&response)), (way_in, back), "{path}");
    }
    // What no handler answers passes it as well.
    let (response, _) = call(&app, Method::Post, "/way");
    assert_eq!(
        (response.status(), &*way_out(&response)),
        (StatusCode::MethodNotAllowed, "r2 r1 a2 a1")
    );
    let (response, _) = call(&app, Method::Options, "/bare");
    assert_eq!((response.status(), &*way_out(&response)), (StatusCode::NoContent, "a2 a1"));
    let (response, _) = call(&app, Method::Get, "/none");
    assert_eq!((response.status(), &*way_out(&response)), (StatusCode::NotFound, "a2 a1"));
    let (response, _) = call(&app, Method::Get, "/in/none");
    assert_eq!((response.status(), &*way_out(&response)), (StatusCode::NotFound, "inner a2 a1"));
}

#[test]
fn middleware_answers_in_place_of_others_and_sees_what_became_of_their_errors() {
    let client = client(|app| {
        app.at("/").get(says("root"));
        app.at("/fails").get(|_| async { Err::<Response, _>(http_types::format_err!("secret")) });
        app.at("/panics").get(|_| async { if true { panic!("secret") } else { Ok("") } });
        app.at("/closed").wrap(|_, _| async { Ok("closed") }).get(says("open"));
        app.at("/refused").get(says("open")).wrap(|_, _| async {
            Err::<Response, _>(public_error(StatusCode::Forbidden, "not you"))
        });
        app.at("/broken")
            .get(says("open"))
            .wrap(|_, _| async { if true { panic!("secret") } else { Ok("") } });
        app.wrap(|request, next: Next| async move {
            let mut response = next.run(request).await;
            let status = response.status().to_string();
            response.insert_header("seen", status);
            Ok(response)
        });
    });
    for (path, status, text) in [
        ("/", 200, "root"),
        ("/closed", 200, "closed"),
        ("/refused", 403, "not you\n"),
        ("/fails", 500, "500 Internal Server Error\n"),
        ("/panics", 500, "500 Internal Server Error\n"),
        ("/broken", 500, "500 Internal Server Error\n"),
        ("/none", 404, "404 Not Found\n"),
    ] {
        let response = client.get(path).send();
        assert_eq!((response.status().into(), response.text()), (status, text), "{path}");
        assert_eq!(response.header("seen"), Some(&*status.to_string()), "{path}");
    }
}

#[test]
fn middleware_knows_the_parameters_and_hands_on_what_it_finds_out() {
    struct User(String);
    let client = client(|app| {
        app.wrap(|mut request: Request, next: Next| async move {
            let user = Params::of(&request).get::<String>("user")?;
            request.ext_mut().insert(User(user.to_uppercase()));
            Ok(next.run(request).await)
        });
        app.at("/:user").get(|request: Request| async move {
            Ok(request.ext().get::<User>().map(|user| user.0.clone()).unwrap_or_default())
        });
    });
    assert_eq!(get(&client, "/alice"), said(200, "ALICE"));
}

#[test]
fn an_app_under_a_prefix_answers_as_if_its_paths_began_there() {
    let mut deep = App::new();
    deep.at("/:b").get(show);
    let mut inner = App::new();
    inner.at("/").get(says("inner root"));
    inner.at("/x/:b").get(show);
    inner.at("/files/*rest").get(show);
    inner.nest("/deep", deep);
    inner.at("/url").get(|request: Request| async move { Ok(request.url().path().to_owned()) });
    let mut own = App::new();
    own.fallback(says("its own fallback"));
    let client = client(|app| {
        app.nest("/in/:a", inner);
        app.nest("/own", own);
        app.at("/own/exact").get(says("the outer's"));
        app.at("/").get(says("root"));
        app.fallback(says("fallback"));
    });
    for (path, expected) in [
        ("/", "root"),
        ("/in/1", "inner root"),
        ("/in/1/", "inner root"),
        ("/in/1/x/2", "1 2 -"),
        ("/in/1/files/y/z", "1 - y/z"),
        ("/in/1/deep/2", "1 2 -"),
        ("/in/%2f/url", "/in/%2f/url"),
        ("/in/1/none", "fallback"),
        ("/in/1//x/2", "fallback"),
        ("/in", "fallback"),
        ("/own", "its own fallback"),
        ("/own/a/b", "its own fallback"),
        ("/own/exact", "the outer's"),
        ("/ownership", "fallback"),
    ] {
        assert_eq!(get(&client, path), said(200, expected), "{path}");
    }
    assert_eq!(send(&client, Method::Post, "/in/1/x/2").status(), 405);
}

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

/// A parser may quote what it has read: that stays short, on one line, and visible.
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
    });
    assert_eq!(client.get("/?fine").send().header("x"), Some("fine"));
    assert_eq!(client.get("/?a-b").send().status(), 500);
}

/// A body that the wire has refused: the handler hands on an error of its own, or of a parser.
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
