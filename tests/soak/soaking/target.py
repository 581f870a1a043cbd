"""How clients reach a server, and what they are to find there."""

import functools
import socket
import ssl

from .http import PATIENCE, Wire
from .pki import GOOD

# What the built-in app, the folder and the upstreams answer with.
HOME = {
    "app": ("/", b"Top-level content"),
    "dir": ("/small.txt", b"a small file\n"),
    "proxy": ("/", b"upstream"),
}
LARGE = {"dir": "/large.bin", "proxy": "/large"}
# A receive buffer so small that a server notices who does not read.
NARROW = 4096


class Target:
    """A server, as clients see it."""

    def __init__(self, server, pki):
        self.server = server
        self.spec = server.spec
        self.name = server.name
        self.tls = server.tls
        self.pki = pki
        self.home, self.home_body = HOME[self.spec.content]
        self.large = LARGE.get(self.spec.content)

    @property
    def required(self):
        """Whether clients need a certificate."""
        return self.spec.mode == "mutual" and not self.spec.optional

    def socket(self, narrow=False):
        """A TCP connection, and nothing on it yet."""
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if narrow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        try:
            sock.connect(("127.0.0.1", self.server.port))
        except OSError:
            sock.close()
            raise
        return sock

    def dial(self, who=GOOD, session=None, narrow=False, **options):
        """A connection that is ready for requests, over TLS if that is served here."""
        # Before the connection, whose time is limited: files are read.
        context = self.context(who, **options) if self.tls else None
        sock = self.socket(narrow)
        if not self.tls:
            return Wire(sock)
        try:
            return Wire(self.shake_hands(sock, context, session))
        except BaseException:
            sock.close()
            raise

    def shake_hands(self, sock, context, session=None):
        # An end without `close_notify` is an error, not the end.
        return context.wrap_socket(
            sock, server_hostname="localhost", suppress_ragged_eofs=False, session=session
        )

    @functools.lru_cache
    def context(self, who=GOOD, trusting=True, protocol="http/1.1"):
        """What a client that calls itself `who` shows and trusts; None shows nothing."""
        # Without the system's CAs, which take long to read.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki.ca if trusting else self.pki.foreign / "ca.crt")
        context.set_alpn_protocols([protocol])
        if who and self.spec.mode == "mutual":
            context.load_cert_chain(*self.pki.client(who))
        return context

    def client_hello(self):
        """The first flight of a handshake."""
        outgoing = ssl.MemoryBIO()
        tls = self.context(None).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return outgoing.read()

    def serial(self):
        """The serial number of the certificate that is served now."""
        # One who is refused sees it, too, in TLS 1.2; who is good is refused nowhere.
        with self.dial() as wire:
            return wire.sock.getpeercert()["serialNumber"]
