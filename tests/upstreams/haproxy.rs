//! HAProxy before three instances, configured by `packaging/haproxy.cfg`, and their restarts.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::programs::{Running, directory, own_address, system_server};
use crate::support::{Client, Conn, Dialer, GET, Pki, Program, Raise, Server, report, table};

table! {
    columns {
        https = "https";
        mutual = "mutual";
    } rows {
        a_rolling_restart_loses_no_request
    }
}

const INSTANCES: [(&str, u16); 3] = [("one", 8441), ("two", 8442), ("three", 8443)];
/// Clients under way at any time.
const CLIENTS: usize = 6;
/// How long there is load before, between and after the restarts.
const PHASE: Duration = Duration::from_millis(300);

struct Site {
    haproxy: Running,
    address: String,
    pki: Pki,
    mode: &'static str,
}

impl Site {
    /// HAProxy at `:443` of an address of its own, the instances at the ports that its file names.
    fn start(mode: &'static str, pki: Pki, address: String) -> Self {
        let dir = directory();
        let file = dir.path().join("haproxy.cfg");
        let socket = dir.path().join("haproxy.sock");
        let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/haproxy.cfg");
        let mut config = fs::read_to_string(documented).expect("the documented example");
        let mut put = |here: &str, there: &str| {
            assert!(config.contains(here), "no {here} in {documented}");
            config = config.replace(here, there);
        };
        put("bind :443\n", &format!("bind {address}:443\n"));
        put(
            "stats socket /run/haproxy/turnkey.sock",
            &format!("stats socket {}", socket.display()),
        );
        put("ca-file /etc/turnkey/ca.crt", &format!("ca-file {}", pki.ca_file));
        if mode == "mutual" {
            // As the file says.
            put("check-ssl", &format!("check-ssl crt {}", pki.client.both));
        }
        for (name, port) in INSTANCES {
            let line = |address: &str| format!("server {name:<5} {address}:{port}\n");
            put(&line("127.0.0.1"), &line(&address));
        }
        fs::write(&file, config).expect("a file");
        let mut command = system_server("haproxy");
        // In the foreground.
        command.args(["-db", "-f"]).arg(&file);
        let mut haproxy = Running::start(command, dir);
        haproxy.until_ready(|dir| admin(dir, "show stat").is_ok());
        // It is as strict as a linter about its file, and goes on all the same.
        assert_eq!(haproxy.log().matches("config :").count(), 0, "{}", haproxy.log());
        let site = Self { haproxy, address, pki, mode };
        for (name, _) in INSTANCES {
            // Until its first check an instance is taken to be well.
            site.await_check(name, "UP", "L7OK");
        }
        site
    }

    /// What HAProxy says to a command.
    fn tell(&self, command: &str) -> String {
        admin(self.haproxy.dir.path(), command).expect("HAProxy answers")
    }

    /// What HAProxy knows of the instance.
    fn stat(&self, instance: &str) -> HashMap<String, String> {
        let all = self.tell("show stat");
        let mut lines = all.lines().map(|line| line.trim_start_matches("# ").split(','));
        let names: Vec<_> = lines.next().unwrap().collect();
        let of_it = lines.find(|fields| fields.clone().take(2).eq(["turnkey", instance]));
        let fields = of_it.unwrap_or_else(|| panic!("no {instance} in {all}"));
        names.into_iter().map(str::to_owned).zip(fields.map(str::to_owned)).collect()
    }

    fn sessions(&self, instance: &str) -> u32 {
        self.stat(instance)["stot"].parse().unwrap()
    }

