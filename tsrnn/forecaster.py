"""The bed of the river: frame in, frame out. Reading `fit` and `predict` from top to bottom is reading the pipeline."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from tsrnn import answer, calibration, heads, infer, journal, models, paths, usual, windows
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.evaluation import SplitLike
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
        loss: mae, mse or huber of the point forecast, which is the median, the mean or between, whatever quantiles are
            asked; gaussian, laplace, student_t, mixture or negative_binomial (of counts): a distribution.
        scaler: standard, robust, mean_abs or none, fitted on the training rows.
        scale_per_series: one location and scale per series instead of one for the whole panel.
        calendar: add calendar (or depth) features as covariates known ahead.
        pad: let windows reach back before the first row; what is missing is marked as such.
        val_size: share of each series, at its end, held out for early stopping when `fit` gets no split.
        options: fields of the model's Config (`hidden_size`, `dropout`...) and of `FitConfig` (`learning_rate`,
            `batch_size`, `max_epochs`, `patience`, `progress`, `random_state`...). What is not named follows the data,
            as `tsrnn.usual` says.

    After `fit`: `model_`, `spec_`, `panel_`, `report_` (epochs, best validation loss, seconds).
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
        head, prepared, panel, parts, spec, train, val = self._lesson(frame, split, roles)

        from tsrnn import fit as training  # Lightning is slow to import, and only training needs it

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, model_config, spec)
            self.report_ = training.fit(model, head, train, val, fit_config, on_epoch, callbacks, logger)
        self.model_, self.head_, self.spec_ = model, head, model.spec
        self.preparation_, self.panel_ = prepared, panel
        self.split_, self.calibration_ = split, None
        self._fitted_on(parts, train, val)
        return self

    def modules(self, frame: Any, *, split: SplitLike = None, **roles: Any) -> tuple[Any, Any]:
        """An untrained `ForecastModule` and its `WindowsDataModule`, for a Trainer of one's own; then `adopt`.

            module, data = forecaster.modules(frame)
            Trainer(...).fit(module, datamodule=data)
            forecaster.adopt(module)

        Arguments and errors are those of `fit`.
        """
        model_config, fit_config = self.configs()
        head, prepared, panel, parts, spec, train, val = self._lesson(frame, split, roles)

        from tsrnn import fit as training

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, model_config, spec)
            if model.solve(train, val):
                raise InputError(f"model {models.find(self.model).name!r} is not trained by steps; call fit instead")
        self.__dict__.pop("model_", None)
        self.head_, self.spec_, self.preparation_, self.panel_ = head, spec, prepared, panel
        self.split_, self.calibration_ = split, None
        self._fitted_on(parts)
        return training.ForecastModule(model, head, fit_config), training.WindowsDataModule(train, val, fit_config)

    def predict(self, frame: Any = None, *, future: Any = None) -> Any:
        """Forecast the `horizon` steps after each series' end, in the frame type that came in.

        Args:
            frame: the history to forecast from; by default what `fit` got.
            future: future covariates, one row per series and step, where the model was given any.

        Returns:
            The series' ids and index, a column per target and `<target>_q<level>` per quantile.
        """
        with journal.noted("predict") as facts:
            panel = self._panel(frame)
            facts |= {"rows": panel.frame.height, "series": len(panel.ids)}
            return panel.native(self.forecast(panel, future))

    def forecast(self, panel: Panel, future: Any = None) -> Any:
        """`predict` on a panel, as a polars frame."""
        prepared = self.preparation_
        laid = prepared.lay(panel)
        batch = windows.latest(laid, self.input_size, prepared.ahead(panel, future))
        shift = calibration.ahead(self.model_, self.head_, self.calibration_, laid, self._levels)
        point, quantiles = infer.forecast(self.model_, self.head_, batch, self._levels, shift)
        return answer.frame(panel, point, quantiles, self._levels)

    def _lesson(self, frame: Any, split: SplitLike, roles: Mapping[str, Any]) -> tuple[Any, ...]:
        """Head, preparation, panel, parts, Spec, and the windows to train and to validate on."""
        model_config, _ = self.configs()
        panel = self._readable(Panel.of(frame, **roles), models.reads(self.model, model_config))
        head = heads.build(self.quantiles, self.loss)
        answer.names(panel, self._levels)
        prepared = self._unlearnt()
        arrays = prepared.arrays(panel)
        head.check(arrays)
        parts = self._split(panel, arrays, split)
        laid = prepared.fit(panel, arrays, parts.train).lay(panel, arrays)
        train, val = (windows.cut(laid, part, self.input_size, self.horizon) for part in (parts.train, parts.val))
        windows.refuse_empty(train, parts.train)
        return head, prepared, panel, parts, self._spec(panel, arrays, head), train, val

    def simulate(self, n: int = 100, frame: Any = None, *, future: Any = None, random_state: int = 0) -> Any:
        """`n` sample paths of the steps that `predict` forecasts, as likely as its quantiles say (`tsrnn.paths`).

        Returns:
            The series' ids and index, `sample` (0 to n - 1) and a column per target, in the frame type that came in.
        """
        panel, prepared = self._panel(frame), self.preparation_
        laid = prepared.lay(panel)
        batch = windows.latest(laid, self.input_size, prepared.ahead(panel, future))
        drawn = paths.draw(self.model_, self.head_, batch, laid, n, random_state, self.calibration_)
        return panel.native(answer.samples(panel, drawn))

    def _spec(self, panel: Panel, arrays: Arrays, head: heads.Head) -> Spec:
        return Spec(
            **self._task(panel.reading, head),
            known=0 if arrays.known is None else arrays.known.shape[1],
            static=0 if arrays.static is None else arrays.static.shape[1],
            seasonality=min(panel.season, int(self.input_size)),
        )
