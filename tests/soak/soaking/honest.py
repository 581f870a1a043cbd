"""Clients that do nothing wrong, some of them slowly: each is to get just what it came for."""

import hashlib
import json
import socket
import time

from upstream import LARGE

from .crew import kind, on
from .http import Wire, Wrong, chunks, request
from .server import IDLE_TIMEOUT

LARGE_SHA = hashlib.sha256(LARGE).digest()
CHANGES = ("app", "proxy")


def large(target):
    return target.large is not None


@kind("keep-alive", 0.1)
def keep_alive(target, dice):
    with target.dial() as wire:
        for _ in range(dice.randrange(5, 30)):
            wire.ask("GET", target.home).must_be(200, target.home_body)


@kind("one request each", 0.1)
def one_each(target, _):
    with target.dial() as wire:
        wire.ask("GET", target.home, ["Connection: close"]).must_be(200, target.home_body)
        wire.must_end()


@kind("HTTP/1.0", 0.5)
def http_1_0(target, _):
    with target.dial() as wire:
        wire.send(f"GET {target.home} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        wire.answer().must_be(200, target.home_body)
        wire.must_end()


@kind("pipelined", 0.3, on(*CHANGES))
def pipelined(target, dice):
    bodies = [dice.randbytes(dice.randrange(1, 5000)) for _ in range(dice.randrange(2, 12))]
    with target.dial() as wire:
        wire.send(b"".join(request("POST", "/echo", body=body) for body in bodies))
        for body in bodies:
            wire.answer("POST").must_be(200, body)


@kind("upload", 0.7, on(*CHANGES))
def upload(target, dice):
    body = dice.randbytes(dice.randrange(100_000, 3_000_000))
    with target.dial() as wire:
        wire.ask("POST", "/echo", body=body).must_be(200, body)


@kind("chunked upload", 0.4, on(*CHANGES))
def chunked(target, dice):
    body = dice.randbytes(dice.randrange(1, 400_000))
    with target.dial() as wire:
        wire.send(request("POST", "/echo", ["Transfer-Encoding: chunked"]))
        wire.send(chunks(body, dice.randrange(500, 70_000)))
        wire.answer("POST").must_be(200, body)
        wire.ask("POST", "/echo", body=b"next").must_be(200, b"next")


@kind("expecting 100", 0.5, on(*CHANGES))
def expecting(target, dice):
    body = dice.randbytes(2000)
    with target.dial() as wire:
        head = request("POST", "/echo", ["Expect: 100-continue", "Content-Length: 2000"])
        wire.send(head)
        time.sleep(0.05)
        wire.send(body)
        wire.answer("POST").must_be(200, body)


@kind("download", 1.0, large)
def download(target, _):
    with target.dial() as wire:
        body = wire.ask("GET", target.large).must_be(200).body
        if hashlib.sha256(body).digest() != LARGE_SHA:
            raise Wrong("another file than that which is there", 200)


@kind("HEAD", 0.4)
def head(target, _):
    with target.dial() as wire:
        wire.ask("HEAD", target.home).must_be(200, b"")
        wire.ask("GET", target.home).must_be(200, target.home_body)


@kind("ranges", 0.3, on("dir"))
def ranges(target, dice):
    first = dice.randrange(len(LARGE))
    last = min(first + dice.randrange(200_000), len(LARGE) - 1)
    with target.dial() as wire:
        answer = wire.ask("GET", "/large.bin", [f"Range: bytes={first}-{last}"])
        answer.must_be(206, LARGE[first : last + 1])
        wire.ask("GET", "/large.bin", [f"Range: bytes={len(LARGE)}-"]).must_be(416)


@kind("conditional", 0.4, on("dir"))
def conditional(target, _):
    with target.dial() as wire:
        tag = wire.ask("GET", "/small.txt").must_be(200).fields["etag"]
        wire.ask("GET", "/small.txt", [f"If-None-Match: {tag}"]).must_be(304)
        answer = wire.ask("GET", "/text.html", ["Accept-Encoding: gzip"]).must_be(200)
        if answer.fields.get("content-encoding") != "gzip":
            raise Wrong(f"not compressed: {answer.fields}", 200)
        wire.ask("GET", "/", ["Accept: application/json"]).must_be(200)


@kind("whoami", 0.4, on("app"))
def whoami(target, _):
    with target.dial() as wire:
        seen = json.loads(wire.ask("GET", "/whoami").must_be(200).body)
    is_client = (seen["client_certificate"] or {}).get("subject", "").startswith("CN=good,")
    expected = (target.spec.mode, "https" if target.tls else "http", target.spec.mode == "mutual")
    if (seen["mode"], seen["scheme"], is_client) != expected:
        raise Wrong(f"seen as {seen}", 200)


@kind("chunked download", 0.4, on("proxy"))
def chunked_download(target, _):
    with target.dial() as wire:
        wire.ask("GET", "/chunked").must_be(200, LARGE[:0x4000] * 8)


@kind("upgrade", 0.7, on("proxy"))
def upgrade(target, dice):
    with target.dial() as wire:
        wire.ask("GET", "/tunnel", ["Connection: upgrade", "Upgrade: websocket"]).must_be(101)
        for _ in range(5):
            sent = dice.randbytes(dice.randrange(1, 20_000))
            wire.send(sent)
            if wire.take(len(sent)) != sent:
                raise Wrong("the tunnel changes what goes through it", 101)


@kind("resumed session", 0.5, lambda target: target.tls and not target.required)
def resumed(target, _):
    who = None
    with target.dial(who) as wire:
        wire.ask("GET", target.home).must_be(200, target.home_body)
        session = wire.sock.session
    with target.dial(who, session) as wire:
        wire.ask("GET", target.home).must_be(200, target.home_body)


@kind("without a certificate where it is optional", 1, lambda target: target.spec.optional)
def optional(target, _):
    with target.dial(None) as wire:
        wire.ask("GET", target.home).must_be(200, target.home_body)


@kind("redirect", 0.7, lambda target: target.spec.redirect)
def redirect(target, _):
    with Wire(socket.create_connection(("127.0.0.1", target.server.redirect_port))) as wire:
        answer = wire.ask("GET", "/a?b").must_be(308)
        if answer.fields["location"] != f"https://localhost:{target.server.port}/a?b":
            raise Wrong(f"sent to {answer.fields['location']}", 308)
    with Wire(socket.create_connection(("127.0.0.1", target.server.redirect_port))) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n")
        wire.answer().must_be(421)


@kind("metrics", 2, lambda target: target.spec.metrics)
def metrics(target, _):
    with Wire(socket.create_connection(("127.0.0.1", target.server.metrics_port))) as wire:
        body = wire.ask("GET", "/metrics").must_be(200).body.decode()
    rows = [line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#")]
    values = {name: float(value) for name, value in rows}
    dropped = [n for name, n in values.items() if name.startswith("turnkey_log_lines_dropped")]
    if values["turnkey_connections_accepted_total"] <= 0 or len(dropped) != 2 or any(dropped):
        raise Wrong("no connection was counted, or lines of a log were dropped", 200)


@kind("Unix socket and PROXY header", 0.3, lambda target: target.spec.unix)
def unix(target, dice):
    headers = {
        b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n": "192.0.2.7",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\x08\xc0\0\2\1\x12\x34\0\x50": "192.0.2.8",
    }
    header, client = dice.choice(list(headers.items()))
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(target.server.socket))
    with Wire(sock) as wire:
        wire.send(header)
        seen = json.loads(wire.ask("GET", "/whoami").must_be(200).body)
        if seen["client"] != client:
            raise Wrong(f"{seen['client']} in place of {client}", 200)


@kind("half-closed", 0.5, lambda target: not target.tls)
def half_closed(target, _):
    with target.dial() as wire:
        wire.send(request("GET", target.home))
        wire.sock.shutdown(socket.SHUT_WR)
        wire.answer().must_be(200, target.home_body)
        wire.must_end()


@kind("idle within the limit", 0.2)
def idle(target, _):
    with target.dial() as wire:
        wire.ask("GET", target.home).must_be(200, target.home_body)
        time.sleep(IDLE_TIMEOUT / 2)
        wire.ask("GET", target.home).must_be(200, target.home_body)


@kind("idle beyond the limit", 0.2)
def idle_too_long(target, _):
    with target.dial() as wire:
        wire.ask("GET", target.home).must_be(200, target.home_body)
        start = time.monotonic()
        wire.must_end()
        took = time.monotonic() - start
    if not IDLE_TIMEOUT - 1 < took < IDLE_TIMEOUT + 4:
        raise Wrong(f"an idle connection was closed after {took:.1f} s")


@kind("slow within the limits", 0.2, on(*CHANGES))
def slow(target, dice):
    """Head and body each come in pieces, slower than any attack would care for."""
    body = dice.randbytes(60)
    with target.dial() as wire:
        whole = request("POST", "/echo", body=body)
        cut = len(whole) - len(body)
        tens = [whole[at : at + 10] for at in range(cut, len(whole), 10)]
        for piece in [whole[:5], whole[5:cut], *tens]:
            wire.send(piece)
            time.sleep(0.5)
        wire.answer("POST").must_be(200, body)


@kind("slow reader within the limit", 0.2, large)
def slow_reader(target, _):
    with target.dial() as wire:
        wire.send(request("GET", target.large))
        status, fields = wire.head()
        body = bytearray()
        # A kernel tells that there is room again when a third of its buffer is free: so much must be
        # taken for the server to notice.
        while status == 200 and len(body) < int(fields["content-length"]):
            body += wire.take(1 << 20)
            time.sleep(0.5)
        if hashlib.sha256(body).digest() != LARGE_SHA:
            raise Wrong("another file than that which is there", status)
