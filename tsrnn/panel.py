"""The one normal form of data: several series, one index, named columns with roles. The only room that names columns.

Frames of pandas, polars or pyarrow come in through `Panel.of` and go out through `Panel.native` as the type they
were. Inside, a panel is a polars frame whose rows stand series by series with a rising index, missing cells null.
Long frames (`unique_id, ds, y` or `item_id, timestamp, target`) and wide ones (one column per channel) are the same
thing here: one row per series and step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from tsrnn import digests, figures, forks, frequency, holes, physical
from tsrnn import index as indexing
from tsrnn import levels as words
from tsrnn import transforms as kinds
from tsrnn.arrays import Arrays, Rows
from tsrnn.errors import InputError, notice, only_known, unknown
from tsrnn.frames import Origin, from_polars
from tsrnn.intake import TREATMENT, take
from tsrnn.reading import Column, Note, line
from tsrnn.roles import Roles
from tsrnn.series import id_text
from tsrnn.steps import Step

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
    missing: Any = None  # what stands for a missing value, as `tsrnn.missing.plain` has it
    flags: Any = None  # columns of flags and the good ones
    wind: Any = None  # what became u and v, as `tsrnn.wind.plain` has it
    fill: int | None = None  # steps of the longest hole that was filled
    transforms: Mapping[str, str] | None = None  # what is done to columns before they are scaled, and undone
    date_format: str | None = None  # how text or whole numbers became dates, where the cells alone do not tell
    numbered: bool = False  # no column was the index: the rows were numbered
    levels: words.Levels = field(default_factory=dict)  # the words of each covariate that holds words
    zone: str | None = None  # by whose clock the calendar is read; None: the index's own
    seasonality: int | None = None  # steps of the shortest season, where the catalogue knows it
    split: dict[str, Any] | None = None  # the data set's standard split, where there is one
    sha256: str | None = None  # of the file that was read
    columns: Mapping[str, Column] = field(default_factory=dict, repr=False)  # units and the file's words, where known
    notes: tuple[Note, ...] = field(default=(), repr=False)  # what was met in the file and in the frame, and how often
    order: Rows | None = field(default=None, repr=False)  # where each row stood when it came in, if it moved
    classes: tuple[Any, ...] | None = None  # the labels whose numbers the target holds (`load` with labels=True)
    offers: bool = False  # covariates are the data set's own, for models that read them; nobody asked for them
    loaded: Mapping[str, Any] = field(default_factory=dict)  # what `load` did with the columns, as tsrnn.refine says it
    origin: Origin = field(default=Origin(), repr=False)  # the frame type that came in

    @classmethod
    @only_known("how a model is made and trained is said where it is made, not where it gets its rows")
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
        freq: Any = None,
        date_format: str | None = None,
        transforms: Mapping[str, str] | None = None,
        sort: bool = False,
        duplicates: Duplicates = "error",
        missing: Any = None,
        flags: Any = None,
        wind: Any = None,
        fill: int | None = None,
        rows_as_they_stand: bool = False,
        source: str = "frame",
    ) -> "Panel":
        """Take in a frame.

        Args:
            frame: pandas, polars or pyarrow; a `Panel` is handed back as it is.
            target: column or columns to forecast; by default `y` or `target`, else every numeric column left over.
            time: the index: dates, times, whole numbers or depths; found in pandas' own index, by name (`ds`, `date`,
                `depth`... in any case), by type, or by cells that are dates; else the rows are numbered, which is said.
            id: the column that tells series apart; found by name (`unique_id`, `item_id`...).
            past_covariates: columns known up to now.
            future_covariates: known ahead of time; words in them become numbers (`tsrnn.levels`).
            static_covariates: known for good; words likewise, and the id may be among them.
            freq: one step of the index: `"10m"`, `"1h"`, `"B"` (working days; holidays are stepped over, with
                `"B-gaps"` they are gaps), `"MS"`, `"1mo-15"`, a timedelta, `0.1524`; see `tsrnn.frequency`. By default
                the step that the rows keep.
            date_format: how dates of text or whole numbers are written, as of `strptime` ("%d/%m/%Y"); "number": they
                are counts; or a word of `tsrnn.epochs`, "epoch_s". Asked for where two readings fit.
            transforms: of targets and past covariates, such as {"RDEP": "log10"}; undone in forecasts and measures.
            sort: put unsorted rows in order instead of refusing them.
            duplicates: what to do where one index value stands twice in a series: error, first, last.
            missing: numbers and words that stand for a missing value, `[-9999, "T"]`, or those of each column,
                `{"wv": [-9999]}`; counted in `notes`. By default what looks like one is told of; []: nothing is one.
            flags: column -> its column of flags and the good ones, `{"T": ["T_qc", ["", "0"]]}`; others go missing.
            wind: columns to read as the components u and v, `{"speed": "wv", "direction": "wd"}` (`tsrnn.wind`).
            fill: steps of the longest hole that a line shall fill; filled cells count as measured (`tsrnn.holes`).
            rows_as_they_stand: take rows by number and do not look for gaps or repetitions.
            source: how messages call this frame.

        Raises:
            InputError: a column is not there or holds text, infinities or nothing; the index repeats or falls.
        """
        if isinstance(frame, Panel):
            given = (target, time, id, past_covariates, future_covariates, static_covariates, freq, date_format)
            cleaned = any(each is not None for each in (missing, flags, wind, fill))
            treated = sort or rows_as_they_stand or duplicates != "error"
            return frame._as_it_is(transforms, any(given) or cleaned, treated)
        if duplicates not in get_args(Duplicates):
            raise unknown("treatment of duplicates", str(duplicates), get_args(Duplicates))
        covariates = {"past": past_covariates, "future": future_covariates, "static": static_covariates}
        treatment = {"freq": frequency.plain(freq), "sort": sort, "duplicates": duplicates, "date_format": date_format}
        treatment |= {"missing": missing, "flags": flags, "wind": wind, "fill": fill}
        kept = {"transforms": kinds.plain(transforms), "rows_as_they_stand": rows_as_they_stand}
        made = cls._take(frame, source, {"target": target, "time": time, "id": id, **covariates}, treatment | kept)
        told_of = {note.column for note in made.notes if note.loud}  # sentinels, which are far away too
        names = [name for name in made.roles.targets + made.roles.past if name not in told_of]
        columns = [figures.floats(made.frame[name]) for name in names]
        loud = not rows_as_they_stand and made.missing != []
        far = physical.far(names, columns, made.offsets, made.transforms or (), loud=loud)
        if told := line(far):
            notice(f"{source}: {told}; mend these cells, or leave them empty")
        return replace(made, notes=(*made.notes, *far))

    def _as_it_is(self, transforms: Mapping[str, str] | None, given: bool, treated: bool) -> "Panel":
        if given or (treated and transforms is None):
            raise InputError("a Panel's columns have their roles; name them where it is made, in load or Panel.of")
        return self if transforms is None else self.transformed(kinds.plain(transforms))

    @classmethod
    def again(cls, frame: Any, reading: Mapping[str, Any], source: str = "frame") -> "Panel":
        """A frame read as another was: with its `reading`, which may come from a saved model.

        Raises:
            InputError: a column is missing or cannot be used.
        """
        treatment = {name: reading.get(name, default) for name, default in TREATMENT.items()}
        asked = {kind: reading[kind] for kind in ("id", "past", "future", "static")}
        asked |= {"target": reading["targets"], "time": reading["index"]}
        levels = words.plain(reading.get("levels"))
        told = {k for group in reading.get("holes", {}).get("channels", ()) for k in group}
        lacking = [name for k, name in enumerate([*reading["targets"], *reading["past"]]) if k in told]
        numbered = reading.get("numbered", reading["index"] == "row")
        return cls._take(frame, source, asked, treatment, levels, numbered, lacking)

    @classmethod
    def _take(cls, frame: Any, source: str, *how: Any) -> "Panel":
        taken = take(frame, source, *how)
        treatment = {**taken.treatment, "transforms": None}
        panel = cls(taken.table, taken.roles, source, order=taken.order, origin=taken.origin, **treatment)
        panel = replace(panel, notes=taken.notes).transformed(taken.treatment["transforms"])
        if told := line(taken.notes):
            notice(f"{source}: {told}; panel.notes tells all")
        if not panel.rows_as_they_stand:
            indexing.check(taken.table[panel.roles.index], panel.ids, panel.offsets, source, panel.order, taken.again)
        return panel if panel.fill is None else panel._filled(panel.fill)

    def _filled(self, fill: int) -> "Panel":
        frame, notes = holes.filled(self.frame, self.roles, self.offsets, self.step, fill, self.rows_as_they_stand)
        return replace(self, frame=frame, notes=(*self.notes, *notes), order=None if len(notes) else self.order)

    def transformed(self, transforms: Mapping[str, str] | None) -> "Panel":
        """The same panel with other transforms of its columns; cells that have no logarithm are missing (said)."""
        made = kinds.of_channels(transforms, self.roles, self.frame.columns, self.source)
        if made == self.transforms:
            return self
        frame, notes = kinds.masked(self.frame, made, self.source)
        return replace(self, frame=frame, transforms=made, notes=(*self.notes, *notes))

    def __post_init__(self) -> None:
        forks.check()

    @property
    def reading(self) -> dict[str, Any]:
        """How the frame was read, as plain values: its roles, the treatment of its rows and their step."""
        treatment = {name: getattr(self, name) for name in (*TREATMENT, "numbered", "levels")}
        counted = self.rows_as_they_stand or self.numbered
        if self.freq is None and (not counted or self.frame.schema[self.roles.index].is_temporal()):
            treatment["freq"] = self.step.unit
        return {**asdict(self.roles), **treatment}

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
        names = self.frame[self.roles.id].gather(self.offsets[:-1])
        return tuple(id_text(names) if names.dtype.is_float() else (str(name) for name in names))

    @cached_property
    def fingerprint(self) -> str:
        """The file's sha256; for a simulated world or a frame, the sha256 of the numbers it holds."""
        return self.sha256 or digests.of_table(self.frame, self.roles, self.levels)

    @cached_property
    def step(self) -> Step:
        index = self.frame[self.roles.index]
        if self.rows_as_they_stand:
            # A file with repeated or missing rows still has a step, for the times of its forecasts.
            dated = index.dtype.is_temporal()
            return indexing.step_of(index, self.offsets, self.freq, strict=False) if dated else Step(1)
        return indexing.step_of(index, self.offsets, self.freq)

    @property
    def season(self) -> int:
        """Steps of the shortest season: the catalogue's, else what the index's step suggests."""
        return self.seasonality or indexing.season(self.frame[self.roles.index], self.step)

    def arrays(self, known: np.ndarray | None = None) -> Arrays:
        """The numbers, without copying what can be shared. `known`: calendar features to put beside the known ones."""
        forks.check()
        ahead = self.features(self.frame, self.roles.future)
        features = [each for each in (ahead, known) if each is not None]
        index = self.frame[self.roles.index]
        names = self.roles.targets + self.roles.past
        none = np.zeros(0, np.int64)
        arrays = Arrays(
            columns=tuple(figures.floats(self.frame[name]) for name in names),
            names=names,
            targets=len(self.roles.targets),
            ids=self.ids,
            offsets=self.offsets,
            breaks=none if self.rows_as_they_stand else indexing.breaks(index, self.offsets, self.step),
            known=np.concatenate(features, 1) if features else None,
            static=self.features(self._of_series(), self.roles.static),
            pauses=none if self.rows_as_they_stand else indexing.pauses(index, self.offsets, self.step),
            step=f"{self.step.word or 'a row'}",
        )
        return replace(arrays, first=indexing.numbers(index, arrays.runs(), self.step))

    def features(self, table: pl.DataFrame, names: Sequence[str]) -> np.ndarray | None:
        """Covariates as a model reads them, words as numbers (`tsrnn.levels`): [row feature]; None: there are none."""
        columns = [
            words.encode(table[name], self.levels[name])
            if name in self.levels
            else figures.floats(table[name])[:, None]
            for name in names
        ]
        return np.concatenate(columns, 1).astype(np.float32) if columns else None

    def _of_series(self) -> pl.DataFrame:
        """The first value of each static covariate in every series: [series]."""
        if not self.roles.static:
            return pl.DataFrame()
        static = self.frame.select(self.roles.static)
        if sum(static.null_count().row(0)):
            series = pl.Series("series", np.repeat(np.arange(len(self.ids)), np.diff(self.offsets)))
            static = static.with_columns(pl.all().fill_null(strategy="backward").over(series))
        return static[self.offsets[:-1]]

    def with_arrays(self, arrays: Arrays) -> "Panel":
        """The same panel holding other numbers of the same shape, each column in the type it had."""
        columns = [
            figures.typed(pl.Series(name, column), self.frame.schema[name])
            for name, column in zip(arrays.names, arrays.columns, strict=True)
        ]
        return replace(self, frame=self.frame.with_columns(columns))

    def future(self, horizon: int) -> pl.DataFrame:
        """Series ids (where there are several) and the next `horizon` index values of each: [series*horizon] rows."""
        index = indexing.following(self.frame[self.roles.index], self.offsets[1:] - 1, self.step, horizon)
        if self.roles.id is None:
            return index.to_frame()
        return pl.DataFrame([self.frame[self.roles.id][np.repeat(self.offsets[:-1], horizon)], index])

    def between(self, begin: Rows, end: Rows) -> pl.DataFrame:
        """Rows [begin, end) of each series, given as rows of the panel: ([series], [series])."""
        return self.frame[np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])]

    def until(self, rows: Rows) -> "Panel":
        """Each series up to, and without, the given row of the panel: [series]. The step stays that of all rows."""
        return replace(self, frame=self.between(self.offsets[:-1], rows), freq=self.step.word, order=None)

    def native(self, frame: pl.DataFrame | None = None) -> Any:
        """A polars frame (the panel's own by default, rows in the order they came in) as the type that came in."""
        if frame is None:
            frame = self.frame if self.order is None else self.frame[np.argsort(self.order)]
        return from_polars(frame, self.origin, self.roles.index)
