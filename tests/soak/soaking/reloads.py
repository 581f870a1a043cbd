"""Files that are replaced while servers serve: by good ones, which are taken up, and by bad ones, of
which the log tells, while what was served before is served on."""

import signal
import subprocess
import time

from .http import Wrong
from .server import replace
from .worker import Worker

# A changed file is found by two looks, a second apart; reading and checking takes its time, too.
SOON = 10

RELOADED, NOT_RELOADED = r"reloaded \(", r"not reloaded \("


class Reloads(Worker):
    """Goes from server to server, and replaces something there each time."""

    patience = 120

    def __init__(self, servers, pki, ledger, dice):
        super().__init__()
        self.pki = pki
        self.ledger = ledger
        self.dice = dice
        self.jobs = [
            (server, job)
            for server in servers
            for job in [renew, *self.bad_ones(server), *self.trust(server)]
            if server.tls
        ]
        self.jobs += [(server, hang_up) for server in servers if not server.tls]

    @staticmethod
    def bad_ones(server):
        yield from (garbage, cut_off, missing, expired)
        if not server.spec.pkcs12:
            yield other_key

    @staticmethod
    def trust(server):
        if server.spec.crl:
            yield from (longer_list, bad_list)
        if server.upstream_ca.exists():
            yield from (foreign_upstream_ca, bad_upstream_ca)

    def work(self):
        while True:
            self.dice.shuffle(self.jobs)
            for server, job in self.jobs:
                if self.stopping.wait(self.dice.uniform(0.5, 2)):
                    return
                name = "reload: " + job.__name__.replace("_", " ")
                with self.ledger.during(name, server.name):
                    try:
                        job(self, server)
                    except (Wrong, OSError, RuntimeError) as error:
                        self.ledger.error(name, f"at {server.name}: {error}")

    def change(self, server, files, line=RELOADED):
        """Replaces files by these bytes, None for one that goes; waits for what the log says."""
        kind = "reload" if line == RELOADED else "bad reload"
        with self.ledger.during(kind, server.name):
            before = server.log.count(line)
            for path, data in files.items():
                path.unlink() if data is None else replace(path, data)
            if self.dice.random() < 0.5:
                server.process.send_signal(signal.SIGHUP)
            if not server.log.wait(line, before, SOON):
                raise Wrong(f"the log does not say {line!r} within {SOON} s")

    def keeps_serving(self, server, files):
        """Files that are no good change nothing for clients; good ones are taken up after them."""
        good = {path: path.read_bytes() for path in files}
        before = server.target.serial()
        try:
            self.change(server, files, NOT_RELOADED)
            time.sleep(1)
            if server.target.serial() != before:
                raise Wrong("a bad identity is served")
        finally:
            self.change(server, good)
        if server.target.serial() != before:
            raise Wrong("the identity is another one after it was put back")


# Identities.


def renew(reloads, server):
    fresh = reloads.pki.renew_server(reloads.dice.choice(["p256", "p256", "rsa2048"]))
    names = server.identity_files
    reloads.change(server, {server.files / name: (fresh / name).read_bytes() for name in names})
    argv = ["openssl", "x509", "-in", fresh / "server.crt", "-noout", "-serial"]
    serial = subprocess.run(argv, capture_output=True, text=True).stdout.strip().split("=")[1]
    if server.target.serial() != serial:
        raise Wrong("the renewed certificate is not served")


def garbage(reloads, server):
    file = server.files / server.identity_files[0]
    reloads.keeps_serving(server, {file: reloads.dice.randbytes(2000)})


def cut_off(reloads, server):
    file = server.files / server.identity_files[0]
    reloads.keeps_serving(server, {file: file.read_bytes()[:500]})


def missing(reloads, server):
    reloads.keeps_serving(server, {server.files / server.identity_files[-1]: None})


def expired(reloads, server):
    old = reloads.pki.expired_server
    files = {server.files / name: (old / name).read_bytes() for name in server.identity_files}
    reloads.keeps_serving(server, files)


def other_key(reloads, server):
    key = (reloads.pki.foreign / "server.key").read_bytes()
    reloads.keeps_serving(server, {server.files / "server.key": key})


# Whom servers trust.


def longer_list(reloads, server):
    """A list that revokes one client more, for a while."""
    with reloads.ledger.during("CRL that revokes another", server.name):
        server.standing = None
        reloads.change(server, {server.crl: reloads.pki.longer_crl.read_bytes()})
        server.standing = False
        reloads.stopping.wait(10)
        server.standing = None
        reloads.change(server, {server.crl: reloads.pki.usual_crl.read_bytes()})
        server.standing = True


def bad_list(reloads, server):
    reloads.keeps_serving(server, {server.crl: b"no list at all\n"})


def foreign_upstream_ca(reloads, server):
    """The CA of somebody else's upstreams: ours are not trusted, until it is put back."""
    ours = server.upstream_ca.read_bytes()
    with reloads.ledger.during("upstream CA that is foreign", server.name):
        foreign = reloads.pki.foreign / "ca.crt"
        try:
            reloads.change(server, {server.upstream_ca: foreign.read_bytes()})
            with server.target.dial() as wire:
                wire.ask("GET", "/").must_be(502)
        finally:
            reloads.change(server, {server.upstream_ca: ours})


def bad_upstream_ca(reloads, server):
    reloads.keeps_serving(server, {server.upstream_ca: b"-----BEGIN CERTIFICATE-----\n"})


def hang_up(reloads, server):
    """Without TLS there is nothing to read again, and SIGHUP must not end the server."""
    with reloads.ledger.during("reload", server.name):
        before = server.log.count("SIGHUP")
        server.process.send_signal(signal.SIGHUP)
        if not server.log.wait("SIGHUP", before, SOON):
            raise Wrong("nothing came of SIGHUP")
