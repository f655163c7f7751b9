"""A fitted forecaster that is looked after: whether the world has drifted away from it."""

from typing import Any

from tsrnn import split, store
from tsrnn.drift import Drift, Reference, learn, look, since, truths
from tsrnn.errors import InputError
from tsrnn.evaluation import Evaluated


class Watched(Evaluated):
    """A face that knows what it was trained on."""

    lesson_: tuple[Any, split.Split]  # the panel that was learnt from, and its parts
    reference_: Reference | None

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
        panel, reference = self._panel(frame), self._reference()
        begin = since(reference, panel)
        part = split.Part(begin, panel.offsets[1:])
        return look(reference, panel, begin, self._missed(panel, part), alpha)

    def _missed(self, panel: Any, part: split.Part) -> Any:
        return truths(self.model_, self.head_, self.preparation_, panel, part)

    def _reference(self) -> Reference:
        """Learnt of the training's rows when it is first asked for: most fits are never watched."""
        if self.reference_ is None:
            if not hasattr(self, "lesson_"):
                raise InputError("this model was saved without a reference for drift; fit and save it with this tsrnn")
            fitted = (self.model_, self.head_, self.preparation_)
            self.reference_ = learn(*fitted, *self.lesson_)
        return self.reference_

    def _fitted_on(self, panel: Any, parts: split.Split) -> None:
        self.lesson_, self.reference_ = (panel, parts), None

    def _kept(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a saved model holds beside what a forecast needs: plain values, and files."""
        if self.reference_ is None and not hasattr(self, "lesson_"):
            return {}, {}  # of a folder that had none
        reference = self._reference()
        return {"drift": reference.plain()}, {"drift.safetensors": store.packed(reference.tensors())}

    def _remember(self, saved: store.Saved) -> None:
        plain = saved.config.get("drift")
        self.reference_ = None
        if plain is not None:
            self.reference_ = Reference.restored(plain, saved.beside("drift", Reference.shapes(plain)))
