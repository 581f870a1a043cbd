"""What servers are put under: wrk, and the load generator in benches/load."""

import re
import subprocess

from .process import LOAD_CPUS, spawn

# What a browser sends beside Host: with it, ten fields.
BROWSER = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: none",
]


class Wrk:
    """Requests over connections that are kept, as many as can be had in so many seconds."""

    def __init__(self, seconds, connections=64, fields=(), tls=False, threads=1, cpus=LOAD_CPUS):
        self.seconds = seconds
        self.connections = connections
        self.fields = fields
        self.scheme = "https" if tls else "http"
        self.threads = threads
        self.cpus = cpus

    def run(self, server, measure):
        """Runs against `server`; `measure` is called before and after. Returns its two results, how
        many requests there were, and in how many seconds."""
        argv = ["wrk", f"-t{self.threads}", f"-c{self.connections}", f"-d{self.seconds}s"]
        for field in self.fields:
            argv += ["-H", field]
        argv.append(f"{self.scheme}://127.0.0.1:{server.port}/")
        before = measure()
        with spawn(argv, self.cpus, stdout=subprocess.PIPE, text=True) as wrk:
            text = wrk.stdout.read()
        after = measure()
        if wrk.returncode != 0 or "Non-2xx" in text or "Socket errors" in text:
            raise RuntimeError(f"{server.name}: {text}")
        count, seconds = re.search(r"(\d+) requests in ([\d.]+)s", text).groups()
        return before, after, int(count), float(seconds)


class Load:
    """A fixed number of requests or handshakes."""

    def __init__(
        self, program, mode, count, connections=64, options=(), cpus=LOAD_CPUS, host="127.0.0.1"
    ):
        self.host = host
        self.program = program
        self.mode = mode
        self.count = count
        self.connections = connections
        self.options = list(options)
        self.cpus = cpus

    def start(self, server):
        """A load that is ready for the word."""
        argv = [self.program, self.mode, "--to", f"{self.host}:{server.port}"]
        argv += ["--count", str(self.count), "--connections", str(self.connections)]
        load = spawn(
            argv + self.options, self.cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if load.stdout.readline() != "ready\n":
            raise RuntimeError(f"the load on {server.name} did not get ready: {argv}")
        return load

    def run(self, server, measure):
        """As with `Wrk`."""
        with self.start(server) as load:
            before = measure()
            load.stdin.write("go\n")
            load.stdin.flush()
            text = load.stdout.readline()
            after = measure()
        found = re.fullmatch(r"(\d+) in ([\d.]+) s\n", text)
        if not found:
            raise RuntimeError(f"the load on {server.name} broke off")
        return before, after, int(found[1]), float(found[2])


class Idle:
    """Connections that have asked once and are held; `with` lets go of them."""

    def __init__(self, program, server, connections, options=(), host="127.0.0.1"):
        self.load = Load(program, "idle", 0, connections, options, host=host)
        self.server = server

    def __enter__(self):
        self.process = self.load.start(self.server)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
