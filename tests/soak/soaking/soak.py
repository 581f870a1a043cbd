"""The soak from its beginning to its end."""

import random
import threading
import time
from pathlib import Path

# What registers the kinds of clients.
from . import honest, hostile, judge, resets  # noqa: F401
from .crew import KINDS, Crew
from .fleet import Fleet
from .gauge import Gauge, fewest_descriptors, sample
from .ledger import Ledger
from .outages import Outages
from .pki import Pki
from .probes import Probes
from .reloads import Reloads
from .server import IDLE_TIMEOUT

# How long a server keeps a connection to an upstream that it does not use.
POOLED = 30
SETTLE = IDLE_TIMEOUT + POOLED + 10


class Soak:
    """`seconds` under load, of servers that are started and ended here."""

    def __init__(self, turnkey, folder, seconds, pause, seed):
        self.turnkey = Path(turnkey).resolve()
        self.folder = Path(folder)
        self.seconds = seconds
        self.seed = seed
        self.ledger = Ledger()
        self.pki = Pki(self.turnkey, self.folder / "pki")
        self.fleet = Fleet(self.turnkey, self.pki, self.folder)
        servers = self.fleet.servers
        self.probes = Probes(servers, self.ledger)
        self.gauge = Gauge(servers, self.ledger, pause)
        self.crew = Crew([server.target for server in servers], self.ledger, seed)
        self.reloads = Reloads(servers, self.pki, self.ledger, random.Random(f"{seed} reloads"))
        self.outages = Outages(self.fleet, self.ledger, random.Random(f"{seed} outages"))
        self.interrupted = threading.Event()
        self.quarters, self.descriptors_at_start, self.descriptors_at_end = {}, {}, {}
        self.first, self.last = {}, {}

    def run(self):
        """Returns what failed."""
        with self.fleet:
            self.fleet.start(self.ledger)
            self.probes.start()
            # Each has opened by then what it opens at its first request, to its upstreams too.
            self.probes.wait(5, self.interrupted)
            servers = self.fleet.servers
            self.descriptors_at_start = fewest_descriptors(servers, 3)
            self.first = {each.name: sample(each.process.pid) for each in servers}
            begin = time.monotonic()
            self.load()
            end = time.monotonic()
            self.seconds = end - begin
            self.let_settle()
            self.fleet.stop()
        return self.judge(begin, end)

    def load(self):
        """Everybody at once, until time is up."""
        workers = [self.gauge, self.crew, self.reloads, self.outages]
        for worker in workers:
            worker.start()
        try:
            self.interrupted.wait(self.seconds)
        finally:
            print("soak: the clients leave", flush=True)
            for worker in reversed(workers):
                worker.stop()

    def let_settle(self):
        """Waits until all that clients left behind has run out of time."""
        # Each thread of a server keeps the connection to an upstream that it asks again every second or two:
        # with probes there are as many as the load happened to leave.
        self.probes.stop()
        alive = [each for each in self.fleet.servers if each.process.poll() is None]
        if not self.interrupted.is_set():
            time.sleep(SETTLE)
            self.descriptors_at_end = fewest_descriptors(alive, 3)
        self.last = {each.name: sample(each.process.pid) for each in alive}

    def judge(self, begin, end):
        failures = judge.errors(self.ledger) + judge.exits(self.fleet.servers)
        if self.interrupted.is_set():
            failures.append("interrupted")
        for server in self.fleet.servers:
            name, begun = server.name, begin + judge.warm_up(end - begin)
            medians = judge.quarters(self.gauge.samples[name], begun, end)
            self.quarters[name] = medians
            failures += judge.memory(name, medians, end - begin)
            failures += judge.latency(name, self.probes.seconds[name])
            if name in self.descriptors_at_end:
                start, left = self.descriptors_at_start[name], self.descriptors_at_end[name]
                failures += judge.descriptors(name, start, left)
        return failures + judge.idle_kinds(KINDS, self.ledger.done)
