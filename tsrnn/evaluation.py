"""Looking back: how good a fitted forecaster's forecasts are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tsrnn import backtest as rolling
from tsrnn import buffer, infer, split, windows
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
