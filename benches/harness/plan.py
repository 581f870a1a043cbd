"""How much is measured."""

from dataclasses import dataclass


@dataclass
class Plan:
    """How much is measured."""

    rounds: int = 5
    # Of wrk, each time.
    seconds: int = 2
    # CPU time is told in hundredths of a second: so many that one of them is 2 % at most.
    handshakes: int = 3000
    resumptions: int = 9000
    idle: int = 5000
    # As many as a server has descriptors for where 20,000 are allowed.
    crowd: int = 16_000
    files: int = 30
