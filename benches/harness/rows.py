"""What comes of a case: turnkey beside a peer, and what there is to reach."""

from dataclasses import dataclass

from .contest import ratio

MICROSECONDS = "µs of CPU"


@dataclass
class Row:
    """turnkey beside a peer."""

    case: str
    peer: str
    ours: float
    # None: there is nobody to compare with.
    theirs: float | None
    unit: str
    # The median of the ratios; None without a peer.
    ratio: float | None
    # What there is to reach; None: it is told, and that is all.
    target: float | None
    # Whether it is `ours`, not the ratio, that has to reach it.
    absolute: bool = False
    # Whether more is better.
    more: bool = False
    # The ratio that the library alone has to the same peer, where that was measured.
    alone: float | None = None

    @property
    def value(self):
        return self.ours if self.absolute else self.ratio

    @property
    def reached(self):
        if self.target is None:
            return None
        return self.value >= self.target if self.more else self.value <= self.target


def compare(case, figures, ours, targets, unit, floor=None):
    """Rows of `ours` beside each peer in `targets` that was measured; `floor` is the
    library alone, doing the same."""
    if floor not in figures:
        floor = None
    return [
        Row(
            case,
            peer,
            figures[ours].median,
            figures[peer].median,
            unit,
            ratio(figures[ours], figures[peer]),
            target,
            alone=ratio(figures[floor], figures[peer]) if floor not in (None, peer) else None,
        )
        for peer, target in targets.items()
        if ours in figures and peer in figures
    ]


def absolute(case, ours, theirs, unit, target):
    return Row(case, "nginx", ours, theirs, unit, ours / theirs, target, absolute=True)
