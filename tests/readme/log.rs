//! The lines of the log, as a server writes them to which that is done.

use std::thread;
use std::time::{Duration, Instant};

use crate::place::{Serving, folder, in_place, plain, prepare, shell};
use crate::support::console::fits;
use crate::support::documents::in_language;

/// A CA, another, a server's certificate and a client's of the other.
const CERTIFICATES: &str = r#"mkdir log; cd log
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
ca() { openssl req -x509 $key -subj "/CN=$2" -keyout "$1.key" -out "$1.crt" -days 30; }
leaf() {
    openssl req $key -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" -addext "subjectAltName=$4"
    openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -days 20 -copy_extensions copy -out "$1.crt"
}
ca ca ca.localhost; ca old 'Old CA'
leaf server server.localhost ca IP:10.0.0.1
leaf alice alice old DNS:alice.test"#;

const ALICE: &str = "curl --interface 10.0.0.7 --cacert ca.crt --cert alice.crt --key alice.key";

#[test]
fn its_lines_are_written() {
    in_place("log::its_lines_are_written", || {
        prepare("turnkey certs --out certs");
        prepare(CERTIFICATES);
        let written = [refusals(), refusal_in_mutual_mode(), ignored()].concat();
        for block in in_language("text") {
            // Others are pictures.
            for line in block.lines.iter().filter(|line| line.starts_with("info: ")) {
                let mut all = written.lines();
                let is_written = all.any(|own| fits(&plain(own), &plain(line)));
                assert!(is_written, "{line}\nis not in\n{written}");
            }
        }
    });
}

/// Of a client of another CA, of one that knows not ours, of one that speaks in the clear.
fn refusals() -> String {
    let line =
        "turnkey --listen 10.0.0.1:8443 --cert server.crt --key server.key --client-ca ca.crt";
    let serving = Serving::start(line, &folder("log"));
    for command in [
        &format!("{ALICE} https://10.0.0.1:8443/"),
        "curl --interface 10.0.0.8 --cacert old.crt https://10.0.0.1:8443/",
        "curl --interface 10.0.0.9 http://10.0.0.1:8443/",
        // So often more, soon enough.
        &format!("{ALICE} https://10.0.0.1:8443/[1-41]"),
    ] {
        shell(command, &folder("log"));
    }
    let end = Instant::now() + Duration::from_secs(20);
    while !serving.server.log().contains(" times more ") && Instant::now() < end {
        thread::sleep(Duration::from_millis(50));
    }
    serving.server.log()
}

/// Of a client without a certificate.
fn refusal_in_mutual_mode() -> String {
    let line = "turnkey --cert server_chain.pem --key server.key --client-ca ca.crt";
    let serving = Serving::start(line, &folder("certs"));
    shell("curl --cacert certs/ca.crt https://127.0.0.1:8000/", &folder(""));
    serving.server.assert_logs(&["refused: "]);
    serving.server.log()
}

/// Of a client that says what only a proxy is believed.
fn ignored() -> String {
    let serving = Serving::start("turnkey", &folder(""));
    let claim = "curl --interface 10.0.0.7 -H 'X-Forwarded-Proto: https' http://127.0.0.1:8000/";
    shell(claim, &folder(""));
    serving.server.assert_logs(&["ignored "]);
    serving.server.log()
}
