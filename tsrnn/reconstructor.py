"""A window told again from a short code: what is usual comes back as it was, and a fault as something else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch

from tsrnn import anomalies, infer, marks, models, overlap, parameters, residuals, split, tasks, windows
from tsrnn import asked as asked_of
from tsrnn.arrays import Arrays, Floats
from tsrnn.errors import InputError, held, unknown
from tsrnn.heads import LOSSES
from tsrnn.judged import Judged
from tsrnn.labelled import Labelled
from tsrnn.panel import Panel
from tsrnn.unmeasured import refuse_blank


class Reconstructor(Judged, Labelled):
    """A model that reads all channels of a window, keeps a short code of them and tells the window again.

    Args:
        model: a name of `tsrnn models --task reconstruct`, or a class derived from `tsrnn.models.Model`.
        input_size: rows of a window; a longer series is read in overlapping windows, whose answers are averaged.
        loss: mse, mae or huber of each channel, in scaled units.
        scaler: standard, robust, mean_abs or none, fitted on the training rows.
        scale_per_series: one location and scale per series instead of one for all.
        calendar: add calendar (or depth) features to what is read.
        masks: tell the model which cells were measured, where there are holes.
        val_size: share of each series, at its end, held out for early stopping, and for `anomalies` as rows in which
            all was well, when `fit` gets no split.
        options: fields of the model's Config and of `FitConfig`, as of `tsrnn.Forecaster`.

    After `fit`: `model_`, `report_`.
    """

    def __init__(
        self,
        model: str | type = "lstm_autoencoder",
        *,
        input_size: int = 64,
        loss: str = "mse",
        scaler: str = "standard",
        scale_per_series: bool = False,
        calendar: bool = False,
        masks: bool = True,
        val_size: float = 0.1,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size
        self.loss = loss
        self.scaler = scaler
        self.scale_per_series = scale_per_series
        self.calendar = calendar
        self.masks = masks
        self.val_size = val_size
        self.options = options

    kind, task, watches = "reconstructor", tasks.find("reconstruct"), True
    tells = "rows told again, whose distance from what was measured says which stand out"
    classes_ = penalty = class_weights = None

    def configs(self) -> tuple[Any, parameters.FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        size = self.input_size
        if isinstance(size, bool) or not isinstance(size, int) or not 1 < size <= models.MOST:
            raise InputError(f"input_size must be a whole number of rows, at least 2, not {size!r}")
        if self.loss not in LOSSES:
            raise unknown("loss", str(self.loss), LOSSES)
        if not isinstance(self.val_size, float) or not 0 < self.val_size < 1:
            raise InputError(f"val_size is a share between 0 and 1, not {self.val_size!r}")
        return super().configs()

    def fit(self, frame: Any, *, split: Mapping[str, Any] | None = None, on_epoch: Any = None, **roles: Any) -> Self:
        """Train on rows in which, as far as one knows, all was well.

        Args:
            frame: a `Panel`, or a pandas, polars or pyarrow frame.
            split: None holds out the last `val_size` of each series; a mapping such as {"ratios": [0.7, 0.1, 0.2]} or
                {"by_series": {"val": ["W4"], "test": ["W7"]}} takes that one. The test part is not looked at.
            on_epoch: called with (epoch, validation loss) after each epoch; True stops the training.
            roles: columns of the frame, as of `Panel.of`: `target` are those that are told again, by default every
                column of numbers; covariates are read and not told.

        Raises:
            InputError: the frame or an option cannot be used; says how to mend it.
        """
        return self._learn(Panel.of(frame, **roles), split, on_epoch)

    def reconstruct(self, frame: Any = None) -> Any:
        """Every row told again, averaged over the windows that hold it: ids, index and a column per target.

        Args:
            frame: as of `fit`; by default what `fit` got.

        Returns:
            In the targets' own units and the frame type that came in.

        Raises:
            InputError: a column is missing or cannot be used.
        """
        panel = self._panel(frame)
        laid = self.preparation_.lay(panel)
        told = overlap.answers(self.model_, self.head_, laid, self.input_size, self.task)
        scaling = self.preparation_.scaling_of(laid.arrays)
        return panel.native(anomalies.between(panel, overlap.undone(told, scaling, laid)))

    @torch.inference_mode()
    def encode(self, frame: Any = None, *, every: int = 1) -> Any:
        """The code of the window that ends with each row: ids, index and `code_1`, `code_2`...

        Args:
            frame: as of `reconstruct`.
            every: of every so many rows alone.

        Raises:
            InputError: the model has no code, or every is below 1.
        """
        panel, model = self._panel(frame), self.model_.eval()
        if not hasattr(model, "encode"):
            raise InputError(f"model {models.find(self.model).name!r} keeps no code; take one of tsrnn's autoencoders")
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"every is a whole number of rows, at least 1, not {every!r}")
        laid = self.preparation_.lay(panel)
        rows = windows.cut(laid, split.whole(laid.arrays), self.input_size, self.input_size, self.task).targets_at
        rows = rows[::-1][::every][::-1].copy()
        cut = windows.Windows(laid, rows, self.input_size, self.input_size, self.task)
        batches = cut.batches(infer.batch_size(model))
        codes: list[Floats] = [model.encode(batch).double().numpy() for batch in batches]  # type: ignore[operator]  # looked for above
        return panel.native(anomalies.codes(panel, rows, np.concatenate(codes)))

    predict = reconstruct

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
        """How far what is told again is from what was measured, in parts of a split: means over the targets.

        Args:
            frame: as of `reconstruct`.
            split: as of `fit`; "standard" is a panel's own, or the one that `fit` got.
            parts: train, val or test; one, or several.
            measures: of `tsrnn.metrics`, in scaled units unless `physical_`; by default mse and mae.

        Raises:
            InputError: a measure does not fit, the split is not one of these rows', or nothing was measured in a part.

        Returns:
            Of each part: `values`, by name; `windows`, its measured rows; `by_lead`, each measure [series+1 1] of every
            series and, in the last row, over all of them.
        """
        parts = asked_of.named(parts)
        self._check_fitted()
        asked, answers = marks.asked(measures, self.task.measures, labels=False), {}
        panel = self._panel(frame)
        laid = self.preparation_.lay(panel)
        arrays, scaling = laid.arrays, self.preparation_.scaling_of(laid.arrays)
        cuts = self._parts_of(arrays, self._asked(panel, split, frame is None), parts)
        told = overlap.undone(
            overlap.answers(self.model_, self.head_, laid, self.input_size, self.task), scaling, laid
        )  # [row target]
        for name, part in cuts.items():
            each = [
                marks.of_values(
                    replace(arrays, columns=arrays.columns[k:]), part, told[:, k], scaling.scale[:, k], asked
                )
                for k in range(arrays.targets)
            ]
            by_lead = {word: np.mean([one.by_lead[word] for one in each], axis=0) for word in asked}
            values = {word: float(by_lead[word][-1, 0]) for word in asked}
            answers[name] = infer.Score(values, each[0].windows, by_lead=by_lead, series=arrays.ids)
        return answers

    def _errors(self, panel: Panel, part: split.Part | None = None) -> Floats:
        laid = self.preparation_.lay(panel)
        return residuals.of_windows(self.model_, self.head_, laid, part or split.whole(laid.arrays))

    def _panel(self, frame: Any) -> Panel:
        self._check_fitted()
        if frame is None and not hasattr(self, "lesson_"):
            raise InputError("a loaded Reconstructor holds no data; pass the rows")
        if frame is None:
            return self.lesson_
        with held() as notices:
            panel = self.preparation_.read(frame)
            refuse_blank(panel, (*panel.roles.targets, *panel.roles.past, *panel.roles.future))
        notices()
        return panel

    def _seen(self, frame: Any) -> Panel:
        return self._panel(frame)

    def _held_out(self, arrays: Arrays) -> split.Split:
        rows = arrays.stops() - arrays.offsets[:-1]
        return split.tail(arrays, split.held_out(rows, self.input_size, self.val_size))
