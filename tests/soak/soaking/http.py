"""A client of HTTP/1.1 that takes nothing for granted: what a server sends is read to the byte."""

import socket
import struct
from dataclasses import dataclass

# More than any limit that the servers are given: whoever waits this long has been forgotten.
PATIENCE = 20


class Wrong(Exception):
    """What came is not what was to come."""

    def __init__(self, what, status=None):
        super().__init__(what)
        self.status = status


class Ended(Wrong):
    """The connection ended before the answer did."""


@dataclass
class Answer:
    status: int
    fields: dict
    body: bytes

    def must_be(self, status, body=None):
        """Raises `Wrong`, unless it is this."""
        if self.status != status:
            raise Wrong(f"{self.status} {self.body[:200]!r} in place of {status}", self.status)
        if body is not None and self.body != body:
            got = f"{len(self.body)} bytes that begin {self.body[:60]!r}"
            raise Wrong(f"{got} in place of {len(body)} that begin {body[:60]!r}", self.status)
        return self


class Wire:
    """A connection, and what was read of it ahead."""

    def __init__(self, sock):
        sock.settimeout(PATIENCE)
        self.sock = sock
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, method, path, fields=(), body=b""):
        """Sends a request and reads its answer."""
        self.send(request(method, path, fields, body))
        return self.answer(method)

    def answer(self, method="GET"):
        """Reads the next answer, but for those that only say to go on."""
        while True:
            status, fields = self.head()
            if status != 100:
                break
        if method == "HEAD" or status in (204, 304) or status < 200:
            body = b""
        elif fields.get("transfer-encoding") == "chunked":
            body = self.chunked()
        elif "content-length" in fields:
            body = self.take(int(fields["content-length"]))
        else:
            raise Wrong(f"an answer without a length: {fields}", status)
        return Answer(status, fields, body)

    def head(self):
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self.more()
        lines = self.take(end + 4)[:-4].decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not rest[:3].isdigit():
            raise Wrong(f"no status line: {lines[0]!r}")
        fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or name.lower() in fields and name.lower() != "set-cookie":
                raise Wrong(f"a field that must not be there: {line!r}")
            fields[name.lower()] = value.strip()
        return int(rest[:3]), fields

    def chunked(self):
        body = bytearray()
        while size := int(self.line().partition(b";")[0], 16):
            body += self.take(size)
            if self.take(2) != b"\r\n":
                raise Wrong("a chunk is longer than its size says")
        if self.line():
            raise Wrong("trailers that nobody asked for")
        return bytes(body)

    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            self.more()
        return self.take(end + 2)[:-2]

    def take(self, size):
        while len(self.buffer) < size:
            self.more()
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def more(self):
        """Reads what there is; that there must be something is the caller's business."""
        try:
            data = self.sock.recv(1 << 18)
        except TimeoutError:
            raise Wrong(f"nothing for {PATIENCE} s; {bytes(self.buffer[:100])!r} so far") from None
        except OSError as error:
            raise Ended(f"{error}; {bytes(self.buffer[:100])!r} so far") from error
        if not data:
            raise Ended(f"the connection ended after {bytes(self.buffer[:100])!r}")
        self.buffer += data

    def must_end(self):
        """The server closes by the book: nothing more, then FIN, over TLS `close_notify` first."""
        try:
            rest = bytes(self.buffer) or self.sock.recv(4096)
        except TimeoutError:
            raise Wrong("the connection was to be closed, and stays open") from None
        except OSError as error:
            raise Wrong(f"the connection was not closed as it should be: {error}") from error
        if rest:
            raise Wrong(f"{rest[:100]!r} in place of the end of the connection")

    def must_break(self):
        """The server ends the connection, however it does."""
        try:
            while self.sock.recv(1 << 18):
                pass
        except TimeoutError:
            raise Wrong("the connection was to be ended, and stays open") from None
        except OSError:
            pass

    def reset(self):
        """Leaves without a goodbye: what is under way is thrown away, and the server gets an RST."""
        reset(self.sock)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def request(method, path, fields=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunks(body, size):
    """The body in chunks, and their end."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
