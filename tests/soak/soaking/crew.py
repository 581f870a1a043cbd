"""The clients at work: each kind in a thread of its own, going from server to server."""

import random
import ssl
import threading
import time
import traceback
from dataclasses import dataclass

from .http import Ended, Wrong
from .outages import DIES, excuses

# An answer may be late by this much after what was done to the server is over.
GRACE = 4

KINDS = []


@dataclass
class Kind:
    """A kind of client, or of fault."""

    name: str
    # Takes a `Target` and a `Random`; raises what is not as it should be.
    visit: object
    applies: object
    # Seconds between two visits, about.
    pause: float
    # Whether it is something that nobody should do to a server.
    fault: bool


def kind(name, pause, on=lambda target: True, fault=False):
    """Puts a function among the kinds."""

    def register(visit):
        KINDS.append(Kind(name, visit, on, pause, fault))
        return visit

    return register


def on(*contents):
    return lambda target: target.spec.content in contents


class Crew:
    """Runs all kinds against all servers, until it is told to stop."""

    def __init__(self, targets, ledger, seed):
        self.ledger = ledger
        self.stopping = threading.Event()
        self.threads = []
        for number, each in enumerate(KINDS):
            chosen = [target for target in targets if each.applies(target)]
            if not chosen:
                raise RuntimeError(f"no server for clients of the kind {each.name}")
            args = (each, chosen, random.Random(f"{seed} {number}"))
            self.threads.append(threading.Thread(target=self.work, args=args))

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        """Lets everybody finish."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        if left := [thread for thread in self.threads if thread.is_alive()]:
            self.ledger.error("clients", f"{len(left)} do not come to an end")

    def work(self, each, targets, dice):
        at = dice.randrange(len(targets))
        while not self.stopping.wait(each.pause * dice.uniform(0.5, 1.5)):
            self.visit(each, targets[at % len(targets)], dice)
            at += 1

    def visit(self, each, target, dice):
        begun = time.monotonic()
        with self.ledger.during(each.name, target.name):
            try:
                each.visit(target, dice)
            except (Wrong, OSError) as error:
                self.judge(each, target, error, time.monotonic() - begun)
            except Exception as error:
                trace = traceback.format_exc(limit=-3)
                self.ledger.error(each.name, f"at {target.name}: {error!r}\n{trace}")

    def judge(self, each, target, error, lasted):
        why = excuse(self.ledger, target, error, lasted)
        if why:
            self.ledger.excuse(why)
        else:
            self.ledger.error(each.name, f"at {target.name}: {type(error).__name__}: {error}")


def excuse(ledger, target, error, lasted=0):
    """What was done to the upstreams of `target` of late, if that explains `error`; else None.

    The error is that of a visit of so many seconds."""
    gone = isinstance(error, Wrong) and error.status in (502, 504)
    # An answer that had begun when its upstream died is broken off, and so is a tunnel. Whoever reads
    # slowly learns of it when all that was on the way is read.
    broken = isinstance(error, (Ended, ConnectionError, ssl.SSLError))
    grace = GRACE + (lasted if broken else 0)
    if (gone or broken) and excuses(ledger, target.server, grace):
        return DIES
    if ledger.recent("upstream CA that is foreign", target.name, GRACE) and gone:
        return "upstream CA that is foreign"
    return None