    /// Waits until HAProxy says this of its state, and of the last check.
    fn await_check(&self, instance: &str, state: &str, check: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let stat = self.stat(instance);
            if stat["status"] == state && stat["check_status"] == check {
                return;
            }
            assert!(Instant::now() < end, "{instance}: {stat:?}; {}", self.haproxy.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let tcp = TcpStream::connect((&*self.address, 443))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(tcp)
    }
}

fn admin(dir: &Path, command: &str) -> io::Result<String> {
    let mut socket = UnixStream::connect(dir.join("haproxy.sock"))?;
    writeln!(socket, "{command}")?;
    socket.shutdown(Shutdown::Write)?;
    let mut said = String::new();
    socket.read_to_string(&mut said)?;
    Ok(said)
}

fn a_rolling_restart_loses_no_request(mode: &'static str) {
    let (pki, address) = (Pki::new(), own_address());
    let mut servers = INSTANCES.map(|(_, port)| instance(mode, &pki, &address, port));
    let site = Site::start(mode, pki, address);
    assert_says_who_the_client_is(&site);

    let counts = Counts::default();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for n in 0..CLIENTS {
            let (site, counts, over) = (&site, &counts, &over);
            // Some use connections again, some do not.
            scope.spawn(move || ask(site, n % 2 == 0, counts, over));
        }
        let _over = Raise(&over);
        thread::sleep(PHASE);
        for ((name, port), server) in INSTANCES.iter().zip(&mut servers) {
            assert!(site.sessions(name) > 0, "{name} has had nothing to do");
            server.signal("TERM");
            // It hears of it from the instance itself, which serves on meanwhile.
            site.await_check(name, "DOWN", "L7STS");
            assert_eq!(site.stat(name)["check_code"], "503");
            let before = site.sessions(name);
            server.assert_alive();
            assert_eq!(server.wait().code(), Some(0), "{}", server.log());
            assert_eq!(site.sessions(name), before, "{name} was sent somebody on its way out");
            thread::sleep(PHASE);
            *server = instance(mode, &site.pki, &site.address, *port);
            site.await_check(name, "UP", "L7OK");
            let before = site.sessions(name);
            thread::sleep(PHASE);
            assert!(site.sessions(name) > before, "{name} takes no part again");
        }
    });
    report(mode, &format!("{counts:?}"));
    assert!(counts.answered.load(Ordering::SeqCst) > 500, "{counts:?}");
    assert_eq!(counts.lost.into_inner().unwrap(), [""; 0]);
}

/// As the documented file says to start it.
fn instance(mode: &str, pki: &Pki, address: &str, port: u16) -> Server {
    let port = port.to_string();
    let identity = if mode == "mutual" { pki.mutual_args() } else { pki.server_args().to_vec() };
    let documented = ["--proxy-protocol", "--trust-proxy", "127.0.0.1", "--health", "/healthz"];
    let delay = ["--drain-delay", "3"];
    let place = ["--host", address, "--port", &port];
    Program::new(&[&place, &identity[..], &documented, &delay].concat()).start()
}

/// The client at an address that is not HAProxy's, over its own TLS.
fn assert_says_who_the_client_is(site: &Site) {
    let to = format!("localhost:443:{}:443", site.address);
    let curl = Client::new(&["--connect-to", &to, "--cacert", &site.pki.ca_file]);
    let curl = curl.and(&["-E", &site.pki.client.both, "--interface", "127.0.0.2"]);
    let forged = ["-H", "X-Forwarded-For: 192.0.2.66", "-H", "X-Forwarded-Proto: http"];
    let said = curl.and(&forged).fetch("https://localhost/whoami").json();
    let told = [&said["client"], &said["scheme"], &said["mode"]];
    assert_eq!(told, ["127.0.0.2", "https", site.mode], "{said}");
    assert!(said["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{said}");
}

/// What became of the requests.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicUsize,
    /// The connection had served before, and ended just when it was used again: a client tries
    /// once more (RFC 9112 §9.3.1), and that counts as any other request does.
    overtaken: AtomicUsize,
    /// All else, which must not happen.
    lost: Mutex<Vec<String>>,
}

/// Makes requests until it is `over`.
fn ask(site: &Site, keep_alive: bool, counts: &Counts, over: &AtomicBool) {
    let dialer = match site.mode {
        "mutual" => Dialer::mutual(443, &site.pki.ca_file, &site.pki.client),
        _ => Dialer::tls(443, &site.pki.ca_file),
    };
    let mut kept: Option<Conn> = None;
    while !over.load(Ordering::SeqCst) {
        let used_before = kept.is_some();
        let conn =
            kept.take().map_or_else(|| site.connect().and_then(|tcp| dialer.speak_over(tcp)), Ok);
        let asked =
            conn.and_then(|mut conn| match conn.send(GET).and_then(|()| conn.try_response()) {
                Ok(answer) => Ok((conn, answer)),
                Err(_) if used_before && conn.ahead().is_empty() => {
                    Err(io::ErrorKind::Interrupted.into())
                }
                Err(error) => Err(error),
            });
        match asked {
            Ok((conn, answer)) => {
                answer.assert_top_level();
                counts.answered.fetch_add(1, Ordering::SeqCst);
                if keep_alive && !answer.has("connection: close") {
                    kept = Some(conn);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                counts.overtaken.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => counts.lost.lock().unwrap().push(error.to_string()),
        }
        thread::sleep(Duration::from_millis(2));
    }
}
