//! An app in plain HTTP.
//!
//! ```console
//! $ cargo run --example hello
//! $ curl http://127.0.0.1:8000/
//! Top-level content
//! $ curl http://127.0.0.1:8000/hello/world
//! Hello, world!
//! $ curl -X DELETE http://127.0.0.1:8000/hello/world
//! 405 Method Not Allowed
//! ```

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use turnkey::{App, Params, Request, Result, Server};

async fn hello(request: Request) -> Result<String> {
    let name: String = Params::of(&request).get("name")?;
    Ok(format!("Hello, {name}!\n"))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("Top-level content\n") });
    app.at("/hello/:name").get(hello);

    // Another address may be given; port 0 is any free one.
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8000".to_owned());
    let bound = Server::new(app).bind(address)?;
    println!("http://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
