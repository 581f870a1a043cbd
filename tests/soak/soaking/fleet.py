"""The servers of the soak: ten of turnkey, and three upstreams for those that hand on."""

from pathlib import Path

from upstream import LARGE

from .server import Server, Spec
from .upstreams import Upstream


class Fleet:
    """All of them; `with` ends every process that was started, however it is left."""

    def __init__(self, turnkey, pki, folder):
        folder = Path(folder)
        pages = make_pages(folder / "pages")
        self.alpha, self.beta = Upstream("alpha"), Upstream("beta")
        chain_and_key = (pki.ours / "server_chain.pem", pki.ours / "server.key")
        self.gamma = Upstream("gamma", chain_and_key)
        self.upstreams = [self.alpha, self.beta, self.gamma]
        specs = all_specs((self.alpha, self.beta), (self.gamma,))
        self.servers = [Server(spec, turnkey, pki, folder, pages) for spec in specs]

    def __enter__(self):
        return self

    def start(self, ledger):
        for upstream in self.upstreams:
            upstream.start()
        for server in self.servers:
            server.start(ledger)

    def stop(self):
        for server in self.servers:
            server.stop()

    def __exit__(self, *_):
        for each in [*self.servers, *self.upstreams]:
            if each.process and each.process.poll() is None:
                each.process.kill()
                each.process.wait()


def all_specs(pair, secure):
    """Each mode and backend, before an app, a folder and upstreams, with each of the log's formats."""
    return [
        Spec("plain app", "http", "plain", "app", log_format="json", metrics=True, unix=True),
        Spec("plain folder", "http", "plain", "dir", log_format="common"),
        Spec(
            *("plain proxy", "http", "plain", "proxy", pair),
            log_format="combined",
            metrics=True,
        ),
        Spec(
            *("native-tls app", "https", "native-tls", "app"),
            pkcs12=True,
            redirect=True,
            options=("--health", "/healthz"),
        ),
        Spec(
            *("native-tls proxy", "https", "native-tls", "proxy", secure),
            log_format="combined",
        ),
        Spec("rustls folder", "https", "rustls", "dir", options=("--hsts", "60")),
        Spec(
            *("rustls mutual proxy", "mutual", "rustls", "proxy", pair),
            log_format="json",
            crl=True,
            options=("--balance", "least-connections"),
        ),
        Spec("openssl app", "https", "openssl", "app", metrics=True),
        Spec(
            *("openssl mutual proxy", "mutual", "openssl", "proxy", secure),
            log_format="common",
            crl=True,
            options=("--proxy-streaming",),
        ),
        Spec(
            *("rustls optional app", "mutual", "rustls", "app"),
            crl=True,
            optional=True,
            options=("--resumption", "on"),
        ),
    ]


def make_pages(pages):
    pages.mkdir()
    (pages / "small.txt").write_bytes(b"a small file\n")
    (pages / "text.html").write_bytes(b"<p>text that is worth its compression</p>\n" * 200)
    (pages / "large.bin").write_bytes(LARGE)
    return pages
