"""A request each second to each server: whether it answers, and how soon.

They run in a process of their own, so that what is measured is the server and not the threads of the
soak, which wait for each other.
"""

import multiprocessing
import signal
import socket
import ssl
import threading
import time
from collections import defaultdict, namedtuple

from .crew import excuse
from .http import Wire, Wrong

Probed = namedtuple("Probed", "server when seconds status error")


class Probes:
    def __init__(self, servers, ledger):
        self.servers = {server.name: server for server in servers}
        self.ledger = ledger
        self.seconds = defaultdict(list)
        # No fork: the soak has threads.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        told = [tell(server) for server in servers]
        self.process = context.Process(target=probe_all, args=(theirs, told), daemon=True)
        self.thread = threading.Thread(target=self.take)
        self.theirs = theirs

    def start(self):
        self.process.start()
        self.theirs.close()
        self.thread.start()

    def wait(self, count, interrupted):
        """Until each server was probed so many times."""
        while any(len(self.seconds[name]) < count for name in self.servers):
            if interrupted.wait(0.1):
                return
            if not self.process.is_alive():
                raise RuntimeError("the process of the probes has ended")

    def stop(self):
        try:
            self.pipe.send("stop")
        except OSError as error:
            self.ledger.error("probe", f"the process of the probes has ended: {error}")
        self.process.join(30)
        self.thread.join(30)

    def take(self):
        while True:
            try:
                probed = self.pipe.recv()
            except EOFError:
                return
            self.seconds[probed.server].append(probed.seconds)
            if probed.error:
                error = Wrong(probed.error, probed.status)
                why = excuse(self.ledger, self.servers[probed.server].target, error)
                if why:
                    self.ledger.excuse(why)
                else:
                    self.ledger.error("probe", f"{probed.server}: {probed.error}")


def tell(server):
    """What the other process has to know of a server."""
    target = server.target
    files = [str(file) for file in (target.pki.ca, *target.pki.client("good"))]
    return server.name, server.port, target.tls, files, target.home, target.home_body


def probe_all(pipe, servers):
    # Who interrupts the soak has it end this process in good order.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lock, stopping = threading.Lock(), threading.Event()
    args = [(pipe, lock, stopping, *server) for server in servers]
    threads = [threading.Thread(target=probe, args=each, daemon=True) for each in args]
    for thread in threads:
        thread.start()
    try:
        pipe.recv()
    except EOFError:
        pass
    stopping.set()
    for thread in threads:
        thread.join(25)


def probe(pipe, lock, stopping, name, port, tls, files, path, body):
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(files[0])
        context.load_cert_chain(*files[1:])
    while not stopping.wait(1):
        start = time.monotonic()
        status = error = None
        try:
            ask(port, context, path, body)
        except (Wrong, OSError) as wrong:
            status, error = getattr(wrong, "status", None), f"{type(wrong).__name__}: {wrong}"
        seconds = time.monotonic() - start
        with lock:
            pipe.send(Probed(name, start, seconds, status, error))


def ask(port, context, path, body):
    sock = socket.create_connection(("127.0.0.1", port), 20)
    if context:
        sock = context.wrap_socket(sock, server_hostname="localhost")
    with Wire(sock) as wire:
        wire.ask("GET", path).must_be(200, body)
