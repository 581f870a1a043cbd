"""What servers hold and use, read from /proc every now and then."""

import os
import time
from collections import defaultdict
from dataclasses import dataclass

from harness.process import cpu_of, memory_of

from .worker import Worker


@dataclass
class Sample:
    # Seconds on the monotonic clock.
    when: float
    # Bytes.
    pss: int
    descriptors: int
    threads: int
    # Seconds so far.
    cpu: float


def sample(pid):
    return Sample(
        time.monotonic(),
        memory_of(pid, "Pss"),
        descriptors(pid),
        len(os.listdir(f"/proc/{pid}/task")),
        cpu_of(pid),
    )


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def fewest_descriptors(servers, seconds):
    """The fewest that each has within that time: a probe's connection is not counted so."""
    fewest = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for server in servers:
            now = descriptors(server.process.pid)
            fewest[server.name] = min(now, fewest.get(server.name, now))
        time.sleep(0.05)
    return fewest


class Gauge(Worker):
    """Takes a sample of each server every `pause` seconds, and sees when one has left."""

    def __init__(self, servers, ledger, pause):
        super().__init__()
        self.servers = servers
        self.ledger = ledger
        self.pause = pause
        self.samples = defaultdict(list)

    def work(self):
        gone = set()
        while not self.stopping.wait(self.pause):
            for server in self.servers:
                if server.process.poll() is None:
                    self.samples[server.name].append(sample(server.process.pid))
                elif server.name not in gone:
                    gone.add(server.name)
                    self.ledger.error("server", f"{server.name} has left: {server.process.poll()}")
