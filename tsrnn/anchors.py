"""Where windows hang: rising panel rows, kept as runs of rows that follow one another.

A billion windows of a few long stretches are a few runs, so that what is kept grows with the stretches, not with the
windows. Rows are told apart again for those windows alone that somebody asks for.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from tsrnn.arrays import Rows

_BLOCK = 1 << 20  # windows whose rows are told at once


class Anchors:
    """Panel rows `first[run] + 0, 1, ... counts[run] - 1` of each run, the runs rising: [window]."""

    def __init__(self, first: Rows, counts: Rows) -> None:
        """first, counts: [run]; empty runs are left out."""
        kept = counts > 0
        self.first, self.counts = first[kept], counts[kept]
        self.before = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)  # [run+1] windows before each run

    @classmethod
    def of(cls, rows: Rows, edges: Rows) -> "Anchors":
        """The runs of rising `rows`, none of which reaches over an edge."""
        rows = np.asarray(rows, np.int64)
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        starts = np.union1d(starts, np.searchsorted(rows, edges))
        starts = starts[starts < len(rows)]
        return cls(rows[starts], np.diff(starts, append=len(rows)))

    def __len__(self) -> int:
        return int(self.before[-1])

    @property
    def last(self) -> Rows:
        """The last row of each run: [run]."""
        rows: Rows = self.first + self.counts - 1
        return rows

    @cached_property
    def rows(self) -> Rows:
        """Every row: [window]."""
        return self.at(np.arange(len(self)))

    def at(self, which: Rows) -> Rows:
        """The rows of these windows: [which]."""
        run = np.searchsorted(self.before, which, side="right") - 1
        rows: Rows = self.first[run] + which - self.before[run]
        return rows

    def blocks(self) -> Iterator[Rows]:
        """Every row, some at a time."""
        for begin in range(0, len(self), _BLOCK):
            yield self.at(np.arange(begin, min(begin + _BLOCK, len(self))))
