"""The certificates of the soak: `turnkey certs` makes the good ones, openssl those that are not."""

import shutil
import subprocess
from pathlib import Path

CONFIG = """
[ca]
default_ca = soak
[soak]
database = {folder}/index.txt
serial = {folder}/serial
crlnumber = {folder}/crlnumber
new_certs_dir = {folder}
certificate = {folder}/ca.crt
private_key = {folder}/ca.key
default_md = sha256
unique_subject = no
policy = any
default_crl_days = 30
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:localhost
extendedKeyUsage = serverAuth, clientAuth
"""

# Whose certificates are shown to servers that ask for one.
GOOD, EXPIRED, FOREIGN, REVOKED, WAVERING = "good", "expired", "foreign", "revoked", "wavering"


class Pki:
    """A CA with its clients and lists, and another one that nobody trusts."""

    def __init__(self, turnkey, folder):
        self.turnkey = turnkey
        self.folder = Path(folder)
        self.ours = self.folder / "ours"
        self.foreign = self.folder / "foreign"
        clients = [f"--client={name}" for name in (GOOD, REVOKED, WAVERING)]
        self.certs(self.ours, *clients)
        self.certs(self.foreign, f"--client={FOREIGN}")
        (self.ours / "index.txt").touch()
        (self.ours / "serial").write_text("1000\n")
        (self.ours / "crlnumber").write_text("01\n")
        (self.ours / "ca.cnf").write_text(CONFIG.format(folder=self.ours))
        self.issue_expired(EXPIRED)
        self.expired_server = self.make_expired_server()
        # The list as it is most of the time, and the one in which the wavering client is, too.
        self.revoke(REVOKED)
        self.usual_crl = self.list_revoked("usual.crl")
        self.revoke(WAVERING)
        self.longer_crl = self.list_revoked("longer.crl")

    @property
    def ca(self):
        return self.ours / "ca.crt"

    def client(self, name):
        """The files of a client's certificate and key."""
        folder = self.foreign if name == FOREIGN else self.ours
        return folder / f"{name}.crt", folder / f"{name}.key"

    def renew_server(self, key_type):
        """A new certificate of the server, of the same CA. Returns the folder of `server*`."""
        fresh = self.folder / "fresh"
        if not fresh.exists():
            fresh.mkdir()
            for name in ("ca.crt", "ca.key", "ca.pem"):
                shutil.copy2(self.ours / name, fresh / name)
        for old in fresh.glob("server*"):
            old.unlink()
        self.certs(fresh, "--key-type", key_type)
        return fresh

    def certs(self, folder, *options):
        run([self.turnkey, "certs", "--out", folder, *options])

    def issue_expired(self, name):
        key, csr = self.ours / f"{name}.key", self.ours / f"{name}.csr"
        run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + ["-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={name}"]
        )
        self.openssl_ca(
            *["-in", csr, "-out", self.ours / f"{name}.crt", "-notext"],
            *["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"],
        )

    def make_expired_server(self):
        """An identity that was good once, in a folder like those of `turnkey certs`."""
        folder = self.folder / "expired"
        folder.mkdir()
        self.issue_expired("expired-server")
        certificate, key = self.ours / "expired-server.crt", self.ours / "expired-server.key"
        shutil.copy(certificate, folder / "server_chain.pem")
        shutil.copy(key, folder / "server.key")
        run(
            ["openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key]
            + ["-out", folder / "server.p12", "-passout", "pass:turnkey"]
        )
        return folder

    def revoke(self, name):
        self.openssl_ca("-revoke", self.ours / f"{name}.crt")

    def list_revoked(self, name):
        self.openssl_ca("-gencrl", "-out", self.ours / name)
        return self.ours / name

    def openssl_ca(self, *options):
        run(["openssl", "ca", "-batch", "-config", self.ours / "ca.cnf", *options])


def run(argv):
    done = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stdout}{done.stderr}")
