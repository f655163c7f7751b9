"""Where frames end and numbers begin: the ragged arrays of many series, laid end to end.

A row is one step of one series. Series follow one another; inside a series the index rises. Columns are
plain numpy vectors (the frame's own memory wherever that is possible), so nothing is copied before the
windows' one contiguous buffer is filled.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrays:
    """Numbers of a panel.

    columns   one vector [row] per channel: the targets first, then the past covariates; NaN where a cell is missing
    names     the channels' names
    targets   how many of the channels are targets
    ids       one name per series
    offsets   [series + 1] first row of each series, then the number of rows
    breaks    first row after each gap in the index; no window may hold a row on both sides of one
    known     [row feature] covariates known ahead of time, or None
    static    [series feature] covariates without a time, or None
    pauses    first row after each holiday: a window may reach over one, but the step numbers do not go on by one
    first     [run] absolute step number of the first row of each stretch without a gap or a pause (`runs`), or None
    step      the step of the index in a word, for messages
    """

    columns: tuple[Floats, ...]
    names: tuple[str, ...]
    targets: int
    ids: tuple[str, ...]
    offsets: Rows
    breaks: Rows
    known: Floats | None = None
    static: Floats | None = None
    pauses: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    first: Rows | None = None
    step: str = "a row"

    @property
    def rows(self) -> int:
        return int(self.offsets[-1])

    @property
    def lengths(self) -> Rows:
        """Rows of each series: [series]."""
        return np.diff(self.offsets)

    def measured(self) -> npt.NDArray[np.bool_]:
        """Whether a target was measured: [row]."""
        seen: npt.NDArray[np.bool_] = np.any([np.isfinite(column) for column in self.columns[: self.targets]], 0)
        return seen

    def stops(self) -> Rows:
        """The row after the last measured target of each series; of one never measured, its end: [series]."""
        stops = self.offsets[1:].copy()
        for series, (begin, end) in enumerate(zip(self.offsets[:-1].tolist(), stops.tolist(), strict=True)):
            ends = [_after_the_last(column[begin:end]) for column in self.columns[: self.targets]]
            stops[series] = begin + max(ends) if any(ends) else end
        return stops

    def segments(self) -> tuple[Rows, Rows]:
        """First row and end row of each stretch without a gap, in order: ([segment], [segment])."""
        edges = np.unique(np.concatenate([self.offsets, self.breaks]))
        return edges[:-1], edges[1:]

    def runs(self) -> Rows:
        """First row of each stretch whose step numbers go on by one: [run]."""
        return np.unique(np.concatenate([self.offsets, self.breaks, self.pauses]))[:-1]


def _after_the_last(cells: Floats) -> int:
    """How many cells there are up to the last measured one."""
    if len(cells) and np.isfinite(cells[-1]):
        return len(cells)
    seen = np.flatnonzero(np.isfinite(cells))
    return int(seen[-1]) + 1 if len(seen) else 0
