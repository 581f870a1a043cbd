"""Instructions for each request in the wire and for each line of the access log, counted by callgrind: the same on
every run, so that a regression shows without noise."""

import os
import re
import subprocess
import tempfile

# Enough that what happens once does not count.
FEW, MANY = 1000, 2000

# What is counted, and what that is.
KINDS = {
    "few": "the built-in text route, few fields",
    "browser": "the built-in text route, a browser's ten fields",
    "post": "the built-in `/echo`, a POST of 12 bytes",
    "handler": "a handler of the library that takes an http-types request, few fields",
    "handler-browser": "the same, a browser's ten fields",
    "folder": "a file of 17 bytes in a folder, few fields",
    "log": "a line of the access log in text (no request)",
}

# glibc zeroes and copies large blocks by `rep stosb` and `rep movsb`, of which callgrind counts an instruction for
# each byte; a processor does 32 bytes or more at a time. Without these two it takes its loops over vectors.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS,-FSRM"}


def count(program, kinds=None):
    """Instructions for each request, by kind."""
    kinds = kinds or KINDS
    return {kind: (total(program, kind, MANY) - total(program, kind, FEW)) / (MANY - FEW) for kind in kinds}


def total(program, kind, requests):
    with tempfile.NamedTemporaryFile() as out:
        argv = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}"]
        done = subprocess.run(
            [*argv, program, kind, str(requests)],
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])
