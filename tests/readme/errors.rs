//! The commands of `docs/ERRORS.md`, and the clients of `certs/README.md`.

use crate::guide::TOP;
use crate::row::{Row, asks, ends, named, serves, tested};

const LOCALHOST: &str = "curl --cacert certs/ca.crt https://localhost:8000/";
const OTHER_NAME: &str =
    "curl --cacert certs/ca.crt --resolve app.test:8000:127.0.0.1 https://app.test:8000/";
const CHAIN: &str =
    "openssl s_client -connect localhost:8000 -servername localhost -showcerts </dev/null";
const URLLIB: &str = "SSL_CERT_FILE=certs/ca.crt python3 app.py";
const REQUESTS: &str = "REQUESTS_CA_BUNDLE=certs/ca.crt python3 app.py";
const NODE: &str = "NODE_EXTRA_CA_CERTS=certs/ca.crt node app.js";
const GO: &str = "SSL_CERT_FILE=certs/ca.crt ./app";
const WGET: &str = "wget --ca-certificate=certs/ca.crt https://localhost:8000/";
const KEYTOOL: &str = "keytool -importcert -noprompt -alias turnkey -file certs/ca.crt \
     -keystore trust.p12 -storetype PKCS12 -storepass changeit";
const JAVA: &str =
    "java -Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=changeit App";

const AUTHORITIES: &str = "openssl s_client -connect localhost:8000 </dev/null 2>/dev/null \
     | sed -n '/^Accept/,/^Requested/p'";
const CLIENT: &str = "curl --cacert certs/ca.crt --cert certs/client.pem https://localhost:8000/";
const PKCS12: &str = "curl --cacert certs/ca.crt --cert-type P12 --cert certs/client.p12:turnkey \
     https://localhost:8000/";
const WGET_CLIENT: &str = "wget --ca-certificate=certs/ca.crt --certificate=certs/client.crt \
     --private-key=certs/client.key https://localhost:8000/";
const JAVA_CLIENT: &str = "java -Djavax.net.ssl.trustStore=trust.p12 \
     -Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.keyStore=certs/client.p12 \
     -Djavax.net.ssl.keyStorePassword=turnkey App";

const OWN: &str = "curl --cacert own.crt https://localhost:8000/";

/// Programs that ask the server, one in each language. There is no Go here: what stands for it reads the
/// same variable.
const APPS: &str = r#"turnkey certs --out certs --host app.test
cat >app.py <<END
import os
url = "https://localhost:8000/"
if "REQUESTS_CA_BUNDLE" in os.environ:
    import requests
    print(requests.get(url).text)
else:
    import urllib.request
    print(urllib.request.urlopen(url).read().decode())
END
printf '#!/bin/sh\nexec python3 app.py\n' >app; chmod +x app
cat >app.js <<END
require("https").get("https://localhost:8000/", answer => answer.pipe(process.stdout));
END
cat >App.java <<END
public class App {
    public static void main(String[] args) throws Exception {
        new java.net.URL("https://localhost:8000/").openStream().transferTo(System.out);
    }
}
END
javac App.java"#;

/// What clients ask a server in https mode.
pub(crate) fn ask_in_https(row: Row) -> Row {
    row.before(APPS)
        .ask(CHAIN, "[...] 0 s:[...]CN = server.localhost[...] 1 s:[...]CN = ca.localhost[...]")
        .ask("openssl s_client -connect localhost:8000 </dev/null", "[...] 0 s:[...]")
        .ask(LOCALHOST, TOP)
        .ask(OTHER_NAME, TOP)
        .ask(URLLIB, TOP)
        .ask(REQUESTS, TOP)
        .ask(NODE, TOP)
        .ask(GO, TOP)
        .ask(WGET, "[...]saved[...]")
        .ask(KEYTOOL, "Certificate was added to keystore")
        .ask(JAVA, TOP)
}

/// What they ask one in mutual mode.
pub(crate) fn ask_in_mutual(row: Row) -> Row {
    row.ask(AUTHORITIES, "Acceptable client certificate CA names[...]CN = ca.localhost[...]")
        .ask(CLIENT, TOP)
        .ask(PKCS12, TOP)
        .ask(WGET_CLIENT, "[...]saved[...]")
        .ask(JAVA_CLIENT, TOP)
}

