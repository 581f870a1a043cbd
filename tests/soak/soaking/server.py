"""One turnkey: what it is to serve, its files, its process, its log."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .log import Log
from .target import Target
from .upstreams import port, wait_for

# Short, so that whoever is beyond them finds out while the soak runs.
HANDSHAKE_TIMEOUT = HEAD_TIMEOUT = BODY_TIMEOUT = PROXY_TIMEOUT = 3
WRITE_TIMEOUT = 4
IDLE_TIMEOUT = 6
DRAIN_TIMEOUT = 10
MAX_BODY = 4 << 20


@dataclass
class Spec:
    """What a server is to be."""

    name: str
    mode: str
    backend: str
    # app, dir or proxy.
    content: str
    upstreams: tuple = ()
    log_format: str = "text"
    # Its identity is one file of PKCS#12, not two of PEM.
    pkcs12: bool = False
    crl: bool = False
    # Client certificates are asked for, and not required.
    optional: bool = False
    redirect: bool = False
    metrics: bool = False
    # A Unix socket beside the port, whose clients begin with a PROXY header.
    unix: bool = False
    options: tuple = field(default=())


class Server:
    def __init__(self, spec, turnkey, pki, folder, pages):
        self.spec = spec
        self.name = spec.name
        self.tls = spec.mode != "http"
        self.files = Path(folder) / spec.name.replace(" ", "-")
        self.files.mkdir()
        self.port = port()
        self.redirect_port = port() if spec.redirect else None
        self.metrics_port = port() if spec.metrics else None
        self.socket = self.files / "socket" if spec.unix else None
        self.upstream_ca = self.files / "upstream-ca.crt"
        self.crl = self.files / "clients.crl"
        self.argv = [str(word) for word in self.words(turnkey, pki, pages)]
        self.target = Target(self, pki)
        # Whether the wavering client is to be let in; None while its list is replaced.
        self.standing = True
        self.process = self.log = self.exit = None

    def words(self, turnkey, pki, pages):
        """The command line, with the files that it names put where it says."""
        spec = self.spec
        yield from (turnkey, "--mode", spec.mode, "--listen", f"127.0.0.1:{self.port}")
        yield from ("--log-format", spec.log_format, "--max-body", MAX_BODY)
        yield from ("--handshake-timeout", HANDSHAKE_TIMEOUT, "--head-timeout", HEAD_TIMEOUT)
        yield from ("--body-timeout", BODY_TIMEOUT, "--write-timeout", WRITE_TIMEOUT)
        yield from ("--idle-timeout", IDLE_TIMEOUT, "--drain-timeout", DRAIN_TIMEOUT)
        if self.tls:
            yield from ("--backend", spec.backend)
            yield from self.identity(pki)
        if spec.mode == "mutual":
            shutil.copy(pki.ca, self.files / "ca.crt")
            yield from ("--client-ca", self.files / "ca.crt")
            yield from ("--client-verify", "optional" if spec.optional else "required")
        if spec.crl:
            shutil.copy(pki.usual_crl, self.crl)
            yield from ("--client-crl", self.crl)
        if spec.content == "dir":
            yield from ("--dir", pages, "--listing")
        for upstream in spec.upstreams:
            yield from ("--proxy", upstream.url)
        if spec.upstreams:
            yield from ("--proxy-timeout", PROXY_TIMEOUT)
        if any(upstream.identity for upstream in spec.upstreams):
            shutil.copy(pki.ca, self.upstream_ca)
            yield from ("--upstream-ca", self.upstream_ca)
        if spec.redirect:
            yield from ("--redirect-from", self.redirect_port)
        if spec.metrics:
            yield from ("--metrics", f"127.0.0.1:{self.metrics_port}")
        if spec.unix:
            yield from ("--listen", f"unix:{self.socket}")
            yield from ("--trust-proxy", "unix", "--proxy-protocol")
        yield from spec.options

    def identity(self, pki):
        self.install(pki.ours)
        if self.spec.pkcs12:
            return ["--identity", self.files / "server.p12"]
        chain, key = (self.files / name for name in self.identity_files)
        return ["--cert", chain, "--key", key]

    @property
    def identity_files(self):
        return ["server.p12"] if self.spec.pkcs12 else ["server_chain.pem", "server.key"]

    def install(self, folder):
        """Puts the identity in `folder` where this server reads its own."""
        for name in self.identity_files:
            replace(self.files / name, (folder / name).read_bytes())

    def start(self, ledger):
        env = {**os.environ, "TURNKEY_KEY_PASSWORD": "turnkey", "RUST_LOG": "info"}
        # In a group of its own: an interrupt is for the soak, which then stops it in good order.
        self.process = subprocess.Popen(
            self.argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
        )
        self.log = Log(self, ledger)
        wait_for(self.port, self.process, self.name)

    def stop(self):
        """Has it drain and leave; its exit code is None if it had to be killed."""
        self.process.terminate()
        try:
            self.exit = self.process.wait(DRAIN_TIMEOUT + 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.join()


def replace(path, data):
    """Writes beside, then moves: nobody reads half of it."""
    beside = path.with_name(f"{path.name}.new")
    beside.touch(mode=0o600)
    beside.write_bytes(data)
    beside.replace(path)
