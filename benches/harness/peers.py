"""turnkey and its peers, each as a server that is ready to be started."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .process import SERVER_CPUS, InMemory, Server, free_port

BODY = "Top-level content"

# nginx with what native-tls has OpenSSL do, and lets nobody change: its order of ciphers, and a cache of
# sessions beside the tickets.
NGINX_AS_NATIVE_TLS = "nginx, set up as native-tls is"
AS_NATIVE_TLS = [
    "ssl_protocols TLSv1.2;",
    "ssl_prefer_server_ciphers on;",
    "ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256;",
    "ssl_session_cache builtin:20480;",
]


class Bench:
    """What all servers are made of: programs, certificates, a folder for configurations."""

    def __init__(self, turnkey, programs, folder, venv):
        self.turnkey_program = turnkey
        self.programs = Path(programs)
        self.folder = Path(folder)
        self.venv = Path(venv)
        self.load = str(self.programs / "turnkey-load")
        # One folder for each type of key.
        self.certs = {}
        for key_type in ("p256", "rsa4096"):
            out = self.folder / key_type
            run([turnkey, "certs", "--out", out, "--key-type", key_type])
            self.certs[key_type] = out

    def has(self, program):
        return find(program) is not None

    def chain_and_key(self, key_type="p256"):
        out = self.certs[key_type]
        return str(out / "server_chain.pem"), str(out / "server.key")

    def client(self):
        """Options of the load for a client with a certificate."""
        out = self.certs["p256"]
        return ["--cert", str(out / "client.crt"), "--key", str(out / "client.key")]

    def server(self, name, argv, port, env=None, cpus=SERVER_CPUS):
        return Server(name, argv, port, env, cpus, self.folder / "servers.log")

    def ticket_keys(self):
        """A file for `--ticket-keys`."""
        file = self.folder / "ticket.keys"
        if not file.exists():
            file.write_bytes(os.urandom(80))
            file.chmod(0o600)
        return str(file)

    def turnkey_processes(self, count, *options, **more):
        """So many processes of turnkey on one port, each with one thread and a listener of its own."""
        server = self.turnkey(*options, **more)
        prefork = [sys.executable, str(Path(__file__).parent / "prefork.py")]
        server.argv = [*prefork, str(count), str(server.port), *server.argv]
        return server

    def turnkey(self, *options, backend=None, mutual=False, key_type="p256", **more):
        port = free_port()
        argv = [self.turnkey_program, "--port", str(port)]
        if "--threads" not in options:
            argv += ["--threads", "1"]
        if backend:
            chain, key = self.chain_and_key(key_type)
            argv += ["--backend", backend, "--cert", chain, "--key", key]
        if mutual:
            argv += ["--client-ca", str(self.certs["p256"] / "ca.crt")]
        # Nobody else writes an access log either.
        env = {"RUST_LOG": "info,turnkey::access=off"}
        return self.server("turnkey", argv + list(options), port, env, **more)

    def nginx(
        self,
        location=f'return 200 "{BODY}";',
        tls=(),
        http="",
        host="127.0.0.1",
        connections=8192,
        **more,
    ):
        """nginx with one worker. `tls`: directives beside those of the identity; None: no TLS."""
        port = free_port()
        lines = []
        if tls is not None:
            chain, key = self.chain_and_key()
            lines = [f"ssl_certificate {chain};", f"ssl_certificate_key {key};", *tls]
            # Older ones offer no 1.3 of their own accord.
            if not any(line.startswith("ssl_protocols") for line in lines):
                lines.append("ssl_protocols TLSv1.2 TLSv1.3;")
        config = f"""
            user root;
            daemon off;
            worker_processes 1;
            worker_rlimit_nofile {2 * connections};
            pid {self.folder}/nginx-{port}.pid;
            error_log stderr;
            events {{ worker_connections {connections}; }}
            http {{
                access_log off;
                keepalive_requests 1000000000;
                keepalive_timeout 600s;
                default_type text/plain;
                sendfile on;
                {http}
                server {{
                    listen {host}:{port} {"ssl" if lines else ""} backlog=4096;
                    {" ".join(lines)}
                    location / {{ {location} }}
                }}
            }}
        """
        file = self.folder / f"nginx-{port}.conf"
        file.write_text(config)
        argv = [find("nginx"), "-e", "stderr", "-c", str(file), "-p", str(self.folder)]
        return self.server("nginx", argv, port, **more)

    def peer(self, name, *words, tls=False, env=None, **more):
        """One of the small programs in benches/peers."""
        port = free_port()
        argv = [str(self.programs / f"peer-{name}"), str(port), *words]
        argv += self.chain_and_key() if tls else []
        return self.server(name, argv, port, env, **more)

    def hyper(self, tls=False, **more):
        return self.peer("hyper", tls=tls, **more)

    def trillium(self, tls=False, **more):
        # As many threads as the others have.
        env = {"ASYNC_GLOBAL_EXECUTOR_THREADS": "1"}
        return self.peer("trillium", tls=tls, env=env, **more)

    def floor(self, backend=None, **more):
        """What async-h1 and http-types take alone, in the clear or on one of turnkey's backends."""
        words = [backend] if backend else []
        return self.peer("floor", *words, tls=bool(backend), **more)

    def reactor(self, which, **more):
        """Fixed bytes for each request, on `turnkey`'s reactor or on `smol`'s."""
        return self.peer("reactor", which, **more)

    def rustls(self, version, group):
        """Handshakes of rustls in memory, without a server."""
        chain, key = self.chain_and_key()
        return InMemory([str(self.programs / "peer-rustls"), version, group, chain, key])

    def native_tls(self, **more):
        """What native-tls takes alone, one connection after the other."""
        return self.peer("native-tls", tls=True, **more)

    def async_h1(self, **more):
        return self.peer("async-h1", env={"SMOL_THREADS": "1"}, **more)

    def gunicorn(self):
        port = free_port()
        (self.folder / "app.py").write_text(
            "def app(environ, start_response):\n"
            f"    start_response('200 OK', [('Content-Length', '{len(BODY)}')])\n"
            f"    return [b'{BODY}']\n"
        )
        argv = [str(self.venv / "bin/gunicorn"), "app:app", "--chdir", str(self.folder)]
        # Its workers that keep connections are those with threads.
        argv += ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4"]
        argv += ["--worker-connections", "1000", "--keep-alive", "60"]
        return self.server("gunicorn", argv, port)

    def has_gunicorn(self):
        return (self.venv / "bin/gunicorn").exists()

    def apache(self):
        port = free_port()
        root = self.folder / "apache"
        root.mkdir(exist_ok=True)
        (root / "index.html").write_text(BODY)
        # Where Debian has them.
        where = "/usr/lib/apache2/modules"
        names = ["mpm_event", "authz_core", "dir"]
        load = "\n".join(f"LoadModule {n}_module {where}/mod_{n}.so" for n in names)
        file = self.folder / f"apache-{port}.conf"
        file.write_text(f"""
            ServerRoot {root}
            ServerName localhost
            {load}
            Listen 127.0.0.1:{port}
            PidFile {root}/pid-{port}
            ErrorLog {root}/log
            DocumentRoot {root}
            DirectoryIndex index.html
            StartServers 1
            ServerLimit 1
            ThreadLimit 256
            ThreadsPerChild 256
            MaxRequestWorkers 256
            KeepAlive On
            KeepAliveTimeout 60
            MaxKeepAliveRequests 0
            User nobody
            Group nogroup
        """)
        argv = [find("apache2"), "-DFOREGROUND", "-f", str(file)]
        return self.server("Apache", argv, port)

    def h2o(self, tls=False):
        """h2o with one thread, which sends a file: fixed text takes its mruby."""
        port = free_port()
        root = self.folder / "h2o"
        root.mkdir(exist_ok=True)
        (root / "index.html").write_text(BODY)
        chain, key = self.chain_and_key()
        identity = f", ssl: {{ certificate-file: {chain}, key-file: {key} }}" if tls else ""
        file = self.folder / f"h2o-{port}.conf"
        file.write_text(f"""
user: root
num-threads: 1
max-connections: 8192
http1-request-timeout: 600
pid-file: {root}/pid-{port}
error-log: {root}/log
listen: {{ host: 127.0.0.1, port: {port}{identity} }}
hosts:
  default:
    paths:
      /:
        file.dir: {root}
""")
        return self.server("h2o", [find("h2o"), "-c", str(file)], port)

    def haproxy(self, upstream):
        port = free_port()
        file = self.folder / f"haproxy-{port}.conf"
        file.write_text(f"""
global
    nbthread 1
defaults
    mode http
    option forwardfor
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    http-reuse always
    server one 127.0.0.1:{upstream.port}
""")
        return self.server("HAProxy", [find("haproxy"), "-f", str(file)], port)

    def caddy(self, upstream):
        port = free_port()
        file = self.folder / f"Caddyfile-{port}"
        file.write_text(
            "{\n admin off\n auto_https off\n}\n"
            f"http://127.0.0.1:{port} {{\n reverse_proxy 127.0.0.1:{upstream.port}\n}}\n"
        )
        argv = [find("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
        return self.server("Caddy", argv, port, {"GOMAXPROCS": "1", "HOME": str(self.folder)})

    def nginx_proxy(self, upstream):
        location = (
            "proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection '';"
            "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;"
            "proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;"
        )
        up = f"upstream up {{ server 127.0.0.1:{upstream.port}; keepalive 64;"
        up += " keepalive_requests 1000000000; }"
        return self.nginx(location, tls=None, http=up)


def versions(bench):
    """What was measured, by name."""
    crates = run(["cargo", "metadata", "--format-version", "1", "--manifest-path",
                  str(Path(__file__).parents[1] / "Cargo.toml")])
    found = {"turnkey": run([bench.turnkey_program, "--version"]).split("\n")[0].split()[1]}
    found["nginx"] = re.search(r"nginx/(\S+)", run([find("nginx"), "-v"], err=True))[1]
    for name in ("hyper", "trillium", "async-h1"):
        found[name] = re.search(rf'"name":"{name}","version":"([^"]+)"', crates)[1]
    if bench.has_gunicorn():
        found["gunicorn"] = run([str(bench.venv / "bin/gunicorn"), "--version"]).split()[-1].strip("()")
    if find("apache2"):
        found["Apache"] = re.search(r"Apache/(\S+)", run([find("apache2"), "-v"]))[1]
    if find("h2o"):
        found["h2o"] = re.search(r"h2o version (\S+)", run([find("h2o"), "-v"]))[1]
    if find("haproxy"):
        found["HAProxy"] = re.search(r"version (\S+)", run([find("haproxy"), "-v"]))[1]
    if find("caddy"):
        found["Caddy"] = run([find("caddy"), "version"]).split()[0].lstrip("v")
    found["OpenSSL"] = run(["openssl", "version"]).split()[1]
    found["wrk"] = re.search(r"wrk (?:debian/)?(\S+)", run(["wrk", "-v"], any_code=True))[1]
    found["rustc"] = run(["rustc", "--version"]).split()[1]
    found["Python"] = sys.version.split()[0]
    return found


def find(program):
    """Where a program is; servers are not on everybody's PATH."""
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def run(argv, err=False, any_code=False):
    """What a program prints."""
    argv = [find(str(argv[0])) or str(argv[0]), *map(str, argv[1:])]
    to = subprocess.STDOUT if err else subprocess.PIPE
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=to, text=True)
    if done.returncode != 0 and not any_code:
        raise RuntimeError(f"{argv}: {done.stdout}")
    return done.stdout
