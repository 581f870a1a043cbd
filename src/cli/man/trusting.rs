//! How clients can trust the CA of `turnkey certs`: a short form of `certs/README.md`.

use super::roff::Page;

/// A kind of client or system, and the commands for it.
const CLIENTS: [(&str, &[&str]); 8] = [
    ("curl", &["curl --cacert certs/ca.crt https://localhost:8000/"]),
    ("Python, with requests", &["REQUESTS_CA_BUNDLE=certs/ca.crt python3 app.py"]),
    ("Node", &["NODE_EXTRA_CA_CERTS=certs/ca.crt node app.js"]),
    (
        "Chromium on Linux (certutil is in libnss3-tools or nss-tools)",
        &[
            "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n turnkey -i certs/ca.crt",
            "pk12util -d sql:$HOME/.pki/nssdb -i certs/client.p12 -W turnkey",
        ],
    ),
    (
        "All of Debian, Ubuntu or Alpine",
        &[
            "sudo cp certs/ca.crt /usr/local/share/ca-certificates/turnkey.crt",
            "sudo update-ca-certificates",
        ],
    ),
    (
        "All of Fedora or RHEL",
        &[
            "sudo cp certs/ca.crt /etc/pki/ca-trust/source/anchors/turnkey.crt",
            "sudo update-ca-trust",
        ],
    ),
    (
        "All of macOS",
        &[
            "sudo security add-trusted-cert -d -r trustRoot \\",
            "    -k /Library/Keychains/System.keychain certs/ca.crt",
        ],
    ),
    ("All of Windows, as administrator", &[r"certutil -addstore Root certs\ca.crt"]),
];

pub(super) fn section(page: &mut Page) {
    page.section("TRUSTING THE CA");
    page.text(
        "turnkey certs makes a CA of your own: whoever trusts certs/ca.crt trusts the server and the \
         clients that it issued certificates for. Clients get that file and nothing else of the CA. \
         Whoever has ca.key can pose as any site to all who trust the CA, so keep it to yourself, and \
         remove the CA from the stores again when it is no longer needed.",
    );
    for (client, commands) in CLIENTS {
        page.paragraph(&format!("{client}:"));
        page.example(commands.iter().copied());
    }
    page.paragraph(
        "Firefox: Settings, Privacy & Security, View Certificates: import ca.crt under Authorities, and \
         client.p12 (its password is \"turnkey\") under Your Certificates.",
    );
    page.paragraph(
        "Firefox, Node and Java have stores of their own, whatever the system trusts. The whole guide, \
         with Java, renewal and each step by hand, is CERTIFICATES.md in the documents of the program: \
         /usr/share/doc/turnkey, or /usr/local/share/doc/turnkey.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_the_same_commands() {
        let guide = include_str!("../../../certs/README.md");
        for (client, commands) in CLIENTS {
            let commands = commands.join("\n").replace("\\\n    ", "");
            for command in commands.lines() {
                assert!(guide.contains(command), "{client}: {command}");
            }
        }
    }
}
