"""What was measured, for people: a table on the terminal, RESULTS.md and its picture."""

import datetime
import os
import platform
import re

from .instructions import KINDS

HEADINGS = ["case", "peer", "turnkey", "peer's", "unit", "ratio", "library alone", "to reach", ""]


def line(row):
    """A row as cells of text."""
    theirs = "" if row.theirs is None else number(row.theirs)
    ratio, alone = ("" if r is None else f"{r:.2f}" for r in (row.ratio, row.alone))
    sign = "≥" if row.more else "≤"
    unit = f" {row.unit}" if row.absolute else ""
    target = "" if row.target is None else f"{sign} {row.target:g}{unit}"
    verdict = {True: "reached", False: "**not reached**", None: ""}[row.reached]
    return [row.case, row.peer, number(row.ours), theirs, row.unit, ratio, alone, target, verdict]


def number(value):
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.1f}"


def text(rows):
    """The table for a terminal."""
    lines = [HEADINGS] + [line(row) for row in rows]
    widths = [max(len(cells[i]) for cells in lines) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
        for cells in lines
    )


def markdown(rows, versions, instructions, plan):
    """RESULTS.md."""
    out = [
        "# Results",
        "",
        "Written by `make bench`; [README.md](README.md) says what is measured and how to read it.",
        "Compare a figure only with its peer's, which is from the same run on the same machine.",
        "",
        f"- date: {datetime.date.today().isoformat()}",
        f"- machine: {machine()}",
        f"- versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"- medians of {plan.rounds} rounds; ratios are medians of the rounds' ratios",
        "- library alone: the ratio that async-h1's decoder and encoder, or for handshakes native-tls or rustls "
        "(in memory, without sockets), have to the peer without the rest of turnkey; turnkey cannot get below it "
        "with these libraries",
        "",
        "![the ratios](results.svg)",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: | --- | --- |",
    ]
    out += ["| " + " | ".join(line(row)) + " |" for row in rows]
    if instructions:
        out += [
            "",
            "## Instructions",
            "",
            "Counted by callgrind for one request, from the bytes of its head to those of the answer, "
            "in memory:",
            "",
            "| `--only instructions/` | what | instructions |",
            "| --- | --- | ---: |",
        ]
        out += [f"| {kind} | {KINDS[kind]} | {count:.0f} |" for kind, count in instructions.items()]
    return "\n".join(out) + "\n"


def machine():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/proc/meminfo") as file:
        memory = int(re.search(r"MemTotal:\s*(\d+)", file.read())[1]) / 2**20
    return (
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} processors, "
        f"{memory:.0f} GiB, Linux {platform.release()}"
    )
