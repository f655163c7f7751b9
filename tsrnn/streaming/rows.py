"""Where the series of a stream stand, and the rows that come next: read as the history was, held against it.

frame of one new row per series --`Tail.read`--> Rows: numbers beside the series that they belong to, and the next Tail
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from tsrnn import arrays as numbers
from tsrnn import features, future
from tsrnn import index as indexing
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, quoted
from tsrnn.frames import to_polars
from tsrnn.panel import Panel
from tsrnn.roles import Roles
from tsrnn.series import id_text
from tsrnn.steps import Months, Step, physical

_MONTHS = 36  # newest rows kept where each series keeps to a day of the month of its own


@dataclass(frozen=True)
class Rows:
    """New rows of some series, in the order of the stream's.

    which     [row] the series' numbers
    values    [row channel] in the panel's units, NaN where a cell is missing
    known     [row feature] covariates known ahead, at these rows, in their own units; None: there are none
    tail      where the series stand after them
    """

    which: numbers.Rows
    values: Floats
    known: Floats | None
    tail: "Tail"


@dataclass(frozen=True)
class Tail:
    """The newest rows of each series.

    panel     its id and index in those rows, as many of each series, and the targets for their types
    ids       the series' names
    starts    [series] where each series' index began, as numbers of the index
    phase     [series] absolute number of the step that comes next
    """

    panel: Panel
    ids: tuple[str, ...]
    starts: np.ndarray
    phase: numbers.Rows

    @classmethod
    def of(cls, panel: Panel, phase: numbers.Rows) -> Self:
        """The end of a history."""
        step, ends = panel.step, panel.offsets[1:]
        own_days = isinstance(step.calendar, Months) and step.calendar.rule is None
        kept = min(int(np.diff(panel.offsets).min()), _MONTHS if own_days else 1 if _even(step) else 2)
        starts = physical(panel.frame[panel.roles.index])[panel.offsets[:-1]]
        newest = (ends[:, None] + np.arange(-kept, 0)).reshape(-1)
        tail = held(panel, panel.frame[newest].select(columns(panel.roles)), step, kept)
        return cls(tail, panel.ids, starts, phase)

    @property
    def kept(self) -> int:
        """Rows of each series."""
        return self.panel.frame.height // len(self.ids)

    def some(self, which: numbers.Rows) -> Panel:
        """The panel of some of the series."""
        if len(which) == len(self.ids):
            return self.panel
        rows = (which[:, None] * self.kept + np.arange(self.kept)).reshape(-1)
        return held(self.panel, self.panel.frame[rows], self.panel.step, self.kept)

    def native(self, which: numbers.Rows, table: pl.DataFrame, rows: Any) -> Any:
        """A table in the type that the rows came in."""
        if isinstance(rows, pl.DataFrame):
            return table
        origin = to_polars(rows, "rows")[1]
        return replace(self.some(which), origin=origin).native(table)

    def read(self, frame: Any) -> Rows:
        """One new row of each of some series, from a frame.

        Raises:
            InputError: a column is missing or cannot be read; a series is unknown or has two rows; a row does not
                follow its series' newest by one step.
        """
        panel, roles = self.panel, self.panel.roles
        names = roles.targets + roles.past + roles.future
        if panel.numbered and roles.id is None:
            frame = self._numbered(frame)
        quick = self._quick(frame, names)
        if quick is not None:
            return quick
        table = future.keyed(panel, frame, names, "rows")
        if not table.height:
            raise InputError("rows holds no row; give one new row of each series that has one")
        which = self._series(table)
        turn = np.argsort(which, kind="stable")
        table, which = table[turn], which[turn]
        index = future.alike(table[roles.index], panel.frame[roles.index], "rows")
        number = self._follow(table[roles.index], index, which)
        at = pl.Series("row", turn)
        table = table.with_columns(index, *(future.numbers(table[name], at, panel, name, "rows") for name in names))
        values = table.select(pl.col(roles.targets + roles.past).cast(pl.Float64)).to_numpy()
        known = panel.features(table, roles.future)
        return Rows(which, values, known, self._after(table, which, number))

    def following(self, values: Floats) -> Rows:
        """The next row of every series, of which the numbers alone are given: [series channel].

        Raises:
            InputError: of another shape, or there are covariates known ahead, which a frame alone can give.
        """
        panel, roles = self.panel, self.panel.roles
        names = roles.targets + roles.past
        if values.shape != (len(self.ids), len(names)):
            raise InputError(
                f"rows is an array of shape {list(values.shape)}; give [series channel] = "
                f"{[len(self.ids), len(names)]}, the channels being {', '.join(names)}"
            )
        if roles.future:
            raise InputError(
                f"rows is an array and holds no {', '.join(roles.future)}; give a frame with those columns"
            )
        if np.isinf(values).any():
            raise InputError("rows holds an infinite number; replace it, or give NaN where nothing was measured")
        if self.kept == 1 and _even(panel.step):
            frame = pl.DataFrame([*panel.future(1).get_columns(), *(panel.frame[name] for name in roles.targets)])
            after = replace(self, panel=held(panel, frame, panel.step, 1), phase=self.phase + 1)
            return Rows(np.arange(len(values)), values, None, after)
        table = panel.future(1).with_columns(pl.Series(name, values[:, k]) for k, name in enumerate(names))
        which = np.arange(len(self.ids))
        return Rows(which, values, None, self._after(table, which, self._numbers(table[roles.index], which)))

    def calendar(self, which: numbers.Rows, horizon: int = 0) -> Floats:
        """Calendar features of the newest rows, or of the `horizon` steps after: [row*(horizon or 1) feature]."""
        panel, name = self.some(which), self.panel.roles.index
        index = panel.future(horizon)[name] if horizon else panel.frame[name].gather(panel.offsets[1:] - 1)
        return features.at(
            features.by_clock(index, panel.zone), panel.step, np.repeat(self.starts[which], horizon or 1)
        )

    def _quick(self, frame: Any, names: Sequence[str]) -> Rows | None:
        """`read` where nothing is to be found out: types as before, all series in order, an even step; else None."""
        panel, roles = self.panel, self.panel.roles
        if panel.missing or panel.flags or self.kept > 1 or not _even(panel.step) or panel.rows_as_they_stand:
            return None
        if not isinstance(frame, pl.DataFrame):
            return None
        schema, kinds = frame.schema, panel.frame.schema
        alike = all(schema.get(name) == kind for name, kind in kinds.items()) and frame.height == len(self.ids)
        if not alike or not all(name in schema and schema[name].is_float() for name in names):
            return None
        if roles.id is not None and not frame[roles.id].equals(panel.frame[roles.id]):
            return None
        index, before = frame[roles.index], panel.frame[roles.index]
        values = frame[list(names)].to_numpy().astype(np.float64, copy=False)
        if index.null_count() or np.isinf(values).any():
            return None
        steps = (physical(index) - physical(before)) / panel.step.size
        if not ((steps > 0.5) & (steps < 1.5)).all():
            return None
        channels, which = len(roles.targets + roles.past), np.arange(len(self.ids))
        known = values[:, channels:].astype(np.float32) if roles.future else None
        after = replace(self, panel=held(panel, frame[columns(roles)], panel.step, 1), phase=self.phase + 1)
        return Rows(which, values[:, :channels], known, after)

    def _series(self, table: pl.DataFrame) -> numbers.Rows:
        """The number of each row's series."""
        id = self.panel.roles.id
        if id is None:
            if table.height > 1:
                raise InputError(f"rows holds {table.height} rows; a step takes one, the next of the series")
            return np.zeros(1, np.int64)
        last = self.panel.frame[id].gather(self.panel.offsets[1:] - 1)
        ids, names = id_text(table[id]), id_text(last)
        if ids.equals(names):
            return np.arange(len(names))
        place = ids.replace_strict(names, np.arange(len(names)), default=None, return_dtype=pl.Int64)
        if place.null_count():
            row = int(place.is_null().arg_max() or 0)
            raise InputError(
                f"rows: row {row + 1} is of series {quoted(ids[row])}, which this state does not know (it has "
                f"{listed(self.ids)}); warm up again with its history"
            )
        if place.is_duplicated().any():
            row = int((~place.is_first_distinct()).arg_max() or 0)
            raise InputError(
                f"rows: row {row + 1} is a second one of series {quoted(ids[row])}; a step takes one row of each series"
            )
        return place.to_numpy()

    def _follow(self, told: pl.Series, index: pl.Series, which: numbers.Rows) -> numbers.Rows:
        """The absolute number of each row's step, which must be the one after its series' newest."""
        panel, step = self.panel, self.panel.step
        newest = panel.frame[panel.roles.index].gather(panel.offsets[1:] - 1).gather(which)
        if index.null_count():
            row = int(index.is_null().arg_max() or 0)
            raise self._astray(told[row], int(which[row]), "cannot stand beside")
        if panel.rows_as_they_stand:
            return self.phase[which]
        back = physical(index) <= physical(newest)
        if back.any():
            row = int(back.argmax())
            raise self._astray(told[row], int(which[row]), "does not come after")
        breaks = indexing.breaks(*_pairs(newest, index), step)
        if len(breaks):
            row = int(breaks[0]) // 2
            raise self._astray(told[row], int(which[row]), "is not one step after")
        return self._numbers(index, which)

    def _numbers(self, index: pl.Series, which: numbers.Rows) -> numbers.Rows:
        """The absolute number of each row's step: one on from its newest, but after a holiday."""
        panel, phase = self.panel, self.phase[which]
        if panel.rows_as_they_stand:
            return phase
        newest = panel.frame[panel.roles.index].gather(panel.offsets[1:] - 1).gather(which)
        late = indexing.pauses(*_pairs(newest, index), panel.step) // 2
        phase[late] = indexing.numbers(index, late, panel.step)
        return phase

    def _astray(self, value: Any, series: int, how: str) -> InputError:
        panel = self.panel
        newest = panel.frame[panel.roles.index][int(panel.offsets[series + 1]) - 1]
        where = "" if panel.roles.id is None else f" of series {quoted(self.ids[series])}"
        wanted = panel.future(1)[panel.roles.index][series]
        return InputError(
            f"rows: {value}{where} {how} {newest}, its newest row; the step is {panel.step.word or 'a row'}, so that "
            f"{wanted} comes next: give that row, with empty cells if nothing was measured, or warm up again"
        )

    def _numbered(self, frame: Any) -> Any:
        """A row of a frame without an index, which has the next number."""
        table, index = to_polars(frame, "rows")[0], self.panel.roles.index
        if index in table.columns:
            return frame
        return table.with_columns(pl.Series(index, np.arange(table.height) + self.panel.frame[index][-1] + 1))

    def _after(self, table: pl.DataFrame, which: numbers.Rows, number: numbers.Rows) -> "Tail":
        """Where the series stand after one row of some of them, which is that number's."""
        panel, kept = self.panel, self.kept
        table = table.select(pl.col(name).cast(kind, strict=False) for name, kind in panel.frame.schema.items())
        rows = np.arange(panel.frame.height).reshape(-1, kept)
        rows[which] = np.concatenate([rows[which, 1:], panel.frame.height + np.arange(len(which))[:, None]], 1)
        frame = pl.concat([panel.frame, table])[rows.reshape(-1)]
        phase = self.phase.copy()
        phase[which] = number + 1
        return replace(self, panel=held(panel, frame, panel.step, kept), phase=phase)


def columns(roles: Roles) -> list[str]:
    """What a tail holds: the id, the index and the targets, whose types a forecast has."""
    return [*([] if roles.id is None else [roles.id]), roles.index, *roles.targets]


def _pairs(newest: pl.Series, index: pl.Series) -> tuple[pl.Series, numbers.Rows]:
    """Each newest value before the one that comes next, as series of two rows: the index and its offsets."""
    turn = np.arange(2 * len(index)).reshape(2, -1).T.reshape(-1)
    return pl.concat([newest, index]).gather(turn), np.arange(0, 2 * len(index) + 1, 2)


def held(panel: Panel, frame: pl.DataFrame, step: Step, kept: int) -> Panel:
    """The panel with other rows, `kept` of each series, and the step of the rows it had: a few would not tell it."""
    held = replace(panel, frame=frame, order=None)
    known = {"step": step, "offsets": np.arange(0, frame.height + 1, kept, dtype=np.int64)}
    vars(held).update(known)  # what the cached properties would look for in the rows
    return held


def _even(step: Step) -> bool:
    """Whether a step is a length alone, of no calendar and no clock."""
    return step.calendar is None and not step.local and step.size > 0
