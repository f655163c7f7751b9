"""What a user can mend: one exception, one sentence, the nearest names; and a word on what was chosen unasked."""

import sys
import warnings
from collections.abc import Iterable
from difflib import get_close_matches

_INSIDE = ("tsrnn", "functools")  # functools: a cached property stands between


class InputError(ValueError):
    """Something the user gave is wrong and the user can mend it.

    The message is one sentence that names the file, row, column, option or value, and says the mend.
    The command line prints it and exits with 2; every other exception is our own fault and exits with 1.
    """


class Notice(UserWarning):
    """What was taken as it is, or chosen, and is worth a word: one sentence that says how to choose otherwise."""


def notice(text: str) -> None:
    """Warn at the line outside tsrnn that led here; Python shows it once for each such line."""
    frame, depth = sys._getframe(), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] in _INSIDE:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, Notice, stacklevel=depth)


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """An `InputError` for a `name` that is none of the `known` ones, with the nearest of them.

    >>> str(unknown("model", "lstn", ["lstm", "gru"]))
    "unknown model 'lstn': did you mean 'lstm'? Known: gru, lstm"
    """
    names = sorted(known)
    lowered = {each.lower(): each for each in names}
    near = [lowered[each] for each in get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(repr(each) for each in near)}? " if near else ""
    return InputError(f"unknown {kind} {name!r}: {hint}Known: {', '.join(names) or 'none'}")
