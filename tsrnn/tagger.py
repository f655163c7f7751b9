"""A label or a value for each row of a sequence: facies along a well, a missing curve, the state of a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import torch

from tsrnn import asked as asked_of
from tsrnn import infer, labels, marks, models, overlap, parameters, split, tasks, weighing
from tsrnn.arrays import Arrays, Floats
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError, held, quoted, unlisted
from tsrnn.frames import categories
from tsrnn.heads.classes import ClassesHead
from tsrnn.labelled import Labelled
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.unmeasured import refuse_blank

OnUnlearnt = Literal["error", "note"]
_WHOLE_SERIES = 4  # from so many on, whole series stop the training instead of ends of them


class Tagger(Labelled):
    """A model that says something of each row, from the rows before and behind it.

    Args:
        model: a name of `tsrnn models --task along`, or a class derived from `tsrnn.models.Model`.
        input_size: rows read at once; a longer series is read in overlapping pieces, whose answers are averaged.
        loss: cross_entropy of labels; mae, mse or huber of values. None: labels where the target is text or truth
            values, values where it holds fractions; of whole numbers it has to be named.
        class_weights: "balanced" weighs each class by one over its share; {"coal": 5.0} weighs those that it names, and
            the others by 1; numbers weigh all of them in their order.
        penalty: [true class, decided class] what a decision costs, in the order of `classes_`, or a table's name or
            TOML file (`tsrnn.penalty`): of least expected cost is what is decided. None: the most probable class.
        least_share: a class rarer than this among the training's labels is decided upon as if it had this share of
            them: its probability counts `least_share` over its share times. Probabilities stay as they are.
        label_weights: how much each row's label counts: a column of weights, or what a column's values weigh, such as
            {"confidence": {1: 1.0, 2: 0.5}}. None: all alike.
        scaler: standard, robust, mean_abs or none, fitted on the training rows; of the inputs, and of values to tell.
        scale_per_series: one location and scale per series instead of one for all.
        calendar: add calendar (or depth) features to the inputs.
        masks: tell the model which cells were measured, where the inputs have holes.
        val_size: share of the series, or of each series' rows, held out for early stopping when `fit` gets no split.
        on_unlearnt: what becomes of a class that the validation holds and the training lacks: "error", or "note", with
            which it is said, and never told.
        options: fields of the model's Config and of `FitConfig`, as of `tsrnn.Forecaster`.

    After `fit`: `model_`, `classes_` (None where values are told), `report_`.
    """

    def __init__(  # noqa: PLR0913  the public door: every word is a keyword with a default
        self,
        model: str | type = "bigru",
        *,
        input_size: int = 256,
        loss: str | None = None,
        class_weights: str | Sequence[float] | Mapping[Any, float] | None = None,
        penalty: Any = None,
        least_share: float = 0.0,
        label_weights: str | Mapping[str, Any] | None = None,
        scaler: str = "standard",
        scale_per_series: bool = False,
        calendar: bool = False,
        masks: bool = True,
        val_size: float = 0.1,
        on_unlearnt: OnUnlearnt = "error",
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size
        self.loss = loss  # type: ignore[assignment]  # a forecaster's is never open
        self.class_weights = class_weights
        self.penalty = penalty
        self.least_share = least_share
        self.label_weights = label_weights
        self.scaler = scaler
        self.scale_per_series = scale_per_series
        self.calendar = calendar
        self.masks = masks
        self.val_size = val_size
        self.on_unlearnt = on_unlearnt
        self.options = options

    kind, task, watches = "tagger", tasks.find("along"), True

    @property
    def tells(self) -> str:  # type: ignore[override]  # it follows what was learnt
        """What a card says that it does."""
        return "values of rows" if self.classes_ is None else "labels of rows"

    def configs(self) -> tuple[Any, parameters.FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        if not isinstance(self.input_size, int) or not 1 < self.input_size <= models.MOST:
            raise InputError(f"input_size must be a whole number of rows, at least 2, not {self.input_size!r}")
        if not isinstance(self.val_size, float) or not 0 < self.val_size < 1:
            raise InputError(f"val_size is a share between 0 and 1, not {self.val_size!r}")
        check_types({"on_unlearnt": self.on_unlearnt}, {"on_unlearnt": OnUnlearnt})
        return super().configs()

    def fit(
        self,
        frame: Any,
        *,
        target: str | None = None,
        inputs: str | Sequence[str] | None = None,
        split: Mapping[str, Any] | None = None,
        on_epoch: Any = None,
        **roles: Any,
    ) -> Self:
        """Train on labelled rows; rows without a label are read and not learnt from.

        Args:
            frame: a `Panel`, or a pandas, polars or pyarrow frame.
            target: the column to tell; by default a panel's own.
            inputs: columns that it is told from; by default a panel's past covariates, or every column of numbers.
            split: None holds out the last `val_size` of the series where there are four or more, else of each one's
                rows; "standard" takes a panel's own; a mapping such as {"by_series": {"val": ["W4"], "test": ["W7"]}}
                takes that one.
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            roles: columns of the frame, as of `Panel.of` (`time`, `id`, `future_covariates`, `static_covariates`).

        Raises:
            InputError: the frame, an option or a label cannot be used; says how to mend it.
        """
        self.configs()
        target, inputs, roles = labels.asked(frame, target, inputs, roles)
        self.categories_ = categories(frame, target)
        table, self.classes_, columns = labels.opened(frame, target, self.loss, roles)
        reads, others = models.reads(self.model, self.configs()[0]), ("future_covariates", "static_covariates")
        if inputs is None:
            taken = {target, *labels.named(columns), *weighing.named(self.label_weights)}
            inputs = labels.numbers(table, taken, frame) if "past" in reads else []
        if "past" in reads and not (inputs or self.calendar or any(columns.get(name) for name in others)):
            raise InputError(f"there is no column of numbers to tell {quoted(target)} from; name inputs=")
        with held() as notices:
            panel = Panel.of(table, target=target, past_covariates=inputs, **columns)
        if self.classes_ is not None and panel.fill is not None:
            raise InputError(
                f"{panel.source}: fill={panel.fill} draws a line between two values, and labels have none between "
                "them; leave fill= out, or fill the inputs before"
            )
        if not isinstance(frame, Panel):  # what a panel's rows have to say was said when it was made
            notices()
        return self._learn(labels.known(panel, frame, roles), split, on_epoch)

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
        return panel.native(labels.told(panel, answer, decided, self.classes_, self.categories_))

    def predict_proba(self, frame: Any) -> Floats:
        """The classes' probabilities of each row, in the order of `classes_`: [row class].

        Raises:
            InputError: the model tells values.
        """
        self._check_fitted()
        if self.classes_ is None:
            raise InputError("this tagger tells values, which have no probabilities; fit it with loss='cross_entropy'")
        return labels.shares(self._answered(frame)[1])

    def score(self, frame: Any = None, *, split: Any = "standard", part: str = "test", **words: Any) -> infer.Score:
        """`scores` of one part: train, val or test."""
        return self.scores(frame, split, (part,), **words)[part]

    def scores(
        self,
        frame: Any = None,
        split: Any = "standard",
        parts: Sequence[str] | str = ("val", "test"),
        measures: Sequence[str] | str | None = None,
    ) -> dict[str, infer.Score]:
        """Measures over the rows of parts of a split that have a truth, of each series and over all.

        Args:
            frame: with the target's column; None: the training's own.
            split: as of `fit`; "standard" is a panel's own, or the one that `fit` got.
            parts: train, val or test; one, or several.
            measures: of labels error, accuracy, macro_f1, penalty (by the matrix), boundary_f1 (`tsrnn.agreement`);
                of values those of `tsrnn.metrics`; by default error and accuracy, or mse and mae.

        Raises:
            InputError: a measure does not fit, the split is not one of these rows', or a part holds no truth.
        """
        parts = asked_of.named(parts)
        self._check_fitted()
        asked = marks.asked(measures, self.task.measures, self.classes_ is not None, self.costs_ is not None)
        panel = self._true(frame)
        laid, answer = self._told_of(panel)
        arrays = laid.arrays
        cuts = self._parts_of(arrays, self._asked(panel, split, frame is None), parts)
        if isinstance(self.model_, models.Recalling):
            answer = self.model_.recalled(arrays.columns[0].astype(np.float64), arrays.offsets)
        if isinstance(self.head_, ClassesHead):
            decided = self.head_.decide(torch.from_numpy(answer)).numpy()
            costs = None if self.costs_ is None else np.asarray(self.costs_, np.float64)
            count = self.head_.params
            return {name: marks.of_labels(arrays, part, decided, count, asked, costs) for name, part in cuts.items()}
        scaling = self.preparation_.scaling_of(arrays)
        values, scale = overlap.undone(answer, scaling, laid)[:, 0], scaling.scale[:, 0]
        return {name: marks.of_values(arrays, part, values, scale, asked) for name, part in cuts.items()}

    def _true(self, frame: Any) -> Panel:
        """A frame with its truth: values, or the labels' numbers."""
        self._check_fitted()
        if frame is None:
            if not hasattr(self, "panel_"):
                raise InputError("a loaded Tagger holds no data; pass rows with their truth")
            return self.panel_
        return self._labelled(frame)

    def _told_of(self, panel: Panel, untold: bool = False) -> tuple[Buffer, Floats]:
        """The rows as the model reads them, and what it says of each: probabilities, or the value in its own scale."""
        laid = self.preparation_.lay(panel, untold=untold)
        return laid, overlap.answers(self.model_, self.head_, laid, self.input_size, self.task)

    def _answered(self, frame: Any) -> tuple[Panel, Floats]:
        """The panel and, of each row, the classes' probabilities or the value in its own unit: [row number]."""
        self._check_fitted()
        if isinstance(self.model_, models.Recalling):
            name = models.find(self.model).name
            raise InputError(
                f"model {name!r} reads the labels of the series that it is asked about, a reference to be measured "
                "beside others; take another model to tell rows without a label"
            )
        panel, prepared = self._seen(frame), self.preparation_
        laid, answer = self._told_of(panel, untold=True)
        told = answer if self.classes_ is not None else overlap.undone(answer, prepared.scaling_of(laid.arrays), laid)
        return panel, told

    def _seen(self, frame: Any) -> Panel:
        """A frame without its truth."""
        target = self.preparation_.reading["targets"][0]
        unlabelled, origin = labels.without(frame, target)
        with held() as notices, unlisted(labels.added(frame, target)):
            panel = replace(self.preparation_.read(unlabelled), origin=origin)
            refuse_blank(panel, (*panel.roles.past, *panel.roles.future))
        notices()
        return panel

    def _held_out(self, arrays: Arrays) -> split.Split:
        count = len(arrays.ids)
        if count >= _WHOLE_SERIES:
            return split.by_series(arrays, arrays.ids[-max(1, round(self.val_size * count)) :], ())
        rows = arrays.stops() - arrays.offsets[:-1]
        return split.tail(arrays, split.held_out(rows, self.input_size, self.val_size))
