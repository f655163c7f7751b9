"""A label, or a value, for a whole sequence, in scikit-learn's words: a speaker, a leaf, a machine's state."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Self

from tsrnn import asked as asked_of
from tsrnn import classed, infer, labels, marks, models, sequences
from tsrnn.arrays import Floats
from tsrnn.errors import InputError
from tsrnn.frames import categories
from tsrnn.panel import Panel
from tsrnn.parameters import FitConfig, sort
from tsrnn.whole_series import WholeSeries


class SequenceClassifier(WholeSeries):
    """A model that says what a sequence is, from all of its steps.

    X, wherever it is asked for, is a list of arrays [time channel] of any lengths (or [time] of one channel), an array
    [case time channel] or [case time], or a long frame or `Panel`, with a row per case and step. NaN is a missing cell.

    Args:
        model: a name of `tsrnn models --task whole`, or a class derived from `tsrnn.models.Model`.
        input_size: newest steps read of a longer sequence; None: as many as the longest that `fit` gets has.
        loss: cross_entropy of labels; mae, mse or huber of values, which makes it a regression. None: labels.
        class_weights: "balanced" weighs each class by one over its share; {"coal": 5.0} weighs those that it names, and
            the others by 1; numbers weigh all of them in their order.
        penalty: [true class, decided class] what a decision costs, in the order of `classes_`: of least expected cost
            is what is decided. None: the most probable class.
        least_share: a class rarer than this among the training's labels is decided upon as if it had this share of
            them: its probability counts `least_share` over its share times. Probabilities stay as they are.
        scaler: standard, robust, mean_abs or none, fitted on the training rows; of the inputs, and of values to tell.
        calendar: add calendar (or depth) features of a frame's index to the inputs.
        masks: tell the model which cells were measured, where the inputs have holes.
        val_size: share of each class' cases held out for early stopping when `fit` gets no split; 0.0: none, and
            the training goes on for `max_epochs`.
        refit: once a validation part has stopped the training, train anew on it too, for as many epochs; what is said
            of that part stays the first model's.
        options: fields of the model's Config and of `FitConfig`, as of `tsrnn.Forecaster`.

    After `fit`: `model_`, `classes_` (None where values are told), `report_`, and `n_features_in_` (steps) of an array
    [case time].
    """

    kind = "sequenceclassifier"
    scale_per_series = False  # a sequence's level and size tell what it is
    n_features_in_: int

    def __init__(  # noqa: PLR0913  the public door: every word is a keyword with a default
        self,
        model: str | type = "gru_classifier",
        *,
        input_size: int | None = None,
        loss: str | None = None,
        class_weights: str | Sequence[float] | Mapping[Any, float] | None = None,
        penalty: Any = None,
        least_share: float = 0.0,
        scaler: str = "standard",
        calendar: bool = False,
        masks: bool = True,
        val_size: float = 0.1,
        refit: bool = True,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size  # type: ignore[assignment]  # a forecaster's is never open
        self.loss = loss  # type: ignore[assignment]
        self.class_weights = class_weights
        self.penalty = penalty
        self.least_share = least_share
        self.scaler = scaler
        self.calendar = calendar
        self.masks = masks
        self.val_size = val_size
        self.refit = refit
        self.options = options

    def configs(self) -> tuple[Any, FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        size = self.input_size
        if size is not None and (not isinstance(size, int) or not 1 <= size <= models.MOST):
            raise InputError(f"input_size must be a whole number of steps, at least 1, or None, not {size!r}")
        share = self.val_size
        if isinstance(share, bool) or not isinstance(share, Real) or not 0 <= share < 1:
            raise InputError(f"val_size is a share of at least 0 and below 1, not {self.val_size!r}")
        super().configs()
        return sort(self.model, {"buckets": True, **self.options}, self._own())

    def fit(  # type: ignore[override]  # X and y are scikit-learn's words
        self,
        X: Any,
        y: Any = None,
        *,
        inputs: str | Sequence[str] | None = None,
        split: Mapping[str, Any] | str | None = None,
        on_epoch: Any = None,
        **roles: Any,
    ) -> Self:
        """Train on labelled sequences.

        Args:
            X: sequences, as the class says.
            y: one label for each; of a frame, the name of its column (None: a panel's target).
            inputs: columns of a frame that it is told from; by default every other column of numbers.
            split: None holds out `val_size` of each class' cases, "standard" is a panel's own, and a mapping such as
                {"by_series": {"val": ["A"], "test": ["B"]}} is that one (of arrays, cases are called "0", "1"...).
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            roles: columns of a frame, as of `Panel.of` (`time`, `id`, `future_covariates`, `static_covariates`).

        Raises:
            InputError: the sequences, an option or a label cannot be used; says how to mend it.
        """
        self.configs()
        frame, target, roles = self._opened(X, y, roles)
        target, inputs, roles = labels.asked(frame, target, inputs, roles)
        loss = self.loss or labels.CROSS_ENTROPY
        table, classes, columns = labels.opened(frame, target, loss, roles)
        self.categories_ = categories(frame, target)
        self.classes_ = classes if classes is None else classed.as_array(classes)  # as scikit-learn has them
        inputs = labels.numbers(table, {target, *labels.named(columns)}, frame) if inputs is None else inputs
        panel = Panel.of(table, target=target, past_covariates=inputs, **columns)
        panel = labels.known(panel, frame, roles)
        return self._learn(sequences.one_label(panel, classes), split, on_epoch)

    def predict(self, X: Any) -> Any:
        """What each sequence is: an array [case] of labels or values.

        Of a frame, a frame of its type with a row per series: id, the target, and of labels `<target>_p_<class>`.
        """
        panel, answer = self._answered(X)
        target, told = panel.roles.targets[0], self._decided(answer)
        if not self._is_frame(X):
            return told
        if self.classes_ is None:
            return sequences.told(panel, {target: told})
        shares = {f"{target}_p_{kind}": answer[:, k] for k, kind in enumerate(self.classes_)}
        labelled = classed.written(target, told.tolist(), self.categories_)
        return sequences.told(panel, {target: labelled, **shares})

    def predict_proba(self, X: Any) -> Floats:
        """The classes' probabilities of each sequence, in the order of `classes_`: [case class].

        Raises:
            InputError: the model tells values.
        """
        self._check_fitted()
        if self.classes_ is None:
            raise InputError(f"loss={self.loss!r} tells values, which have no probabilities; fit with loss=None")
        return labels.shares(self._answered(X)[1])

    def score(self, X: Any, y: Any = None) -> float:
        """The share of sequences whose label is told right; of values, R squared.

        Args:
            y: as of `fit`; series of a frame that have no label are not counted.

        Raises:
            InputError: no label is there to be held against, one is of another kind than the training's, or a series of
                a frame has two. A class that the training never had is said, and counts as told wrong.
        """
        self._check_fitted()
        if y is None and not self._is_frame(X):
            raise InputError("the share of labels that are told right needs them: give each case's label as y")
        panel, answer = self._answered(X)
        named = self._is_frame(X) and (y is None or isinstance(y, str))
        if named and self.classes_ is not None:
            labels.refuse_mixed(X, y or panel.roles.targets[0], panel.source)
        said = sequences.labels_of(X, panel, y or panel.roles.targets[0]) if named else y
        truth, known = sequences.truths(said, len(answer), named, self.classes_)
        told = self._decided(answer[known])
        if self.classes_ is not None:
            return float((told == truth).mean())
        if (truth == truth[0]).all():
            raise InputError(
                f"y holds one value alone, {truth[0]:g}, and R squared is of values that differ; give others too"
            )
        return float(1 - ((told - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())

    def scores(
        self,
        frame: Any = None,
        split: Any = "standard",
        parts: Sequence[str] | str = ("val", "test"),
        measures: Sequence[str] | str | None = None,
    ) -> dict[str, infer.Score]:
        """Measures over the labelled series of parts of a split.

        Args:
            frame: with the labels' column; None: the training's own, of which the first model, that never saw it,
                tells the validation part.
            split: as of `fit`; "standard" is a panel's own, or the one that `fit` got.
            parts: train, val or test; one, or several.
            measures: of labels error, accuracy, macro_f1, penalty (`tsrnn.agreement`); of values those of
                `tsrnn.metrics`; by default error and accuracy, or mse and mae.

        Raises:
            InputError: a measure does not fit, the split is not one of these rows', or a part holds no truth.
        """
        parts = asked_of.named(parts)
        self._check_fitted()
        words = marks.asked(measures, self.task.measures, self.classes_ is not None)
        panel = self._true(frame)
        laid = self.preparation_.lay(panel)
        scores = {}
        for name, part in self._parts_of(laid.arrays, self._asked(panel, split, frame is None), parts).items():
            model = self.stopped_ if frame is None and name == "val" else self.model_
            scores[name] = self._held(laid, self._said(model, laid), part, words)
        return scores

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's tools ask of it."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True, allow_nan=True),
        )
