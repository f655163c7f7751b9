"""Looking back: how good a fitted forecaster's forecasts are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np

from tsrnn import answer, buffer, calibration, ends, hindcast, infer, metrics, progress, split, windows
from tsrnn import backtest as rolling
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError, listed, notice, unknown
from tsrnn.estimator import Estimator
from tsrnn.metrics import USUAL
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.scale import Affine

SplitLike = Mapping[str, Any] | str | None
Measures = Sequence[str] | str
_COPIES = "refit=True trains copies on the rows before each cutoff"
Scores = dict[str, infer.Score]
_FLATTERED = (
    "these are the rows that this forecaster was trained on, which flatter it; pass others, or a part they left out"
)


class Evaluated(Estimator):
    """A face whose forecasts are held against what came true."""

    lesson_: Panel  # what was learnt from
    parts_: split.Split

    def score(
        self, frame: Any = None, *, split: SplitLike = "standard", part: str = "test", measures: Measures = USUAL
    ) -> infer.Score:
        """Measures (`tsrnn.metrics`) over every window (stride 1) of one part: train, val or test.

        In scaled units, as the literature has them; a measure's name after `physical_` is in the target's own. Windows
        that a measure leaves out are said.
        """
        return self.scores(frame, split, (part,), measures)[part]

    def scores(self, frame: Any, split: SplitLike, parts: Sequence[str] | str, measures: Measures) -> Scores:
        """`score` of several parts by name; the frame is read and scaled once."""
        panel, asked = self._panel(frame), metrics.words(measures)
        laid = self.preparation_.lay(panel)
        named, scores = self._split(panel, laid.arrays, split), {}
        for name in (parts,) if isinstance(parts, str) else parts:
            rows = named.part(name)
            scored = windows.cut(laid, rows, self.input_size, self.horizon)
            windows.refuse_empty(scored, rows, self.on_short == "error", name)
            shift = calibration.behind(self.model_, self.head_, self.calibration_, scored)
            scores[name] = infer.score(self.model_, self.head_, scored, asked, shift, panel.season)
            say_left_out(panel, name, scores[name])
        return scores

    def calibrate(
        self,
        frame: Any = None,
        levels: Sequence[float] = (0.8,),
        *,
        adaptive: bool = False,
        split: SplitLike = None,
        part: str = "val",
    ) -> Self:
        """Have `predict` add intervals that hold these shares of truths, by residuals at past origins of one part.

        Args:
            frame: by default what `fit` got, split as it was then.
            levels: shares between 0 and 1; 0.8 gives the columns `<target>_q0.1` and `<target>_q0.9`.
            adaptive: let each forecast follow the errors of the newest rows that it starts from (`tsrnn.conformal`).
            split: as of `fit`; None: the last `val_size` of each series is the part "val".
            part: rows that the model was not fitted on; train, val or test.

        Raises:
            InputError: a level is none, or there are fewer residuals than 1 / (1 - level).
        """
        if part == "train":
            notice("part='train' holds what the model learnt from, where its errors are small; part='val' is for this")
        panel = self._panel(frame)
        laid = self.preparation_.lay(panel)
        wanted = self.split_ if frame is None and split is None else split
        rows = self._split(panel, laid.arrays, wanted).part(part)
        origins = windows.cut(laid, rows, self.input_size, self.horizon)
        made = calibration.fit(self.model_, self.head_, origins, rows, levels, adaptive)
        asked = [] if self.quantiles is None else list(self.quantiles)
        answer.names(panel, asked + [end for end in made.levels if end not in asked])
        self.calibration_ = made
        return self

    def laid(self, frame: Any = None) -> buffer.Buffer:
        """Every row of a frame as the trained model reads it: scaled, filled, with its covariates."""
        return self.preparation_.lay(self._panel(frame))

    def forecasts(
        self,
        frame: Any = None,
        *,
        every: int = 1,
        series: str | Sequence[str] | None = None,
        part: str | None = None,
        split: SplitLike = "standard",
        chunk: int | None = None,
    ) -> Any:
        """What this forecaster, as it is, says at each row of a frame of the steps that follow, beside what came.

        Nothing is trained. A row is forecast from where `input_size` rows without a gap end with it (fewer with `pad`)
        and a whole horizon of rows follows, in which something was measured. Covariates known ahead are read from the
        frame's rows. `score` is made of the same forecasts, and so is any table of `tsrnn.verify`. With
        `scale_per_series`, series that the training did not know are scaled by all their rows, later ones too.

        Args:
            frame: as of `predict`.
            every: forecast from every so many steps, counted back from the last one that can be forecast from.
            series: of these alone; by default of all.
            part: forecast the rows of one part of `split` alone: train, val or test.
            split: as of `score`.
            chunk: forecasts at a time: an iterator of frames of so many, in bounded memory, in place of one frame.

        Returns:
            A row per series, cutoff, target and step, in the panel's units and the frame type that came in: id (where
            there are several series), index, cutoff, lead (from 1), target, y, forecast, and `q<level>` per quantile.

        Raises:
            InputError: nothing can be forecast, there is no such series or part, or a number is below 1.
        """
        check_types({"every": every, "chunk": chunk}, {"every": int, "chunk": int | None})
        for name, count in (("every", every), ("chunk", chunk)):
            if count is not None and count < 1:
                raise InputError(f"{name} must be at least 1, not {count}")
        panel = self._panel(frame)
        hindcast.names(panel, self._levels)
        if frame is None and part is None:
            notice(_FLATTERED)
        asked = _chosen(self._windows(panel, part, split), every, series)
        if chunk is not None:
            return map(panel.native, self._beside(panel, asked, chunk))
        with progress.bar("forecasts", len(asked), self.get_params().get("progress", progress.AUTO)) as shown:
            return panel.native(hindcast.together(self._beside(panel, asked, None, shown.advance)))

    def backtest(
        self,
        frame: Any = None,
        *,
        windows: int = 8,
        step: int | None = None,
        refit: bool | int | None = None,
        split: SplitLike = None,
        **roles: Any,
    ) -> Any:
        """Forecast from past cutoffs with copies of this forecaster trained before them; see `tsrnn.backtest`.

        A fitted forecaster is asked as it is with `refit=False`, and where it was trained on none of the series;
        otherwise copies are trained, which is said once. With `split={"leave_one_out": "well"}` (the column that tells
        series apart) each series is forecast from every `step`-th of its rows by a copy that was trained on others.

        Returns:
            The columns of `forecasts`, in the frame type given.
        """
        self.configs()
        fitted = hasattr(self, "model_")
        if split is not None:
            panel = Panel.of(self.panel_ if frame is None else frame, **roles)
            return panel.native(rolling.left_out(self, panel, split, step or 1))
        if fitted and refit is None and frame is not None and not roles and not self._taught(self._panel(frame)):
            notice(f"trained on none of {listed(self._panel(frame).ids)}, this forecaster is asked as it is; {_COPIES}")
            refit = False
        if fitted and refit is None:
            notice(
                "backtest trains copies of this forecaster on the rows before each cutoff; refit=False asks it as it "
                "is, clone().backtest leaves this unsaid"
            )
        if fitted and refit is False:
            if roles:
                raise InputError(f"with refit=False a frame is read as the training's was; leave out {listed(roles)}")
            if frame is None:
                notice(_FLATTERED)
        panel = self._panel(frame) if (fitted and not roles) or frame is None else Panel.of(frame, **roles)
        return panel.native(rolling.backtest(self, panel, windows, step, refit))

    def _taught(self, panel: Panel) -> bool:
        """Whether any of the panel's series was trained on; of a loaded forecaster, whether it knows any."""
        names = self.preparation_.ids
        if hasattr(self, "panel_"):
            rows = zip(self.lesson_.ids, self.parts_.train.end > self.parts_.train.begin, strict=True)
            names = tuple(name for name, some in rows if some)
        return not {*names}.isdisjoint(panel.ids)

    def anew(self, frame: Any) -> Self:
        """A copy trained on another frame, and calibrated on its own last rows where this one is calibrated."""
        copy, made = self.clone().fit(frame), self.calibration_
        return copy if made is None else copy.calibrate(levels=made.coverages, adaptive=made.memory > 0)

    @property
    def scaling_(self) -> Affine:
        """Location and scale of each series and channel, in the data's units: [series channel]."""
        return self.preparation_.scaling

    def _panel(self, frame: Any) -> Panel:
        """A frame read as the training's was; None: the training's own."""
        self._check_fitted()
        if frame is not None:
            return self.preparation_.read(frame)
        if not hasattr(self, "panel_"):
            raise InputError("a loaded Forecaster holds no data; pass the history to forecast from")
        return self.panel_

    def _beside(
        self, panel: Panel, asked: windows.Windows, size: int | None, done: Callable[[int], None] = lambda _: None
    ) -> Iterator[Any]:
        """Tables of forecasts beside the truth, of `size` windows each."""
        shift = calibration.behind(self.model_, self.head_, self.calibration_, asked)
        answers = infer.hindcasts(self.model_, self.head_, asked, self._levels, size, shift)
        for rows, point, quantiles in answers:
            yield hindcast.table(panel, rows, point, quantiles, self._levels)
            done(len(rows))

    def _windows(self, panel: Panel, part: str | None, wanted: SplitLike) -> windows.Windows:
        """The windows whose targets lie in a part of a split, or anywhere; series that have none are named.

        Raises:
            InputError: there is no window.
        """
        laid = self.preparation_.lay(panel)
        rows = split.whole(laid.arrays) if part is None else self._split(panel, laid.arrays, wanted).part(part)
        cut = windows.cut(laid, rows, self.input_size, self.horizon)
        if not len(cut):
            windows.refuse_empty(cut, rows, self.on_short == "error", part or "")
        held = np.zeros(len(panel.ids), bool)
        held[laid.series_of(cut.anchors.first)] = True
        if without := [name for name, has in zip(panel.ids, held | (rows.begin == rows.end), strict=True) if not has]:
            need = f"{self.input_size} + {self.horizon} rows without a gap"
            notice(f"series {listed(without)}: no forecast, for lack of {need} in which a target was measured")
        return cut

    def _learnable(
        self, panel: Panel, prepared: Preparation, wanted: SplitLike
    ) -> tuple[Panel, Arrays, split.Split, dict[str, str]]:
        """What is trained on: each series up to its last measured target, its numbers, their split; whom it leaves out.

        Series that are too short stay in where they are refused later, and are left out, and named, where skipped.
        """
        history = ends.measured(panel)[0]
        arrays = prepared.arrays(history)
        parts = self._split(history, arrays, wanted)
        if self.on_short == "error":
            ends.refuse_strides(history)
            return history, arrays, parts, {}
        skipped = split.lacking(arrays, parts, self.input_size - prepared.padding, self.horizon)
        if not skipped:
            return history, arrays, parts, {}
        if len(skipped) == len(panel.ids):
            name, reason = next(iter(skipped.items()))
            raise InputError(f"{panel.source}: no series can be learnt from; series {name!r}: {reason}")
        notice(f"{panel.source}: nothing is learnt from series {listed(skipped)}; `skipped_` says why")
        empty = dict(zip(panel.ids, parts.train.end == parts.train.begin, strict=True))
        history = ends.without(history, [name for name in skipped if not empty[name]])
        arrays = prepared.arrays(history)
        return history, arrays, self._split(history, arrays, wanted), skipped

    def _split(self, panel: Panel, arrays: Arrays, wanted: SplitLike) -> split.Split:
        if wanted is None:
            return split.tail(arrays, split.held_out(arrays.stops() - arrays.offsets[:-1], self.horizon, self.val_size))
        rule = panel.split if isinstance(wanted, str) and wanted == "standard" else wanted
        return split.standard(arrays, rule, panel.source, self.on_short == "skip")


