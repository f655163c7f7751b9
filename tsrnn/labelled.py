"""What the faces share that tell a label or a value of what they read: the head, the training, a saved folder.

A face derived from `Labelled` names its task, takes its frame in, and says how series are parted; what an answer looks
like is its own.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, replace
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from tsrnn import (
    classed,
    ends,
    heads,
    labels,
    masks,
    models,
    parameters,
    rebuild,
    split,
    store,
    stratified,
    weighing,
    windows,
)
from tsrnn import penalty as penalties
from tsrnn.arrays import Arrays, Floats
from tsrnn.asked import Asked
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.heads.classes import ClassesHead, lifts
from tsrnn.kept import Answering
from tsrnn.layers.apart import apart
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.shapes import Spec
from tsrnn.trained import Report
from tsrnn.unmeasured import without_unmeasured
from tsrnn.version import VERSION


class Labelled(Answering):
    """Learns labels (by cross-entropy) or values (mae, mse, huber) that no model reads.

    After `fit`: `model_`, `classes_` (None where values are told), `report_`.
    """

    kind: ClassVar[str]  # of its saved folder, and what messages call it
    pad, horizon, quantiles = True, 1, None
    class_weights: str | Sequence[float] | Mapping[Any, float] | None
    penalty: Any
    least_share: float = 0.0
    label_weights: str | Mapping[str, Any] | None = None
    on_unlearnt: str = "error"
    categories_: Sequence[str] | None = None  # of a column of words, where its type was categorical
    costs_: penalties.Costs | None  # [true class, told class], of `penalty`
    lift_: list[float] | None  # [class], of `least_share`

    def configs(self) -> tuple[Any, parameters.FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        if self.loss is not None and self.loss != labels.CROSS_ENTROPY and self.loss not in heads.LOSSES:
            raise unknown("loss", str(self.loss), [labels.CROSS_ENTROPY, *heads.LOSSES])
        models.check_task(self.model, self.task.name)
        return parameters.sort(self.model, self.options, self._own())

    _parted = "take a split= whose training part holds some"  # the mend where a split leaves none to learn from

    def _rows(self, arrays: Arrays) -> int:
        """Rows that the model reads at once."""
        return self.input_size

    def _held_out(self, arrays: Arrays) -> split.Split:
        """Which rows train and which stop the training, where nobody says."""
        raise NotImplementedError

    def _parts(self, arrays: Arrays, panel: Panel, wanted: split.SplitRow) -> split.Split:
        """Which rows train, which stop the training, which are left for the test; "standard" is the panel's own."""
        if wanted is None:
            return self._held_out(arrays)
        rule = panel.split if isinstance(wanted, str) and wanted == "standard" else wanted
        return split.standard(arrays, rule, panel.source)

    def _parts_of(self, arrays: Arrays, asked: Asked, names: Sequence[str]) -> dict[str, split.Part]:
        """The parts of these names that are scored.

        Raises:
            InputError: there is no such part, or none of its rows; says whose split that is.
        """
        parts = asked.parts(lambda rule: self._parts(arrays, asked.panel, rule))
        for name in names:
            asked.refuse_empty(parts, name)
        return {name: parts.part(name) for name in names}

    def _refuse_parts(self, arrays: Arrays, parts: split.Split, source: str) -> None:
        """Refuse a split that somebody named, and from which not all is learnt that is to be told."""

    def _learn(self, panel: Panel, wanted: split.SplitRow, on_epoch: Any = None) -> Self:
        """Train on a panel whose target holds labels' numbers, or values.

        Raises:
            InputError: the model cannot read it, or no row is left to learn from.
        """
        config, _ = self.configs()
        ends.refuse_empty(panel)
        panel = self._readable(panel, models.reads(self.model, config))
        prepared = self._unlearnt(1)
        arrays = prepared.arrays(panel)
        prepared.padding = (size := self._rows(arrays)) - 1
        parts = self._parts(arrays, panel, wanted)
        if wanted is not None:
            self._refuse_parts(arrays, parts, panel.source)
        alone = not (self.task.shows or self.calendar)
        panel, arrays = without_unmeasured(prepared, panel, arrays, parts.train, alone)
        prepared.fit(panel, arrays, parts.train, self._told(models.reads(self.model, config)))
        if not self.task.shows:
            masks.leave_targets(prepared.reading)
        if self.classes_ is not None:
            prepared.scaling = prepared.scaling.of_labels()
        laid = prepared.lay(panel, arrays)
        train, val = (windows.cut(laid, part, size, size, self.task) for part in (parts.train, parts.val))
        val = val.only(apart(val))  # each row once
        if not len(train):
            name, longest = quoted(panel.roles.targets[0]), int(arrays.lengths.max())
            if longest < size:
                raise InputError(
                    f"{panel.source}: input_size={size} is longer than every series, the longest of which has "
                    f"{longest} rows, and as many are held out; lower it, or name whole series in split="
                )
            raise InputError(f"{panel.source}: no row that holds {name} is left to learn it from; {self._parted}")
        codes = arrays.columns[0]
        if self.label_weights is not None:
            weights = self._weights(panel, arrays, parts)
            train.weights = val.weights = laid.spread(weights)
            codes = np.where(weights > 0, codes, np.nan)
        if self.classes_ is not None:
            stratified.check_unlearnt(codes, parts, self.classes_, panel.source, self.on_unlearnt)
        head = self._head(arrays, parts)
        spec = replace(self._spec_of(laid, size), params=head.params)
        model, self.report_ = self._trained(spec, head, train, val, on_epoch)
        self.model_, self.head_, self.spec_, self.preparation_ = model, head, model.spec, prepared
        self.panel_, self.split_ = panel, wanted
        self._learnt_from(panel, parts)
        return self

    def _labelled(self, frame: Any) -> Panel:
        """A frame with its truth, labels by their numbers, read as the training's was."""
        reading = self.preparation_.reading
        target = reading["targets"][0]
        told = labels.numbered(frame, target, self.classes_, reading)
        if self.classes_ is None or isinstance(told, Panel):
            return self.preparation_.read(told)
        alike = copy(self.preparation_)
        columns = (*reading["targets"], *reading["past"], *reading["future"], *reading["static"])
        alike.reading = {**reading, "missing": labels.spared(reading["missing"], target, columns)}
        return replace(alike.read(told), missing=reading["missing"])

    def _trained(
        self,
        spec: Spec,
        head: heads.Head,
        train: windows.Windows,
        val: windows.Windows | None,
        on_epoch: Any = None,
        epochs: int = 0,
    ) -> tuple[models.Model, Report]:
        """A model trained on windows, stopped by others, or after so many epochs where they are said."""
        config, fit_config = self.configs()
        if epochs:
            fit_config = replace(fit_config.settled(len(train), spec.targets), max_epochs=epochs)

        from tsrnn import fit as training

        with training.seeded(fit_config.random_state):
            model = models.build(self.model, config, spec)
            return model, training.fit(model, head, train, val, fit_config, on_epoch)

    def save(self, folder: str | Path) -> None:
        """Write config.json, weights.safetensors and, for `drift`, a summary of each column, and none of the data."""
        self._check_fitted()
        tensors = {f"model.{name}": weights for name, weights in self.model_.weights().items()}
        learnt = self.preparation_
        config = {
            "version": VERSION,
            "kind": self.kind,
            "params": parameters.words(self.get_params(), strict=True),
            "spec": asdict(self.spec_),
            "ids": list(learnt.ids),
            "reading": learnt.reading,
            "classes": self.classes_,
            "categories": self.categories_,
            "costs": self.costs_,
            "lift": self.lift_,
        }
        kept, beside = self._kept()
        store.write(folder, config | kept, tensors | learnt.tensors(), beside)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: nothing of this kind is saved there, or a newer version's, or damaged.
        """
        config = (saved := store.opened(folder)).config
        store.check_holds(saved, cls.kind)
        with rebuild.blaming(saved, cls.__name__):
            self = cls(**rebuild.params(config))
            model_config, _ = self.configs()
            self.classes_ = classed.restored(config["classes"], config["spec"]["params"])
            self.categories_ = classed.categories(config.get("categories"), self.classes_)
            head = heads.build(None, self.loss or "mae") if self.classes_ is None else None
            self.costs_ = penalties.costs(config.get("costs", self.penalty), self.classes_ or ())
            self.lift_ = config.get("lift")
            self.head_ = head or ClassesHead(len(self.classes_ or ()), None, self.costs_, self.lift_)
            size = {} if self.input_size is None else {"input_size": self.input_size}
            self.spec_ = rebuild.spec(config["spec"], {"params": self.head_.params, **size})
            prepared = self._unlearnt(self.spec_.input_size).remember(config["ids"], config["reading"])
            channels = self.spec_.channels + (0 if self.task.shows else self.spec_.targets)
            sizes = prepared.shapes(channels, self.spec_.known, self.spec_.static)
            self.model_ = rebuild.build(self.model, model_config, self.spec_, rebuild.weights(saved.kinds, sizes))
        tensors = saved.tensors()
        with rebuild.blaming(saved, cls.__name__):
            self.preparation_ = prepared.restore({name: tensors.pop(name) for name in sizes})
            self._remember(saved)
            self.model_.set_weights({name.removeprefix("model."): each for name, each in tensors.items()})
        return self

    def _unlearnt(self, rows: int | None = None) -> Preparation:
        """A preparation with padding for windows of so many rows; None: as they are asked for."""
        size = self.input_size if rows is None else rows
        return Preparation(self.scaler, self.scale_per_series, self.calendar, size - 1, self.horizon)

    def _weights(self, panel: Panel, arrays: Arrays, parts: split.Split) -> Floats:
        """What each row's label counts: [row].

        Raises:
            InputError: the training's labels count nothing.
        """
        weights = weighing.of_rows(panel, self.label_weights or "")
        counted = np.where(np.isfinite(arrays.columns[0]), weights, 0.0)
        if not any(counted[a:b].any() for a, b in zip(parts.train.begin, parts.train.end, strict=True)):
            raise InputError(
                f"{panel.source}: label_weights weighs every label of the training 0; nothing is learnt so"
            )
        return weights

    def _head(self, arrays: Arrays, parts: split.Split) -> heads.Head:
        self.costs_ = self.lift_ = None
        if self.classes_ is None:
            share = self.least_share or None
            for name, value in {
                "class_weights": self.class_weights,
                "penalty": self.penalty,
                "least_share": share,
            }.items():
                if value is not None:
                    raise InputError(f"{name} is of labels, and values are to be told; leave it out")
            return heads.build(None, self.loss or "mae")
        self.costs_ = penalties.costs(self.penalty, self.classes_)
        weights: Any = self.class_weights
        counts = parts.train.counts(arrays.columns[0], len(self.classes_))
        if isinstance(weights, str):
            if weights != "balanced":
                raise unknown("class_weights", weights, ["balanced"])
            weights = (counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist()
        if isinstance(weights, Mapping):
            weights = weighing.of_classes(weights, self.classes_)
        self.lift_ = self._lift(counts.tolist())
        return ClassesHead(len(self.classes_), weights, self.costs_, self.lift_)

    def _lift(self, counts: list[int]) -> list[float] | None:
        """How much louder each class is in decisions than in the training: [class] of its counts there."""
        share = self.least_share
        if isinstance(share, bool) or not isinstance(share, Real) or not 0 <= share < 1:
            raise InputError(f"least_share is a share of the labels, at least 0 and below 1, not {share!r}")
        if share and self.class_weights is not None:
            raise InputError(
                "class_weights and least_share both make rare classes heard, in training and in decisions; name one"
            )
        return lifts(counts, float(share)) if share else None

    def _spec_of(self, laid: Buffer, size: int) -> Spec:
        told = masks.WIDTH * len(laid.masks)
        begin, end = self.task.targets(size, size)
        return Spec(
            input_size=size,
            horizon=end - begin,
            channels=laid.values.shape[1] - (0 if self.task.shows else laid.targets) + told,
            targets=laid.targets,
            known=0 if laid.known is None else laid.known.shape[1],
            static=0 if laid.static is None else laid.static.shape[1],
            seasonality=min(24, size),
            segment=1,
        )
