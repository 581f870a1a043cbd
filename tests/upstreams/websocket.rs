//! WebSockets through the proxy, between Python's websockets at both ends.

use std::time::{Duration, Instant};

use crate::Front;
use crate::support::programs::{Running, beside, directory, script};
use crate::support::{python, table};

table! {
    columns {
        https_native_tls = ("https", "native-tls");
        https_rustls = ("https", "rustls");
        https_openssl = ("https", "openssl");
        mutual_rustls = ("mutual", "rustls");
        mutual_openssl = ("mutual", "openssl");
    } rows {
        messages_pass_both_ways
    }
}

fn echo() -> (Running, String) {
    let mut command = python();
    command.arg(beside("websocket_server.py"));
    let mut echo = Running::start(command, directory());
    let url = echo.word_after("listening on ");
    (echo, url)
}

fn messages_pass_both_ways((mode, backend): (&'static str, &str)) {
    let (mut echo, upstream) = echo();
    // Shorter than the script once keeps quiet for.
    let timeouts = ["--idle-timeout", "1", "--proxy-timeout", "1", "--body-timeout", "1"];
    let options = [&["--backend", backend], &timeouts[..]].concat();
    let mut front = Front::start(mode, &upstream, &options);
    let url = front.url();
    let args = [&[url.as_str()], &front.trust()[..]].concat();
    let said = script("websocket_client.py", &args, &[]);
    assert_eq!(said, "messages\npings\nquiet\nfields\nclosing\nrefusal\nseveral\n");
    // The upstream, too, heard how it ended.
    echo.word_after("left with 4999 enough");
    front.server.assert_alive();

    // With all of them closed, nothing is left to wait for.
    let before = Instant::now();
    front.server.signal("TERM");
    assert_eq!(front.server.wait().code(), Some(0), "{}", front.server.log());
    assert!(before.elapsed() < Duration::from_secs(5), "left after {:?}", before.elapsed());
}