pub(crate) fn rows() -> Vec<Row> {
    let asked = [
        LOCALHOST,
        OTHER_NAME,
        CHAIN,
        URLLIB,
        REQUESTS,
        NODE,
        GO,
        WGET,
        KEYTOOL,
        JAVA,
        AUTHORITIES,
        CLIENT,
        PKCS12,
        WGET_CLIENT,
        JAVA_CLIENT,
        OWN,
    ];
    let asked = asked.map(asks).into_iter();
    asked
        .chain(chains())
        .chain(conversions())
        .chain(looks())
        .chain(programs())
        .chain(names())
        .collect()
}

fn chains() -> Vec<Row> {
    const INTERMEDIATE: &str = r#"key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        openssl req -x509 $key -subj /CN=root -keyout root.key -out root.crt -days 30
        issue_by() {
            openssl req $key -subj "/CN=$2" -addext "$4" -keyout "$1.key" -out "$1.csr"
            openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -days 20 -copy_extensions copy -out "$1.crt"
        }
        issue_by intermediate intermediate root basicConstraints=critical,CA:TRUE
        issue_by server localhost intermediate subjectAltName=DNS:localhost"#;
    vec![
        ends("cat server.crt intermediate.crt >fullchain.pem", "").before(INTERMEDIATE),
        serves("turnkey --cert fullchain.pem --key server.key")
            .ask("curl --cacert root.crt https://localhost:8000/", TOP),
        ends(
            "openssl verify -CAfile root.crt -untrusted fullchain.pem server.crt",
            "server.crt: OK",
        ),
        ends("echo 'subjectAltName = DNS:app.test, IP:192.168.1.20' >san.ext", ""),
        ends(
            "openssl x509 -req -in server.csr -CA certs/ca.crt -CAkey certs/ca.key -days 365 \
             -extfile san.ext -out server.crt",
            "",
        )
        .ask("openssl x509 -in server.crt -noout -ext subjectAltName", "[...]DNS:app.test[...]"),
        ends(
            "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost -keyout own.key -out own.crt",
            "",
        ),
        serves("turnkey --cert own.crt --key own.key").ask(OWN, TOP),
    ]
}

/// Files that are written again in another form.
fn conversions() -> Vec<Row> {
    const OLD: &str =
        "openssl pkcs12 -legacy -export -in certs/client.pem -passout pass:turnkey -out old.p12
        openssl pkcs8 -topk8 -in certs/client.key -passout pass:turnkey -out encrypted.key
        openssl x509 -in certs/ca.crt -outform DER -out ca.der
        openssl pkey -in certs/ca.key -outform DER -out ca.der.key";
    const IS_KEY: &str = "grep -c 'BEGIN PRIVATE KEY' plain.key; rm plain.key";
    vec![
        ends("openssl pkcs12 -legacy -in old.p12 -nodes -passin pass:turnkey -out both.pem", "")
            .before(OLD),
        ends(
            "openssl pkcs12 -export -in both.pem -passout pass:turnkey -out new.p12 && rm both.pem",
            "",
        )
        .ask("openssl pkcs12 -in new.p12 -passin pass:turnkey -noout", ""),
        ends("openssl x509 -inform DER -in ca.der -out ca.crt", "")
            .ask("cmp ca.crt certs/ca.crt; rm ca.crt", ""),
        ends(
            "openssl pkcs12 -in certs/server.p12 -passin pass:turnkey -cacerts -nokeys -out ca.crt",
            "",
        )
        .ask("grep -c 'BEGIN CERTIFICATE' ca.crt; rm ca.crt", "1"),
        ends("openssl pkey -in encrypted.key -passin pass:turnkey -out plain.key", "")
            .ask(IS_KEY, "1"),
        ends("openssl pkey -inform DER -in ca.der.key -out plain.key", "").ask(IS_KEY, "1"),
        ends("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out new.key", ""),
    ]
}

