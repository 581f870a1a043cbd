"""Servers measured beside each other: in turn, in each round, so that what disturbs the machine disturbs
all of them."""

import math
from dataclasses import dataclass, field
from statistics import median

from .load import Wrk
from .process import InMemory


@dataclass
class Figures:
    """What was measured of one server, a figure for each round."""

    name: str
    each: list = field(default_factory=list)

    @property
    def median(self):
        return median(self.each)


def ratio(ours, theirs):
    """The median of the ratios of figures from the same round; not a number if what was measured was too
    short for the clock, as it may be with `--quick`."""
    ratios = [a / b for a, b in zip(ours.each, theirs.each, strict=True) if b]
    return median(ratios) if ratios else math.nan


def contest(entries, rounds, measure, warm_up=None):
    """Measures each of `entries`, named servers, in each of `rounds`, beginning with another each
    time. Returns the figures by name."""
    figures = {name: Figures(name) for name in entries}
    names = list(entries)
    for name in names if warm_up else []:
        warm_up(entries[name])
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            figures[name].each.append(measure(entries[name]))
    return figures


def cpu_each(load):
    """Microseconds of the server's CPU time for each request or handshake of `load`."""

    def measure(server):
        if isinstance(server, InMemory):
            return server.cpu_each(load.count)
        before, after, count, _ = load.run(server, server.cpu)
        return (after - before) / count * 1e6

    return measure


def rate(load):
    """Requests or handshakes a second."""

    def measure(server):
        _, _, count, seconds = load.run(server, lambda: None)
        return count / seconds

    return measure


def started(stack, servers, peer=None):
    """Starts `servers`, by name, for as long as `stack` lives: all of them, or those of turnkey and `peer`."""
    return {
        name: stack.enter_context(server)
        for name, server in servers.items()
        if peer in (None, name) or server.is_turnkey
    }


def warm(**options):
    """A short run that does not count."""
    load = Wrk(1, **options)
    return lambda server: load.run(server, lambda: None)
