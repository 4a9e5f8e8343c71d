"""Members that see the same batches."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Group:
    """Members start..stop-1 of a stack, which share their batches."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def group(keys: Sequence[Hashable]) -> list[Group]:
    """Runs of equal keys, in order.

    >>> group(["a", "a", "b"])
    [Group(start=0, stop=2), Group(start=2, stop=3)]
    """
    groups: list[Group] = []
    for _, run in groupby(keys):
        start = groups[-1].stop if groups else 0
        groups.append(Group(start, start + len(list(run))))
    return groups
