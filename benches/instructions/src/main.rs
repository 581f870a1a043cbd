//! Does so often what is to be counted: `turnkey-instructions few 1000`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

use turnkey::log::LogFormat;
use turnkey::{App, Folder, FolderError, Request, Response, Result, StatusCode, benched};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const FEW: &str = "GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n";

const BROWSER: &str = "GET / HTTP/1.1\r\n\
    Host: localhost:8000\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Connection: keep-alive\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: none\r\n\r\n";

const POST: &str =
    "POST /echo HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 12\r\n\r\nHello, world";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let (Some(kind), Some(Ok(count))) = (words.first(), words.get(1).map(|n| n.parse())) else {
        return usage();
    };
    let served = |app, request: &str| benched::serve(app, request.as_bytes(), count);
    let bytes = match kind.as_str() {
        "few" => served(turnkey::builtin(), FEW),
        "browser" => served(turnkey::builtin(), BROWSER),
        "post" => served(turnkey::builtin(), POST),
        "handler" => served(app(), FEW),
        "handler-browser" => served(app(), BROWSER),
        "folder" => match folder(|app| served(app, FEW)) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("turnkey-instructions: {error}");
                return ExitCode::FAILURE;
            }
        },
        "log" => benched::log(LogFormat::Text, count) as u64,
        _ => return usage(),
    };
    println!("{count} times, {bytes} bytes");
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("turnkey-instructions few|browser|post|handler|handler-browser|folder|log COUNT");
    ExitCode::from(2)
}

/// What somebody writes who uses the library: the handler takes a request of http-types, looks at a field of it,
/// and makes a response.
fn app() -> App {
    let mut app = App::new();
    app.at("/").get(hello);
    app
}

async fn hello(request: Request) -> Result<Response> {
    let reader = request.header("user-agent").map_or("nobody", |values| values.last().as_str());
    let mut response = Response::new(StatusCode::Ok);
    response.insert_header("cache-control", "no-store");
    response.set_body(format!("Hello, {reader}"));
    Ok(response)
}

/// Does `with` an app that serves a folder with one page.
fn folder(with: impl FnOnce(App) -> u64) -> std::result::Result<u64, Box<dyn std::error::Error>> {
    let dir = env::temp_dir().join(format!("turnkey-instructions-{}", process::id()));
    fs::create_dir(&dir)?;
    let removed = Removed(dir);
    fs::write(removed.0.join("index.html"), "Top-level content")?;
    Ok(with(mounted(&removed.0)?))
}

fn mounted(dir: &Path) -> std::result::Result<App, FolderError> {
    let mut app = App::new();
    app.mount("/", Folder::new(dir)?);
    Ok(app)
}

/// A folder that goes when it is dropped.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
