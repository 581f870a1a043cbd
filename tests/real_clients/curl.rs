use std::time::Duration;

use crate::site;
use crate::support::{Output, Site, Stack, run, tool};

on_every_stack! {
    one_connection_for_many_requests
    an_upload_from_a_pipe_comes_back
    http_1_0_is_served
}

/// `GET`, uploads and refusals, one after the other.
fn one_connection_for_many_requests(stack: Stack) {
    let site = site(stack);
    let echo = format!("{}echo", site.server.url);
    let mut options = Vec::new();
    for n in 0..20 {
        options.extend(["-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"]);
        match n % 4 {
            0 => options.extend(["-d", "some", &echo]),
            1 => options.extend(["-H", "Expect: 100-continue", "-d", "some", &echo]),
            2 => options.extend(["-H", "Transfer-Encoding: chunked", "-T", "/dev/null", &echo]),
            _ => options.push(&site.server.url),
        }
        if n < 19 {
            options.push("--next");
            options.extend(["-sS", "--cacert", &site.pki.ca_file]);
        }
    }
    let output = site.curl().run(&options);
    assert_eq!(output.code, Some(0), "{output:?}");
    let expected = format!("200 1\n{}", "200 0\n".repeat(19));
    assert_eq!(output.text(), expected);
}

/// Of a length that nobody knows, and after `100 Continue`.
fn an_upload_from_a_pipe_comes_back(stack: Stack) {
    let site = site(stack);
    let body: Vec<u8> = (0..1 << 20).map(|n: u32| n.to_le_bytes()[n as usize % 3]).collect();
    for expect in ["Expect: 100-continue", "Expect:"] {
        let output = pipe(&site, &["-v", "-H", expect], &body);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let continued = output.stderr.contains("< HTTP/1.1 100 Continue");
        assert_eq!(continued, expect != "Expect:", "{}", output.stderr);
        assert!(output.stderr.contains("> Transfer-Encoding: chunked"), "{}", output.stderr);
        assert!(output.stdout == body, "what came back differs");
    }
}

fn pipe(site: &Site, options: &[&str], input: &[u8]) -> Output {
    let mut curl = tool("curl");
    curl.args(["-q", "-sS", "--cacert", &site.pki.ca_file, "-T", "-"]).args(options);
    curl.arg(format!("{}echo", site.server.url));
    run(curl, input, Duration::from_secs(20))
}

/// Which knows no chunks, and ends with the connection unless both sides say otherwise.
fn http_1_0_is_served(stack: Stack) {
    let site = site(stack);
    let curl = site.curl().and(&["--http1.0", "-i"]);
    let body = format!("@{}", site.pki.write("body", vec![b'x'; 1 << 20]));
    let echo = format!("{}echo", site.server.url);
    for answer in [
        curl.fetch(&site.server.url),
        curl.and(&["--data-binary", &body]).fetch(&echo),
        curl.and(&["-H", "Connection: keep-alive"]).fetch(&site.server.url),
        curl.and(&["-H", "Connection: keep-alive", "--data-binary", &body]).fetch(&echo),
    ] {
        answer.assert_ok();
        let text = answer.text();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        assert!(body == "Top-level content" || body.len() == 1 << 20, "{} bytes", body.len());
    }
}
