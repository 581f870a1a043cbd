"""What came of it: for the terminal, and as docs/SOAK.md."""

import datetime
import ssl
import subprocess
import sys
from statistics import median, quantiles

from harness.report import machine

from . import crew


def versions(turnkey):
    said = subprocess.run([str(turnkey), "--version"], capture_output=True, text=True).stdout
    python = f"Python {sys.version.split()[0]}"
    return [*said.strip().splitlines(), f"{python} with {ssl.OPENSSL_VERSION}, which are the clients"]


def markdown(soak, failures):
    """The whole report."""
    minutes, seconds = divmod(round(soak.seconds), 60)
    out = [
        "# The last soak",
        "",
        "Written by `make soak`. [tests/soak](../tests/soak) says what is done to which server, and",
        "[judge.py](../tests/soak/soaking/judge.py) how the verdict is reached.",
        "",
        f"- date: {datetime.date.today().isoformat()}",
        f"- machine: {machine()}",
        f"- versions: {'; '.join(versions(soak.turnkey))}",
        f"- under load for {minutes} min {seconds:02} s",
        f"- verdict: {verdict(failures)}",
        "",
    ]
    out += [f"  - {failure}" for failure in failures]
    out += ["## Servers", "", *table(*servers(soak)), ""]
    out += [
        "PSS in MiB: after the start, the medians of the four quarters of the time after the warm-up,",
        "and after the load. Descriptors: after the start, at most, and after the load. CPU in seconds.",
        "",
        "## Probes",
        "",
        "One request each second, on a new connection; times in milliseconds.",
        "",
        *table(*probes(soak)),
        "",
        "## What was done",
        "",
        *table(["clients that do nothing wrong", "visits"], visits(soak, fault=False)),
        "",
        *table(["faults", "visits"], visits(soak, fault=True)),
        "",
        *table(["files and upstreams", "times"], changes(soak)),
        "",
        "Answers lost because of what was done to an upstream, not because of turnkey: "
        + (", ".join(f"{why}: {n}" for why, n in sorted(soak.ledger.excused.items())) or "none")
        + ".",
        "",
        "## What the servers logged",
        "",
        *table(["line", "times"], lines(soak)),
        "",
        *table(["status in the access logs", "requests"], statuses(soak)),
        "",
        "Run it again: `make soak`; `make soak ARGS=--quick` for a minute, which writes nothing.",
    ]
    return "\n".join(out) + "\n"


def verdict(failures):
    return f"**failed** ({len(failures)})" if failures else "**passed**"


def table(headings, rows):
    """The first column is text, the others are numbers."""
    out = ["| " + " | ".join(headings) + " |"]
    out.append("| --- |" + " ---: |" * (len(headings) - 1))
    return out + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def servers(soak):
    headings = ["server", "PSS at start", "1st", "2nd", "3rd", "4th quarter", "after"]
    headings += ["descriptors at start", "most", "after", "most threads", "CPU"]
    rows = []
    for server in soak.fleet.servers:
        samples = soak.gauge.samples[server.name]
        first, last = soak.first[server.name], soak.last.get(server.name)
        if not samples or last is None:
            rows.append([server.name] + ["?"] * (len(headings) - 1))
            continue
        rows.append(
            [server.name, mib(first.pss), *map(mib, soak.quarters[server.name]), mib(last.pss)]
            + [soak.descriptors_at_start[server.name]]
            + [max(each.descriptors for each in samples)]
            + [soak.descriptors_at_end.get(server.name, "?")]
            + [max(each.threads for each in samples), f"{last.cpu:.0f}"]
        )
    return headings, rows


def mib(size):
    return "" if size is None else f"{size / 2**20:.1f}"


def probes(soak):
    rows = []
    for server in soak.fleet.servers:
        seconds = soak.probes.seconds[server.name]
        if len(seconds) > 1:
            figures = [median(seconds), quantiles(seconds, n=100)[98], max(seconds)]
            rows.append([server.name, len(seconds), *(f"{1000 * each:.1f}" for each in figures)])
    return ["server", "probes", "median", "99th percentile", "maximum"], rows


def visits(soak, fault):
    done = soak.ledger.done
    return [[each.name, done[each.name]] for each in crew.KINDS if each.fault is fault]


def changes(soak):
    kinds = {each.name for each in crew.KINDS}
    return sorted([name, n] for name, n in soak.ledger.done.items() if name not in kinds)


def lines(soak):
    total = sum((server.log.seen for server in soak.fleet.servers), start=type(soak.ledger.done)())
    return [[f"`{pattern}`".replace("|", "\\|"), n] for pattern, n in sorted(total.items())]


def statuses(soak):
    counters = [server.log.statuses for server in soak.fleet.servers]
    total = sum(counters, start=type(soak.ledger.done)())
    return [[status, n] for status, n in sorted(total.items(), key=lambda pair: pair[0] or 0)]
