"""Looking back: how good a fitted forecaster's forecasts are."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from tsrnn import answer, buffer, calibration, infer, split, windows
from tsrnn import backtest as rolling
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.estimator import Estimator
from tsrnn.metrics import USUAL
from tsrnn.panel import Panel
from tsrnn.scale import Affine

SplitLike = Mapping[str, Any] | str | None
Scores = dict[str, infer.Score]


class Evaluated(Estimator):
    """A face whose forecasts are held against what came true."""

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
            shift = calibration.behind(self.model_, self.head_, self.calibration_, scored)
            scores[name] = infer.score(self.model_, self.head_, scored, measures, shift)
        return scores

    def calibrate(
        self,
        frame: Any = None,
        levels: Sequence[float] = (0.8,),
        *,
        adaptive: bool = False,
        split: SplitLike = None,
        part: str = "val",
    ) -> Self:
        """Have `predict` add intervals that hold these shares of truths, by residuals at past origins of one part.

        Args:
            frame: by default what `fit` got, split as it was then.
            levels: shares between 0 and 1; 0.8 gives the columns `<target>_q0.1` and `<target>_q0.9`.
            adaptive: let each forecast follow the errors of the newest rows that it starts from (`tsrnn.conformal`).
            split: as of `fit`; None: the last `val_size` of each series is the part "val".
            part: rows that the model was not fitted on; train, val or test.

        Raises:
            InputError: a level is none, or there are fewer residuals than 1 / (1 - level).
        """
        panel = self._panel(frame)
        laid = self.preparation_.lay(panel)
        wanted = self.split_ if frame is None and split is None else split
        rows = self._split(panel, laid.arrays, wanted).part(part)
        origins = windows.cut(laid, rows, self.input_size, self.horizon)
        made = calibration.fit(self.model_, self.head_, origins, rows, levels, adaptive)
        asked = [] if self.quantiles is None else list(self.quantiles)
        answer.names(panel, asked + [end for end in made.levels if end not in asked])
        self.calibration_ = made
        return self

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

    def _split(self, panel: Panel, arrays: Arrays, wanted: SplitLike) -> split.Split:
        if wanted is None:
            held = np.maximum(self.horizon, np.floor(self.val_size * arrays.lengths)).astype(np.int64)
            return split.tail(arrays, held)
        rule = panel.split if isinstance(wanted, str) and wanted == "standard" else wanted
        return split.standard(arrays, rule, panel.source)
