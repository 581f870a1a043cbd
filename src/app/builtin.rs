use http_types::{Body, Method, Request, Response, StatusCode};

use super::{App, whoami};

/// The program's default application: `/` is some text, `/whoami` shows the connection as the server sees
/// it, `/echo` returns the body of the request.
#[must_use]
pub fn builtin() -> App {
    let mut app = App::new();
    app.at("/").text("Top-level content");
    app.at("/whoami").get(|request| async move { whoami::answer(&request) });
    app.at("/echo").post(echo).method(Method::Put, echo);
    app
}

/// Returns the request's body while it arrives.
async fn echo(mut request: Request) -> http_types::Result<Response> {
    let content_type = request.header("content-type").map(|values| values.as_str().to_owned());
    let length = request.len();
    let mut response = Response::new(StatusCode::Ok);
    response.set_body(Body::from_reader(request.take_body(), length));
    response.insert_header(
        "content-type",
        content_type.as_deref().unwrap_or("application/octet-stream"),
    );
    Ok(response)
}
