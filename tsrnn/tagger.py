"""A label or a value for each row of a sequence: facies along a well, a missing curve, the state of a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from tsrnn import heads, labels, masks, models, overlap, parameters, rebuild, split, store, tasks, windows
from tsrnn.arrays import Arrays, Floats
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.estimator import Estimator
from tsrnn.heads.classes import ClassesHead
from tsrnn.panel import Panel
from tsrnn.scale import Affine
from tsrnn.shapes import Spec
from tsrnn.version import VERSION

_CLASSES = "cross_entropy"
_KIND = "tagger"
_WHOLE_SERIES = 4  # from so many on, whole series stop the training instead of ends of them
_TASK = tasks.find("along")


class Tagger(Estimator):
    """A model that says something of each row, from the rows before and behind it.

    Args:
        model: a name of `tsrnn models --task along`, or a class derived from `tsrnn.models.Model`.
        input_size: rows read at once; a longer series is read in overlapping pieces, whose answers are averaged.
        loss: cross_entropy of labels; mae, mse or huber of values. None: labels where the target is text or truth
            values, values where it holds fractions; of whole numbers it has to be named.
        class_weights: "balanced" weighs each class by one over its share; numbers weigh them in their order.
        penalty: [true class, decided class] what a decision costs, in the order of `classes_`: of least expected cost
            is what is decided. None: the most probable class.
        scaler: standard, robust, mean_abs or none, fitted on the training rows; of the inputs, and of values to tell.
        scale_per_series: one location and scale per series instead of one for all.
        calendar: add calendar (or depth) features to the inputs.
        masks: tell the model which cells were measured, where the inputs have holes.
        val_size: share of the series, or of each series' rows, held out for early stopping when `fit` gets no split.
        options: fields of the model's Config and of `FitConfig`, as of `tsrnn.Forecaster`.

    After `fit`: `model_`, `classes_` (None where values are told), `report_`.
    """

    def __init__(  # noqa: PLR0913  the public door: every word is a keyword with a default
        self,
        model: str | type = "bigru",
        *,
        input_size: int = 256,
        loss: str | None = None,
        class_weights: str | Sequence[float] | None = None,
        penalty: Any = None,
        scaler: str = "standard",
        scale_per_series: bool = False,
        calendar: bool = False,
        masks: bool = True,
        val_size: float = 0.1,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size
        self.loss = loss  # type: ignore[assignment]  # a forecaster's is never open
        self.class_weights = class_weights
        self.penalty = penalty
        self.scaler = scaler
        self.scale_per_series = scale_per_series
        self.calendar = calendar
        self.masks = masks
        self.val_size = val_size
        self.options = options

    pad, horizon, quantiles = True, 1, None
    classes_: list[Any] | None

    def configs(self) -> tuple[Any, parameters.FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        if not isinstance(self.input_size, int) or not 1 < self.input_size <= models.MOST:
            raise InputError(f"input_size must be a whole number of rows, at least 2, not {self.input_size!r}")
        if self.loss is not None and self.loss != _CLASSES and self.loss not in heads.LOSSES:
            raise unknown("loss", str(self.loss), [_CLASSES, *heads.LOSSES])
        if not isinstance(self.val_size, float) or not 0 < self.val_size < 1:
            raise InputError(f"val_size is a share between 0 and 1, not {self.val_size!r}")
        models.check_task(self.model, _TASK.name)
        return parameters.sort(self.model, self.options)

    def fit(  # type: ignore[override]  # it says of which column
        self,
        frame: Any,
        *,
        target: str,
        inputs: str | Sequence[str] | None = None,
        split: Mapping[str, Any] | None = None,
        on_epoch: Any = None,
        **roles: Any,
    ) -> Self:
        """Train on labelled rows; rows without a label are read and not learnt from.

        Args:
            frame: a `Panel`, or a pandas, polars or pyarrow frame.
            target: the column to tell.
            inputs: columns that it is told from; by default every other column of numbers.
            split: None holds out the last `val_size` of the series where there are four or more, else of each one's
                rows; a mapping such as {"by_series": {"val": ["W4"], "test": ["W7"]}} takes that one.
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            roles: columns of the frame, as of `Panel.of` (`time`, `id`, `future_covariates`, `static_covariates`).

        Raises:
            InputError: the frame, an option or a label cannot be used; says how to mend it.
        """
        config, fit_config = self.configs()
        table, self.classes_, roles = labels.opened(frame, target, self.loss, roles)
        inputs = labels.numbers(table, {target, *_named(roles)}) if inputs is None else inputs
        panel = Panel.of(table, target=target, past_covariates=inputs, **roles)
        panel = replace(panel, columns=frame.columns if isinstance(frame, Panel) else {})
        panel = self._readable(panel, models.reads(self.model, config))
        prepared = self._unlearnt()
        arrays = prepared.arrays(panel)
        parts = self._parts(arrays, panel, split)
        prepared.fit(panel, arrays, parts.train, self._told(models.reads(self.model, config)))
        _of_covariates_alone(prepared.reading)
        if self.classes_ is not None:
            prepared.scaling = _unscaled(prepared.scaling)
        laid = prepared.lay(panel, arrays)
        train, val = (
            windows.cut(laid, part, self.input_size, self.input_size, _TASK) for part in (parts.train, parts.val)
        )
        if not len(train):
            raise InputError(f"{panel.source}: no row with a label is left to learn {quoted(target)} from")
        head, spec = self._head(arrays, parts), self._spec_of(laid)

        from tsrnn import fit as training

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, config, replace(spec, params=head.params))
            self.report_ = training.fit(model, head, train, val, fit_config, on_epoch)
        self.model_, self.head_, self.spec_, self.preparation_ = model, head, model.spec, prepared
        return self

    def predict(self, frame: Any) -> Any:
        """What each row is: ids, index, the target, and of labels `<target>_p_<class>`, in the frame type that came in.

        The target's own column, if it is there, is not read.

        Raises:
            InputError: a column is missing or cannot be used.
        """
        panel, answer = self._answered(frame)
        if self.classes_ is None or not isinstance(self.head_, ClassesHead):
            return panel.native(labels.values(panel, answer))
        decided = self.head_.decide(torch.from_numpy(answer)).tolist()
        return panel.native(labels.told(panel, answer, decided, self.classes_))

    def predict_proba(self, frame: Any) -> Floats:
        """The classes' probabilities of each row, in the order of `classes_`: [row class].

        Raises:
            InputError: the model tells values.
        """
        if self.classes_ is None:
            raise InputError("this tagger tells values, which have no probabilities; fit it with loss='cross_entropy'")
        return self._answered(frame)[1]

    def _answered(self, frame: Any) -> tuple[Panel, Floats]:
        """The panel and, of each row, the classes' probabilities or the value in its own unit: [row number]."""
        self._check_fitted()
        prepared = self.preparation_
        unlabelled, origin = labels.without(frame, prepared.reading["targets"][0])
        panel = replace(prepared.read(unlabelled), origin=origin)
        laid = prepared.lay(panel)
        answer = overlap.answers(self.model_, self.head_, laid, self.input_size, _TASK)
        told = answer if self.classes_ is not None else overlap.undone(answer, prepared.scaling_of(laid.arrays), laid)
        return panel, told

    def save(self, folder: str | Path) -> None:
        """Write config.json and weights.safetensors into `folder`; the data stay out of it."""
        self._check_fitted()
        tensors = {f"model.{name}": weights for name, weights in self.model_.weights().items()}
        learnt = self.preparation_
        config = {
            "version": VERSION,
            "kind": _KIND,
            "params": parameters.words(self.get_params(), strict=True),
            "spec": asdict(self.spec_),
            "ids": list(learnt.ids),
            "reading": learnt.reading,
            "classes": self.classes_,
        }
        store.write(folder, config, tensors | learnt.tensors())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a saved tagger.

        Raises:
            InputError: no saved tagger, a newer version's, or damaged.
        """
        config = (saved := store.opened(folder)).config
        if (kind := config.get("kind", store.MODEL)) != _KIND:
            raise InputError(f"{folder} holds no tagger, but a saved {kind!r}")
        with rebuild.blaming(saved, _KIND):
            self = cls(**rebuild.params(config))
            model_config, _ = self.configs()
            self.classes_ = labels.restored(config["classes"], config["spec"]["params"])
            head = heads.build(None, self.loss or "mae") if self.classes_ is None else None
            self.head_ = head or ClassesHead(len(self.classes_ or ()), None, self.penalty)
            prepared = self._unlearnt().remember(config["ids"], config["reading"])
            self.spec_ = rebuild.spec(config["spec"], {"params": self.head_.params, "input_size": self.input_size})
            sizes = prepared.shapes(self.spec_.channels + self.spec_.targets, self.spec_.known, self.spec_.static)
            self.model_ = rebuild.build(self.model, model_config, self.spec_, rebuild.weights(saved.kinds, sizes))
        tensors = saved.tensors()
        with rebuild.blaming(saved, _KIND):
            self.preparation_ = prepared.restore({name: tensors.pop(name) for name in sizes})
            self.model_.set_weights({name.removeprefix("model."): each for name, each in tensors.items()})
        return self

    def _parts(self, arrays: Arrays, panel: Panel, wanted: Mapping[str, Any] | None) -> split.Split:
        if wanted is not None:
            return split.standard(arrays, wanted, panel.source)
        count = len(arrays.ids)
        if count >= _WHOLE_SERIES:
            return split.by_series(arrays, arrays.ids[-max(1, round(self.val_size * count)) :], ())
        rows = arrays.stops() - arrays.offsets[:-1]
        return split.tail(arrays, split.held_out(rows, self.input_size, self.val_size))

    def _head(self, arrays: Arrays, parts: split.Split) -> heads.Head:
        if self.classes_ is None:
            return heads.build(None, self.loss or "mae")
        weights: Any = self.class_weights
        if isinstance(weights, str):
            if weights != "balanced":
                raise unknown("class_weights", weights, ["balanced"])
            rows = np.concatenate([np.arange(a, b) for a, b in zip(parts.train.begin, parts.train.end, strict=True)])
            codes = arrays.columns[0][rows]
            counts = np.bincount(codes[np.isfinite(codes)].astype(np.int64), minlength=len(self.classes_))
            weights = (counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist()
        return ClassesHead(len(self.classes_), weights, self.penalty)

    def _spec_of(self, laid: Buffer) -> Spec:
        told = masks.WIDTH * len(laid.masks)
        return Spec(
            input_size=self.input_size,
            horizon=self.input_size,
            channels=laid.values.shape[1] - laid.targets + told,
            targets=laid.targets,
            known=0 if laid.known is None else laid.known.shape[1],
            static=0 if laid.static is None else laid.static.shape[1],
            seasonality=min(24, self.input_size),
            segment=1,
        )


def _of_covariates_alone(reading: dict[str, Any]) -> None:
    """Masks of the target, which nobody is to read, are told to nobody."""
    if "holes" in reading:
        kept = (tuple(k for k in group if k) for group in reading["holes"]["channels"])
        reading["holes"] = {**reading["holes"], "channels": tuple(group for group in kept if group)}


def _named(roles: Mapping[str, Any]) -> set[str]:
    values = [roles.get(key) for key in ("id", "time", "future_covariates", "static_covariates")]
    return {name for value in values if value is not None for name in ([value] if isinstance(value, str) else value)}


def _unscaled(scaling: Affine) -> Affine:
    loc, scale = scaling.loc.copy(), scaling.scale.copy()
    loc[:, :1], scale[:, :1] = 0.0, 1.0
    return Affine(loc, scale)
