#!/usr/bin/env python3
"""Measures turnkey beside its peers. `make bench` builds what this needs, and calls it."""

import argparse
import json
import resource
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness import instructions, peers, plot, report
from harness.cases import CASES
from harness.plan import Plan

HERE = Path(__file__).parent

# What `--only` knows them by.
INSTRUCTIONS = "instructions"


def main():
    options = arguments()
    plan = Plan(rounds=options.rounds)
    if options.quick:
        plan = Plan(rounds=1, seconds=1, handshakes=100, resumptions=100, idle=100, crowd=400, files=1)
    # Thousands of connections are thousands of descriptors, at both ends.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    counted = {}
    with tempfile.TemporaryDirectory() as folder:
        # Some servers change to another user.
        Path(folder).chmod(0o755)
        bench = peers.Bench(
            options.turnkey, options.programs, folder, options.venv
        )
        for name, part in options.only or [(name, None) for name in [*CASES, INSTRUCTIONS]]:
            print(f"bench: {name}", file=sys.stderr, flush=True)
            if name == INSTRUCTIONS:
                counted |= instructions.count(options.instructions, part and [part])
                print(json.dumps(counted))
                continue
            case = CASES[name](bench, replace(plan, peer=part))
            case = [row for row in case if part in (None, row.peer)]
            if not case:
                sys.exit(f"{name} has no peer {part}, or it is not installed")
            rows += case
            print(report.text(case), flush=True)
        if options.write:
            text = report.markdown(rows, peers.versions(bench), counted, plan)
            (HERE / "RESULTS.md").write_text(text)
            (HERE / "results.svg").write_text(plot.svg(rows))
    missed = [row for row in rows if row.reached is False]
    print(f"{len(missed)} of {sum(row.reached is not None for row in rows)} not reached")


def only(name):
    """A case or what is counted, and what of it: None for all."""
    case, _, part = name.partition("/")
    known = case == INSTRUCTIONS and (not part or part in instructions.KINDS)
    if case not in CASES and not known:
        raise argparse.ArgumentTypeError(f"there is no {name}")
    return case, part or None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turnkey", required=True, help="the program, with all backends")
    parser.add_argument("--programs", required=True, help="the folder of the load and the peers")
    parser.add_argument("--venv", default=".venv", help="where gunicorn is, if it is")
    parser.add_argument("--instructions", required=True, help="the program whose instructions are counted")
    parser.add_argument(
        "--only",
        action="append",
        type=only,
        metavar="NAME",
        help=f"a case ({', '.join(CASES)}), one peer of it (plain/nginx), {INSTRUCTIONS}, or one of them "
        f"({', '.join(f'{INSTRUCTIONS}/{kind}' for kind in instructions.KINDS)}); may be repeated",
    )
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--quick", action="store_true", help="measure next to nothing: does it run?")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and results.svg")
    return parser.parse_args()


if __name__ == "__main__":
    main()