/// What shows what a file holds.
fn looks() -> Vec<Row> {
    vec![
        ends(
            "openssl x509 -in certs/server.crt -noout -issuer -dates -ext subjectAltName,extendedKeyUsage",
            "issuer=[...]CN = ca.localhost[...]notAfter=[...]DNS:localhost[...]Web Server Authentication",
        ),
        ends("openssl x509 -in certs/server.crt -noout -text", "Certificate:[...]"),
        ends("openssl x509 -in certs/server.crt -noout -pubkey", "-----BEGIN PUBLIC KEY-----"),
        ends("openssl x509 -in certs/server.crt -noout -ocsp_uri", ""),
        ends("openssl x509 -in certs/client.crt -noout -dates", "notBefore="),
        ends("openssl x509 -in certs/client.crt -noout -issuer", "issuer="),
        ends("openssl x509 -in certs/client.crt -noout -pubkey", "-----BEGIN PUBLIC KEY-----"),
        ends("openssl x509 -in certs/client.crt -noout -serial -issuer", "serial="),
        ends("openssl x509 -in certs/client.crt -noout -subject -ext subjectAltName", "subject="),
        ends("openssl x509 -in certs/ca.crt -noout -ext nameConstraints", ""),
        ends("openssl x509 -in certs/ca.crt -noout -pubkey", "-----BEGIN PUBLIC KEY-----"),
        ends("openssl pkey -in certs/server.key -pubout", "-----BEGIN PUBLIC KEY-----"),
        ends("openssl pkey -in certs/client.key -pubout", "-----BEGIN PUBLIC KEY-----"),
        ends("openssl pkey -in certs/server.key -noout -text", "Private-Key:"),
        ends("openssl pkey -in encrypted.key -noout -passin pass:turnkey", ""),
        ends("openssl pkcs12 -in certs/server.p12 -noout -passin pass:turnkey", ""),
        ends(
            "openssl verify -CAfile certs/ca.crt -purpose sslclient certs/client.crt",
            "certs/client.crt: OK",
        ),
        ends("openssl crl -in certs/ca.crl -noout -issuer -lastupdate -nextupdate", "issuer="),
        ends("openssl crl -in certs/ca.crl -noout -text", "Certificate Revocation List (CRL):"),
    ]
}

fn programs() -> Vec<Row> {
    vec![
        serves("turnkey --dir \"$PWD/public\"").ask("curl http://127.0.0.1:8000/a.txt", "A"),
        serves("turnkey --port 8443").ask("curl http://127.0.0.1:8443/", TOP),
        ends("turnkey check --port 8443", "[...]it would start"),
        ends("turnkey certs --help", "[...]--client[...]"),
        ends("turnkey certs --days 365", "[...]kept[...]"),
        ends("turnkey certs --host app.test", "[...]kept[...]"),
        // From here on there is another CA.
        ends("turnkey certs --force", "[...]replaced[...]")
            .before("rm -f certs/other.* certs/web.*"),
        tested("make deb: there is no cargo-deb", "Makefile", "make deb: there is no cargo-deb"),
    ]
}

fn names() -> impl Iterator<Item = Row> {
    let all = [
        "curl --cacert certs/ca.crt …",
        "curl --cert certs/client.pem",
        "curl --haproxy-protocol http://127.0.0.1:8000/",
        "curl --http2-prior-knowledge",
        "curl -H 'Expect:'",
        "keytool -importkeystore -srckeystore FILE -srcalias NAME -destkeystore NEW.p12 -deststoretype PKCS12",
        "keytool -importkeystore -srckeystore FILE.jks -destkeystore FILE.p12 -deststoretype PKCS12",
        "openssl ocsp -issuer ca.crt -cert server.crt -url URL -respout server.ocsp",
        "openssl ocsp -respin server.ocsp -text -noverify",
        "openssl pkcs12",
        "openssl pkcs12 -export",
        "openssl req -x509",
        "openssl s_client",
        "openssl s_client -connect localhost:8000",
        "openssl verify",
        "openssl x509 -req",
    ];
    all.into_iter().map(named)
}
