"""Any forecaster or autoencoder as a detector of anomalies, to be scored against labels that it never reads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from tsrnn import faults, infer, metrics, models, parameters, rebuild, split, store
from tsrnn.arrays import Floats
from tsrnn.card import Card
from tsrnn.drift import Drift
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.forecaster import Forecaster
from tsrnn.frames import to_polars
from tsrnn.judged import Judged
from tsrnn.panel import Panel
from tsrnn.reconstructor import Reconstructor
from tsrnn.residuals import Usual
from tsrnn.vus import BEST, measures, vus_pr

_WORD = "detector"  # in a saved folder
_COPIES = 4  # of the validation rows, each with other faults
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
        self.whole_ = _unlabelled(frame, self.label, roles)
        face = self.face_ = self.inner.fit(self.whole_, split=split, on_epoch=on_epoch)
        self.model_, self.head_, self.report_, self.preparation_ = (
            face.model_,
            face.head_,
            face.report_,
            face.preparation_,
        )
        self.lesson_, self.parts_ = face.lesson_, face.parts_
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
        """The card of the forecaster or reconstructor inside, whose errors tell; arguments and errors are its own."""
        self._check_fitted()
        told: Card = self.face_.card(frame)
        return told

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

    def scores(self, frame: Any, split: Any, parts: Sequence[str], words: Sequence[str]) -> dict[str, infer.Score]:
        """VUS-PR of parts by name (`tsrnn.vus`), and what it lacks of 1; of "val" it is that over faults put into it.

        Args:
            frame: rows with labels; None: the training's own.
            split: as of `fit`; None: the one that `fit` got.
            parts: train, val or test.
            words: missed, vus_pr.

        Raises:
            InputError: another measure is asked for, there is no column of labels, or no anomaly is in a part.
        """
        for word in words:
            if word not in BEST:
                raise unknown("measure of a detector", word, BEST)
        self._check_fitted()
        if not hasattr(self, "whole_") and (frame is None or split is None):
            raise InputError("a loaded Detector holds no data; pass rows with labels, and split=")
        panel = self.whole_ if frame is None else self._panel(frame)
        named = self.parts_ if split is None else _parts(panel, split)
        scores = self._scored(panel, self._usual(None, self.smooth_))[1]
        answers = {}
        for name in parts:
            part = named.part(name)
            if name == "val":
                answers[name] = infer.Score(measures(self.found_[self.smooth_]), int((part.end - part.begin).sum()))
            else:
                answers[name] = _score(panel, self.labels_of(panel), scores, part)
        return answers

    def save(self, folder: str | Path) -> None:
        """Write the model inside as it is saved alone, and beside it what errors are usual; the data stay out of it.

        The folder can be read by `Detector.load`, and by the `load` of the forecaster or reconstructor inside.
        """
        self._check_fitted()
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
        return self

    def labels_of(self, panel: Panel) -> np.ndarray:
        """Which rows are labelled: [row].

        Raises:
            InputError: there is no column of labels, or it holds another thing than 0, 1, true and false.
        """
        if self.label not in panel.frame.columns:
            said = unknown(f"column of {panel.source}", self.label, panel.frame.columns)
            raise InputError(f"{said}; scores are held against labels, name the column of them with label=")
        column = panel.frame[self.label]
        cells = column.cast(pl.Float64, strict=False)
        strange = column.filter(column.is_not_null() & ~cells.is_in([0.0, 1.0]).fill_null(False))
        if len(strange):
            raise InputError(
                f"{panel.source}: column {quoted(self.label)} holds {quoted(strange[0])}; an anomaly is 1 or true, and "
                "what is none 0 or false"
            )
        labels: np.ndarray = cells.fill_null(0.0).to_numpy() == 1.0
        return labels

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
                    values.append(_score(faulty, labels.astype(bool), scores, part).vus_pr)
        return {width: float(np.mean(values)) if values else np.nan for width, values in found.items()}

    def _errors(self, panel: Panel, part: split.Part | None = None) -> Floats:
        errors: Floats = self.face_._errors(panel, part)
        return errors

    def _panel(self, frame: Any) -> Panel:
        panel: Panel = self.face_._panel(frame)
        return panel


def _errors_of(face: Any) -> tuple[int, int]:
    """How many errors a row has: leads, targets."""
    return (face.spec_.horizon if isinstance(face, Forecaster) else 1), face.spec_.targets


def _unlabelled(frame: Any, label: str, roles: Mapping[str, Any]) -> Panel:
    """A panel with the label in no role.

    Raises:
        InputError: it is asked to be read.
    """
    if isinstance(frame, Panel):
        if label in (*frame.roles.targets, *(name for names in frame.roles.covariates.values() for name in names)):
            raise InputError(f"{frame.source}: column {quoted(label)} holds the labels, which no model may read")
        return frame
    table = to_polars(frame, "frame")[0]
    if label not in table.columns:
        return Panel.of(table, **roles)
    named = {
        name for value in roles.values() if value is not None for name in ([value] if isinstance(value, str) else value)
    }
    if label in named:
        raise InputError(f"frame: column {quoted(label)} holds the labels, which no model may read")
    seen = Panel.of(table.drop(label), **roles)
    return Panel.of(table, **{**roles, "target": seen.roles.targets})


def _parts(panel: Panel, wanted: Any) -> split.Split:
    rule = panel.split if wanted == "standard" else wanted
    return split.standard(panel.arrays(), rule, panel.source)


def _score(panel: Panel, labels: np.ndarray, scores: Floats, part: split.Part) -> infer.Score:
    """VUS-PR over a part's rows of each series in which something is labelled, and their mean."""
    each = {}
    for name, begin, end in zip(panel.ids, part.begin, part.end, strict=True):
        if labels[begin:end].any():
            each[name] = vus_pr(labels[begin:end], scores[begin:end])
    if not each:
        raise InputError(f"{panel.source}: no row of the part is labelled as an anomaly; there is none to be found")
    table = np.array([[each.get(name, np.nan)] for name in panel.ids] + [[np.mean([*each.values()])]])
    rows = int((part.end - part.begin).sum())
    return infer.Score(
        measures(float(table[-1, 0])), rows, {}, dict(zip(BEST, (1 - table, table), strict=True)), panel.ids
    )
