"""Clients that do something wrong: each is to be refused in just the way that is meant for it."""

import json
import socket
import ssl
import time

from upstream import LARGE

from .crew import kind, on
from .http import Ended, Wire, Wrong, request
from .pki import EXPIRED, FOREIGN, GOOD, REVOKED, WAVERING
from .server import BODY_TIMEOUT, HANDSHAKE_TIMEOUT, HEAD_TIMEOUT, IDLE_TIMEOUT, MAX_BODY
from .server import WRITE_TIMEOUT

# A request that must never be answered: it stands behind one that is refused.
CANARY = request("GET", "/canary")


def tls(target):
    return target.tls


def plain(target):
    return not target.tls


def asks(target):
    """Whether it asks clients for a certificate."""
    return target.spec.mode == "mutual"


def timed(limit, wait):
    """Runs `wait`, which has to take as long as `limit` says, and not much longer."""
    start = time.monotonic()
    wait()
    took = time.monotonic() - start
    if not limit - 0.5 < took < limit + 4:
        raise Wrong(f"it took {took:.1f} s in place of {limit}")


# Slow ones, beyond the limits.


@kind("silent connection", 0.2, fault=True)
def silent(target, _):
    # In the clear a connection without a word is one that idles; where a PROXY header is looked for, once it
    # has had the time to begin.
    limit = HANDSHAKE_TIMEOUT if target.tls else IDLE_TIMEOUT
    if target.spec.unix:
        limit = HANDSHAKE_TIMEOUT + IDLE_TIMEOUT
    with Wire(target.socket()) as wire:
        timed(limit, wire.must_break)


