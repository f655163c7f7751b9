"""Which rows of a split a fitted face is asked about; where there are none, whose split it is and which has some."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tsrnn.errors import InputError, listed
from tsrnn.panel import Panel
from tsrnn.split import Split, SplitRow


def named(parts: Sequence[str] | str) -> tuple[str, ...]:
    """The names of parts, of which one may stand alone."""
    return (parts,) if isinstance(parts, str) else tuple(parts)


@dataclass(frozen=True)
class Asked:
    """Rows that a face is asked about.

    Args:
        wanted: the split as it was asked for; "standard" is the panel's own or, where it has none, the training's.
        learnt: as `fit` got it.
        own: these are the training's own rows.
        loaded: the face was read from a folder, which keeps no split.
    """

    panel: Panel
    wanted: SplitRow
    learnt: SplitRow
    own: bool = False
    loaded: bool = False

    def parts(self, cut: Callable[[SplitRow], Split]) -> Split:
        """The parts, which `cut` makes of a split as it is declared.

        Raises:
            InputError: the split is none of these rows'; where it is the training's, it is said.
        """
        if not self._inherits:
            return cut(self.wanted)
        if missing := self._missing():
            lacks = f"{self.panel.source} holds no series {listed(missing)}"
            raise InputError(f"{lacks}, which the split that fit got names; {self._mend}")
        try:
            return cut(self.learnt)
        except InputError as fault:
            if self.own:
                raise
            raise InputError(
                f"the split that fit got does not fit {self.panel.source} ({fault}); {self._mend}"
            ) from fault

    def nothing(self, parts: Split, name: str, what: str = "row") -> InputError:
        """What is said where a part holds nothing of the kind that is to be held against answers."""
        said = f"{self.panel.source} holds no {what} in the part {name!r}"
        if not self._inherits:
            return InputError(f"{said} of that split; give it some in split=, or take another part")
        if self.loaded:
            whose = ", for a loaded model keeps no split of its training"
        elif self.learnt is None:
            whose = ", for fit got no split= that makes one"
        else:
            whose = " of the split that fit got"
        if not self.own:
            return InputError(f"{said}{whose}; {self._mend}")
        other = "take part='val', which was held out of the training, or " if _holds(parts, "val") else ""
        return InputError(f"{said}{whose}; {other}fit with a split= that gives it some")

    def refuse_empty(self, parts: Split, name: str) -> None:
        """Refuse a part without a row.

        Raises:
            InputError: says whose split that is, and the mend.
        """
        if not _holds(parts, name):
            raise self.nothing(parts, name)

    @property
    def _inherits(self) -> bool:
        """Whether the split is the training's."""
        return isinstance(self.wanted, str) and self.wanted == "standard" and self.panel.split is None

    @property
    def _mend(self) -> str:
        example = {"by_series": {"test": [self.panel.ids[-1]]}}
        return f"pass a split= of these rows, such as split={example}, or call card(frame), which measures all of them"

    def _missing(self) -> list[str]:
        """Series that the training's split names and these rows do not hold."""
        held = self.learnt.get("by_series") if isinstance(self.learnt, Mapping) else None
        groups = [] if self.own or not isinstance(held, Mapping) else held.values()
        return [
            each
            for names in groups
            if not isinstance(names, int | float)
            for each in names
            if each not in self.panel.ids
        ]


def _holds(parts: Split, name: str) -> bool:
    part = parts.part(name)
    return bool((part.end > part.begin).any())
