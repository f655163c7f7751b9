"""A fitted forecaster that is looked after: whether the world has drifted away from it."""

from typing import Any

import numpy as np

from tsrnn import facts, infer, journal, models, residuals, split, windows
from tsrnn.arrays import Floats as Errors
from tsrnn.card import Floats
from tsrnn.drift import Reference, learn, truths
from tsrnn.errors import InputError
from tsrnn.evaluation import Evaluated
from tsrnn.judged import Judged
from tsrnn.kept import Kept
from tsrnn.panel import Panel


class Watched(Evaluated, Judged, Kept):
    """A forecaster that knows what it was trained on, and what its forecasts miss."""

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items() if name != "model")
        words = f"{type(self).__name__}({models.find(self.model).name!r}, {told})"
        if not hasattr(self, "model_"):
            return words
        read = self.preparation_.reading
        size = f"{infer.parameters(self.model_):,} parameters"
        return f"{words}, fitted: {', '.join(read['targets'][:5])} of {len(self.preparation_.ids)} series, {size}"

    def _gathered(self) -> dict[str, Any]:
        prepared, panel, parts, fitted = self.preparation_, self.lesson_, self.parts_, (self.model_, self.head_)
        arrays = prepared.arrays(panel)
        laid = prepared.lay(panel, arrays)
        needed = 1 if self.pad else int(self.input_size)
        cut = windows.cut(laid, parts.val, self.spec_.input_size, self.spec_.horizon)
        return {
            "model": facts.of_model(models.find(self.model).name, *fitted),
            "data": facts.of_data(panel, arrays),
            "protocol": self._protocol(),
            "metrics": facts.of_part(*fitted, laid, parts.val, "validation"),
            "worst": facts.of_worst(*fitted, cut, panel) if len(cut) else {},
            "limits": facts.of_limits(self.model_, needed, arrays, self._reference(), self._reads_holes),
            "cost": facts.of_cost(self.model_, self.report_),
        }

    def _measured(self, frame: Any) -> list[dict[str, Any]]:
        laid = self.laid(frame)
        rows = facts.of_part(self.model_, self.head_, laid, split.whole(laid.arrays), "rows given")
        if not rows:
            raise InputError("the frame holds no window to measure forecasts on; give more rows")
        return rows

    def _seen(self, frame: Any) -> Panel:
        return self._panel(frame)

    def _errors(self, panel: Panel, part: split.Part | None = None) -> Errors:
        laid = self.preparation_.lay(panel)
        return residuals.of_forecasts(self.model_, self.head_, laid, part or split.whole(laid.arrays))

    def _missed(self, panel: Panel, part: split.Part) -> Floats:
        return truths(self.model_, self.head_, self.preparation_, panel, part)

    def _learnt(self) -> Reference:
        return learn(self.preparation_, self.lesson_, self.parts_, self._missed)

    def _fitted_on(self, panel: Any, parts: split.Split, train: windows.Windows, val: windows.Windows) -> None:
        self._learnt_from(panel, parts)
        arrays = train.buffer.arrays
        taught = len(np.unique(train.buffer.series_of(train.anchors.first)))
        facts = {"rows": arrays.rows, "series": len(arrays.ids), "windows": len(train), "validation windows": len(val)}
        skipped = {"series without a window": len(arrays.ids) - taught, "epochs": self.report_.epochs}
        journal.note(f"fit {models.find(self.model).name}", self.report_.seconds, **facts, **skipped)
