"""A label or a value for each row of a sequence: facies along a well, a missing curve, the state of a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import torch

from tsrnn import heads, infer, labels, models, parameters, rebuild, split, store, tasks, windows
from tsrnn.arrays import Arrays, Floats
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.estimator import Estimator
from tsrnn.frames import to_polars
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
        scaler, scale_per_series, calendar, masks, val_size, options: as of `tsrnn.Forecaster`.

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

    def fit(
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
        table, roles = self._opened(frame, roles)
        table = self._learn_labels(table, target)
        if inputs is None:
            inputs = self._numbers(table, {target, *_named(roles)})
        panel = self._readable(
            Panel.of(table, target=target, past_covariates=inputs, **roles), models.reads(self.model, config)
        )
        prepared = self._unlearnt()
        arrays = prepared.arrays(panel)
        parts = self._parts(arrays, panel, split)
        prepared.fit(panel, arrays, parts.train, self._told(models.reads(self.model, config)))
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
        name = panel.roles.targets[0]
        keys = [panel.frame[key] for key in (panel.roles.id, panel.roles.index) if key is not None]
        if self.classes_ is None:
            return panel.native(pl.DataFrame([*keys, pl.Series(name, answer[:, 0])]))
        decided = self.head_.decide(torch.from_numpy(answer))  # type: ignore[attr-defined]  # it has classes
        told = labels.decode(decided.tolist(), self.classes_, name, pl.Series(self.classes_).dtype)
        shares = [pl.Series(f"{name}_p_{kind}", answer[:, k]) for k, kind in enumerate(self.classes_)]
        return panel.native(pl.DataFrame([*keys, told, *shares]))

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
        table, _ = self._opened(frame, {})
        name = self.preparation_.reading["targets"][0]
        panel = self.preparation_.read(table.with_columns(pl.lit(0.0).alias(name)))
        laid = self.preparation_.lay(panel)
        total, weight = np.zeros((panel.frame.height, self.head_.params)), np.zeros(panel.frame.height)
        cut = windows.Windows(laid, _cover(laid, self.input_size), self.input_size, self.input_size, _TASK)
        share = np.minimum(np.arange(1, self.input_size + 1), np.arange(self.input_size, 0, -1))  # of a window's rows
        done = 0
        for batch in cut.batches(infer.batch_size(self.model_)):
            params = _params(self.model_, batch)
            cells = params.softmax(-1) if self.classes_ is not None else params
            for anchor, answer in zip(
                cut.targets_at[done : done + len(cells)], cells[:, :, 0].double().numpy(), strict=True
            ):
                first = max(anchor - self.input_size + 1, laid.begin[np.searchsorted(laid.begin, anchor, "right") - 1])
                real = anchor + 1 - first
                total[first : anchor + 1] += answer[-real:] * share[-real:, None]
                weight[first : anchor + 1] += share[-real:]
            done += len(cells)
        average = total / weight[:, None]
        return panel, average if self.classes_ is not None else _undone(
            average, self.preparation_.scaling_of(laid.arrays), laid
        )

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

    def _opened(self, frame: Any, roles: Mapping[str, Any]) -> tuple[pl.DataFrame, dict[str, Any]]:
        """A frame as polars has it, and roles: those of a panel under the caller's."""
        if not isinstance(frame, Panel):
            return to_polars(frame, "frame")[0], dict(roles)
        known = {"id": frame.roles.id, "time": frame.roles.index, "source": frame.source, "freq": frame.freq}
        return frame.frame, {**known, **roles}

    def _learn_labels(self, table: pl.DataFrame, target: str) -> pl.DataFrame:
        if target not in table.columns:
            raise unknown("column of frame", str(target), table.columns)
        column = table[target]
        if self.loss is None and column.dtype.is_integer():
            raise InputError(
                f"column {quoted(target)} holds whole numbers: loss='cross_entropy' takes them for classes, "
                "loss='mae' for values"
            )
        if (self.loss is None and column.dtype.is_float()) or self.loss in heads.LOSSES:
            self.classes_ = None
            return table
        self.classes_ = labels.classes_of(column, "frame")
        return table.with_columns(labels.encode(column, self.classes_, "frame"))

    @staticmethod
    def _numbers(table: pl.DataFrame, taken: set[str]) -> list[str]:
        return [name for name, kind in table.schema.items() if kind.is_numeric() and name not in taken]

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
        told = 2 * len(laid.masks)
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


@torch.inference_mode()
def _params(model: models.Model, batch: Any) -> torch.Tensor:
    params: torch.Tensor = model.eval()(batch)
    return params


def _cover(laid: Buffer, input_size: int) -> np.ndarray:
    """Anchors of windows that hold every row, overlapping by half: rising panel rows."""
    step, anchors = max(1, input_size // 2), []
    for begin, end in zip(laid.begin, laid.end, strict=True):
        last = end - 1
        anchors += [*range(min(begin + input_size - 1, last), last, step), last]
    return np.array(anchors, np.int64)


def _undone(scaled: Floats, scaling: Affine, laid: Buffer) -> Floats:
    """Values [row 1] in the target's own unit."""
    lengths = np.diff(laid.arrays.offsets)
    loc, scale = (np.repeat(each[:, :1], lengths, axis=0) for each in (scaling.loc, scaling.scale))
    return scaled * scale + loc


def _named(roles: Mapping[str, Any]) -> set[str]:
    values = [roles.get(key) for key in ("id", "time", "future_covariates", "static_covariates")]
    return {name for value in values if value is not None for name in ([value] if isinstance(value, str) else value)}


def _unscaled(scaling: Affine) -> Affine:
    loc, scale = scaling.loc.copy(), scaling.scale.copy()
    loc[:, :1], scale[:, :1] = 0.0, 1.0
    return Affine(loc, scale)
