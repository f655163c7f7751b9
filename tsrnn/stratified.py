"""Series held out class by class: which stop a training, and whether every class is there to be learnt."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsrnn.arrays import Floats
from tsrnn.errors import InputError, listed, notice, quoted
from tsrnn.split import Part, Split


def held_out(codes: Floats, share: float) -> list[int]:
    """That share of each class, evenly spread, never the last of one: rows of codes [series], NaN where unlabelled.

    What makes no whole series is carried over to the next class.
    """
    held, owed = [], 0.0
    for code in np.unique(codes[np.isfinite(codes)]):
        rows = np.flatnonzero(codes == code)
        owed += share * len(rows)
        count = min(int(owed + 1e-9), len(rows) - 1)
        owed -= count
        held += rows[((np.arange(count) + 0.5) * len(rows) / max(1, count)).astype(int)].tolist()
    return sorted(held)


def refuse_unlearnt(codes: Floats, parts: Split, classes: Sequence[Any], source: str) -> None:
    """Refuse a split that holds out every series of a class: codes [series].

    Raises:
        InputError: names the class and the part.
    """
    learnt = {*codes[_held(parts.train)].tolist()}
    for name in ("val", "test"):
        strangers = sorted({*codes[_held(parts.part(name))].tolist()} - learnt)
        for code in (each for each in strangers if np.isfinite(each)):
            raise InputError(
                f"{source}: class {quoted(classes[int(code)])} has series in the split's {name} part and none to learn "
                "it from; move one of them to the training"
            )


def check_unlearnt(codes: Floats, parts: Split, classes: Sequence[Any], source: str, on_unlearnt: str) -> None:
    """Look for classes of the rows held out that no row of the training has: labels' numbers that count [row].

    In the validation it is an error: what stops the training would be judged by rows that nobody can tell. Where wells
    are left out one by one it is nobody's fault, a rock that one well alone has is always such a class, and "note" goes
    on. In the test it is only said: a test is to be scored as it is. Of whole series see `refuse_unlearnt`.

    Raises:
        InputError: names the class; `on_unlearnt` is "error".
    """
    counts = {name: parts.part(name).counts(codes, len(classes)) for name in ("train", "val", "test")}
    held = {name: {*np.flatnonzero(count).tolist()} for name, count in counts.items()}
    for name in ("val", "test"):
        if not (strangers := sorted(held[name] - held["train"])):
            continue
        them = listed(str(classes[code]) for code in strangers)
        if name == "val" and on_unlearnt == "error":
            raise InputError(
                f"{source}: no row of the training is {them}, which the split's val part holds; choose a split= (or "
                "val_size=) that leaves rows of it to learn from, or on_unlearnt='note' to go on without"
            )
        notice(f"no row of the training is {them}, which the {name} part holds: it can never be told there")


def _held(part: Part) -> np.ndarray:
    """Which series have rows in a part: [series]."""
    return np.asarray(part.end > part.begin)
