use http_types::{Body, Method, Request, Response, StatusCode};

use super::{App, whoami};

/// The application that the program serves when it is given no other: `/` is some text, `/whoami`
/// shows the connection as the server sees it, `/echo` returns the body that is sent to it.
#[must_use]
pub fn builtin() -> App {
    let mut app = App::new();
    app.at("/").text("Top-level content");
    app.at("/whoami").get(|request| async move { whoami::answer(&request) });
    app.at("/echo").post(echo).method(Method::Put, echo);
    app
}

/// Sends the body back as it comes in.
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
