//! Sends so many requests of a kind through the wire of turnkey: `turnkey-instructions few 1000`.

use std::env;
use std::process::ExitCode;

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

const POST: &str = "POST /echo HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 12\r\n\r\nHello, world";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let (Some(kind), Some(Ok(count))) = (words.first(), words.get(1).map(|n| n.parse())) else {
        eprintln!("turnkey-instructions few|browser|post COUNT");
        return ExitCode::from(2);
    };
    let request = match kind.as_str() {
        "browser" => BROWSER,
        "post" => POST,
        _ => FEW,
    };
    let answered = turnkey::benched::serve(request.as_bytes(), count);
    println!("{count} requests, {answered} bytes of answers");
    ExitCode::SUCCESS
}
