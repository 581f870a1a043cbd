"""Instructions for each request in the wire alone, counted by callgrind: the same on every run, so that
a regression shows without noise."""

import re
import subprocess
import tempfile

# Enough that what happens once does not count.
FEW, MANY = 1000, 2000

KINDS = ["few", "browser", "post"]


def count(program):
    """Instructions for each request, by kind."""
    return {kind: (total(program, kind, MANY) - total(program, kind, FEW)) / (MANY - FEW) for kind in KINDS}


def total(program, kind, requests):
    with tempfile.NamedTemporaryFile() as out:
        argv = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}"]
        done = subprocess.run(
            [*argv, program, kind, str(requests)], stderr=subprocess.PIPE, text=True, check=True
        )
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])
