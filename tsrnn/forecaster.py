"""The bed of the river: frame in, frame out. Reading `fit` and `predict` from top to bottom is reading the pipeline."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from tsrnn import answer, ends, heads, infer, models, usual, windows
from tsrnn import future as futures
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError
from tsrnn.estimator import OnShort
from tsrnn.evaluation import SplitLike
from tsrnn.masks import beside
from tsrnn.operation import Operated
from tsrnn.panel import Panel
from tsrnn.shapes import Spec


class Forecaster(Operated):
    """A model, its task and how to train it, under one roof; parameters are kept as given, as scikit-learn's are.

    Args:
        model: a name that `tsrnn models` lists, or a class derived from `tsrnn.models.Model`.
        input_size: look-back, in steps.
        horizon: steps to forecast.
        quantiles: levels between 0 and 1 to forecast beside the point; None: points only.
        loss: mae (the forecast is then a median), mse (a mean) or huber of a point forecast; gaussian, laplace or
            student_t: a distribution, by its likelihood.
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
    reason of every series that nothing was learnt from).
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

    def fit(self, frame: Any, *, split: SplitLike = None, on_epoch: Any = None, **roles: Any) -> Self:
        """Train.

        Args:
            frame: a `Panel`, or a pandas, polars or pyarrow frame.
            split: None trains on all rows but the last `val_size` of each series; "standard" takes the data set's own
                split; a mapping such as {"ratios": [0.7, 0.1, 0.2]} takes that one. The test part is not looked at.
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            roles: columns of the frame, as of `Panel.of` (`target`, `time`, `id`, `past_covariates`...).

        Raises:
            InputError: the frame, an option or the task cannot be used; says how to mend it.
        """
        model_config, fit_config = self.configs()
        reads = models.reads(self.model, model_config)
        panel = self._readable(Panel.of(frame, **roles), reads)
        head = heads.build(self.quantiles, self.loss)
        answer.names(panel, self._levels)
        prepared = self._unlearnt()
        history, arrays, parts, skipped = self._learnable(panel, prepared, split)
        laid = prepared.fit(history, arrays, parts.train, self._told(reads)).lay(history, arrays)
        train, val = (windows.cut(laid, part, self.input_size, self.horizon) for part in (parts.train, parts.val))
        windows.refuse_empty(train, parts.train, self.on_short == "error")

        from tsrnn import fit as training  # Lightning is slow to import, and only training needs it

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, model_config, self._spec(panel, laid, prepared.reading, head))
            self.report_ = training.fit(model, head, train, val, fit_config, on_epoch)
        self.model_, self.head_, self.spec_ = model, head, model.spec
        self.preparation_, self.panel_, self.skipped_ = prepared, panel, skipped
        return self

    def predict(self, frame: Any = None, *, future: Any = None) -> Any:
        """Forecast the `horizon` steps after each series' end, in the frame type that came in.

        A series ends with the last row in which a target was measured; later rows may tell covariates known ahead. A
        gap in the index behind which a look-back would have rows is read as rows in which nothing was measured.

        Args:
            frame: the history to forecast from; by default what `fit` got.
            future: future covariates, one row per series and step, where the model was given any.

        Returns:
            The series' ids and index, a column per target and `<target>_q<level>` per quantile; with
            `on_short="skip"`, where a series was skipped, empty cells, and a column `status` that says why.

        Raises:
            InputError: a series is too short, or nothing was measured in its look-back.
        """
        panel = self._panel(frame)
        history, beyond = ends.measured(panel)
        history = ends.bridged(history, self.input_size)
        if self.on_short == "error":
            return panel.native(self.forecast(history, future, beyond))
        skipped = ends.wanting(history, self.input_size, self.preparation_.padding)
        if not skipped:
            return panel.native(self.forecast(history, future, beyond))
        if len(skipped) == len(panel.ids):
            name, reason = next(iter(skipped.items()))
            raise InputError(f"{panel.source}: no series can be forecast; series {name!r}: {reason}")
        table = self.forecast(ends.without(history, skipped), future, beyond)
        return panel.native(answer.marked(history, table, self.horizon, skipped))

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
        laid = self.preparation_.lay(panel)
        batch = windows.latest(laid, self.input_size, self.preparation_.ahead(panel, future, beyond))
        windows.refuse_blind(batch, laid.targets, panel.ids)
        batch = beside(batch, laid.masks, laid.values.shape[1])
        point, quantiles = infer.forecast(self.model_, self.head_, batch, self._levels)
        return answer.frame(panel, point, quantiles, self._levels)

    def _spec(self, panel: Panel, laid: Buffer, reading: Mapping[str, Any], head: heads.Head) -> Spec:
        return Spec(
            **self._task(reading, head),
            known=0 if laid.known is None else laid.known.shape[1],
            static=0 if laid.static is None else laid.static.shape[1],
            seasonality=min(panel.season, int(self.input_size)),
        )
