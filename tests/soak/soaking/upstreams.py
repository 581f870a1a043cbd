"""The upstreams of the servers that hand on, and ports for all."""

import random
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness.process import answers

PROGRAM = Path(__file__).parent.parent / "upstream.py"


class Upstream:
    """An upstream that can die, and come back on its port."""

    def __init__(self, name, identity=()):
        self.name = name
        self.port = port()
        self.identity = [str(file) for file in identity]
        self.process = None

    @property
    def url(self):
        return f"{'https' if self.identity else 'http'}://127.0.0.1:{self.port}"

    def start(self):
        argv = [sys.executable, str(PROGRAM), str(self.port), *self.identity]
        # What it thinks of clients that leave is nobody's business.
        self.process = subprocess.Popen(argv, stderr=subprocess.DEVNULL, process_group=0)
        wait_for(self.port, self.process, self.name)

    def kill(self):
        self.process.kill()
        self.process.wait()


def port():
    """A port that nobody listens on, out of reach of the system, which gives clients higher ones: one
    that dies has to find its own free when it comes back."""
    while True:
        number = random.randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            return number


def wait_for(port, process, name):
    start = time.monotonic()
    while not answers(port):
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start: {process.args}")
        if time.monotonic() - start > 30:
            raise RuntimeError(f"{name} does not answer: {process.args}")
        time.sleep(0.01)
