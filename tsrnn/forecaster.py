"""The bed of the river: frame in, frame out. Reading `fit` and `predict` from top to bottom is reading the pipeline."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np

from tsrnn import answer, buffer, heads, infer, models, parameters, rebuild, split, store, trial, windows
from tsrnn import backtest as rolling
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.estimator import Estimator
from tsrnn.metrics import USUAL
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.scale import Affine
from tsrnn.shapes import Spec
from tsrnn.version import VERSION

SplitLike = Mapping[str, Any] | str | None
Scores = dict[str, infer.Score]


class Forecaster(Estimator):
    """A model, its task and how to train it, under one roof; parameters are kept as given, as scikit-learn's are.

    Args:
        model: a name that `tsrnn models` lists, or a class derived from `tsrnn.models.Model`.
        input_size: look-back, in steps.
        horizon: steps to forecast.
        quantiles: levels between 0 and 1 to forecast beside the point; None: points only.
        loss: mse, mae or huber of a point forecast; gaussian, laplace or student_t: a distribution, by its likelihood.
        scaler: standard, robust, mean_abs or none, fitted on the training rows.
        scale_per_series: one location and scale per series instead of one for the whole panel.
        calendar: add calendar (or depth) features as covariates known ahead.
        pad: let windows reach back before the first row; what is missing is marked as such.
        val_size: share of each series, at its end, held out for early stopping when `fit` gets no split.
        options: fields of the model's Config (`hidden_size`, `dropout`...) and of `FitConfig` (`learning_rate`,
            `batch_size`, `max_epochs`, `patience`, `random_state`...).

    After `fit`: `model_`, `spec_`, `panel_`, `report_` (epochs, best validation loss, seconds).
    """

    def __init__(  # noqa: PLR0913  the public door: every word is a keyword with a default
        self,
        model: str | type = "lstm",
        *,
        input_size: int,
        horizon: int,
        quantiles: Sequence[float] | None = None,
        loss: str = "mse",
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
        panel = self._readable(Panel.of(frame, **roles), models.reads(self.model, model_config))
        head = heads.build(self.quantiles, self.loss)
        answer.names(panel, self._levels)
        prepared = self._unlearnt()
        arrays = prepared.arrays(panel)
        parts = self._split(panel, arrays, split)
        laid = prepared.fit(panel, arrays, parts.train).lay(panel, arrays)
        train, val = (windows.cut(laid, part, self.input_size, self.horizon) for part in (parts.train, parts.val))
        windows.refuse_empty(train, parts.train)

        from tsrnn import fit as training  # Lightning is slow to import, and only training needs it

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, model_config, self._spec(panel, arrays, head))
            self.report_ = training.fit(model, head, train, val, fit_config, on_epoch)
        self.model_, self.head_, self.spec_ = model, head, model.spec
        self.preparation_, self.panel_ = prepared, panel
        return self

    def predict(self, frame: Any = None, *, future: Any = None) -> Any:
        """Forecast the `horizon` steps after each series' end, in the frame type that came in.

        Args:
            frame: the history to forecast from; by default what `fit` got.
            future: future covariates, one row per series and step, where the model was given any.

        Returns:
            The series' ids and index, a column per target and `<target>_q<level>` per quantile.
        """
        panel = self._panel(frame)
        return panel.native(self.forecast(panel, future))

    def forecast(self, panel: Panel, future: Any = None) -> Any:
        """`predict` on a panel, as a polars frame."""
        prepared = self.preparation_
        batch = windows.latest(prepared.lay(panel), self.input_size, prepared.ahead(panel, future))
        point, quantiles = infer.forecast(self.model_, self.head_, batch, self._levels)
        return answer.frame(panel, point, quantiles, self._levels)

    def score(
        self, frame: Any = None, *, split: SplitLike = "standard", part: str = "test", measures: Sequence[str] = USUAL
    ) -> infer.Score:
        """Measures (`tsrnn.metrics`) over every window (stride 1) of one part: train, val or test."""
        return self.scores(frame, split, (part,), measures)[part]

    def scores(self, frame: Any, split: SplitLike, parts: Sequence[str], measures: Sequence[str]) -> Scores:
        """`score` of several parts by name; the frame is read and scaled once."""
        panel = self._panel(frame)
        laid = self.preparation_.lay(panel)
        named, scores = self._split(panel, laid.arrays, split), {}
        for name in parts:
            rows = named.part(name)
            scored = windows.cut(laid, rows, self.input_size, self.horizon)
            windows.refuse_empty(scored, rows)
            scores[name] = infer.score(self.model_, self.head_, scored, measures)
        return scores

    def laid(self, frame: Any = None) -> buffer.Buffer:
        """Every row of a frame as the trained model reads it: scaled, filled, with its covariates."""
        return self.preparation_.lay(self._panel(frame))

    def backtest(
        self, frame: Any = None, *, windows: int = 8, step: int | None = None, refit: bool = False, **roles: Any
    ) -> Any:
        """Forecast from past cutoffs with copies of this forecaster trained before them; see `tsrnn.backtest`.

        Returns:
            id, the index, cutoff, target, y, forecast and a column `q<level>` per quantile, in the frame type given.
        """
        self.configs()
        fitted = hasattr(self, "model_") and not roles  # then a frame is read as the training's was
        panel = self._panel(frame) if fitted or frame is None else Panel.of(frame, **roles)
        return panel.native(rolling.backtest(self, panel, windows, step, refit))

    def save(self, folder: str | Path) -> None:
        """Write config.json and weights.safetensors into `folder`; the data stay out of it."""
        self._check_fitted()
        tensors = {f"model.{name}": weights for name, weights in self.model_.weights().items()}
        learnt = self.preparation_
        fitted = {"spec": asdict(self.spec_), "ids": list(learnt.ids), "reading": learnt.reading}
        config = {"version": VERSION, "params": parameters.words(self.get_params(), strict=True), **fitted}
        store.write(folder, config, tensors | learnt.tensors())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a saved forecaster; give `predict` the history to forecast from.

        Raises:
            InputError: not a saved forecaster, a newer version's, or damaged.
        """
        config = (saved := store.opened(folder)).config
        with rebuild.blaming(saved):
            self = cls(**config["params"])
            model_config, _ = self.configs()
            self.head_, prepared = heads.build(self.quantiles, self.loss), self._unlearnt()
            prepared.remember(config["ids"], config["reading"])
            self.spec_ = rebuild.spec(config["spec"], self._task(prepared.reading, self.head_))
            sizes = prepared.shapes(self.spec_.channels, self.spec_.known, self.spec_.static)
            self.model_ = rebuild.build(self.model, model_config, self.spec_, rebuild.weights(saved.kinds, sizes))
        tensors = saved.tensors()
        with rebuild.blaming(saved):
            self.preparation_ = prepared.restore({name: tensors.pop(name) for name in sizes})
            self.model_.set_weights({name.removeprefix("model."): weights for name, weights in tensors.items()})
            trial.on_zeros(self.model_)
        return self

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
            raise InputError("a loaded forecaster holds no data; pass the history to forecast from")
        return self.panel_

    def _unlearnt(self) -> Preparation:
        padding = self.input_size - 1 if self.pad else 0
        return Preparation(self.scaler, self.scale_per_series, self.calendar, padding, self.horizon)

    def _split(self, panel: Panel, arrays: Arrays, wanted: SplitLike) -> split.Split:
        if wanted is None:
            held = np.maximum(self.horizon, np.floor(self.val_size * arrays.lengths)).astype(np.int64)
            return split.tail(arrays, held)
        rule = panel.split if isinstance(wanted, str) and wanted == "standard" else wanted
        return split.standard(arrays, rule, panel.source)

    def _spec(self, panel: Panel, arrays: Arrays, head: heads.Head) -> Spec:
        return Spec(
            **self._task(panel.reading, head),
            known=0 if arrays.known is None else arrays.known.shape[1],
            static=0 if arrays.static is None else arrays.static.shape[1],
            seasonality=min(panel.season, int(self.input_size)),
        )

    def _task(self, reading: Mapping[str, Any], head: heads.Head) -> dict[str, Any]:
        """What the parameters and the columns alone say of the Spec."""
        targets = len(reading["targets"])
        sizes = {"input_size": int(self.input_size), "horizon": int(self.horizon)}
        columns = {"channels": targets + len(reading["past"]), "targets": targets}
        return {**sizes, **columns, "params": head.params, "levels": head.levels, "loss": self.loss}
