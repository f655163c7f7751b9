"""What a face keeps of its training beside its weights: facts for a model card, and a reference for drift."""

from typing import Any, ClassVar

from tsrnn import facts, journal, labels, models, parameters, provenance, split, store, trained
from tsrnn.asked import Asked
from tsrnn.card import Card, Floats, checked
from tsrnn.drift import Drift, Reference, learn, look, since
from tsrnn.errors import InputError
from tsrnn.estimator import Estimator
from tsrnn.panel import Panel
from tsrnn.tasks import Task


class Kept(Estimator):
    """A face that knows what it was trained on."""

    watches = True  # later rows of what it learnt from may be held against it
    stamp_: dict[str, str]
    report_: trained.Report  # not there in what an older version saved
    facts_: dict[str, Any] | None = None
    reference_: Reference | None = None
    lesson_: Panel  # what was learnt from
    parts_: split.Split

    def card(self, frame: Any = None) -> Card:
        """The model card: `str` is Markdown, `json()` plain values (see `tsrnn.card`).

        Args:
            frame: other rows, with their truth, which measures are to be told of as well, beside those of the
                validation part.

        Raises:
            InputError: not fitted, or saved before there were cards; or nothing of the frame can be measured.
        """
        self._check_fitted()
        told = self._facts()
        if frame is not None:
            told = {**told, "metrics": [*told.get("metrics", []), *self._measured(frame)]}
        return Card(told)

    def drift(self, frame: Any, *, alpha: float = 0.05) -> Drift:
        """Whether rows after the training's are other than those trained on: of a forecaster's errors, too.

        Give every row since the fit each time, behind at least `input_size` older ones: then alpha bounds the chance
        that ever an alarm comes while nothing drifts, however often one looks (see `tsrnn.drift`). Rows of the
        training, told by their index, are looked back on and not judged.

        Args:
            frame: the columns that the model was fitted on; labels are not read.
            alpha: chance of a false alarm.

        Raises:
            InputError: a column is missing, no row is new, none of its series was in the training, the model was saved
                without a reference, or is one of whole series.
        """
        self._check_fitted()
        if not self.watches:
            raise InputError(
                f"a {type(self).__name__} is asked about new series, and drift looks at later rows of those "
                "that were learnt from; hold it against newly labelled ones with score, or a card of them"
            )
        with journal.noted("drift") as counts:
            panel, reference = self._seen(frame), self._reference()
            begin = since(reference, panel)
            missed = self._missed(panel, split.Part(begin, panel.offsets[1:]))
            found = look(reference, panel, begin, missed, alpha)
            counts |= {"rows": found.rows, "streams": len(found.table), "evidence": f"{found.evidence:.3g}"}
        return found

    def _facts(self) -> dict[str, Any]:
        """Gathered when first asked for: most fits are never told of."""
        if self.facts_ is None:
            if not hasattr(self, "panel_"):
                raise InputError("this model was saved without a card; fit and save it with this tsrnn")
            self._check_unchanged()
            self.facts_ = self._gathered()
        return self.facts_

    def _reference(self) -> Reference:
        """Learnt of the training's rows when it is first asked for: most fits are never watched."""
        if self.reference_ is None:
            if not hasattr(self, "panel_"):
                raise InputError("this model was saved without a reference for drift; fit and save it with this tsrnn")
            self.reference_ = self._learnt()
        return self.reference_

    def _gathered(self) -> dict[str, Any]:
        """The facts, by section."""
        raise NotImplementedError

    def _protocol(self) -> dict[str, Any]:
        options = parameters.words({name: value for name, value in self.get_params().items() if name != "model"})
        return facts.of_protocol(self.parts_, options, self.stamp_)

    @property
    def _reads_holes(self) -> bool:
        """Whether the model is told beside its past which cells were measured."""
        return bool(self.preparation_.reading.get("holes", {}).get("channels"))

    def _measured(self, frame: Any) -> list[dict[str, Any]]:
        """Measures of rows that are given, for a card."""
        raise NotImplementedError

    def _seen(self, frame: Any) -> Panel:
        """Rows that are looked at for drift."""
        raise NotImplementedError

    def _learnt(self) -> Reference:
        """What later rows are held against."""
        raise NotImplementedError

    def _missed(self, panel: Panel, part: split.Part) -> Floats | None:
        """Errors of what was said of the rows of a part, [row target]; None where they are not watched."""
        return None

    def _asked(self, panel: Panel, wanted: split.SplitRow, own: bool) -> Asked:
        """Rows that it is asked about, parted as it is asked; `own`: they are the training's."""
        return Asked(panel, wanted, self.split_, own, not hasattr(self, "panel_"))

    def _learnt_from(self, panel: Panel, parts: split.Split) -> None:
        """What was just learnt from; what was known of another training is forgotten."""
        self.lesson_, self.parts_, self.reference_, self.facts_ = panel, parts, None, None
        self.fitted_with_ = self._effective()
        self.stamp_ = provenance.stamp(self.report_.device)

    def _kept(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a saved model holds beside what an answer needs: plain values, and files."""
        self._check_unchanged()
        told: dict[str, Any] = {"report": self.report_.plain()} if hasattr(self, "report_") else {}
        if not hasattr(self, "panel_"):  # a loaded one keeps what its folder had
            told |= {} if self.facts_ is None else {"card": self.facts_}
            if self.reference_ is None:
                return told, {}
        else:
            told["card"] = self._facts()
        if not self.watches:
            return told, {}
        reference = self._reference()
        return {**told, "drift": reference.plain()}, {"drift.safetensors": store.packed(reference.tensors())}

    def _remember(self, saved: store.Saved) -> None:
        plain, card, report = (saved.config.get(name) for name in ("drift", "card", "report"))
        self.reference_, self.facts_ = None, None if card is None else checked(card)
        self.fitted_with_ = self._effective()
        if report is not None:
            self.report_ = trained.Report.restored(report)
        if plain is not None:
            self.reference_ = Reference.restored(plain, saved.beside("drift", Reference.shapes(plain)))


class Answering(Kept):
    """A face that says something of rows, or of whole series, and forecasts nothing."""

    watches = False
    task: ClassVar[Task]
    tells: ClassVar[str] = "answers"  # what a card says that it does
    classes_: list[Any] | None
    scores: Any  # of each face that has them: parts of a split, by measures

    def _gathered(self) -> dict[str, Any]:
        arrays, name = self.preparation_.arrays(self.lesson_), models.find(self.model).name
        asked, data = self._told_by(), facts.of_data(self.lesson_, arrays, self.task.ends)
        if self.classes_ is not None:
            data["labels of the training"] = facts.of_labels(arrays, self.parts_, self.classes_)
        score = None
        if facts.holds_truth(arrays, self.parts_.val) and hasattr(self, "scores"):
            score = self.scores(None, self.split_, ("val",), asked)["val"]
        about = name, self.model_, self.spec_.input_size, self.loss or labels.CROSS_ENTROPY, self.tells, self.task.name
        watched = self._reference() if self.watches else None
        return {
            "model": facts.of_answers(*about, self.classes_),
            "data": data,
            "protocol": self._protocol(),
            "metrics": [] if score is None else facts.of_score(score, "validation"),
            "worst": {} if score is None else facts.of_worst_answers(score, asked[0], self.classes_),
            "limits": facts.of_limits(
                self.model_, None, arrays, watched, self._reads_holes, not self.task.shows, self.task.ends
            ),
            "cost": facts.of_cost(self.model_, self.report_),
        }

    def _measured(self, frame: Any) -> list[dict[str, Any]]:
        score = self.scores(frame, {"by_series": {}}, ("train",), self._told_by())["train"]  # every row
        return facts.of_score(score, "rows given")

    def _told_by(self) -> tuple[str, ...]:
        """Measures on a card; the first says where it is worst."""
        if self.classes_ is not None:
            return ("error", "accuracy", "macro_f1")
        return ("physical_mae", *self.task.of_values) if self.task.of_values else self.task.measures

    def _learnt(self) -> Reference:
        unread = () if self.task.shows else self.lesson_.roles.targets
        return learn(self.preparation_, self.lesson_, self.parts_, unread=unread)


class Making(Kept):
    """A face that makes sequences of noise: measured for a card by what no critic has to learn."""

    scores: Any  # parts of a split, by measures

    def _gathered(self) -> dict[str, Any]:
        arrays, name = self.preparation_.arrays(self.lesson_), models.find(self.model).name
        about = name, self.model_, self.spec_.input_size, "of its own", "new sequences", "generate"
        limits = facts.of_limits(self.model_, None, arrays, self._reference(), masked=True)
        try:
            metrics = facts.of_score(self.scores(None, self.split_, ("train",), "correlational")["train"], "training")
        except InputError as few:
            metrics, limits = [], [*limits, f"How like real sequences made ones are was not measured: {few}."]
        return {
            "model": facts.of_answers(*about, None),
            "data": facts.of_data(self.lesson_, arrays),
            "protocol": self._protocol(),
            "metrics": metrics,
            "limits": limits,
            "cost": facts.of_cost(self.model_, self.report_),
        }

    def _measured(self, frame: Any) -> list[dict[str, Any]]:
        return facts.of_score(self.scores(frame, None, ("train",))["train"], "rows given")

    def _seen(self, frame: Any) -> Panel:
        return self.preparation_.read(frame)

    def _learnt(self) -> Reference:
        return learn(self.preparation_, self.lesson_, self.parts_)
