use http_types::{Method, Url};

use super::*;

/// What `app` answers: the status, and the body up to the end of its first line.
fn call(app: &App, method: Method, path: &str) -> (StatusCode, String) {
    let url = Url::parse(&format!("http://localhost{path}")).unwrap();
    smol::block_on(async {
        let mut response = app.call(Request::new(method, url)).await.unwrap();
        let body = response.body_string().await.unwrap();
        (response.status(), body.trim_end().to_owned())
    })
}

#[test]
fn what_has_no_route_is_404_unless_there_is_a_fallback() {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("root") });
    let not_found = (StatusCode::NotFound, "404 Not Found".to_owned());
    assert_eq!(call(&app, Method::Get, "/else"), not_found);
    assert_eq!(call(&app, Method::Options, "/else"), not_found);

    app.fallback(|_| async { Ok("first") });
    app.fallback(|request: Request| async move {
        Ok(format!("{} {}", request.method(), request.url().path()))
    });
    for method in [Method::Get, Method::Head, Method::Post, Method::Options, Method::PropFind] {
        let (status, body) = call(&app, method, "/else/where");
        assert_eq!((status, body), (StatusCode::Ok, format!("{method} /else/where")));
    }
}

#[test]
fn a_path_that_has_a_route_never_comes_to_the_fallback() {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("root") });
    app.fallback(|_| async { Ok("fallback") });
    assert_eq!(call(&app, Method::Get, "/").1, "root");
    assert_eq!(call(&app, Method::Post, "/").0, StatusCode::MethodNotAllowed);
    assert_eq!(call(&app, Method::Options, "/").0, StatusCode::NoContent);
}
