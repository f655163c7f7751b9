"""A face that says which rows stand out, by errors that rows in which all was well do not have."""

from numbers import Integral
from typing import Any

import numpy as np

from tsrnn import anomalies, split
from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, notice
from tsrnn.estimator import Estimator
from tsrnn.panel import Panel
from tsrnn.residuals import Usual

_WANT = "for want of rows before it or of a measurement"


class Judged(Estimator):
    """`anomalies`, over what a face misses of each row."""

    lesson_: Panel  # what was learnt from
    parts_: split.Split

    def anomalies(self, frame: Any = None, *, alpha: float = 0.01, smooth: int = 1, sound: Any = None) -> Any:
        """How far each row is from what the model says of it, and which rows are farther than sound ones are.

        Args:
            frame: as of `fit`; by default what `fit` got.
            alpha: chance that a row in which all is well is told of. The threshold is conformal: it holds as far as
                these rows are like the sound ones.
            smooth: rows that a score is a mean over. A fault that lasts is clearer over several; their false alarms
                come in runs.
            sound: rows in which all was well, and which the model did not learn from; by default the validation part
                of the training. A loaded model has none.

        Returns:
            Ids, index, `score` (1 is the usual size of an error), `threshold`, `anomaly`, and `<target>_score`, what
            each target adds, in the frame type that came in. The score is of the worst target. Where a row cannot be
            judged, for want of rows before it or of a measurement, its score is empty and it is no anomaly.

        Raises:
            InputError: a column is missing, alpha takes more sound rows than there are, there are none, or no row can
                be judged; series of which none can are named.
        """
        self._check_fitted()
        if isinstance(smooth, bool) or not isinstance(smooth, Integral) or smooth < 1:
            raise InputError(f"smooth is a whole number of rows, at least 1, not {smooth!r}")
        if frame is None:
            notice("these are the rows that the model was trained on, whose errors are small; pass others")
        usual = self._usual(sound, int(smooth))
        threshold = usual.threshold(alpha)
        panel = self._panel(frame)
        parts, scores = self._scored(panel, usual)
        _refuse_unjudged(panel, scores)
        return panel.native(anomalies.table(panel, parts, scores, threshold))

    def _usual(self, sound: Any, smooth: int) -> Usual:
        """What errors are like in rows that are sound, or in those of the validation part."""
        if sound is None and not hasattr(self, "lesson_"):
            name = type(self).__name__
            raise InputError(f"a loaded {name} holds no rows; pass sound=, rows in which all was well")
        panel = self.lesson_ if sound is None else self._panel(sound)
        return Usual.learn(self._errors(panel, None if sound is not None else self.parts_.val), panel.offsets, smooth)

    def _scored(self, panel: Panel, usual: Usual) -> tuple[Floats, Floats]:
        """What each target adds to the score of each row [row target], and the score [row]."""
        parts = usual.parts(self._errors(panel))
        return parts, usual.score(parts, panel.offsets)

    def _errors(self, panel: Panel, part: split.Part | None = None) -> Floats:
        """Of the rows of a part, or of all: [row lead target]."""
        raise NotImplementedError

    def _panel(self, frame: Any) -> Panel:
        """A frame read as the training's was; None: the training's own."""
        raise NotImplementedError


def _refuse_unjudged(panel: Panel, scores: Floats) -> None:
    ends = zip(panel.ids, panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True)
    without = [name for name, begin, end in ends if not np.isfinite(scores[begin:end]).any()]
    if len(without) == len(panel.ids):
        raise InputError(f"{panel.source}: no row can be judged, {_WANT}; pass more rows")
    if without:
        notice(f"{panel.source}: series {listed(without)}: no row can be judged, {_WANT}")
