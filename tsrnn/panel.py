"""The one normal form of data: several series, one index, named columns with roles. The only room that names columns.

Frames of pandas, polars or pyarrow come in through `Panel.of` and go out through `Panel.native` as the type they
were. Inside, a panel is a polars frame whose rows stand series by series with a rising index, missing cells null.
Long frames (`unique_id, ds, y` or `item_id, timestamp, target`) and wide ones (one column per channel) are the same
thing here: one row per series and step.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import narwhals as nw
import numpy as np
import polars as pl

from tsrnn import forks
from tsrnn import index as indexing
from tsrnn.arrays import Arrays, Floats, Rows
from tsrnn.errors import InputError, unknown
from tsrnn.intake import HOLDER, Roles, find_roles, in_order, numbers, to_polars

Duplicates = Literal["error", "first", "last"]


@dataclass(frozen=True)
class Panel:
    """See the module. Build one with `Panel.of` or `tsrnn.load`, not by hand."""

    frame: pl.DataFrame
    roles: Roles
    source: str = "frame"  # named in messages: a file, a data set
    rows_as_they_stand: bool = False  # the row number is the index, as the literature reads weather.csv
    freq: str | float | None = None
    sort: bool = False  # rows were put in order
    duplicates: Duplicates = "error"  # what was done where one index value stood twice
    seasonality: int | None = None  # steps of the shortest season, where the catalogue knows it
    split: dict[str, Any] | None = None  # the data set's standard split, where there is one
    sha256: str | None = None  # of the file that was read
    order: Rows | None = field(default=None, repr=False)  # where each row stood when it came in, if it moved
    origin: Any = field(default=pl.DataFrame, repr=False)  # the frame type that came in

    @classmethod
    def of(  # noqa: PLR0913  the door: every role is a keyword with a default
        cls,
        frame: Any,
        *,
        target: str | Sequence[str] | None = None,
        time: str | None = None,
        id: str | None = None,
        past_covariates: str | Sequence[str] = (),
        future_covariates: str | Sequence[str] = (),
        static_covariates: str | Sequence[str] = (),
        freq: str | float | None = None,
        sort: bool = False,
        duplicates: Duplicates = "error",
        rows_as_they_stand: bool = False,
        source: str = "frame",
    ) -> "Panel":
        """Take in a frame.

        Args:
            frame: pandas, polars or pyarrow; a `Panel` is handed back as it is.
            target: column or columns to forecast; by default `y` or `target`, else every numeric column left over.
            time: the index: dates, times, whole numbers or depths; found by name (`ds`, `date`, `depth`...), by type,
                or in pandas' own index.
            id: the column that tells series apart; found by name (`unique_id`, `item_id`...).
            past_covariates, future_covariates, static_covariates: columns known up to now, ahead of time, for good.
            freq: one step of the index (`"10m"`, `"1h"`, `"1mo"`, `0.1524`); by default the most common difference.
            sort: put unsorted rows in order instead of refusing them.
            duplicates: what to do where one index value stands twice in a series: error, first, last.
            rows_as_they_stand: take rows by number and do not look for gaps or repetitions.
            source: how messages call this frame.

        Raises:
            InputError: a column is not there or holds text, infinities or nothing; the index repeats or falls.
        """
        if isinstance(frame, Panel):
            roles_given = (target, time, id, past_covariates, future_covariates, static_covariates, freq)
            if any(roles_given) or sort or rows_as_they_stand or duplicates != "error":
                raise InputError("a Panel's columns have their roles; name them where it is made, in load or Panel.of")
            return frame
        if duplicates not in get_args(Duplicates):
            raise unknown("treatment of duplicates", str(duplicates), get_args(Duplicates))
        table, origin = to_polars(frame, source)
        if not table.height:
            raise InputError(f"{source} holds no rows")
        roles = find_roles(table, source, target, time, id, past_covariates, future_covariates, static_covariates)
        if roles.index not in table.columns:
            table = table.with_row_index(roles.index).cast({roles.index: pl.Int64})
        table = numbers(table, roles, source)
        table, order = in_order(table, roles, sort)
        if duplicates != "error":
            keys = [roles.id, roles.index] if roles.id else [roles.index]
            table, order = table.unique(keys, keep=duplicates, maintain_order=True), None
        panel = cls(table, roles, source, rows_as_they_stand, freq, sort, duplicates, order=order, origin=origin)
        if not rows_as_they_stand:
            indexing.check(table[roles.index], panel.ids, panel.offsets, source, order)
        return panel

    def __post_init__(self) -> None:
        forks.check()

    @property
    def reading(self) -> dict[str, Any]:
        """How the frame was read, as plain values: its roles, and the treatment of its rows."""
        treatment = ("freq", "rows_as_they_stand", "sort", "duplicates")
        return {**asdict(self.roles), **{name: getattr(self, name) for name in treatment}}

    @cached_property
    def offsets(self) -> Rows:
        """First row of each series, then the number of rows: [series + 1]."""
        if self.roles.id is None:
            return np.array([0, self.frame.height], dtype=np.int64)
        lengths = self.frame[self.roles.id].rle().struct.field("len").to_numpy()
        return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Names of the series, in order."""
        if self.roles.id is None:
            return (self.source,)
        return tuple(str(name) for name in self.frame[self.roles.id].gather(self.offsets[:-1]))

    @cached_property
    def fingerprint(self) -> str:
        """The file's sha256; for a simulated world or a frame, the sha256 of the numbers it holds."""
        if self.sha256 is not None:
            return self.sha256
        digest = hashlib.sha256(repr(self.frame.schema).encode())
        for name in (*self.roles.targets, *self.roles.past, *self.roles.future, *self.roles.static):
            digest.update(self.frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def step(self) -> indexing.Step:
        index = self.frame[self.roles.index]
        if self.rows_as_they_stand:
            # A file with repeated or missing rows still has a step, for the times of its forecasts.
            return indexing.step_of(index, self.offsets, self.freq) if index.dtype.is_temporal() else indexing.Step(1)
        return indexing.step_of(index, self.offsets, self.freq)

    @property
    def season(self) -> int:
        """Steps of the shortest season: the catalogue's, else what the index's step suggests."""
        return self.seasonality or indexing.season(self.frame[self.roles.index], self.step)

    def arrays(self, known: np.ndarray | None = None) -> Arrays:
        """The numbers, without copying what can be shared. `known`: calendar features to put beside the known ones."""
        forks.check()
        future = [_floats(self.frame[name]) for name in self.roles.future]
        features = [np.stack(future, 1).astype(np.float32)] if future else []
        features += [known] if known is not None else []
        static = self.frame.select(self.roles.static).gather_every(1)[self.offsets[:-1]] if self.roles.static else None
        index = self.frame[self.roles.index]
        names = self.roles.targets + self.roles.past
        arrays = Arrays(
            columns=tuple(_floats(self.frame[name]) for name in names),
            names=names,
            targets=len(self.roles.targets),
            ids=self.ids,
            offsets=self.offsets,
            breaks=np.zeros(0, np.int64)
            if self.rows_as_they_stand
            else indexing.breaks(index, self.offsets, self.step),
            known=np.concatenate(features, 1) if features else None,
            static=None if static is None else static.to_numpy().astype(np.float32),
        )
        return replace(arrays, first=indexing.numbers(index, arrays.segments()[0], self.step))

    def with_arrays(self, arrays: Arrays) -> "Panel":
        """The same panel holding other numbers of the same shape, each column in the type it had."""
        columns = [
            _typed(pl.Series(name, column), self.frame.schema[name])
            for name, column in zip(arrays.names, arrays.columns, strict=True)
        ]
        return replace(self, frame=self.frame.with_columns(columns))

    def future(self, horizon: int) -> pl.DataFrame:
        """Series ids (where there are several) and the next `horizon` index values of each: [series*horizon] rows."""
        index = indexing.following(self.frame[self.roles.index], self.offsets[1:] - 1, self.step, horizon)
        if self.roles.id is None:
            return index.to_frame()
        rows = np.repeat(self.offsets[:-1], horizon)
        return pl.DataFrame([self.frame[self.roles.id].gather(rows), index])

    def forecasts(self, point: np.ndarray, quantiles: np.ndarray | None, levels: Sequence[float]) -> pl.DataFrame:
        """Forecasts beside their ids and times: a column per target, and `<target>_q<level>` per quantile.

        Args:
            point: [series horizon target].
            quantiles: [series horizon target quantile], or None.

        Raises:
            InputError: a forecast is not a number.
        """
        if not np.isfinite(point).all() or (quantiles is not None and not np.isfinite(quantiles).all()):
            raise InputError(
                "the model's forecast is not a number, since its weights or the rows it starts from have grown beyond "
                "bounds; fit it again, with a lower learning_rate if need be"
            )
        columns = []
        for k, name in enumerate(self.roles.targets):
            kind = pl.Float32 if self.frame.schema[name] == pl.Float32 else pl.Float64
            columns.append(pl.Series(name, point[:, :, k].reshape(-1), kind))
            for q, level in enumerate(levels):
                assert quantiles is not None
                columns.append(pl.Series(f"{name}_q{level:g}", quantiles[:, :, k, q].reshape(-1), kind))
        return self.future(point.shape[1]).with_columns(columns)

    def known_ahead(self, future: Any, horizon: int) -> np.ndarray | None:
        """Future covariates of the next `horizon` steps, from a frame that holds them: [series*horizon feature].

        Raises:
            InputError: the frame is missing, or lacks a column or a step.
        """
        if not self.roles.future:
            return None
        names = ", ".join(self.roles.future)
        if future is None:
            raise InputError(f"the model was given future covariates ({names}); pass future=... with the next steps'")
        table, _ = to_polars(future, "future")
        keys = [self.roles.id, self.roles.index] if self.roles.id else [self.roles.index]
        missing = [name for name in (*keys, *self.roles.future) if name not in table.columns]
        if missing:
            raise InputError(f"future has no column {missing[0]!r}; it needs {', '.join(keys)} and {names}")
        asked = self.future(horizon)
        casts = [table[key].cast(asked.schema[key]) for key in keys]
        found = asked.join(table.with_columns(casts), on=keys, how="left", maintain_order="left").select(
            self.roles.future
        )
        row = next((k for k, cells in enumerate(found.iter_rows()) if None in cells), None)
        if row is not None:
            where = ", ".join(f"{key} {asked[key][row]}" for key in keys)
            raise InputError(f"future lacks {names} at {where}; give a row for each of the {horizon} steps")
        return found.to_numpy().astype(np.float32)

    def between(self, begin: Rows, end: Rows) -> pl.DataFrame:
        """Rows [begin, end) of each series, given as rows of the panel: ([series], [series])."""
        return self.frame[np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])]

    def until(self, rows: Rows) -> "Panel":
        """Each series up to, and without, the given row of the panel: [series]."""
        return replace(self, frame=self.between(self.offsets[:-1], rows), order=None)

    def native(self, frame: pl.DataFrame | None = None) -> Any:
        """A polars frame (the panel's own by default, rows in the order they came in) as the type that came in."""
        if frame is None:
            frame = self.frame if self.order is None else self.frame[np.argsort(self.order)]
        if self.origin is pl.DataFrame:
            return frame
        kind = nw.get_native_namespace(self.origin).__name__
        if kind == "pyarrow":
            return frame.to_arrow()
        pandas = frame.to_pandas()
        if self.roles.index in pandas and self.origin.index.name == self.roles.index:
            return pandas.set_index(self.roles.index)
        if HOLDER in pandas:
            return pandas.set_index(HOLDER).rename_axis(None)
        return pandas


def _floats(column: pl.Series) -> Floats:
    """Missing cells as NaN; the frame's own memory where it holds floating point numbers."""
    return (column if column.dtype.is_float() else column.cast(pl.Float64)).to_numpy()


def _typed(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Numbers in the type their column had, unless that would round them."""
    column = column.fill_nan(None)
    whole = dtype.is_float() or (column == column.round()).all()
    return column.cast(dtype) if whole else column
