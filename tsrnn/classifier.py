"""A label, or a value, for a whole sequence, in scikit-learn's words: a speaker, a leaf, a machine's state."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from tsrnn import infer, labels, models, sequences, split, tasks, windows
from tsrnn.arrays import Arrays, Floats
from tsrnn.errors import InputError, listed, notice, quoted
from tsrnn.heads.classes import ClassesHead
from tsrnn.labelled import Labelled
from tsrnn.panel import Panel
from tsrnn.parameters import FitConfig, sort

_AT_ONCE = 64  # sequences in a model at once: convolutions make many numbers of each step


class SequenceClassifier(Labelled):
    """A model that says what a sequence is, from all of its steps.

    X, wherever it is asked for, is a list of arrays [time channel] of any lengths (or [time] of one channel), an array
    [case time channel] or [case time], or a long frame or `Panel`, with a row per case and step. NaN is a missing cell.

    Args:
        model: a name of `tsrnn models --task whole`, or a class derived from `tsrnn.models.Model`.
        input_size: newest steps read of a longer sequence; None: as many as the longest of the training has.
        loss: cross_entropy of labels; mae, mse or huber of values, which makes it a regression. None: labels.
        class_weights: "balanced" weighs each class by one over its share; numbers weigh them in their order.
        penalty: [true class, decided class] what a decision costs, in the order of `classes_`: of least expected cost
            is what is decided. None: the most probable class.
        scaler: standard, robust, mean_abs or none, fitted on the training rows; of the inputs, and of values to tell.
        calendar: add calendar (or depth) features of a frame's index to the inputs.
        masks: tell the model which cells were measured, where the inputs have holes.
        val_size: share of each class' cases held out for early stopping when `fit` gets no split; 0.0: none, and
            the training goes on for `max_epochs`.
        options: fields of the model's Config and of `FitConfig`, as of `tsrnn.Forecaster`.

    After `fit`: `model_`, `classes_` (None where values are told), `report_`, and `n_features_in_` (steps) of an array
    [case time].
    """

    kind, task = "classifier", tasks.find("whole")
    scale_per_series = False  # a sequence's level and size tell what it is
    n_features_in_: int
    panel_: Panel

    def __init__(  # noqa: PLR0913  the public door: every word is a keyword with a default
        self,
        model: str | type = "gru_classifier",
        *,
        input_size: int | None = None,
        loss: str | None = None,
        class_weights: str | Sequence[float] | None = None,
        penalty: Any = None,
        scaler: str = "standard",
        calendar: bool = False,
        masks: bool = True,
        val_size: float = 0.1,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size  # type: ignore[assignment]  # a forecaster's is never open
        self.loss = loss  # type: ignore[assignment]
        self.class_weights = class_weights
        self.penalty = penalty
        self.scaler = scaler
        self.calendar = calendar
        self.masks = masks
        self.val_size = val_size
        self.options = options

    def configs(self) -> tuple[Any, FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        size = self.input_size
        if size is not None and (not isinstance(size, int) or not 1 <= size <= models.MOST):
            raise InputError(f"input_size must be a whole number of steps, at least 1, or None, not {size!r}")
        if not isinstance(self.val_size, float) or not 0 <= self.val_size < 1:
            raise InputError(f"val_size is a share of at least 0 and below 1, not {self.val_size!r}")
        super().configs()
        return sort(self.model, {"buckets": True, **self.options})

    def fit(  # type: ignore[override]  # X and y are scikit-learn's words
        self,
        X: Any,
        y: Any = None,
        *,
        inputs: str | Sequence[str] | None = None,
        split: Mapping[str, Any] | None = None,
        on_epoch: Any = None,
        **roles: Any,
    ) -> Self:
        """Train on labelled sequences.

        Args:
            X: sequences, as the class says.
            y: one label for each; of a frame, the name of its column (None: a panel's target).
            inputs: columns of a frame that it is told from; by default every other column of numbers.
            split: None holds out `val_size` of each class' cases; a mapping such as {"by_series": {"val": ["A"],
                "test": ["B"]}} takes that one (of arrays, cases are called "0", "1"...).
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            roles: columns of a frame, as of `Panel.of` (`time`, `id`, `future_covariates`, `static_covariates`).

        Raises:
            InputError: the sequences, an option or a label cannot be used; says how to mend it.
        """
        self.configs()
        frame, target, roles = self._opened(X, y, roles)
        loss = self.loss or labels.CROSS_ENTROPY
        table, classes, roles = labels.opened(frame, target, loss, roles)
        self.classes_ = classes if classes is None else np.array(classes)  # type: ignore[assignment]  # as scikit-learn has them
        inputs = labels.numbers(table, {target, *labels.named(roles)}) if inputs is None else inputs
        panel = Panel.of(table, target=target, past_covariates=inputs, **roles)
        if isinstance(frame, Panel):
            panel = replace(panel, columns=frame.columns, split=frame.split)
        self.panel_ = sequences.one_label(panel, classes)
        return self._learn(self.panel_, split, on_epoch)

    def predict(self, X: Any) -> Any:
        """What each sequence is: an array [case] of labels or values.

        Of a frame, a frame of its type with a row per series: id, the target, and of labels `<target>_p_<class>`.
        """
        panel, answer = self._answered(X)
        target = panel.roles.targets[0]
        if self.classes_ is None:
            return sequences.told(panel, {target: answer[:, 0]}) if sequences.is_table(X) else answer[:, 0]
        decided = self._decided(answer)
        if not sequences.is_table(X):
            return decided
        shares = {f"{target}_p_{kind}": answer[:, k] for k, kind in enumerate(self.classes_)}
        return sequences.told(panel, {target: decided, **shares})

    def predict_proba(self, X: Any) -> Floats:
        """The classes' probabilities of each sequence, in the order of `classes_`: [case class].

        Raises:
            InputError: the model tells values.
        """
        self._check_fitted()
        if self.classes_ is None:
            raise InputError(f"loss={self.loss!r} tells values, which have no probabilities; fit with loss=None")
        return self._answered(X)[1]

    def score(self, X: Any, y: Any = None) -> float:
        """The share of sequences whose label is told right; of values, R squared.

        Args:
            y: as of `fit`.
        """
        self._check_fitted()
        if sequences.is_table(X) and (y is None or isinstance(y, str)):
            name = y or self.preparation_.reading["targets"][0]
            panel, answer = self._answered(X)
            truth = np.array(sequences.labels_of(X, panel, name))
        else:
            truth, (_, answer) = np.asarray(y), self._answered(X)
        if len(truth) != len(answer):
            raise InputError(f"X holds {len(answer)} cases and y {len(truth)} labels; give one label for each case")
        if self.classes_ is not None:
            return float((self._decided(answer) == truth).mean())
        return float(1 - ((answer[:, 0] - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's tools ask of it."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True, allow_nan=True),
        )

    def _opened(self, X: Any, y: Any, roles: Mapping[str, Any]) -> tuple[Any, str, dict[str, Any]]:
        """A frame, the name of its target, and the roles of its columns."""
        if sequences.is_table(X) and (y is None or isinstance(y, str)):
            if y is None and not isinstance(X, Panel):
                raise InputError("this classifier requires y to be passed, and y is None; name the column of labels")
            return X, y or X.roles.targets[0], dict(roles)
        if roles:
            raise InputError(
                f"{listed(roles)} names columns of a frame, and X is arrays; pass a long frame, or leave it"
            )
        if y is None:
            raise InputError(
                "this classifier requires y to be passed, but the target y is None; give each case a label"
            )
        cases = sequences.arrays_of(X)
        if (steps := sequences.steps_of(X)) is None:
            vars(self).pop("n_features_in_", None)
        else:
            self.n_features_in_ = steps
        table = sequences.table_of(cases, y)
        if self.loss is None:
            sequences.refuse_fractions(table)
        return table, sequences.LABEL, {**sequences.ROLES, "source": "X"}

    def _read(self, X: Any) -> tuple[Any, bool]:
        """A frame to be read as the training's was, and whether X was one."""
        self._check_fitted()
        reading = self.preparation_.reading
        of_arrays = (reading["id"], reading["index"]) == (sequences.CASE, sequences.STEP)
        if sequences.is_table(X) and (not of_arrays or isinstance(X, Panel) or sequences.CASE in X.columns):
            return X, True
        if not of_arrays:
            raise InputError(
                f"this classifier read a frame with columns {listed(reading['past'])}; give one, not arrays"
            )
        cases, steps, trained = sequences.arrays_of(X), sequences.steps_of(X), vars(self).get("n_features_in_")
        if None not in (steps, trained) and steps != trained:
            raise InputError(
                f"X has {steps} features, but {type(self).__name__} is expecting {trained} features as input: steps of "
                "an array [case time]; pass a list of arrays where sequences are of other lengths"
            )
        if (width := cases[0].shape[1]) != (known := len(reading["past"])):
            raise InputError(f"X has {width} channels and the training's had {known}; give those")
        return sequences.table_of(cases), False

    def _answered(self, X: Any) -> tuple[Panel, Floats]:
        """The panel and, of each series, the classes' probabilities or the value in its own unit: [series number]."""
        frame, _ = self._read(X)
        prepared = self.preparation_
        unlabelled, origin = labels.without(frame, prepared.reading["targets"][0])
        panel = replace(prepared.read(unlabelled), origin=origin)
        sequences.refuse_gaps(panel)
        lengths, most = np.diff(panel.offsets), self.spec_.input_size
        if lengths.max() > most:
            series = quoted(panel.ids[int(lengths.argmax())])
            notice(
                f"series {series} has {lengths.max()} steps, of which the newest {most} are read; input_size says so"
            )
        laid = prepared.lay(panel)
        cut = windows.Windows(laid, panel.offsets[1:] - 1, most, most, self.task)
        answer = self._said(cut)
        if self.classes_ is None:
            scaling = prepared.scaling_of(laid.arrays)
            answer = answer * scaling.scale[:, :1] + scaling.loc[:, :1]
        return panel, answer

    @torch.inference_mode()
    def _said(self, cut: windows.Windows) -> Floats:
        """The classes' probabilities, or values as the model gives them, of each window: [window number]."""
        answers = []
        for batch in cut.batches(min(_AT_ONCE, infer.batch_size(self.model_))):
            params = self.model_.eval()(batch)[:, 0, 0]  # [batch params]
            answers.append(self.head_.probabilities(params) if isinstance(self.head_, ClassesHead) else params)
        answer: Floats = torch.cat(answers).double().numpy()
        return answer

    def _decided(self, shares: Floats) -> npt.NDArray[Any]:
        """The classes that are acted on: [case]."""
        assert isinstance(self.head_, ClassesHead)
        decided: npt.NDArray[Any] = np.asarray(self.classes_)[self.head_.decide(torch.from_numpy(shares)).numpy()]
        return decided

    def _rows(self, arrays: Arrays) -> int:
        return self.input_size or int(arrays.lengths.max())

    def _parts(self, arrays: Arrays, panel: Panel, wanted: Mapping[str, Any] | None) -> split.Split:
        codes = arrays.columns[0][arrays.offsets[1:] - 1]  # [series]
        if wanted is not None:
            parts = split.standard(arrays, wanted, panel.source)
            if self.classes_ is not None:
                self._refuse_unlearnt(codes, parts, panel)
            return parts
        held = _spread(codes if self.classes_ is not None else np.zeros_like(codes), self.val_size)
        return split.by_series(arrays, [arrays.ids[row] for row in held], ())

    def _refuse_unlearnt(self, codes: Floats, parts: split.Split, panel: Panel) -> None:
        """Refuse a class that no training series has."""
        learnt = {*codes[parts.train.end > parts.train.begin]}
        for name in ("val", "test"):
            rows = parts.part(name)
            for code in sorted({*codes[rows.end > rows.begin]} - learnt):
                if np.isfinite(code):
                    kind = np.asarray(self.classes_)[int(code)]
                    raise InputError(
                        f"{panel.source}: class {str(kind)!r} has series in the split's {name} part and none to learn "
                        "it from; move one of them to the training"
                    )


def _spread(codes: Floats, share: float) -> list[int]:
    """Rows to hold out: that share of each class, evenly spread, never the last of one; none where there are too few.

    Shares of a class that make no whole row are carried over to the next one.
    """
    held, owed = [], 0.0
    for code in np.unique(codes[np.isfinite(codes)]):
        rows = np.flatnonzero(codes == code)
        owed += share * len(rows)
        count = min(int(owed), len(rows) - 1)
        owed -= count
        held += rows[((np.arange(count) + 0.5) * len(rows) / max(1, count)).astype(int)].tolist()
    return sorted(held)
