"""What servers write, line by line: nothing may stand there that was not injected."""

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass

# Lines come late: an address' repeats are told ten seconds after the first, and again.
GRACE = 45

STATUS = {
    "text": re.compile(r'\S+Z (\d{3}) "'),
    "common": re.compile(r'\S+ - \S+ \[[^]]+\] ".*" (\d{3}) (?:\d+|-)$'),
    "combined": re.compile(r'\S+ - \S+ \[[^]]+\] ".*" (\d{3}) (?:\d+|-) ".*" ".*"$'),
}


@dataclass
class Line:
    """A line that may stand in a log, if one of `kinds` was done to that server of late."""

    level: str
    pattern: str
    # Names of clients, faults, reloads and outages; none: it may always come.
    kinds: tuple = ()

    def __post_init__(self):
        times = r"(?:\S+: (?:\d+ times|once) more in 10 seconds: |\S+: )?"
        self.regex = re.compile(f"{self.level}: {times}{self.pattern}")


OUTAGE = ("upstream dies",)

LINES = [
    # Starting and stopping.
    Line("info", r"connections that came to nothing: "),
    # Clients that are refused.
    Line("info", r"refused: the client sent no certificate", ("no certificate",)),
    Line("info", r"refused: the client certificate .* signed by", ("foreign certificate",)),
    Line("info", r"refused: the client certificate .* expired on", ("expired certificate",)),
    Line(
        *("info", r"refused: the client certificate .* is revoked by"),
        ("revoked certificate", "wavering client", "CRL that revokes another"),
    ),
    Line("info", r"refused: spoke plain HTTP on the port for HTTPS", ("HTTP on a TLS port",)),
    Line("info", r"refused: began a TLS handshake on the port for", ("TLS on a plain port",)),
    Line("info", r"refused: what the client sent is neither TLS nor", ("garbage on a TLS port",)),
    Line("info", r"refused: the TLS handshake failed: ", ("garbage in a TLS record",)),
    Line("info", r"refused: the client wants to speak another protocol", ("HTTP/2 alone",)),
    Line(
        *("info", r"the client refused our certificate .* \(alert unknown_ca"),
        ("client that does not trust us",),
    ),
    Line(
        *("info", r"the client left in the middle of the handshake"),
        ("reset in the handshake", "reset before the handshake", "garbage in a TLS record"),
    ),
    Line(
        *("info", r"closed: the handshake was not complete within 3 seconds"),
        ("silent connection", "slow handshake"),
    ),
    Line(
        *("info", r"closed: .*PROXY"),
        ("bad PROXY header", "PROXY header of a stranger", "reset before the handshake"),
    ),
    Line("info", r"ignored \S+ from", ("forged fields",)),
    # Bodies that broke off.
    Line(
        *("warn", r"request \S+: the response broke off: the request ended before its body did"),
        ("reset in a body", "body cut short"),
    ),
    Line(
        *("warn", r"request \S+: the response broke off: no byte of the request body came for 3"),
        ("slow body beyond the limit",),
    ),
    Line(
        *("warn", r"request \S+: the response broke off: the request body is larger than"),
        ("body that grows too large",),
    ),
    Line(
        *("warn", r"request \S+: the response broke off: the chunked body is malformed"),
        ("smuggling",),
    ),
    # Upstreams.
    # Whoever dies in a handshake resets the connection.
    Line(
        *("error", r"request \S+: the upstream \S+: cannot be reached: Connection (?:refused|reset)"),
        OUTAGE,
    ),
    Line(
        *("error", r"request \S+: the upstream \S+: (?:closed the connection|the connection broke)"),
        (*OUTAGE, "upstream that closes"),
    ),
    Line(
        *("error", r"request \S+: the answer of the upstream \S+ broke off: "),
        (*OUTAGE, "upstream that breaks off"),
    ),
    Line("warn", r"the upstream \S+ is left alone for a while", OUTAGE),
    Line(
        *("error", r"request \S+: the upstream \S+: did not answer within 3 seconds"),
        ("upstream that is slow",),
    ),
    Line(
        *("error", r"request \S+: the upstream \S+: its answer is malformed"),
        ("upstream that is malformed",),
    ),
    Line(
        *("error", r"request \S+: the upstream \S+: the TLS handshake with it failed"),
        ("upstream CA that is foreign", *OUTAGE),
    ),
    # Reloads: which may come stands in reloads.py, which waits for each of them.
    Line(
        *("info", r"reloaded \((?:SIGHUP|a file changed)\): new connections are served"),
        ("reload",),
    ),
    Line("info", r"SIGHUP: http mode has no files to read again", ("reload",)),
    Line("error", r"not reloaded \((?:SIGHUP|a file changed)\), all stays as", ("bad reload",)),
]

SAID_AT_START = re.compile(r"turnkey \d|try: |clients need a certificate |http://\S+ sends on to https|metrics on http")


class Log:
    """Reads both of a server's pipes, each in a thread of its own, until they end."""

    def __init__(self, server, ledger):
        self.name = server.name
        self.format = server.spec.log_format
        self.ledger = ledger
        self.seen = Counter()
        self.statuses = Counter()
        self.changed = threading.Condition()
        pipes = [(server.process.stderr, self.log_line), (server.process.stdout, self.access_line)]
        self.threads = [threading.Thread(target=self.read, args=pair) for pair in pipes]
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join(10)

    def read(self, pipe, take):
        with pipe:
            for raw in pipe:
                take(raw.decode("utf-8", "backslashreplace").rstrip("\n"))

    def log_line(self, text):
        if SAID_AT_START.match(text):
            return
        line = match(text)
        if line is None:
            self.ledger.error("log", f"{self.name}: a line that nobody injected: {text}")
        elif line.kinds and not any(
            self.ledger.recent(kind, self.name, GRACE) for kind in line.kinds
        ):
            self.ledger.error("log", f"{self.name}: nothing was injected that says: {text}")
        else:
            with self.changed:
                self.seen[line.pattern] += 1
                self.changed.notify_all()

    def access_line(self, text):
        if SAID_AT_START.match(text):
            return
        status = status_of(text, self.format)
        if status is None:
            self.ledger.error("access log", f"{self.name}: a line of another form: {text}")
        elif status == 500:
            self.ledger.error("access log", f"{self.name}: the server failed: {text}")
        self.statuses[status] += 1

    def wait(self, beginning, count, seconds):
        """Waits until lines that begin like that were seen more than `count` times."""
        with self.changed:
            return self.changed.wait_for(lambda: self.count(beginning) > count, seconds)

    def count(self, beginning):
        return sum(n for pattern, n in self.seen.items() if pattern.startswith(beginning))


def match(text):
    """The row of the table that a line is of; None: of none."""
    return next((line for line in LINES if line.regex.match(text)), None)


def status_of(text, log_format):
    """The status in a line of the access log; None: it is not of this format."""
    if log_format == "json":
        try:
            status = json.loads(text)["status"]
        except (ValueError, KeyError, TypeError):
            return None
        return status if isinstance(status, int) else None
    found = STATUS[log_format].match(text)
    return int(found[1]) if found else None
