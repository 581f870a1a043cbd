//! The seed's own words: Django's admin under gunicorn, its setting, and the two directives for Apache
//! as they stand there. turnkey is between them, and in Apache's place.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Front;
use crate::apache::{Apache, documented, port};
use crate::support::documents::in_language;
use crate::support::programs::{Listen, Running, beside, directory, script};
use crate::support::{Server, python, run, table, tool};

table! {
    columns {
        over_http = Listen::Tcp;
        over_a_unix_socket = Listen::Unix;
    } rows {
        behind_apache_the_admin_stays_on_https
        in_the_place_of_apache_it_does_as_well
    }
}

const SETTING: &str = "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')";

const DIRECTIVES: &str = "\
# strip the X-Forwarded-Proto header from incoming requests
RequestHeader unset X-Forwarded-Proto

# set the header for requests using HTTPS
RequestHeader set X-Forwarded-Proto https env=HTTPS
";

const PASSWORD: &str = "correct horse battery staple";
const WENT_WELL: &str = "asked to log in\nrefused\nlogged in\nadded\nsent on\nlogged out\n";

/// What a client writes to be taken for one that came by https, or by http.
const CLAIMS: [&str; 7] = [
    "X-Forwarded-Proto: SCHEME",
    "x-forwarded-PROTO: SCHEME, SCHEME",
    "X_Forwarded_Proto: SCHEME",
    "X.Forwarded.Proto: SCHEME",
    "X-Forwarded-Protocol: SCHEME",
    "X-Forwarded-Scheme: SCHEME",
    "X-Forwarded-Ssl: SWITCH",
];

/// Each claim, and all of them, as curl takes them.
fn claims(scheme: &str) -> Vec<Vec<String>> {
    let switch = if scheme == "https" { "on" } else { "off" };
    let said = |claim: &str| claim.replace("SCHEME", scheme).replace("SWITCH", switch);
    let option = |claim: &&str| vec!["-H".to_owned(), said(claim)];
    let mut all: Vec<_> = CLAIMS.iter().map(option).collect();
    all.push(all.concat());
    all.push(Vec::new());
    all
}

/// The project `mysite`, made as Django's tutorial does, under gunicorn.
struct Site {
    gunicorn: Running,
    url: String,
}

impl Site {
    fn start(listen: Listen) -> Self {
        let dir = directory();
        let folder = dir.path();
        manage(folder, &["-m", "django", "startproject", "mysite", "."]);
        let settings = folder.join("mysite/settings.py");
        let made = fs::read_to_string(&settings).unwrap();
        let shown = in_language("python").into_iter().map(|block| block.lines.join("\n"));
        let shown = shown.collect::<Vec<_>>().join("\n");
        assert!(shown.lines().any(|line| line == SETTING), "{shown}");
        fs::write(settings, format!("{made}\n{shown}\nROOT_URLCONF = 'site_views'\n")).unwrap();
        fs::copy(beside("site_views.py"), folder.join("site_views.py")).unwrap();
        manage(folder, &["manage.py", "migrate"]);
        let admin = ["--username", "admin", "--email", "admin@example.test"];
        manage(folder, &[&["manage.py", "createsuperuser", "--noinput"], &admin[..]].concat());

        let bind = match listen {
            Listen::Tcp => "127.0.0.1:0".to_owned(),
            Listen::Unix => format!("unix:{}/socket", folder.display()),
        };
        let mut command = python_in(folder);
        command.args(["-m", "gunicorn"]).args(
            documented_options()
                .iter()
                .map(|option| if option.starts_with("unix:") { bind.as_str() } else { option }),
        );
        // Else each instance of one user's makes the same socket.
        command.env("GUNICORN_CMD_ARGS", "--no-control-socket");
        let mut gunicorn = Running::start(command, dir);
        let url = gunicorn.word_after("Listening at: ");
        Self { gunicorn, url }
    }
}

/// gunicorn's options in docs/GUIDE.md.
fn documented_options() -> Vec<&'static str> {
    let lines = in_language("sh").into_iter().flat_map(|block| block.lines);
    let mut commands = lines.filter_map(|line| line.strip_prefix("gunicorn "));
    let options = commands.next().expect("docs/GUIDE.md says how to start gunicorn");
    options.split_whitespace().collect()
}

/// Not in isolation: it looks for modules where it is.
fn python_in(folder: &Path) -> Command {
    let mut command = tool(&python().get_program().to_string_lossy());
    command.current_dir(folder).env("DJANGO_SUPERUSER_PASSWORD", PASSWORD);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[track_caller]
fn manage(folder: &Path, args: &[&str]) {
    let mut command = python_in(folder);
    command.args(args);
    let output = run(command, b"", Duration::from_secs(60));
    assert_eq!(output.code, Some(0), "{args:?}: {output:?}");
}

fn behind_apache_the_admin_stays_on_https(listen: Listen) {
    let site = Site::start(listen);
    let turnkey = Server::with(&["--trust-proxy", "127.0.0.1", "--proxy", &site.url]);
    // The seed says nothing of the host, which Django needs for its forms.
    let of_seed = format!("{DIRECTIVES}ProxyPreserveHost On\n");
    for rules in [of_seed, documented()] {
        let apache = Apache::before(&turnkey.url, &rules);
        let url = format!("https://localhost:{}/", port("https"));
        let args = [&*url, PASSWORD, &apache.pki.ca_file];
        let said = script("with_admin.py", &args, &[("CONNECT_TO", &apache.address)]);
        assert_eq!(said, WENT_WELL, "{rules}{}{}", turnkey.log(), site.gunicorn.log());

        for (scheme, other) in [("http", "https"), ("https", "http")] {
            for claims in claims(other) {
                let options: Vec<_> = claims.iter().map(String::as_str).collect();
                let seen = apache.fetch(scheme, "/seen", &options);
                assert_eq!(seen["secure"], scheme == "https", "{scheme} with {claims:?}: {seen}");
                let url = format!("{scheme}://localhost:{}/seen", port(scheme));
                assert_eq!(seen["url"], url, "{scheme} with {claims:?}");
                assert_eq!(seen["meta"]["HTTP_X_FORWARDED_PROTO"], scheme, "{seen}");
            }
        }
    }
}

fn in_the_place_of_apache_it_does_as_well(listen: Listen) {
    let site = Site::start(listen);
    for (mode, other) in [("https", "http"), ("http", "https")] {
        let front = Front::start(mode, &site.url, &[]);
        if mode == "https" {
            let args = [&*front.url(), PASSWORD, &front.pki.ca_file];
            let said = script("with_admin.py", &args, &[]);
            assert_eq!(said, WENT_WELL, "{}{}", front.server.log(), site.gunicorn.log());
        }
        for claims in claims(other) {
            let options: Vec<_> = claims.iter().map(String::as_str).collect();
            let seen = front.curl().and(&options).fetch(&format!("{}seen", front.url())).json();
            assert_eq!(seen["secure"], mode == "https", "{mode} with {claims:?}: {seen}");
            assert_eq!(seen["url"], format!("{}seen", front.url()), "{mode} with {claims:?}");
        }
    }
}
