"""The bed of the river: frame in, frame out. Reading `fit` and `predict` from top to bottom is reading the pipeline."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from numbers import Integral
from typing import Any, Self

from tsrnn import answer, calibration, ends, heads, infer, journal, models, paths, rollout, unread, usual, windows
from tsrnn import future as futures
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError, listed, notice
from tsrnn.estimator import OnShort
from tsrnn.evaluation import SplitLike
from tsrnn.masks import beside
from tsrnn.operation import Operated
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.shapes import Batch, Spec
from tsrnn.unmeasured import without_unmeasured


class Forecaster(Operated):
    """A model, its task and how to train it, under one roof; parameters are kept as given, as scikit-learn's are.

    Args:
        model: a name that `tsrnn models` lists, or a class derived from `tsrnn.models.Model`.
        input_size: look-back, in steps.
        horizon: steps to forecast.
        quantiles: levels between 0 and 1 to forecast beside the point; None: points only.
        loss: mae, mse or huber of the point forecast, which is the median, the mean or between, whatever quantiles are
            asked; gaussian, laplace, student_t, mixture or negative_binomial (of counts): a distribution.
        scaler: standard, robust, mean_abs or none, fitted on the training rows.
        scale_per_series: one location and scale per series instead of one for the whole panel.
        calendar: add calendar (or depth) features as covariates known ahead.
        pad: let windows reach back before the first row; what is missing is marked as such.
        masks: tell models that read covariates which cells were measured, where what `fit` gets has holes.
        on_short: what becomes of a series that is too short, or of which nothing was measured: "error", or "skip", with
            a column `status` in what `predict` gives where one was left out.
        val_size: share of each series, at its end, held out for early stopping when `fit` gets no split.
        options: fields of the model's Config (`hidden_size`, `dropout`...) and of `FitConfig` (`learning_rate`,
            `batch_size`, `max_epochs`, `patience`, `progress`, `random_state`...). What is not named follows the data,
            as `tsrnn.usual` says.

    After `fit`: `model_`, `spec_`, `panel_`, `report_` (epochs, best validation loss, seconds) and `skipped_` (name ->
    reason of every series that nothing was learnt from) and `unread_` (name -> rows that lie in no window).
    """

    def __init__(  # noqa: PLR0913  the public door: every word is a keyword with a default
        self,
        model: str | type = "lstm",
        *,
        input_size: int,
        horizon: int,
        quantiles: Sequence[float] | None = None,
        loss: str = usual.LOSS,
        scaler: str = "standard",
        scale_per_series: bool = False,
        calendar: bool = False,
        pad: bool = False,
        masks: bool = True,
        on_short: OnShort = "error",
        val_size: float = 0.1,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size
        self.horizon = horizon
        self.quantiles = quantiles
        self.loss = loss
        self.scaler = scaler
        self.scale_per_series = scale_per_series
        self.calendar = calendar
        self.pad = pad
        self.masks = masks
        self.on_short = on_short
        self.val_size = val_size
        self.options = options

    def fit(
        self,
        frame: Any,
        *,
        split: SplitLike = None,
        on_epoch: Any = None,
        callbacks: Sequence[Any] = (),
        logger: Any = None,
        **roles: Any,
    ) -> Self:
        """Train.

        Args:
            frame: a `Panel`, or a pandas, polars or pyarrow frame.
            split: None trains on all rows but the last `val_size` of each series; "standard" takes the data set's own
                split; a mapping such as {"ratios": [0.7, 0.1, 0.2]} takes that one. The test part is not looked at.
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            callbacks: Lightning's, given to the Trainer after our own.
            logger: one of Lightning's, which then gets `train_loss` and `val_loss`; None: nothing is logged.
            roles: columns of the frame, as of `Panel.of` (`target`, `time`, `id`, `past_covariates`...).

        Raises:
            InputError: the frame, an option or the task cannot be used; says how to mend it.
        """
        model_config, fit_config = self.configs()
        head, prepared, panel, (history, parts), spec, train, val = self._lesson(frame, split, roles)

        from tsrnn import fit as training  # Lightning is slow to import, and only training needs it

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, model_config, spec)
            self.report_ = training.fit(model, head, train, val, fit_config, on_epoch, callbacks, logger)
        self.model_, self.head_, self.spec_ = model, head, model.spec
        self.preparation_, self.panel_ = prepared, panel
        self.split_, self.calibration_ = split, None
        self._fitted_on(history, parts, train, val)
        return self

    @property
    def _free(self) -> frozenset[str]:
        asked = {"quantiles"} if isinstance(self.head_, heads.Distribution) else set()
        return super()._free | asked  # which a distribution has all of

    def modules(self, frame: Any, *, split: SplitLike = None, **roles: Any) -> tuple[Any, Any]:
        """An untrained `ForecastModule` and its `WindowsDataModule`, for a Trainer of one's own; then `adopt`.

            module, data = forecaster.modules(frame)
            Trainer(...).fit(module, datamodule=data)
            forecaster.adopt(module)

        Arguments and errors are those of `fit`.
        """
        model_config, fit_config = self.configs()
        head, prepared, panel, (history, parts), spec, train, val = self._lesson(frame, split, roles)

        from tsrnn import fit as training

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, model_config, spec)
            if model.solve(train, val):
                raise InputError(f"model {models.find(self.model).name!r} is not trained by steps; call fit instead")
        self.__dict__.pop("model_", None)
        self.head_, self.spec_, self.preparation_, self.panel_ = head, spec, prepared, panel
        self.split_, self.calibration_ = split, None
        self.lesson_, self.parts_, self.reference_, self.facts_ = history, parts, None, None
        return training.ForecastModule(model, head, fit_config), training.WindowsDataModule(train, val, fit_config)

    def predict(self, frame: Any = None, *, future: Any = None) -> Any:
        """Forecast the `horizon` steps after each series' end, in the frame type that came in.

        A series ends with the last row in which a target was measured; later rows may tell covariates known ahead. A
        gap in the index behind which a look-back would have rows is read as rows in which nothing was measured.

        Args:
            frame: the history to forecast from; by default what `fit` got.
            future: future covariates, one row per series and step, where the model was given any.

        Returns:
            The series' ids and index, a column per target and `<target>_q<level>` per quantile; with
            `on_short="skip"`, where a series was skipped, empty cells, and a column `status` that says why. Where logs
            go on without a target, and no covariate is known ahead, a column `measured_to`: the depth of the last
            measurement, behind which the forecast starts.

        Raises:
            InputError: a series is too short, or nothing was measured in its look-back.
        """
        with journal.noted("predict") as facts:
            panel = self._panel(frame)
            history, beyond, skipped = self._history(panel)
            facts |= {"rows": panel.frame.height, "series": len(panel.ids), "skipped": len(skipped)}
            table = self.forecast(ends.without(history, skipped) if skipped else history, future, beyond)
            table = answer.marked(history, table, self.horizon, skipped) if skipped else table
            return panel.native(answer.since(panel, history, table, self.horizon))

    def make_future_frame(self, frame: Any = None) -> Any:
        """The steps that `predict` forecasts, for covariates known ahead to be filled in: its `future`.

        Args:
            frame: the history, as of `predict`; by default what `fit` got.

        Returns:
            Ids, index and a column per covariate known ahead, empty, in the frame type that came in.
        """
        panel = self._panel(frame)
        return panel.native(futures.empty(ends.measured(panel)[0], self.horizon))

    def forecast(self, panel: Panel, future: Any = None, beyond: Any = None) -> Any:
        """`predict` on a panel as it stands, as a polars frame; `beyond`: of its rows, those after its end."""
        laid, batch = self._newest(panel, future, beyond)
        shift = calibration.ahead(self.model_, self.head_, self.calibration_, laid, self._levels)
        point, quantiles = infer.forecast(self.model_, self.head_, batch, self._levels, shift)
        return answer.frame(panel, point, quantiles, self._levels)

    def simulate(
        self, n: int = 100, frame: Any = None, *, steps: int | None = None, future: Any = None, random_state: int = 0
    ) -> Any:
        """`n` sample paths of the steps that `predict` forecasts, as likely as its quantiles say (`tsrnn.paths`).

        With `steps`, paths of any length: each step is drawn from the model's own distribution (`loss="gaussian"`...)
        of the next one, and fed back (`tsrnn.rollout`). `future` then tells steps + horizon - 1 steps.

        Returns:
            The series' ids and index, `sample` (0 to n - 1) and a column per target, in the frame type that came in; of
            series that `predict` skips there are none.
        """
        if isinstance(frame, Integral):
            raise InputError(f"simulate takes a frame in second place; write steps={frame}")
        panel = self._panel(frame)
        history, beyond, skipped = self._history(panel)
        if skipped:
            notice(f"{panel.source}: series {listed(skipped)} {'is' if len(skipped) == 1 else 'are'} skipped")
        history = ends.without(history, skipped)
        if steps is not None:
            return panel.native(
                answer.samples(history, self._fed_back(n, history, steps, (future, beyond), random_state))
            )
        laid, batch = self._newest(history, future, beyond)
        made = self.calibration_
        moved = None if made is None else (made, calibration.newest(self.model_, self.head_, made, laid))
        drawn = paths.draw(self.model_, self.head_, batch, laid, n, random_state, moved)
        return panel.native(answer.samples(history, drawn))

    def _lesson(self, frame: Any, split: SplitLike, roles: Mapping[str, Any]) -> tuple[Any, ...]:
        """Head, preparation, the panel that came and what is learnt from, Spec, and the windows of both parts."""
        reads = models.reads(self.model, self.configs()[0])
        panel = Panel.of(frame, **roles)
        ends.refuse_empty(panel)
        panel = self._readable(panel, reads)
        head = heads.build(self.quantiles, self._loss)
        answer.names(panel, self._levels, self.on_short == "skip")
        prepared = self._unlearnt()
        history, arrays, parts, self.skipped_ = self._learnable(panel, prepared, split)
        history, arrays = without_unmeasured(prepared, history, arrays, parts.train)
        if history.roles != panel.roles:
            panel = replace(panel, roles=history.roles).transformed(history.transforms)
        head.check(arrays)
        if head.counts and {*panel.roles.targets} & {*(panel.transforms or ())}:
            raise InputError(f"loss {self.loss!r} is of counts, which have no logarithm; leave it, or transforms, out")
        laid = prepared.fit(history, arrays, parts.train, self._told(reads)).lay(history, arrays)
        train, val = (windows.cut(laid, part, self.input_size, self.horizon) for part in (parts.train, parts.val))
        windows.refuse_empty(train, parts.train, self.on_short == "error")
        self.unread_ = unread.counted([train, val], parts.train)
        unread.say(panel.source, self.unread_, parts.train, self.input_size, self.horizon)
        return head, prepared, panel, (history, parts), self._spec(panel, laid, prepared, head), train, val

    def _history(self, panel: Panel) -> tuple[Panel, Any, dict[str, str]]:
        """What is forecast from: the panel up to its targets' ends, the rows beyond, and who is to be skipped.

        Raises:
            InputError: everyone is.
        """
        history, beyond = ends.measured(panel)
        history = ends.bridged(history, self.input_size, self.preparation_.padding)
        if self.on_short == "error":
            return history, beyond, {}
        skipped = ends.wanting(history, self.input_size, self.preparation_.padding)
        if len(skipped) == len(panel.ids):
            name, reason = next(iter(skipped.items()))
            raise InputError(f"{panel.source}: no series can be forecast; series {name!r}: {reason}")
        return history, beyond, skipped

    def _fed_back(self, n: int, history: Panel, steps: int, told: tuple[Any, Any], random_state: int) -> Any:
        """`simulate` of so many steps, by feeding back what was drawn; told: `future`, and rows beyond the history."""
        paths.check(n, random_state)
        rollout.check(self.model_, self.head_, steps, history.roles.past)
        if self.calibration_ is not None:
            raise InputError(
                "paths of steps= are the model's own, which calibrate has moved; leave steps out, or refit"
            )
        prepared = copy(self.preparation_)
        prepared.horizon = steps + self.horizon - 1
        laid, batch = self._ends(prepared, history, *told)
        return rollout.draw(self.model_, self.head_, batch, laid.masks, steps, n, random_state)

    def _newest(self, panel: Panel, future: Any, beyond: Any) -> tuple[Buffer, Batch]:
        """A panel as the model reads it, and the window at the end of each series."""
        laid, batch = self._ends(self.preparation_, panel, future, beyond)
        return laid, beside(batch, laid.masks, laid.values.shape[1])

    def _ends(self, prepared: Preparation, panel: Panel, future: Any, beyond: Any) -> tuple[Buffer, Batch]:
        """`_newest` without masks beside."""
        laid = prepared.lay(panel)
        batch = windows.latest(laid, self.input_size, prepared.ahead(panel, future, beyond))
        windows.refuse_blind(batch, panel.roles.targets, panel.ids)
        return laid, batch

    def _spec(self, panel: Panel, laid: Buffer, prepared: Preparation, head: heads.Head) -> Spec:
        return Spec(
            **self._task(prepared.reading, head),
            placed=prepared.placed(panel, bool(panel.roles.past or panel.roles.static)),
            known=0 if laid.known is None else laid.known.shape[1],
            static=0 if laid.static is None else laid.static.shape[1],
            seasonality=min(panel.season, int(self.input_size)),
        )
