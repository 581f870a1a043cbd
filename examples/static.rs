//! A folder beside routes.
//!
//! ```console
//! $ mkdir public && echo 'This is a file.' >public/a.txt
//! $ cargo run --example static -- public
//! $ curl http://127.0.0.1:8000/
//! What is in public is at /files/
//! $ curl http://127.0.0.1:8000/files/a.txt
//! This is a file.
//! $ curl --range 8-13 http://127.0.0.1:8000/files/a.txt
//! a file
//! $ curl -H 'Accept: application/json' http://127.0.0.1:8000/files/
//! [{"name":"a.txt","type":"file","size":16,"modified":"[...]"}]
//! $ curl http://127.0.0.1:8000/files/b.txt
//! there is nothing here
//! ```
//!
//! In a browser, `/files/` is a page.

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use turnkey::{App, Folder, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which folder? make one, and give it: public")?;
    let address = arguments.next().unwrap_or("127.0.0.1:8000".to_owned());

    let said = format!("What is in {path} is at /files/\n");
    let mut app = App::new();
    app.at("/").get(move |_| {
        let said = said.clone();
        async { Ok(said) }
    });
    app.mount("/files", Folder::new(path)?.listing(true));

    let bound = Server::new(app).bind(address)?;
    println!("http://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
