"""Whole series read by a model, from arrays or from a frame, and what it says of each: the inside of a classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from tsrnn import cases, classed, infer, labels, marks, models, sequences, split, stratified, tasks, windows
from tsrnn.arrays import Arrays, Floats
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError, listed, notice, quoted, unknown, unlisted
from tsrnn.heads import Head
from tsrnn.heads.classes import ClassesHead
from tsrnn.labelled import Labelled
from tsrnn.panel import Panel
from tsrnn.reading import Reading
from tsrnn.shapes import Spec
from tsrnn.trained import Report

_ROLES = tuple(signature(Panel.of).parameters)
_AT_ONCE = 64  # series in a model at once: convolutions make many numbers of each step


class WholeSeries(Labelled):
    """One answer for each series."""

    task = tasks.find("whole")

    @property
    def tells(self) -> str:  # type: ignore[override]  # it follows what was learnt
        """What a card says that it does."""
        return "values of whole series" if self.classes_ is None else "labels of whole series"

    _parted = (
        "a label is of a whole series, which a split in time cuts: hold whole series out, such as "
        "split={'by_series': {'val': 0.1, 'test': 0.2}}"
    )
    refit: bool
    n_features_in_: int
    stopped_: models.Model  # that validation stopped, and that never saw its series

    def _trained(
        self,
        spec: Spec,
        head: Head,
        train: windows.Windows,
        val: windows.Windows | None,
        on_epoch: Any = None,
        epochs: int = 0,
    ) -> tuple[models.Model, Report]:
        """As the training alone makes it, and, if it is to be, anew on the validation's series too."""
        self.stopped_, report = super()._trained(spec, head, train, val, on_epoch, epochs)
        if not self.refit or val is None or not len(val):
            return self.stopped_, report
        every = np.sort(np.concatenate([train.targets_at, val.targets_at]))
        both = windows.Windows(train.buffer, every, train.input_size, train.horizon, self.task)
        anew, again = super()._trained(spec, head, both, None, None, report.epochs)
        return anew, replace(report, seconds=report.seconds + again.seconds)

    def _opened(self, X: Any, y: Any, roles: Mapping[str, Any]) -> tuple[Any, str, dict[str, Any]]:
        """A frame, the name of its target, and the roles of its columns."""
        if sequences.is_table(X) and (y is None or isinstance(y, str)):
            if y is None and not isinstance(X, Panel):
                raise InputError("this classifier requires y to be passed, and y is None; name the column of labels")
            return X, y or X.roles.targets[0], dict(roles)
        if roles and sequences.is_table(X):
            raise InputError(f"{listed(roles)} names columns of a long frame, whose labels y names, too; pass its name")
        if strange := [name for name in roles if name not in _ROLES]:
            raise unknown("argument", strange[0], ("X", "y", "inputs", "split", "on_epoch", *_ROLES))
        if roles:
            raise InputError(
                f"{listed(roles)} names columns of a frame, and X is arrays; pass a long frame, or leave it"
            )
        if y is None:
            raise InputError(
                "this classifier requires y to be passed, but the target y is None; give each case a label"
            )
        given = cases.arrays_of(X)
        if (steps := cases.steps_of(X)) is None:
            vars(self).pop("n_features_in_", None)
        else:
            self.n_features_in_ = steps
        table = cases.table_of(given, y)
        if self.loss is None:
            cases.refuse_fractions(table)
        return table, cases.LABEL, {**cases.ROLES, "source": "X"}

    @property
    def _of_arrays(self) -> bool:
        """Whether the training read arrays."""
        reading = self.preparation_.reading
        return (reading["id"], reading["index"]) == (cases.CASE, cases.STEP)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote; errors as of `Labelled.load`."""
        self = super().load(folder)
        self.classes_ = None if self.classes_ is None else classed.as_array(self.classes_)  # as `fit` has them
        return self

    def _is_frame(self, X: Any) -> bool:
        """Whether X is long, and no table whose rows are cases."""
        long = not self._of_arrays or isinstance(X, Panel | Reading) or cases.CASE in getattr(X, "columns", ())
        return sequences.is_table(X) and long

    def _read(self, X: Any) -> Any:
        """X as a frame to be read as the training's was."""
        self._check_fitted()
        reading = self.preparation_.reading
        if self._is_frame(X):
            return X
        if not self._of_arrays:
            raise InputError(
                f"this classifier read a frame with columns {listed(reading['past'])}; give one, not arrays"
            )
        given, steps, trained = cases.arrays_of(X), cases.steps_of(X), vars(self).get("n_features_in_")
        if None not in (steps, trained) and steps != trained:
            raise InputError(
                f"X has {steps} features, but {type(self).__name__} is expecting {trained} features as input: steps of "
                "an array [case time]; pass a list of arrays where sequences are of other lengths"
            )
        if (width := given[0].shape[1]) != (known := len(reading["past"])):
            raise InputError(f"X has {width} channels and the training's had {known}; give those")
        return Reading(cases.table_of(given), source="X")

    def _answered(self, X: Any) -> tuple[Panel, Floats]:
        """The panel and, of each series, the classes' probabilities or the value in its own unit: [series number]."""
        frame, prepared = self._read(X), self.preparation_
        target = prepared.reading["targets"][0]
        unlabelled, origin = labels.without(frame, target)
        with unlisted(labels.added(frame, target)):
            panel = replace(prepared.read(unlabelled), origin=origin)
        sequences.refuse_unread(panel)
        lengths, most = np.diff(panel.offsets), self.spec_.input_size
        if lengths.max() > most:
            series = quoted(panel.ids[int(lengths.argmax())])
            notice(
                f"series {series} has {lengths.max()} steps, of which the newest {most} are read; input_size says so"
            )
        laid = prepared.lay(panel, untold=True)
        return panel, self._undone(self._said(self.model_, laid), laid)

    def _true(self, frame: Any) -> Panel:
        """A frame with its truth, a number on each series' last row."""
        self._check_fitted()
        if frame is None:
            if not hasattr(self, "panel_"):
                raise InputError("a loaded SequenceClassifier holds no data; pass series with their labels")
            return self.panel_
        return sequences.one_label(self._labelled(frame), self.classes_)

    @torch.inference_mode()
    def _said(self, model: models.Model, laid: Buffer) -> Floats:
        """The classes' probabilities, or values as the model gives them, of each series: [series number]."""
        size, last = self.spec_.input_size, laid.arrays.offsets[1:] - 1
        answers = []
        for batch in windows.Windows(laid, last, size, size, self.task).batches(_AT_ONCE):
            params = model.eval()(batch)[:, 0, 0]  # [batch params]
            answers.append(self.head_.probabilities(params) if isinstance(self.head_, ClassesHead) else params)
        answer: Floats = torch.cat(answers).double().numpy()
        return answer

    def _undone(self, answer: Floats, laid: Buffer) -> Floats:
        """Probabilities as they are, values in their own unit: [series number]."""
        if self.classes_ is not None:
            return answer
        scaling = self.preparation_.scaling_of(laid.arrays)
        values: Floats = answer * scaling.scale[:, :1] + scaling.loc[:, :1]
        return values

    def _codes(self, shares: Floats) -> npt.NDArray[np.int64]:
        """The numbers of the classes that are acted on: [series]."""
        assert isinstance(self.head_, ClassesHead)
        codes: npt.NDArray[np.int64] = self.head_.decide(torch.from_numpy(shares)).numpy()
        return codes

    def _decided(self, answer: Floats) -> npt.NDArray[Any]:
        """The classes that are acted on, or the values: [series]."""
        return answer[:, 0] if self.classes_ is None else np.asarray(self.classes_)[self._codes(answer)]

    def _held(self, laid: Buffer, answer: Floats, part: split.Part, measures: Sequence[str]) -> infer.Score:
        """An answer for each series [series number] held against the truth of a part's."""
        arrays, last = laid.arrays, laid.arrays.offsets[1:] - 1
        if not ((part.begin <= last) & (last < part.end)).any():
            raise InputError(f"no series ends in that part, and its label is of its end; {self._parted}")
        if self.classes_ is None:
            values, scale = np.zeros(arrays.rows), self.preparation_.scaling_of(arrays).scale[:, 0]
            values[last] = self._undone(answer, laid)[:, 0]
            return marks.of_values(arrays, part, values, scale, measures)
        codes = np.zeros(arrays.rows, np.int64)
        codes[last] = self._codes(answer)
        costs = None if self.costs_ is None else np.asarray(self.costs_, np.float64)
        return marks.of_labels(arrays, part, codes, len(self.classes_), measures, costs)

    def _sizes(self) -> dict[str, int]:
        return {} if self.input_size is None else super()._sizes()

    def _rows(self, arrays: Arrays) -> int:
        return self.input_size or int(arrays.lengths.max())

    def _refuse_parts(self, arrays: Arrays, parts: split.Split, source: str) -> None:
        if self.classes_ is not None:
            stratified.refuse_unlearnt(_labels(arrays), parts, self.classes_, source)

    def _held_out(self, arrays: Arrays) -> split.Split:
        codes = _labels(arrays)
        held = stratified.held_out(codes if self.classes_ is not None else 0 * codes, self.val_size)
        return split.by_series(arrays, [arrays.ids[row] for row in held], ())


def _labels(arrays: Arrays) -> Floats:
    """The number of each series' label, or its value: [series]."""
    return arrays.columns[0][arrays.offsets[1:] - 1]
