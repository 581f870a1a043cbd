#!/usr/bin/env python3
"""Soaks turnkey: mixed load, faults and reloads. `make soak` builds what this needs, and calls it."""

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Processes are read as the benches read them.
sys.path.insert(0, str(ROOT / "benches"))

from soaking import report  # noqa: E402
from soaking.soak import Soak  # noqa: E402


def main():
    options = arguments()
    seconds, pause = (60, 2) if options.quick else (options.seconds, 10)
    seed = options.seed or random.randrange(1 << 32)
    print(f"soak: for {seconds} s, --seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="turnkey-soak-") as folder:
        soak = Soak(options.turnkey, folder, seconds, pause, seed)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: soak.interrupted.set())
        failures = soak.run()
        text = report.markdown(soak, failures)
    print(text)
    if options.write and not soak.interrupted.is_set():
        (ROOT / "docs" / "SOAK.md").write_text(text)
    for failure in failures:
        print(f"soak: failed: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turnkey", required=True, help="the program, with all backends")
    parser.add_argument("--seconds", type=int, default=3600, help="how long there is load")
    parser.add_argument("--quick", action="store_true", help="a minute; memory is not judged")
    parser.add_argument("--seed", type=int, help="of what clients do by chance; another each time")
    parser.add_argument("--write", action="store_true", help="write docs/SOAK.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