@kind("slow handshake", 0.2, on=tls, fault=True)
def slow_handshake(target, _):
    hello = target.client_hello()
    with Wire(target.socket()) as wire:
        wire.send(hello[: len(hello) // 2])
        timed(HANDSHAKE_TIMEOUT, wire.must_break)


@kind("slow head beyond the limit", 0.2, fault=True)
def slow_head(target, _):
    def drip():
        # A byte now and then: the time is that of the whole head.
        for n in range(HEAD_TIMEOUT - 1):
            time.sleep(1)
            wire.send(b"X-%d: y\r\n" % n)
        wire.answer().must_be(408)

    with target.dial() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        timed(HEAD_TIMEOUT, drip)
        wire.must_end()


@kind("slow body beyond the limit", 0.2, on=on("app", "proxy"), fault=True)
def slow_body(target, _):
    with target.dial() as wire:
        wire.send(request("POST", "/echo", ["Content-Length: 100"]) + b"ten bytes.")
        timed(BODY_TIMEOUT, lambda: refused_or_broken(wire, 408))


@kind("slow reader beyond the limit", 0.2, on=lambda target: target.large, fault=True)
def slow_reader(target, _):
    with target.dial(narrow=True) as wire:
        wire.send(request("GET", target.large))
        wire.head()
        # Until it notices, the kernel has to have filled its buffers, a little at a time.
        time.sleep(WRITE_TIMEOUT + 5)
        try:
            wire.take(len(LARGE))
        except Ended:
            return
    raise Wrong("who takes nothing for too long gets all of it", 200)


def refused_or_broken(wire, status):
    """A refusal, or the end of an answer that had begun: an app that echoes may have."""
    try:
        wire.answer("POST").must_be(status)
    except Ended:
        pass


# Requests that are malformed, too large, or two at once.

SMUGGLED = [
    (400, ["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    (400, ["Content-Length: 5", "Content-Length: 6"], b"12345"),
    (400, ["Content-Length: 5", "Content-Length: 5"], b"12345"),
    (400, ["Content-Length: +5"], b"12345"),
    (400, ["Transfer-Encoding: chunked, chunked"], b"0\r\n\r\n"),
    (501, ["Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
    (501, ["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    (400, ["Transfer-Encoding : chunked"], b"0\r\n\r\n"),
    (400, ["X: y", " folded: z"], b""),
    (400, ["X: a\0b"], b""),
    (400, ["X: a\rb"], b""),
    (400, ["Host: other"], b""),
    (417, ["Expect: a miracle"], b""),
]


@kind("smuggling", 0.1, fault=True)
def smuggling(target, dice):
    status, fields, body = dice.choice(SMUGGLED)
    with target.dial() as wire:
        wire.send(request("POST", "/echo", fields) + body + CANARY)
        wire.answer("POST").must_be(status)
        wire.must_end()


@kind("malformed chunk", 0.5, on=on("app", "proxy"), fault=True)
def malformed_chunk(target, _):
    with target.dial() as wire:
        wire.send(request("POST", "/echo", ["Transfer-Encoding: chunked"]) + b"zz\r\n" + CANARY)
        refused_or_broken(wire, 400)


TOO_LARGE = [
    (414, request("GET", "/" + "a" * 9000)),
    (431, request("GET", "/", [f"X-{n}: {'y' * 1000}" for n in range(20)])),
    (431, request("GET", "/", [f"X-{n}: y" for n in range(120)])),
    (413, request("POST", "/echo", [f"Content-Length: {MAX_BODY + 1}"])),
    (501, b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n"),
    (505, b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\nHost: localhost\n\n"),
    (400, b"\x05\x01\x00 and more\r\n\r\n"),
]


@kind("too large or malformed", 0.1, fault=True)
def too_large(target, dice):
    status, sent = dice.choice(TOO_LARGE)
    with target.dial() as wire:
        wire.send(sent)
        if sent.startswith(b"POST") and target.spec.content == "dir":
            status = (status, 405)
        wire.answer().must_be(status) if isinstance(status, int) else one_of(wire.answer(), status)
        wire.must_end()


def one_of(answer, statuses):
    if answer.status not in statuses:
        raise Wrong(f"{answer.status} in place of one of {statuses}", answer.status)


@kind("body that grows too large", 1, on=on("app", "proxy"), fault=True)
def grows(target, _):
    chunk = b"40000\r\n" + bytes(0x40000) + b"\r\n"
    with target.dial() as wire:
        # Slower than the answer, which would fill all buffers if nobody read it.
        wire.send(request("PUT", "/echo", ["Transfer-Encoding: chunked"]))
        try:
            for _ in range(MAX_BODY // 0x40000 + 1):
                wire.send(chunk)
                read_what_there_is(wire)
        except OSError:
            return
        refused_or_broken(wire, 413)


def read_what_there_is(wire):
    wire.sock.settimeout(0.01)
    try:
        wire.more()
    except Wrong:
        pass
    finally:
        wire.sock.settimeout(20)


@kind("body cut short", 0.3, on=on("app", "proxy"), fault=True)
def cut_short(target, _):
    with target.dial() as wire:
        wire.send(request("POST", "/echo", ["Content-Length: 100"]) + b"ten bytes.")
        wire.sock.shutdown(socket.SHUT_WR) if plain(target) else wire.sock.close()
        if plain(target):
            refused_or_broken(wire, 400)


@kind("forged fields", 0.3, on=on("proxy"), fault=True)
def forged(target, _):
    lies = ["X-Client-Subject: CN=root", "X-Forwarded-Proto: gopher", "X-Client-Verify: SUCCESS"]
    with target.dial() as wire:
        seen = json.loads(wire.ask("GET", "/seen", lies).must_be(200).body)
    subject = seen.get("x-client-subject", [])
    truth = {
        "x-forwarded-proto": ["https" if target.tls else "http"],
        "x-client-verify": ["SUCCESS"] if target.required else None,
    }
    honest = all(seen.get(name) == value for name, value in truth.items())
    if not honest or any(not one.startswith("CN=good,") for one in subject):
        raise Wrong(f"the upstream was told lies: {seen}", 200)


# Another protocol than that of the port.


@kind("HTTP on a TLS port", 0.3, on=tls, fault=True)
def http_on_tls(target, _):
    with Wire(target.socket()) as wire:
        wire.ask("GET", "/").must_be(400)
        wire.must_end()


@kind("TLS on a plain port", 0.3, on=plain, fault=True)
def tls_on_plain(target, _):
    context = target.context(None)
    with target.socket() as sock:
        alerted(lambda: target.shake_hands(sock, context), "PROTOCOL_VERSION")


@kind("garbage on a TLS port", 0.3, on=tls, fault=True)
def garbage(target, dice):
    with Wire(target.socket()) as wire:
        wire.send(b"\0" + dice.randbytes(200))
        wire.must_break()


@kind("garbage in a TLS record", 0.3, on=tls, fault=True)
def garbage_record(target, dice):
    with Wire(target.socket()) as wire:
        hello = bytearray(target.client_hello())
        hello[5:60] = dice.randbytes(55)
        wire.send(hello)
        wire.must_break()


# native-tls does not tell what a client offers.
@kind("HTTP/2 alone", 0.5, on=lambda t: tls(t) and t.spec.backend != "native-tls", fault=True)
def h2_alone(target, _):
    alerted(lambda: target.dial(GOOD, protocol="h2").__exit__(), "NO_APPLICATION_PROTOCOL")


@kind("client that does not trust us", 0.5, on=tls, fault=True)
def distrustful(target, _):
    try:
        target.dial(GOOD, trusting=False).__exit__()
    except ssl.SSLCertVerificationError:
        return
    raise Wrong("the server showed a certificate of another CA")


# Certificates that are no good.


def alerted(act, *reasons):
    """Runs `act`, which has to come to an end by one of these alerts of the server."""
    try:
        act()
    except ssl.SSLError as error:
        said = str(error).upper().replace(" ", "_")
        if any(reason in said for reason in reasons):
            return
        raise Wrong(f"refused as {error} in place of {reasons}") from error
    raise Wrong(f"let in, and should have been refused: {reasons}")


def refused(target, who, *reasons):
    def enter():
        with target.dial(who) as wire:
            # In TLS 1.3 a client learns that it was refused when it reads.
            wire.sock.recv(1)

    alerted(enter, *reasons)


@kind("no certificate", 0.3, on=lambda target: target.required, fault=True)
def none(target, _):
    refused(target, None, "CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")


@kind("expired certificate", 0.3, on=asks, fault=True)
def expired(target, _):
    refused(target, EXPIRED, "CERTIFICATE_EXPIRED")


@kind("foreign certificate", 0.3, on=asks, fault=True)
def foreign(target, _):
    refused(target, FOREIGN, "UNKNOWN_CA", "DECRYPT_ERROR", "BAD_CERTIFICATE")


@kind("revoked certificate", 0.3, on=asks, fault=True)
def revoked(target, _):
    refused(target, REVOKED, "CERTIFICATE_REVOKED")


@kind("wavering client", 0.3, on=asks, fault=True)
def wavering(target, _):
    """One who is revoked by some lists, and not by others: reloads.py has the say."""
    before = target.server.standing
    try:
        with target.dial(WAVERING) as wire:
            wire.ask("GET", target.home).must_be(200, target.home_body)
        found = True
    except (ssl.SSLError, Ended):
        found = False
    # None: the list is being replaced, and either is right.
    if before is not None and before == target.server.standing and found != before:
        raise Wrong(f"{'let in' if found else 'refused'}, against the list")


# Proxies that are none, and upstreams that are no good.


@kind("bad PROXY header", 0.5, on=lambda target: target.spec.unix, fault=True)
def bad_proxy_header(target, dice):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(target.server.socket))
    with Wire(sock) as wire:
        wire.send(dice.choice([b"PROXY TCP4 nonsense\r\n", b"GET / HTTP/1.1\r\n\r\n"]))
        wire.must_break()


@kind("PROXY header of a stranger", 0.5, on=lambda target: target.spec.unix, fault=True)
def stranger(target, _):
    with Wire(target.socket()) as wire:
        wire.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n" + request("GET", "/"))
        wire.must_break()


def bad_upstream(name, path, status):
    @kind(name, 0.4, on=on("proxy"), fault=True)
    def visit(target, _):
        with target.dial() as wire:
            wire.ask("GET", path).must_be(status)


bad_upstream("upstream that closes", "/close", 502)
bad_upstream("upstream that is slow", "/slow", 504)
bad_upstream("upstream that is malformed", "/malformed", 502)


@kind("upstream that breaks off", 0.4, on=on("proxy"), fault=True)
def breaks_off(target, _):
    with target.dial() as wire:
        try:
            answer = wire.ask("GET", "/break")
        except Ended:
            return
    raise Wrong(f"{answer.status} in place of half of an answer", answer.status)
