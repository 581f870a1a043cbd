//! Django under gunicorn: its admin, which once bounced from https to http after the login.

use serde_json::Value;

use crate::Front;
use crate::support::programs::{Listen, Running, directory, gunicorn, script};
use crate::support::{Client, openssl, table};

table! {
    columns {
        https = ("https", Listen::Tcp);
        mutual = ("mutual", Listen::Tcp);
        mutual_over_a_unix_socket = ("mutual", Listen::Unix);
    } rows {
        the_admin_stays_on_https
        a_chunked_upload_arrives_whole
    }
}

const PASSWORD: &str = "correct horse battery staple";

/// Django, gunicorn and turnkey, one before the other.
pub(crate) struct Site {
    pub(crate) front: Front,
    gunicorn: Running,
}

impl Site {
    pub(crate) fn start(mode: &'static str, listen: Listen) -> Self {
        Self::with(mode, listen, &[], &[])
    }

    pub(crate) fn with(
        mode: &'static str,
        listen: Listen,
        options: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let dir = directory();
        let database = dir.path().join("database").to_str().unwrap().to_owned();
        let secret = openssl(&["rand", "-hex", "32"]);
        let mut env = vec![
            ("SITE_DATABASE", &*database),
            ("SITE_SECRET", &secret),
            ("SITE_PASSWORD", PASSWORD),
        ];
        env.extend(settings);
        script("django_site.py", &[], &env);
        let (gunicorn, url) = gunicorn("django_site", listen, dir, &env);
        let front = Front::start(mode, &url, options);
        Self { front, gunicorn }
    }

    fn curl(&self) -> Client {
        self.front.curl()
    }

    /// What the app sees of a `GET` with these options of curl.
    #[track_caller]
    pub(crate) fn seen(&self, options: &[&str]) -> Value {
        let answer = self.curl().and(options).fetch(&format!("{}seen", self.front.url()));
        assert_eq!(
            answer.status,
            200,
            "{answer:?}; {}{}",
            self.front.server.log(),
            self.gunicorn.log()
        );
        answer.json()
    }
}

fn the_admin_stays_on_https((mode, listen): (&'static str, Listen)) {
    let site = Site::start(mode, listen);
    let url = site.front.url();
    let args = [&[url.as_str(), PASSWORD], &site.front.trust()[..]].concat();
    let said = script("with_admin.py", &args, &[]);
    assert_eq!(said, "asked to log in\nrefused\nlogged in\nadded\nsent on\nlogged out\n");
}

/// WSGI has no way to say that a body has no length: without ours, an app would read nothing.
fn a_chunked_upload_arrives_whole((mode, listen): (&'static str, Listen)) {
    let site = Site::start(mode, listen);
    // One that stays in memory, and ones that do not.
    for size in [0, 1, 60_000, 66_000, 3_000_000] {
        let body: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[n as usize % 3]).collect();
        let file = site.front.pki.write("upload.bin", &body);
        let digest = openssl(&["dgst", "-sha256", "-r", &file]);
        let digest = digest.split(' ').next().unwrap();

        // curl waits for the end of an empty file as if it were a pipe's.
        let source = if size == 0 { "-" } else { &file };
        let chunked = ["-H", "Transfer-Encoding: chunked"];
        let form = format!("file=@{file}");
        let ways = [
            vec!["-T", source, "-X", "POST"],
            vec!["-F", &form],
            vec!["-F", &form, "-H", "Expect: 100-continue"],
        ];
        for (n, way) in ways.into_iter().enumerate() {
            let curl = site.curl().and(&chunked).and(&way);
            let facts = curl.fetch(&format!("{}upload", site.front.url())).json();
            assert_eq!(facts["size"], size, "{way:?}: {facts}");
            assert_eq!(facts["sha256"], digest, "{way:?}: {facts}");
            assert_eq!(facts["coding"], Value::Null, "{facts}");
            let length: u32 = facts["length"].as_str().unwrap().parse().unwrap();
            assert!(length >= size, "{facts}");
            assert_eq!(facts["name"], if n == 0 { Value::Null } else { "upload.bin".into() });
        }
    }
}

/// The app is called by a name of its own, and knows the public one all the same.
#[test]
fn another_host_leaves_the_public_one_to_the_app() {
    let options = ["--upstream-host", "app.internal"];
    let site = Site::with("https", Listen::Tcp, &options, &[("SITE_FORWARDED_HOST", "1")]);
    let forged =
        ["-H", "X-Forwarded-Host: elsewhere.test", "-H", "X_Forwarded_Host: elsewhere.test"];
    for options in [&[][..], &forged] {
        let seen = site.seen(options);
        assert_eq!(seen["meta"]["HTTP_HOST"], "app.internal");
        assert_eq!(seen["host"], format!("localhost:{}", site.front.server.port));
        assert_eq!(seen["url"], format!("{}seen", site.front.url()));
    }
}
