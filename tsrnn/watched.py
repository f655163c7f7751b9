"""A fitted forecaster that is looked after: whether the world has drifted away from it."""

from typing import Any

import numpy as np

from tsrnn import facts, infer, journal, models, parameters, provenance, residuals, split, store, trained, windows
from tsrnn.arrays import Floats
from tsrnn.card import Card, checked
from tsrnn.drift import Drift, Reference, learn, look, since, truths
from tsrnn.errors import InputError
from tsrnn.evaluation import Evaluated
from tsrnn.judged import Judged
from tsrnn.panel import Panel


class Watched(Evaluated, Judged):
    """A face that knows what it was trained on."""

    stamp_: dict[str, str]
    report_: trained.Report  # not there in what an older version saved
    facts_: dict[str, Any] | None = None
    reference_: Reference | None = None

    def drift(self, frame: Any, *, alpha: float = 0.05) -> Drift:
        """Whether rows after the training's, and the errors of their forecasts, are other than those trained on.

        Give every row since the fit each time, behind at least `input_size` older ones: then alpha bounds the chance
        that ever an alarm comes while nothing drifts, however often one looks (see `tsrnn.drift`). Rows of the
        training, told by their index, are looked back on and not judged.

        Args:
            frame: the columns that the model was fitted on.
            alpha: chance of a false alarm.

        Raises:
            InputError: a column is missing, no row is new, or the model was saved without a reference.
        """
        with journal.noted("drift") as facts:
            panel, reference = self._panel(frame), self._reference()
            begin = since(reference, panel)
            part = split.Part(begin, panel.offsets[1:])
            found = look(reference, panel, begin, self._missed(panel, part), alpha)
            facts |= {"rows": found.rows, "streams": len(found.table), "evidence": f"{found.evidence:.3g}"}
        return found

    def card(self, frame: Any = None) -> Card:
        """The model card: `str` is Markdown, `json()` plain values (see `tsrnn.card`).

        Args:
            frame: later rows, which measures are to be told of as well, beside those of the validation part.

        Raises:
            InputError: not fitted, or saved before there were cards.
        """
        self._check_fitted()
        told = self._facts()
        if frame is not None:
            laid = self.laid(frame)
            rows = facts.of_part(self.model_, self.head_, laid, split.whole(laid.arrays), "rows given")
            if not rows:
                raise InputError("the frame holds no window to measure forecasts on; give more rows")
            told = {**told, "metrics": [*told.get("metrics", []), *rows]}
        return Card(told)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items() if name != "model")
        words = f"{type(self).__name__}({models.find(self.model).name!r}, {told})"
        if not hasattr(self, "model_"):
            return words
        read = self.preparation_.reading
        size = f"{infer.parameters(self.model_):,} parameters"
        return f"{words}, fitted: {', '.join(read['targets'][:5])} of {len(self.preparation_.ids)} series, {size}"

    def _facts(self) -> dict[str, Any]:
        """Gathered when first asked for: most fits are never told of."""
        if self.facts_ is None:
            if not hasattr(self, "panel_"):
                raise InputError("this model was saved without a card; fit and save it with this tsrnn")
            self.facts_ = self._gathered()
        return self.facts_

    def _gathered(self) -> dict[str, Any]:
        prepared, panel, parts, fitted = self.preparation_, self.lesson_, self.parts_, (self.model_, self.head_)
        arrays = prepared.arrays(panel)
        laid = prepared.lay(panel, arrays)
        needed = 1 if self.pad else int(self.input_size)
        options = parameters.words({name: value for name, value in self.get_params().items() if name != "model"})
        cut = windows.cut(laid, parts.val, self.spec_.input_size, self.spec_.horizon)
        return {
            "model": facts.of_model(models.find(self.model).name, *fitted),
            "data": facts.of_data(panel, arrays),
            "protocol": facts.of_protocol(parts, options, self.stamp_),
            "metrics": facts.of_part(*fitted, laid, parts.val, "validation"),
            "worst": facts.of_worst(*fitted, cut, panel) if len(cut) else {},
            "limits": facts.of_limits(self.model_, needed, arrays, self._reference()),
            "cost": facts.of_cost(self.model_, self.report_),
        }

    def _errors(self, panel: Panel, part: split.Part | None = None) -> Floats:
        laid = self.preparation_.lay(panel)
        return residuals.of_forecasts(self.model_, self.head_, laid, part or split.whole(laid.arrays))

    def _missed(self, panel: Any, part: split.Part) -> Any:
        return truths(self.model_, self.head_, self.preparation_, panel, part)

    def _reference(self) -> Reference:
        """Learnt of the training's rows when it is first asked for: most fits are never watched."""
        if self.reference_ is None:
            if not hasattr(self, "panel_"):
                raise InputError("this model was saved without a reference for drift; fit and save it with this tsrnn")
            fitted = (self.model_, self.head_, self.preparation_)
            self.reference_ = learn(*fitted, self.lesson_, self.parts_)
        return self.reference_

    def _fitted_on(self, panel: Any, parts: split.Split, train: windows.Windows, val: windows.Windows) -> None:
        self.lesson_, self.parts_, self.reference_, self.facts_ = panel, parts, None, None
        self.stamp_ = provenance.stamp(self.report_.device)
        arrays = train.buffer.arrays
        taught = len(np.unique(train.buffer.series_of(train.anchors.first)))
        facts = {"rows": arrays.rows, "series": len(arrays.ids), "windows": len(train), "validation windows": len(val)}
        skipped = {"series without a window": len(arrays.ids) - taught, "epochs": self.report_.epochs}
        journal.note(f"fit {models.find(self.model).name}", self.report_.seconds, **facts, **skipped)

    def _kept(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a saved model holds beside what a forecast needs: plain values, and files."""
        told: dict[str, Any] = {"report": self.report_.plain()} if hasattr(self, "report_") else {}
        if not hasattr(self, "panel_"):  # a loaded one keeps what its folder had
            told |= {} if self.facts_ is None else {"card": self.facts_}
            if self.reference_ is None:
                return told, {}
        else:
            told["card"] = self._facts()
        reference = self._reference()
        return {**told, "drift": reference.plain()}, {"drift.safetensors": store.packed(reference.tensors())}

    def _remember(self, saved: store.Saved) -> None:
        plain, card, report = (saved.config.get(name) for name in ("drift", "card", "report"))
        self.reference_, self.facts_ = None, None if card is None else checked(card)
        if report is not None:
            self.report_ = trained.Report.restored(report)
        if plain is not None:
            self.reference_ = Reference.restored(plain, saved.beside("drift", Reference.shapes(plain)))
