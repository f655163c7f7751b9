"""A model card: what a model was trained on and how, how good it is and where it is worst, what it is not for.

Mitchell et al. 2019, Model Cards for Model Reporting (arXiv 1810.03993). Facts are plain values, kept with the model;
a card shows them as Markdown or JSON.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tsrnn.errors import InputError

Floats = npt.NDArray[np.float64]

SECTIONS = ("model", "data", "protocol", "metrics", "worst", "limits", "cost")
_DRAWN, _SEED = 500, 0  # resamples of an interval
_LEVEL = 0.9  # of an interval
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$])")
_LINK = re.compile(r"(:)(?=//)|(?<=www)(\.)|(@)", re.IGNORECASE)  # what readers of Markdown make links of
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FORECASTS = "forecasts of the targets above"
_USE = "for series and conditions like those of the data above, looked at by someone who can judge them."
_WATCH = "Watch it: `tsrnn drift` on each night's rows says when it should be fitted again."
WATCHED = "Drift is watched"  # how a limit begins that says of what
MISUSES = (
    "Decisions about people, or ones that cannot be undone, with no person between: check which law asks for what "
    "(in the European Union the AI Act and, where rows tell of persons, the GDPR).",
    "Other series, units or steps, or conditions outside the period above: errors there are not known.",
    "{sure} as guarantees: {how} is what was measured where it was measured, and ends where drift begins.",
    "What if: it has learnt what goes together, not what causes what.",
)


@dataclass(frozen=True)
class Card:
    """Facts by section; `str` is Markdown."""

    facts: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        """All facts as plain values, with what the model is for and what not."""
        return {**self.facts, "use": self.uses(), "misuse": self.misuses()}

    def uses(self) -> list[str]:
        """What the model is for, in sentences of Markdown."""
        told = plain(self._tells() or _FORECASTS)
        limits = self.facts.get("limits", ())
        watched = self._tells() is None or any(
            str(each).startswith(WATCHED) and f"{WATCHED} in 0 " not in str(each) for each in limits
        )
        return [f"{told[:1].upper()}{told[1:]}, {_USE}", *([_WATCH] if watched else [])]

    def misuses(self) -> list[str]:
        """What it is not for."""
        words = ("Quantiles", "their coverage") if self._tells() is None else ("Answers", "how often they are right")
        return [each.format(sure=words[0], how=words[1]) for each in MISUSES]

    def _tells(self) -> Any:
        """What a model of another task than a forecast tells."""
        return self.facts.get("model", {}).get("tells")

    def __str__(self) -> str:
        parts = [f"# Model card: {plain(self.facts.get('model', {}).get('name', ''))}"]
        for section in SECTIONS:
            content = self.facts.get(section)
            if content:
                parts += [f"## {section.capitalize()}", *_shown(content)]
        parts += ["## Intended use", _listed(self.uses()), "## Not intended", _listed(self.misuses())]
        return "\n\n".join(parts) + "\n"


def checked(facts: Any) -> dict[str, Any]:
    """The facts of a saved model, which may come from anybody.

    Raises:
        InputError: they are none.
    """
    kinds = {"metrics": list, "limits": list}
    if not isinstance(facts, dict) or not {*facts} <= {*SECTIONS}:
        raise InputError(f"card must hold sections of {', '.join(SECTIONS)}")
    for name, content in facts.items():
        if not isinstance(content, kinds.get(name, dict)):
            raise InputError(f"section {name!r} of card is none")
    return facts


def interval(values: Floats, block: int) -> tuple[float, float]:
    """The 90 % interval of the mean of dependent values, by the moving-block bootstrap.

    Künsch 1989, The jackknife and the bootstrap for general stationary observations.

    Args:
        values: [window] in order; NaN where there is none.
        block: values that are drawn together: longer than they remember.
    """
    held = values[np.isfinite(values)]
    length = max(1, min(block, len(held) // 2))
    if len(held) < 2:
        return float("nan"), float("nan")
    total = np.concatenate([[0.0], np.cumsum(held)])
    blocks = (total[length:] - total[:-length]) / length  # [start] mean of each block
    drawn = np.random.default_rng(_SEED).integers(0, len(blocks), (_DRAWN, -(-len(held) // length)))
    means = blocks[drawn].mean(1)
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def plain(value: Any) -> str:
    """A value in Markdown: nothing in it is markup, whatever a column is called."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(name)} {plain(each)}" for name, each in value.items())
    text = "".join(each if each.isprintable() else " " for each in str(value))
    text = re.sub("[&<>]", lambda found: _MARKUP[found[0]], text)
    return _LINK.sub(lambda found: f"&#{ord(found[0])};", _SPECIAL.sub(r"\\\1", text))


def _shown(content: Any) -> list[str]:
    """A section: a table of facts, a table of records, or a list of sentences."""
    if isinstance(content, Mapping):
        tables = {name: each for name, each in content.items() if _records(each)}
        facts = [{"": name, " ": each} for name, each in content.items() if name not in tables]
        shown = [_table(facts)] if facts else []
        for name, rows in tables.items():
            shown += [f"By {plain(name)}:", _table(rows)]
        return shown
    return [_table(content)] if _records(content) else [_listed([plain(each) for each in content])]


def _records(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(each, Mapping) for each in content)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[plain(name) for name in names], ["---"] * len(names)]
    lines += [[plain(row.get(name)) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def dumped(card: Card) -> str:
    """JSON text."""
    return json.dumps(card.json(), indent=2) + "\n"
