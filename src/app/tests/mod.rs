//! Apps, with requests as a client would send them.

mod failures;
mod middleware;
mod routes;

use http_types::{Method, Request, Response, Result, StatusCode};

use super::test_client::{TestClient, TestResponse};
use super::{App, Next, Params, public_error};

fn client(build: impl FnOnce(&mut App)) -> TestClient {
    let mut app = App::new();
    build(&mut app);
    TestClient::new(app)
}

fn send(client: &TestClient, method: Method, path: &str) -> TestResponse {
    client.request(method, path).send()
}

/// The answer to `GET`: the status, and the body.
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

/// The parameters of a route, in the order of their names here.
async fn show(request: Request) -> Result<String> {
    let params = Params::of(&request);
    let shown = |name| params.get::<String>(name).unwrap_or_else(|_| "-".to_owned());
    Ok(format!("{} {} {}", shown("a"), shown("b"), shown("rest")))
}
