use http_types::headers::{HeaderValue, HeaderValues};

use super::*;

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
    // It also gets answers without a handler.
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