def say_left_out(panel: Panel, part: str, score: infer.Score) -> None:
    """Say of how many windows, and of which targets, a measure that looks at their history knows nothing."""
    for name in filter(metrics.looks_back, score.values):
        lost, blank = int(np.isnan(score.by_window[name]).sum()), np.isnan(score.by_target[name])
        out = [f"{lost} of {score.windows} windows"] * (lost > 0)
        out += [f"target {listed(np.array(panel.roles.targets)[blank])}"] * bool(0 < blank.sum() < len(blank))
        if out:
            notice(f"{panel.source}: {name} leaves out {' and '.join(out)} of the part {part!r}, {metrics.NO_SCALE}")


def _chosen(cut: windows.Windows, every: int, series: str | Sequence[str] | None) -> windows.Windows:
    """Every so many steps of these series, counted back from the newest window.

    Raises:
        InputError: there is no such series, or it has no window.
    """
    ids, keep = cut.buffer.arrays.ids, np.ones(len(cut), bool)
    if series is not None:
        names = [str(name) for name in ([series] if isinstance(series, str | Integral) else series)]
        if not names:
            raise InputError("series names none; name one, or leave it out for all")
        for name in names:
            if name not in ids:
                raise unknown("series", name, ids)
        keep = np.isin(ids, names)[cut.buffer.series_of(cut.targets_at)]
        if not keep.any():
            raise InputError(f"series {listed(names)}: no row to forecast from; name others")
    if every > 1:
        steps = cut.targets_at if cut.phase is None else cut.phase.numpy()
        keep &= (steps[keep].max() - steps) % every == 0
    return windows.Windows(cut.buffer, cut.targets_at[keep], cut.input_size, cut.horizon)
