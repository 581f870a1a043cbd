"""How much is measured."""

from dataclasses import dataclass


@dataclass
class Plan:
    """How much is measured."""

    # Many and short, since what disturbs a machine comes and goes.
    rounds: int = 15
    # Of wrk, each time.
    seconds: int = 1
    # CPU time is told in hundredths of a second: so many that one of them is some 3 %, at most.
    handshakes: int = 3000
    resumptions: int = 6000
    idle: int = 5000
    # As many as a server has descriptors for where 20,000 are allowed.
    crowd: int = 16_000
    files: int = 20
    # The only peer that is measured; None: all.
    peer: str | None = None
