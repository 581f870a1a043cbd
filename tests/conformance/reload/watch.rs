//! Files whose change is noticed without a word, however it is made.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::mutual::assert_served_as;
use crate::sni::shown;
use crate::standing::assert_no_longer;
use crate::support::{Authority, Crl, Dialer, Files, Leaf, Pki, Profile, Server};
use crate::{Setup, at_once};

const SETUPS: [Setup; 3] = [Setup::NATIVE_TLS, Setup::RUSTLS_CLIENT_13, Setup::OPENSSL_CLIENT_13];

/// One of the two is written first, and together they make no sense for a while.
#[test]
fn written_in_place_one_after_the_other() {
    at_once(&SETUPS, |setup| {
        let site = Site::new(setup, |pki, state| {
            for (name, contents) in &state.files {
                pki.write(name, contents);
            }
        });
        let (cert, key) = (&site.next.files[0].1, &site.next.files[1].1);
        site.pki.write("tls.crt", cert);
        let line = site.server.logged(&["reloaded (a file changed)"]);
        assert!(line.starts_with("error: not reloaded"), "{line}");
        assert!(line.contains(&site.pki.path("tls.key")), "{line}");
        site.assert_serves(&site.first);

        let start = site.server.log_len();
        site.pki.write("tls.key", key);
        for (name, contents) in &site.next.files[2..] {
            site.pki.write(name, contents);
        }
        site.assert_changes(start);
    });
}

/// All files are links into a folder that is itself a link, which is replaced.
#[test]
fn linked_as_kubernetes_does() {
    at_once(&SETUPS, |setup| {
        let fill = |pki: &Pki, folder: &str, state: &State| {
            fs::create_dir(pki.path(folder)).unwrap();
            for (name, contents) in &state.files {
                pki.write(&format!("{folder}/{name}"), contents);
            }
        };
        let site = Site::new(setup, |pki, state| {
            fill(pki, "..2026_01", state);
            symlink("..2026_01", pki.path("..data")).unwrap();
            for (name, _) in &state.files {
                symlink(format!("..data/{name}"), pki.path(name)).unwrap();
            }
        });
        let start = site.server.log_len();
        fill(&site.pki, "..2026_02", &site.next);
        symlink("..2026_02", site.pki.path("..data_tmp")).unwrap();
        fs::rename(site.pki.path("..data_tmp"), site.pki.path("..data")).unwrap();
        fs::remove_dir_all(site.pki.path("..2026_01")).unwrap();
        site.assert_changes(start);
    });
}

/// Each file is a link to a numbered one, and replaced by one to the next number.
#[test]
fn linked_as_certbot_does() {
    at_once(&SETUPS, |setup| {
        let link = |pki: &Pki, number: u8, state: &State| {
            for (name, contents) in &state.files {
                pki.write(&format!("archive/{name}.{number}"), contents);
            }
            for (name, _) in &state.files {
                let live = PathBuf::from(pki.path(name));
                fs::remove_file(&live).ok();
                symlink(format!("archive/{name}.{number}"), live).unwrap();
            }
        };
        let site = Site::new(setup, |pki, state| {
            fs::create_dir(pki.path("archive")).unwrap();
            link(pki, 1, state);
        });
        let start = site.server.log_len();
        link(&site.pki, 2, &site.next);
        site.assert_changes(start);
    });
}

/// A server with one file of each kind that its backend can read, and what they are to hold next.
struct Site {
    setup: Setup,
    pki: Pki,
    server: Server,
    first: State,
    next: State,
}

/// What stands in the files for a while.
struct State {
    files: Vec<(&'static str, String)>,
    /// What the server is called.
    name: &'static str,
    good: Files,
    /// Whom the CA does not know, or has revoked.
    bad: [Files; 2],
}

impl Site {
    fn new(setup: Setup, put: impl FnOnce(&Pki, &State)) -> Self {
        let pki = Pki::new();
        let [old, new] = ["Old CA", "New CA"].map(Authority::root);
        let client = || Profile::client("client.localhost");
        let revoked: [Leaf; 2] = [&old, &new].map(|ca| ca.issue(&client()));
        let state = |name, ca: &Authority, revoked: &Leaf, other: &Authority| {
            let leaf = pki.ca.issue(&Profile::server(name));
            let mut files = vec![("tls.crt", leaf.cert), ("tls.key", leaf.key)];
            if setup.backend != "native-tls" {
                files.push(("clients.pem", ca.pem()));
                files.push(("clients.crl", Crl::of(&[revoked.serial]).pem(ca)));
            }
            let save = |what, leaf: &Leaf| pki.save(&format!("{name}-{what}"), leaf);
            State {
                files,
                name,
                good: save("good", &ca.issue(&client())),
                bad: [save("revoked", revoked), save("foreign", &other.issue(&client()))],
            }
        };
        let first = state("first", &old, &revoked[0], &new);
        let next = state("next", &new, &revoked[1], &old);
        put(&pki, &first);

        let path = |name| pki.path(name);
        let options = ["--cert", "--key", "--client-ca", "--client-crl"];
        let paths: Vec<_> = first.files.iter().map(|(name, _)| path(name)).collect();
        let args = options.iter().zip(&paths).flat_map(|(option, path)| [*option, path]);
        let server = setup.serve(&args.collect::<Vec<_>>());
        let site = Self { setup, pki, server, first, next };
        site.assert_serves(&site.first);
        site
    }

    /// From the first state to the next, without a word; what stands goes on where clients show no certificate.
    fn assert_changes(&self, start: usize) {
        let mut standing = self.dialer(&self.first).open();
        standing.get().assert_top_level();
        let line = self.server.logged_since(start, &["reloaded (a file changed)"]);
        assert!(line.starts_with("info: reloaded"), "{line}");
        self.assert_serves(&self.next);
        match self.setup.backend {
            "native-tls" => standing.get().assert_top_level(),
            _ => assert_no_longer(&mut standing, "no trusted CA issued it"),
        }
    }

    fn assert_serves(&self, state: &State) {
        assert_eq!(shown(self.setup, &self.server, None), state.name);
        if self.setup.backend == "native-tls" {
            self.setup.client(&self.pki).fetch(&self.server.url).assert_top_level();
            return;
        }
        assert_served_as(self.setup, &self.pki, &self.server, &state.good);
        for files in &state.bad {
            let client = self.setup.client(&self.pki).and(&["-E", &files.both]);
            client.fetch(&self.server.url).assert_refused();
        }
    }

    fn dialer(&self, state: &State) -> Dialer {
        match self.setup.backend {
            "native-tls" => Dialer::tls(self.server.port, &self.pki.ca_file),
            _ => Dialer::mutual(self.server.port, &self.pki.ca_file, &state.good),
        }
    }
}
