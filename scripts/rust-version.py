"""Says which dependencies state a newer Rust than the one that Cargo.toml promises.

No compiler but the newest is at hand, so that the promise is not tried by building. This is what can be
seen without one; what the code itself uses of the standard library, clippy's `incompatible_msrv` sees.
"""

import json
import subprocess
import sys


def version(text):
    parts = [int(part) for part in text.split(".")]
    return parts + [0] * (3 - len(parts))


metadata = json.loads(
    subprocess.check_output(
        ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    )
)
packages = metadata["packages"]
promised = next(p["rust_version"] for p in packages if p["name"] == "turnkey")
newer = [
    p for p in packages if p["rust_version"] and version(p["rust_version"]) > version(promised)
]
for package in newer:
    print(
        f"rust-version: {package['name']} {package['version']} needs Rust {package['rust_version']}, "
        f"and Cargo.toml promises {promised}: take an older one (cargo update --precise), or promise less",
        file=sys.stderr,
    )
sys.exit(bool(newer))
