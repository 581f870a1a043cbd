"""What the verdict rests on.

- Memory: the median of the PSS in the last quarter may exceed that in the first quarter by 5 % and
  512 KiB. The quarters are of the time under load, after a warm-up of a tenth of it, and at least a
  minute: until then caches and pools fill. It is judged from five minutes on: before that a quarter
  has too few samples.
- Descriptors: when all clients have left, and timeouts have passed, there are no more than at the start.
- Latency: no probe waits for more than five seconds.
- Errors: none. What is one is decided where it is seen: an answer that is not the one that was due
  (clients, crew.excuse), a line that nothing injected (log.LINES), a reload that does not take place
  (reloads), a server that leaves (gauge), or does not end with 0.
"""

from statistics import median

ALLOWED_SHARE, ALLOWED_BYTES = 0.05, 512 << 10
LONGEST = 5.0
LONG_ENOUGH = 300


def warm_up(seconds):
    """How much of a load of this length is not judged by memory."""
    return max(seconds / 10, 60)


def quarters(samples, begin, end):
    """The medians of PSS in the four quarters of the time from `begin` to `end`; None: not a sample."""
    length = (end - begin) / 4
    parts = [[] for _ in range(4)]
    for each in samples:
        at = int((each.when - begin) // length) if length > 0 else -1
        if 0 <= at < 4:
            parts[at].append(each.pss)
    return [median(part) if part else None for part in parts]


def memory(name, medians, seconds):
    """What is wrong with the memory of a server that was under load for so many seconds."""
    if seconds < LONG_ENOUGH:
        return []
    first, last = medians[0], medians[3]
    if first is None or last is None:
        return [f"{name}: memory was not measured"]
    if last > first * (1 + ALLOWED_SHARE) + ALLOWED_BYTES:
        return [f"{name}: memory grew from {first / 1024:.0f} to {last / 1024:.0f} KiB"]
    return []


def descriptors(name, start, end):
    if end > start:
        return [f"{name}: {end} descriptors are left of {start} at the start"]
    return []


def latency(name, seconds):
    if not seconds:
        return [f"{name}: was never probed"]
    if max(seconds) > LONGEST:
        return [f"{name}: a probe waited for {max(seconds):.1f} s"]
    return []


def idle_kinds(kinds, done):
    """Clients and faults that never came: what was not done shows nothing."""
    return [f"no client of the kind {kind.name!r} came" for kind in kinds if not done[kind.name]]


def errors(ledger):
    return [
        f"{where}: {count} errors, such as: {ledger.told[where][0]}"
        for where, count in sorted(ledger.errors.items())
    ]


def exits(servers):
    return [f"{each.name}: ended with {each.exit} in place of 0" for each in servers if each.exit != 0]
