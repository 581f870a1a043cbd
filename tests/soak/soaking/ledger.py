"""What was done to the servers, when, and what went wrong: the one place where threads meet."""

import contextlib
import threading
import time
from collections import Counter, defaultdict

# Of each kind of error a few are told in full; the others are counted.
TOLD = 5


class Ledger:
    """Counts, and remembers of each kind of visit when it was last under way at each server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done = Counter()
        self.excused = Counter()
        self.errors = Counter()
        self.told = defaultdict(list)
        self.under_way = Counter()
        self.last = {}

    @contextlib.contextmanager
    def during(self, kind, server):
        """What is done to `server` inside has this name."""
        with self.lock:
            self.done[kind] += 1
            self.under_way[kind, server] += 1
        try:
            yield
        finally:
            with self.lock:
                self.under_way[kind, server] -= 1
                self.last[kind, server] = time.monotonic()

    def recent(self, kind, server, grace):
        """Whether it is under way there, or ended less than `grace` seconds ago."""
        with self.lock:
            ago = time.monotonic() - self.last.get((kind, server), float("-inf"))
            return self.under_way[kind, server] > 0 or ago < grace

    def excuse(self, why):
        """An answer that was not as it should be, for a reason that is ours."""
        with self.lock:
            self.excused[why] += 1

    def error(self, where, what):
        with self.lock:
            self.errors[where] += 1
            if len(self.told[where]) < TOLD:
                told = f"{time.strftime('%H:%M:%S')} {what}"
                self.told[where].append(told)
                print(f"soak: error: {where}: {told}", flush=True)
