"""A fitted forecaster at work, night after night: a stream of new rows, further training, other programs."""

import copy
from collections.abc import Sequence
from dataclasses import fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, Self

from tsrnn import (
    calibration,
    ends,
    hindcast,
    infer,
    metrics,
    models,
    online,
    parameters,
    provenance,
    streaming,
    windows,
)
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, notice, unknown
from tsrnn.evaluation import Measures, Scores, SplitLike, say_left_out
from tsrnn.panel import Panel
from tsrnn.saving import Saved
from tsrnn.streaming import Stream


class Operated(Saved):
    """A face that is kept running."""

    def follow(
        self,
        frame: Any = None,
        *,
        split: SplitLike = "standard",
        part: str = "test",
        correctors: Sequence[online.Kind] | online.Kind = online.USUAL,
    ) -> Any:
        """`forecasts` of a part, each corrected by what had come true when it was issued, and final (`tsrnn.online`).

        The part "val" of the split chooses how much is corrected, so that its own forecasts owe that choice to all of
        its rows; nothing is trained. What is learnt from begins at the part's first row (`tsrnn.online.follow`).
        Intervals move with the point, calibrated ones too. `simulate`, `predict` and `step` know of no correction.

        Args:
            frame: as of `predict`.
            split: as of `score`.
            part: the rows that are forecast: test or val.
            correctors: "level", "fourier" or both, among which validation chooses.

        Returns:
            The columns of `forecasts`, in the frame type that came in.

        Raises:
            InputError: there is no such part or it has no window, no such corrector, the forecast is a distribution, or
                its calibration is adaptive.
        """
        panel = self._panel(frame)
        if part not in ("val", "test"):
            raise unknown("part", part, ("val", "test"))
        asked, moved = self._followed(panel, split, correctors)[part]
        shift = calibration.behind(self.model_, self.head_, self.calibration_, asked)
        answers = online.forecasts(self.model_, self.head_, asked, moved, self._levels, shift)
        tables = (hindcast.table(panel, *answer, self._levels) for answer in answers)
        return panel.native(hindcast.together(tables))

    def followed(
        self,
        frame: Any,
        split: SplitLike,
        parts: Sequence[str],
        measures: Measures,
        correctors: Sequence[online.Kind] | online.Kind = online.USUAL,
    ) -> Scores:
        """`scores` of corrected forecasts; the parts are val and test."""
        panel = self._panel(frame)
        followed, scores = self._followed(panel, split, correctors), {}
        for part in parts:
            asked, moved = followed[part]
            shift = calibration.behind(self.model_, self.head_, self.calibration_, asked)
            words = metrics.words(measures)
            scores[part] = infer.score(self.model_, self.head_, asked, words, shift, panel.season, moved)
            say_left_out(panel, part, scores[part])
        return scores

    def _followed(
        self, panel: Panel, split: SplitLike, correctors: Sequence[online.Kind] | online.Kind = online.USUAL
    ) -> dict[str, tuple[windows.Windows, Floats]]:
        """The windows of validation and test, and what corrects their forecasts."""
        kinds = online.named(correctors)
        online.check(self.model_, self.calibration_, panel.source)
        if self.scale_per_series and not {*panel.ids} <= {*self.preparation_.ids}:
            raise InputError(
                "follow knows no scale of a series that the training did not know but one by all its rows, later ones "
                "too; leave such series out"
            )
        laid = self.preparation_.lay(panel)
        rows = self._split(panel, laid.arrays, split)
        val, test = (windows.cut(laid, rows.part(name), self.input_size, self.horizon) for name in ("val", "test"))
        for cut, name in ((val, "val"), (test, "test")):
            windows.refuse_empty(cut, rows.part(name), self.on_short == "error", name)
        made = online.follow(self.model_, self.head_, val, test, kinds)
        return {"val": (val, made.val), "test": (test, made.asked)}

    def warm_up(self, frame: Any = None, *, carry: bool = False) -> Stream:
        """The state of a stream at the end of a history, from which `step` goes on.

        Args:
            frame: the history, as of `predict`; by default what `fit` got.
            carry: carry the hidden state instead of the last `input_size` rows: a step then costs one step of the
                recurrence and remembers all of the history, where training saw `input_size` rows at a time. For `rnn`,
                `lstm`, `gru` and `seq2seq` with `centring="none"`, `segment=1`, no attention and no past or known
                covariates, which act over several steps.

        With `on_short="skip"` a series that cannot be forecast is left out of the stream, which is said.
        """
        panel = self._panel(frame)
        if self.on_short == "skip":
            skipped = ends.wanting(panel, self.input_size, self.preparation_.padding)
            if skipped and len(skipped) < len(panel.ids):
                notice(f"{panel.source}: the stream leaves out series {listed(skipped)}; predict says why")
                panel = ends.without(panel, skipped)
        return streaming.warm_up(panel, self.preparation_, self.model_, carry)

    def step(self, rows: Any, state: Stream, *, future: Any = None) -> tuple[Any, Stream]:
        """One new row of each series (or of some) in, their forecasts and the next state out.

        The forecast is what `predict` gives on the history grown by these rows, and follows the newest of them also in
        an outage, where `predict` goes back to the last measurement; with a carried state it is what the same weights
        give with a look-back as long as the history. A series that training did not know keeps the scaling that it had
        at the warm-up.

        Args:
            rows: a frame, one row per series, each one step after its series' newest; an empty cell is a missing one.
                Or an array [series channel] of `state.ids`: targets, then past covariates, NaN where missing.
            state: what `warm_up` or the step before gave; it stays as it is.
            future: covariates known ahead of the next `horizon` steps, as of `predict`.

        Returns:
            The forecast in the type of `rows` (of an array [series horizon column]: each target, then its quantiles),
            and the next state.

        Raises:
            InputError: a row is of an unknown series, twice there, or not one step on; the state is another model's.
        """
        self._check_fitted()
        parts = (self.preparation_, self.model_, calibration.head(self.head_, self.calibration_), self._levels)
        return streaming.step(rows, state, *parts, future)

    def save_state(self, state: Stream, folder: str | Path) -> None:
        """Write a stream's state, its newest rows in numbers among it, into a folder of its own beside the model's.

        Raises:
            InputError: the folder cannot be written, or holds something else.
        """
        streaming.save(state, folder)

    def resume(self, folder: str | Path) -> Stream:
        """The state that `save_state` wrote, for `step`.

        Raises:
            InputError: it is no state, is damaged, or is another model's.
        """
        self._check_fitted()
        return streaming.resume(folder, self.model_, self.preparation_)

    def update(self, frame: Any, *, rate: float = 0.1, split: SplitLike = None, on_epoch: Any = None) -> Self:
        """Train on with new rows, from the weights as they are.

        The scaler and the words of covariates stay as `fit` learnt them. The optimizer starts anew, at `rate` times the
        `learning_rate` and with its schedule from the start; a model with a closed form is solved anew. Weights change
        only if an epoch is better, on the validation part of these rows, than those that were there: `report_` says
        `best_epoch` 0 where none was. `predict()` then forecasts from the end of these rows; a stream is warmed up
        again.

        Args:
            frame: new rows, and as much of the old as shall be remembered: columns and step of the training's.
            rate: share of the learning rate, above 0.
            split: as of `fit`.
            on_epoch: as of `fit`.

        Raises:
            InputError: a column is missing, the step is another, or the rows are too few.
        """
        self._check_fitted()
        if not isinstance(rate, Real) or not 0 < rate < float("inf"):
            raise InputError(f"rate is a share of the learning rate and must be a number above 0, not {rate!r}")
        self._check_unchanged({field.name for field in fields(parameters.FitConfig)})
        panel = self.preparation_.read(frame)
        laid = self.preparation_.lay(panel)
        parts = self._split(panel, laid.arrays, split)
        train, val = (windows.cut(laid, part, self.input_size, self.horizon) for part in (parts.train, parts.val))
        windows.refuse_empty(train, parts.train, self.on_short == "error")
        _, config = self.configs()

        from tsrnn import fit as training

        before, model = infer.loss(self.model_, self.head_, val), copy.deepcopy(self.model_)
        with training.seeded(config.random_state):
            slower = replace(config, learning_rate=config.learning_rate * rate)
            report = training.fit(model, self.head_, train, val, slower, on_epoch)
        if infer.loss(model, self.head_, val) <= before:
            self.model_, self.report_ = model, report
        else:
            self.report_ = replace(report, best_epoch=0, val_loss=before)
        self.panel_ = panel
        self._fitted_on(panel, parts, train, val)
        if self.calibration_ is not None:
            notice("the model changed, and its calibration with it; call calibrate again for intervals that hold")
            self.calibration_ = None
        return self

    def adopt(self, module: Any) -> Self:
        """Take over a `ForecastModule` that a Trainer of one's own has trained: the way back from `modules`.

        Raises:
            InputError: it is no such module, is of another task, or `modules` was not called before.
        """
        from tsrnn import fit as training

        if not hasattr(self, "preparation_"):
            raise InputError(
                "this forecaster has prepared no data; call modules(frame), which gives the module to train"
            )
        model, report = training.adopted(module)
        if model.spec != self.spec_ or type(model) is not models.find(self.model).kind:
            raise InputError(
                f"that module is a {type(model).__name__} of another task, {model.spec.input_size} -> "
                f"{model.spec.horizon} steps of {model.spec.targets} targets; adopt what modules() of this one gave"
            )
        self.model_, self.report_, self.calibration_ = model, report, None
        self.stamp_, self.facts_, self.reference_ = provenance.stamp(report.device), None, None
        self.fitted_with_ = self._effective()
        return self

    def export(self, folder: str | Path) -> list[str]:
        """Write ONNX graphs for other programs into `folder`, and a config.json that says what goes in and comes out.

        `forecast.onnx` takes windows; where the model can carry its state (see `warm_up`), `step.onnx` takes a row and
        the state. Scaling is inside: numbers are in the data's units on both sides. Needs the extra `export`.

        Returns:
            The names of the files.

        Raises:
            InputError: the model has no graph, a package is missing, or the folder holds something else.
        """
        from tsrnn import exporting  # torch's own exporters are slow to import, and only this needs them

        self._check_fitted()
        mark = streaming.fingerprint(self.model_, self.preparation_)
        words = {"name": models.find(self.model).name, "fingerprint": mark, "pad": self.pad}
        head = calibration.head(self.head_, self.calibration_)
        return exporting.write(folder, self.model_, head, self.preparation_, self._levels, words)
