"""Upstreams that die and come back."""

from contextlib import ExitStack

from .worker import Worker

# How long after the end of one of two upstreams a request may fail for it: those that are under way are
# lost, all others go to the other one.
MOMENT = 1

DIES, DIED = "upstream dies", "one of two upstreams died just now"


class Outages(Worker):
    """Takes turns at the upstreams: no two are gone together, so that a pair is never without one."""

    patience = 60

    def __init__(self, fleet, ledger, dice):
        super().__init__()
        self.fleet = fleet
        self.ledger = ledger
        self.dice = dice

    def work(self):
        at = 0
        while not self.stopping.wait(self.dice.uniform(10, 20)):
            upstream = self.fleet.upstreams[at % len(self.fleet.upstreams)]
            at += 1
            with ExitStack() as gone:
                self.end(upstream, gone)
                self.stopping.wait(self.dice.uniform(1, 10))
                upstream.start()

    def end(self, upstream, gone):
        servers = [s for s in self.fleet.servers if upstream in s.spec.upstreams]
        with ExitStack() as moment:
            for server in servers:
                gone.enter_context(self.ledger.during(DIES, server.name))
                moment.enter_context(self.ledger.during(DIED, server.name))
            upstream.kill()
            self.stopping.wait(MOMENT)


def excuses(ledger, server, grace):
    """Whether an upstream's end explains an answer of `server` that is none."""
    return ledger.recent(DIES if len(server.spec.upstreams) == 1 else DIED, server.name, grace)
