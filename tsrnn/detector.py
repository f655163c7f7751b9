"""Any forecaster or autoencoder as a detector of anomalies, to be scored against labels that it never reads."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from tsrnn import facts, faults, flagged, infer, metrics, models, parameters, rebuild, split, store
from tsrnn.arrays import Floats
from tsrnn.asked import Asked, named
from tsrnn.card import Card
from tsrnn.drift import Drift
from tsrnn.errors import InputError, singular, unknown
from tsrnn.forecaster import Forecaster
from tsrnn.judged import Judged
from tsrnn.panel import Panel
from tsrnn.reconstructor import Reconstructor
from tsrnn.residuals import Usual
from tsrnn.vus import BEST, measures

_WORD = "detector"  # in a saved folder
_COPIES = 4  # of the validation rows, each with other faults
_TELLS = "rows that stand out, by what the model misses of them beside what it misses where all is well"
_THRESHOLD = "conformal: of rows in which all is well, a share alpha is told of, 0.01 where nothing else is said"
_SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)  # of a season, that a score may be a mean over


class Detector(Judged):
    """A model whose errors tell which rows stand out.

    What is a fault is learnt from no label: how many rows a score is a mean over is chosen by faults put into the
    validation rows (`tsrnn.faults`), which it has to find again.

    Args:
        model: a name of `tsrnn models`, or of `tsrnn models --task reconstruct`; or a class of either kind.
        input_size: rows that a model reads at once.
        steps: of a forecaster: how many ahead; a row is judged by its forecasts at all of them.
        smooth: rows that a score is a mean over; None: chosen.
        label: the column of the labels, where there are any: 0 where all is well. No model reads it.
        options: as of `tsrnn.Forecaster`, or `tsrnn.Reconstructor`.

    After `fit`: `model_`, `report_`, `smooth_` and `found_` ({rows: VUS-PR over the faults put in}).
    """

    smooth_: int
    found_: dict[int, float]
    usual_: Usual  # of a loaded one

    def __init__(
        self,
        model: str | type = "gru",
        *,
        input_size: int = 64,
        steps: int = 8,
        smooth: int | None = None,
        label: str = faults.LABEL,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size
        self.steps = steps
        self.smooth = smooth
        self.label = label
        self.options = options

    @property
    def inner(self) -> Any:
        """The unfitted face that learns what is usual."""
        sizes = {"input_size": self.input_size, **self.options}
        if "reconstruct" in models.find(self.model).kind.tasks:
            return Reconstructor(self.model, **sizes)
        return Forecaster(self.model, horizon=self.steps, **sizes)

    def configs(self) -> tuple[Any, Any]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        if self.smooth is not None and (not isinstance(self.smooth, int) or self.smooth < 1):
            raise InputError(f"smooth is a whole number of rows, at least 1, or None, not {self.smooth!r}")
        both: tuple[Any, Any] = self.inner.configs()
        return both

    def fit(self, frame: Any, *, split: Any = None, on_epoch: Any = None, **roles: Any) -> Self:
        """Train on rows in which, as far as one knows, all was well; arguments and errors as of `Forecaster.fit`."""
        self.configs()
        self.whole_ = flagged.unlabelled(frame, self.label, roles)
        face = self.face_ = self.inner.fit(self.whole_, split=split, on_epoch=on_epoch)
        self.model_, self.head_, self.report_, self.preparation_ = (
            face.model_,
            face.head_,
            face.report_,
            face.preparation_,
        )
        self.lesson_, self.parts_, self.fitted_with_ = face.lesson_, face.parts_, self._effective()
        season = max(2, self.whole_.season)
        widths = {max(1, round(share * season)) for share in _SHARES} if self.smooth is None else {self.smooth}
        self.found_ = self._tried(season, sorted(widths))
        self.smooth_ = max(self.found_, key=lambda rows: (self.found_[rows], -rows))
        return self

    def anomalies(self, frame: Any = None, *, alpha: float = 0.01, smooth: int | None = None, sound: Any = None) -> Any:
        """As of `Forecaster.anomalies`; a score is a mean over `smooth_` rows where nothing else is said."""
        self._check_fitted()
        return super().anomalies(frame, alpha=alpha, smooth=self.smooth_ if smooth is None else smooth, sound=sound)

    def _usual(self, sound: Any, smooth: int) -> Usual:
        """What was saved, of a loaded one."""
        if sound is not None or hasattr(self, "lesson_"):
            return super()._usual(sound, smooth)
        if smooth != self.usual_.smooth:
            raise InputError(
                f"a loaded Detector knows what is usual over smooth={self.usual_.smooth} rows alone; pass sound=, rows "
                "in which all was well"
            )
        return self.usual_

    predict = anomalies

    def card(self, frame: Any = None) -> Card:
        """The card of the forecaster or reconstructor inside, with what its errors tell, and how well they do.

        Args:
            frame: other rows, of which the measures of the model inside are told as well and, where they are labelled,
                `vus_pr`.

        Raises:
            InputError: as of `Forecaster.card`; or the column of labels holds something else.
        """
        self._check_fitted()
        self._check_unchanged()
        told = self.face_.card(frame).facts
        chosen = "named" if self.smooth is not None else "chosen by faults put into the validation rows"
        smoothed = singular(f"{self.smooth_} rows, {chosen}")
        metrics = facts.of_found(self.found_[self.smooth_], told.get("protocol", {}))
        metrics += [] if frame is None else self._measured(self._panel(frame))
        watched = self.face_._reference() if hasattr(self, "whole_") else self.face_.reference_  # an older one has none
        return Card(
            {
                **told,
                "model": facts.of_detector(told.get("model", {}), _TELLS, smoothed, _THRESHOLD),
                "metrics": [*told.get("metrics", []), *metrics],
                "limits": facts.watched(told.get("limits", []), watched),
            }
        )

    def _measured(self, panel: Panel) -> list[dict[str, Any]]:
        """VUS-PR over every row of a panel in which some are labelled, for a card."""
        if self.label not in panel.frame.columns or not (labels := self.labels_of(panel)).any():
            return []
        scores = self._scored(panel, self._usual(None, self.smooth_))[1]
        score = flagged.score(panel, labels, scores, split.whole(panel.arrays()))
        return facts.of_score(infer.Score({"vus_pr": score.vus_pr}, score.windows), "rows given")

    def drift(self, frame: Any, *, alpha: float = 0.05) -> Drift:
        """Whether later rows are other than those that the model inside learnt from; as of `Forecaster.drift`."""
        self._check_fitted()
        found: Drift = self.face_.drift(frame, alpha=alpha)
        return found

    def score(
        self, frame: Any = None, *, split: Any = None, part: str = "test", measures: Sequence[str] | str | None = None
    ) -> infer.Score:
        """`scores` of one part: val or test; by default `missed` and `vus_pr`."""
        return self.scores(frame, split, (part,), metrics.words(measures, [*BEST]))[part]

    def scores(
        self, frame: Any, split: Any, parts: Sequence[str] | str, words: Sequence[str]
    ) -> dict[str, infer.Score]:
        """VUS-PR of parts by name (`tsrnn.vus`), and what it lacks of 1; of "val" it is that over faults put into it.

        Args:
            frame: rows with labels; None: the training's own.
            split: as of `fit`; None: the one that `fit` got.
            parts: train, val or test.
            words: missed, vus_pr.

        Raises:
            InputError: another measure is asked for, there is no column of labels, the split is not one of these rows',
                or no anomaly is in a part.
        """
        parts = named(parts)
        for word in words:
            if word not in BEST:
                raise unknown("measure of a detector", word, BEST)
        self._check_fitted()
        if not hasattr(self, "whole_") and (frame is None or split is None):
            raise InputError("a loaded Detector holds no data; pass rows with labels, and split=")
        panel = self.whole_ if frame is None else self._panel(frame)
        cut = self.parts_ if frame is None and split is None else self._parts(panel, split, parts)
        scores = self._scored(panel, self._usual(None, self.smooth_))[1]
        answers = {}
        for name in parts:
            part = cut.part(name)
            if name == "val":
                answers[name] = infer.Score(measures(self.found_[self.smooth_]), int((part.end - part.begin).sum()))
            else:
                answers[name] = flagged.score(panel, self.labels_of(panel), scores, part)
        return answers

    def save(self, folder: str | Path) -> None:
        """Write the model inside as it is saved alone, and beside it what errors are usual; the data stay out of it.

        The folder can be read by `Detector.load`, and by the `load` of the forecaster or reconstructor inside.
        """
        self._check_fitted()
        self._check_unchanged()
        usual = self._usual(None, self.smooth_)
        table = {
            "params": parameters.words(self.get_params(), strict=True),
            "smooth": self.smooth_,
            "found": [[rows, None if np.isnan(value) else value] for rows, value in self.found_.items()],
            "sound": len(usual.scores),
        }
        self.face_.save(folder)
        packed = store.packed({"size": usual.size, "scores": usual.scores})
        store.add(folder, {_WORD: table}, {f"{_WORD}.safetensors": packed})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: no detector is saved there, or a newer version's, or damaged.
        """
        saved = store.opened(folder)
        if (table := saved.config.get(_WORD)) is None:
            kind = saved.config.get("kind", store.MODEL)
            raise InputError(f"{folder} holds no Detector, but a saved {store.held(kind)}")
        with rebuild.blaming(saved, cls.__name__):
            self = cls(**table["params"])
            self.configs()
            face = self.face_ = type(self.inner).load(folder)
            shapes = {"size": (*_errors_of(face),), "scores": (int(table["sound"]),)}
            learnt = saved.beside(_WORD, shapes)
            self.smooth_ = int(table["smooth"])
            self.found_ = {int(rows): np.nan if value is None else float(value) for rows, value in table["found"]}
            self.usual_ = Usual(learnt["size"], self.smooth_, learnt["scores"])
        self.model_, self.head_, self.preparation_ = face.model_, face.head_, face.preparation_
        self.fitted_with_ = self._effective()
        return self

    def labels_of(self, panel: Panel) -> np.ndarray:
        """Which rows are labelled: [row]; errors as of `tsrnn.flagged.labels_of`."""
        return flagged.labels_of(panel, self.label)

    def _tried(self, season: int, widths: Sequence[int]) -> dict[int, float]:
        """VUS-PR over faults put into the validation rows, by the rows that a score is a mean over; NaN: no room."""
        panel, part = self.lesson_, self.parts_.val
        usual = Usual.learn(self._errors(panel, part), panel.offsets)
        found: dict[int, list[float]] = {width: [] for width in widths}
        for seed in range(_COPIES):
            faulty, labels = faults.into(panel, part.begin, part.end, season, seed)
            parts = usual.parts(self._errors(faulty, part))
            for width, values in found.items():
                scores = replace(usual, smooth=width).score(parts, panel.offsets)
                if labels.any():
                    values.append(flagged.score(faulty, labels.astype(bool), scores, part).vus_pr)
        return {width: float(np.mean(values)) if values else np.nan for width, values in found.items()}

    def _parts(self, panel: Panel, wanted: Any, names: Sequence[str]) -> split.Split:
        """A panel's parts by a split as it is declared; None: by the one that `fit` got."""
        if wanted is not None:
            return _declared(panel, wanted)
        asked = Asked(replace(panel, split=None), "standard", self.face_.split_)
        parts = asked.parts(lambda rule: _declared(panel, rule))
        for name in (each for each in names if each != "val"):  # which is judged by faults put into the training's
            asked.refuse_empty(parts, name)
        return parts

    def _sizes(self) -> dict[str, int]:
        steps = {"steps": self.model_.spec.horizon} if isinstance(self.face_, Forecaster) else {}
        return {"input_size": self.model_.spec.input_size, **steps}

    def _errors(self, panel: Panel, part: split.Part | None = None) -> Floats:
        errors: Floats = self.face_._errors(panel, part)
        return errors

    def _panel(self, frame: Any) -> Panel:
        panel: Panel = self.face_._panel(frame)
        return panel


def _errors_of(face: Any) -> tuple[int, int]:
    """How many errors a row has: leads, targets."""
    return (face.spec_.horizon if isinstance(face, Forecaster) else 1), face.spec_.targets


def _declared(panel: Panel, wanted: Any) -> split.Split:
    """Parts by a split as it is declared; None: every row is one to learn from."""
    if wanted is None:
        return split.tail(panel.arrays(), 0)
    return split.standard(panel.arrays(), panel.split if wanted == "standard" else wanted, panel.source)
